"""The figure of orders: distances against the step size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from riemopt.figures.drawing import LOOK, add_legend, typeset, with_room
from riemopt.figures.styles import Style, styles

__all__ = ["order_figure"]


def order_figure(curves: Mapping[str, Mapping[str, Mapping[str, Any]]], quantities: Mapping[str, str]) -> Figure:
    """Distances against the step size on logarithmic scales, a row for each subject and a panel for each quantity.

    Points that a slope was fitted to are filled, and those that are noise hollow and pale.

    Parameters
    ----------
    curves : mapping of str to mapping of str to mapping of str to Convergence
        By subject, integrator and quantity.
    quantities : mapping of str to str
        The quantities in the order of the panels, and what stands above them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    keys = list(dict.fromkeys(key for rows in curves.values() for key in rows))
    look = styles(keys)
    with mpl.rc_context(LOOK):
        figure = with_room(len(quantities), len(curves), len(keys) / 3)
        panels = figure.subplots(len(curves), len(quantities), squeeze=False, sharex="row", sharey="row")
        for row, (name, rows) in zip(panels, curves.items(), strict=True):
            for axes, quantity in zip(row, quantities, strict=True):
                axes.set(xscale="log", yscale="log")
                for key, known in rows.items():
                    if quantity in known:
                        _convergence(axes, known[quantity], look[key])
            row[0].set_ylabel(typeset(f"{name}: Fisher-Rao distance") if len(curves) > 1 else "Fisher-Rao distance")
        for first, last, heading in zip(panels[0], panels[-1], quantities.values(), strict=True):
            first.set_title(heading)
            last.set_xlabel("step size")
        add_legend(figure, look, 3)
    return figure


def _convergence(axes: Axes, curve: Any, style: Style) -> None:
    """One curve: a line through what is more than noise, and a marker for every distance that was found."""
    shown = np.isfinite(curve.distances) & (curve.distances > 0)
    axes.plot(curve.step_sizes[curve.usable], curve.distances[curve.usable], color=style.colour, linestyle=style.line)
    kinds: tuple[tuple[np.ndarray, dict[str, Any]], ...] = (
        (curve.fitted, {}),
        (shown & curve.usable & ~curve.fitted, {"markerfacecolor": "white", "markeredgewidth": 0.8}),
        (shown & ~curve.usable, {"markerfacecolor": "none", "markeredgewidth": 0.6, "alpha": 0.35}),
    )
    for which, extra in kinds:
        axes.plot(curve.step_sizes[which], curve.distances[which], **style.marks, **extra)
