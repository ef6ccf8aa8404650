"""The explorer: the invariance experiment on a page, in a notebook, and in a file, all by one module for browsers.

What a page needs beyond riemopt, the extra ``explore`` brings; it is imported when a page is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__: list[str] = []


def serve_page(port: int, opening: dict[str, Any], ready: Callable[[str], None]) -> None:
    """Serve the page until interrupted; see :func:`riemopt.explore.server.serve`."""
    from riemopt.explore.server import serve
    from riemopt.explore.token import token

    serve(token(), port, opening, ready)


def opening_of(family: str, data: str | None = None, column: str | None = None) -> dict[str, Any]:
    """The settings that a page begins with, for a family and perhaps a file."""
    from pathlib import Path

    from riemopt.errors import DataError
    from riemopt.experiments.datasets import read_numbered_column
    from riemopt.experiments.settings import default_charts
    from riemopt.explore.presets import PRESETS
    from riemopt.explore.requests import MOST_CHARACTERS
    from riemopt.models import family as family_of

    opening = {**PRESETS[0]}
    name = family.lower()
    if name != opening["family"]:
        model = family_of(name)
        opening |= {"family": name, "start": None, "charts": list(default_charts(model)), "view": None, "watch": ""}
    if data is not None:
        read_numbered_column(data, column)
        text = Path(data).read_bytes().decode("utf-8-sig")
        if len(text) > MOST_CHARACTERS * 0.9:
            raise DataError(f"{data}: the file has {len(text)} characters, too many for a page ({MOST_CHARACTERS})")
        opening["data"] = {"kind": "file", "name": Path(data).name, "text": text, "column": column}
    return opening
