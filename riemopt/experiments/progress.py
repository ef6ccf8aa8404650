"""How a study tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "quiet"]

Progress = Callable[[int, int, str], None]
"""Called before each piece of work, with two counts of pieces, those done and all, and what comes next."""


def quiet(done: int, total: int, what: str) -> None:
    """Tell nobody: the progress of a study that was given no other."""
