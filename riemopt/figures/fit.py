"""The figure of a fit: observations and the density fitted to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from riemopt.figures.drawing import DPI, LOOK, lay_out, typeset
from riemopt.figures.styles import STYLES

__all__ = ["fit_figure"]

_BINS = 200  # the most bars of a histogram
_CURVE = 400  # points along a density


def fit_figure(
    samples: np.ndarray, density: Callable[[np.ndarray], np.ndarray], counts: bool, title: str, name: str
) -> Figure:
    """Observations and the density fitted to them.

    Parameters
    ----------
    samples : array, shape (N,)
        The observations.
    density : callable
        The density, or the probabilities of counts, at points (m,).
    counts : bool
        Whether the observations are whole numbers.
    title : str
        What stands above, formulas between dollar signs.
    name : str
        What the observation is called, in LaTeX.

    Returns
    -------
    matplotlib.figure.Figure
    """
    low, high = _bulk(samples)
    look: dict[str, Any] = {"color": STYLES["mid"].colour, "label": "fitted"}
    observed: dict[str, Any] = {"color": "#C8C8C8", "label": f"{len(samples)} observations"}
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(4.9, 3.1), dpi=DPI, layout="constrained")
        axes = figure.add_subplot()
        if counts:
            values, numbers = np.unique(samples, return_counts=True)
            shown = (values >= low) & (values <= high)
            heights = numbers[shown] / len(samples)
            axes.bar(values[shown], heights, width=0.8, **observed)
            x = np.arange(np.floor(low), np.ceil(high) + 1.0)
            look |= {"marker": "o", "linewidth": 0.8}
        else:
            inside = samples[(samples >= low) & (samples <= high)]
            bins = max(1, min(len(np.histogram_bin_edges(inside, bins="fd")) - 1, _BINS))
            numbers, edges = np.histogram(inside, bins=bins, range=(low, high))
            heights = numbers / (len(samples) * np.diff(edges))
            axes.stairs(heights, edges, fill=True, **observed)
            x = np.linspace(edges[0], edges[-1], _CURVE)
        y = density(x)
        axes.plot(x, y, **look)
        # a density may be infinite at the edge of its support
        axes.set_ylim(0.0, 1.05 * max(heights.max(), min(y[np.isfinite(y)].max(initial=0.0), 2.0 * heights.max())))
        axes.set(xlabel=typeset(f"${name}$"), ylabel="probability" if counts else "density")
        axes.set_title(typeset(title))
        axes.legend(frameon=False)
        axes.tick_params(labelsize=LOOK["xtick.labelsize"])  # or Matplotlib asks again when it draws
        lay_out(figure)
    return figure


def _bulk(samples: np.ndarray) -> tuple[float, float]:
    """Where nearly all numbers are: all of them, but for tails that would leave no room for the rest."""
    low, high = float(samples.min()), float(samples.max())
    first, last = map(float, np.quantile(samples, [0.25, 0.75]))
    margin = 6.0 * (last - first) or max(high - low, 1.0)
    return max(low, first - margin), min(high, last + margin)
