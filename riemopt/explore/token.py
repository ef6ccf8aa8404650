"""The token in the address of a page: kept for its owner alone, so that a link works after the next start, too."""

from __future__ import annotations

import os
import re
import secrets
import stat

from riemopt.kernels.store import cache

__all__ = ["token"]

_TOKEN = re.compile(r"[\w-]{32,64}")


def token() -> str:
    """The token that was kept beside the kernels, or a new one, which is kept if there is a place that is safe.

    Returns
    -------
    str
        At least 32 characters that an address may have.
    """
    path = cache.directory() / "explore_token"
    new = secrets.token_urlsafe(32)
    if cache.obstacle(path.parent):
        return new
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "r+", encoding="ascii") as file:
            facts = os.fstat(file.fileno())
            if hasattr(os, "getuid") and (facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) & 0o077):
                return new
            kept = file.read(100)
            if _TOKEN.fullmatch(kept):
                return kept
            file.seek(0)
            file.truncate()
            file.write(new)
    except (OSError, UnicodeDecodeError):
        pass
    return new
