"""Compiled kernels on disk, found by what they compute, and the programs that were derived for them.

Each is one file behind a checksum. The directory is ``RIEMOPT_CACHE`` if that variable is set, else the user's
cache directory; it must belong to the user and be writable to nobody else, since what it holds is run. Whatever is
wrong with the directory, with a file or with the disk costs time only: kernels are compiled anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import re
import stat
import sys
import tempfile
import warnings
from pathlib import Path

__all__ = ["KINDS", "clear", "contents", "digest", "directory", "obstacle", "read", "write"]

KINDS = ("kernel", "program")
"""What the names of files begin with."""

_UNFINISHED = "unfinished_"
"""What the names of files begin with that are being written."""

_OURS = re.compile(rf"({'|'.join(KINDS)})_[0-9a-f]{{32}}|{_UNFINISHED}.*\.part")


def directory() -> Path:
    """Where kernels are kept, if it can be made and is found to be safe when it is used."""
    import platformdirs

    wanted = os.environ.get("RIEMOPT_CACHE") or platformdirs.user_cache_dir("riemopt", appauthor=False)
    return Path(wanted)


def obstacle(path: Path) -> str:
    """Why a directory, which is made if need be, is not used; empty if it may be read."""
    if str(path).startswith("~"):
        return "there is no home directory"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = path.stat()
    except OSError as error:
        return error.strerror or str(error)
    if hasattr(os, "getuid"):
        if facts.st_uid != os.getuid():
            return "it belongs to another user"
        if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "others can write to it"
    return ""


def contents() -> list[Path]:
    """All files of ours: what is kept, by other versions too, and what was being written when a process ended."""
    path = directory()
    return sorted(file for file in path.glob("*") if _OURS.fullmatch(file.name) and file.is_file())


def clear() -> None:
    """Delete the :func:`contents`. Kernels that a process has loaded go on working there."""
    for file in contents():
        file.unlink(missing_ok=True)  # another process may be at it as well


@functools.lru_cache
def _versions() -> str:
    """What compiles, with its versions."""
    names = ("riemopt", "numba", "numba-cuda", "llvmlite", "numpy")
    found = []
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return f"{found} {sys.version}"


def digest(*texts: str) -> str:
    """A name for what is made of some texts, by this version of riemopt, Python and the compilers."""
    return hashlib.sha256("\0".join((*texts, _versions())).encode()).hexdigest()[:32]


def read(name: str) -> bytes | None:
    """What was written under a name; None if there is nothing, or its checksum is wrong."""
    path = directory()
    if obstacle(path):
        return None
    try:
        checksum, data = _split((path / name).read_bytes())
    except OSError:
        return None
    return data if checksum == _checksum(name, data) else None


def write(name: str, data: bytes) -> None:
    """Keep data under a name. Another process that writes there at the same time writes the same."""
    path = directory()
    problem = obstacle(path)
    if not problem:
        try:
            with contextlib.suppress(FileNotFoundError):  # another process clears the directory
                _replace(path / name, _checksum(name, data) + data)
        except OSError as error:
            problem = error.strerror or str(error)
    if problem:
        _warn(path, problem)


def _checksum(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + data).digest()


def _split(held: bytes) -> tuple[bytes, bytes]:
    """The checksum and the data of a file."""
    size = hashlib.sha256().digest_size
    return held[:size], held[size:]


def _replace(path: Path, data: bytes) -> None:
    """Write a file under another name and rename it, so that no reader finds half of it."""
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


@functools.lru_cache
def _warn(path: Path, problem: str) -> None:
    """Say once what is wrong."""
    warnings.warn(
        f"the kernel cache {path} is not used ({problem}); kernels are compiled anew in every process. "
        "Set RIEMOPT_CACHE to a directory with room that only you can write to.",
        RuntimeWarning,
        stacklevel=2,
    )
