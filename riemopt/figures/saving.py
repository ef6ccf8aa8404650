"""Figures as files."""

from __future__ import annotations

import os

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["save"]


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file, the same bytes for the same figure; the name's ending tells the format.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or path-like
    """
    path = os.fspath(path)
    with mpl.rc_context({"svg.hashsalt": "riemopt"}):
        figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)
