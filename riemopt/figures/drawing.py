"""What all figures share: fonts and lines, room for panels, the legend, texts, and the place of everything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.mathtext import MathTextParser

from riemopt.figures.styles import Style

__all__ = ["DPI", "LOOK", "add_legend", "lay_out", "typeset", "with_room"]

LOOK: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.2,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
}

DPI = 200
"""Dots per inch: the figure in the README is shown at less than half its size."""


def with_room(across: int, down: int, legend: float) -> Figure:
    """A figure for so many panels, and lines of a legend above them."""
    size = (2.9 * across + 0.3, 2.6 * down + 0.7 + 0.16 * math.ceil(legend))
    return Figure(figsize=size, dpi=DPI, layout="constrained")


def add_legend(figure: Figure, look: Mapping[str, Style], columns: int) -> None:
    """The integrators above the panels, and everything in its place."""
    entries = [Line2D([], [], **style.artist) for style in look.values()]
    labels = [style.label(key) for key, style in look.items()]
    figure.legend(entries, labels, loc="outside upper center", ncols=columns, frameon=False)
    lay_out(figure)


def lay_out(figure: Figure) -> None:
    """Give everything its place once: finding it again for every file would take longer than drawing."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def typeset(text: str) -> str:
    """A text that Matplotlib can set: with its formulas as plain text where it does not know their LaTeX."""
    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return text.replace("$", "")
    return text
