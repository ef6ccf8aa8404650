"""The figure of the invariance experiment: losses in every chart, paths over the loss, gaps between the charts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from riemopt.figures.drawing import DPI, LOOK, lay_out, typeset
from riemopt.figures.styles import Style, styles

__all__ = ["invariance_figure"]

Paths = Mapping[str, np.ndarray]

_ACROSS = 4  # charts side by side
_GRID = 96  # points along each axis under the contours


def invariance_figure(
    losses: Sequence[Paths],
    points: Sequence[Paths],
    gap: Mapping[str, np.ndarray],
    titles: Sequence[str],
    names: Sequence[str],
    loss: Callable[[np.ndarray], np.ndarray],
) -> Figure:
    """Losses against the iteration in every chart, paths over the loss, and the gap between the charts.

    Parameters
    ----------
    losses : sequence of mapping of str to array, shape (steps + 1,)
        For each chart the losses by integrator.
    points : sequence of mapping of str to array, shape (steps + 1, n)
        For each chart the points by integrator, all in one chart. They are drawn if n = 2.
    gap : mapping of str to array, shape (steps + 1,)
        The distance between the charts by integrator.
    titles : sequence of str
        What the charts are called.
    names : sequence of str
        What the n coordinates are called, in LaTeX.
    loss : callable
        The loss at points (..., 2), for its contours.

    Returns
    -------
    matplotlib.figure.Figure
    """
    look = styles(gap)
    across = min(len(losses), _ACROSS)
    blocks = math.ceil(len(losses) / across)
    with_paths = len(names) == 2
    heights = [1.0, 1.15][: 1 + with_paths] * blocks + [1.1]
    width = 2.45 * max(across, 2) + 0.3
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(width, 2.05 * sum(heights) + 0.7), dpi=DPI, layout="constrained")
        grid = figure.add_gridspec(len(heights), across, height_ratios=heights)
        rows = 1 + with_paths
        cells = [(rows * (i // across), i % across) for i in range(len(losses))]
        _loss_panels([figure.add_subplot(grid[row, column]) for row, column in cells], losses, titles, look)
        if with_paths:
            panels = [figure.add_subplot(grid[row + 1, column]) for row, column in cells]
            _path_panels(panels, points, names, loss, look)
        last = grid[-1, :].subgridspec(1, 2)
        for i, scale in enumerate(("linear", "log")):
            _gap_panel(figure.add_subplot(last[0, i]), gap, look, scale)
        entries = [figure.axes[0].get_lines()[i] for i in range(len(look))]
        labels = [style.label(key) for key, style in look.items()]
        figure.legend(entries, labels, loc="outside upper center", ncols=3 if across > 2 else 2, frameon=False)
        for axes in figure.axes:
            axes.tick_params(labelsize=LOOK["xtick.labelsize"])  # or Matplotlib asks again when it draws
        lay_out(figure)
    return figure


def _loss_panels(
    panels: Sequence[Axes], losses: Sequence[Paths], titles: Sequence[str], look: Mapping[str, Style]
) -> None:
    """Panels on one scale, the mean negative log-likelihood against the iteration; what diverges leaves them."""
    every = np.concatenate([line for chart in losses for line in chart.values()])
    limits = _padded(np.array([np.nanmin(every), _ceiling(every, every[0])]), "linear")[[0, -1]]
    for axes, chart, title in zip(panels, losses, titles, strict=True):
        for key, style in look.items():
            axes.plot(chart[key], **style.artist)
            _mark_end(axes, np.arange(len(chart[key])), chart[key], style)
        axes.set_title(typeset(title))
        axes.set_xlabel("iteration")
        axes.xaxis.set_major_locator(_iterations())
        axes.set_ylim(*limits)
    _share(panels, "mean negative log-likelihood")


def _path_panels(
    panels: Sequence[Axes],
    points: Sequence[Paths],
    names: Sequence[str],
    loss: Callable[[np.ndarray], np.ndarray],
    look: Mapping[str, Style],
) -> None:
    """Panels on one scale, the paths in the plane of the two coordinates over contours of the loss."""
    every = np.concatenate([path for chart in points for path in chart.values()])
    every = every[np.isfinite(every).all(axis=1)]
    along = loss(every)
    every = every[along <= _ceiling(along, along[0])]
    scales = ["log" if x.min() > 0 and x.max() > 10 * x.min() else "linear" for x in every.T]
    ranges = [_padded(x, scale) for x, scale in zip(every.T, scales, strict=True)]
    mesh = np.stack(np.meshgrid(*ranges), axis=-1)
    heights = loss(mesh)
    levels = _levels(heights, along)
    for axes, chart in zip(panels, points, strict=True):
        axes.grid(False)
        if len(levels):
            axes.contour(*ranges, heights, levels=levels, colors="#C8C8C8", linewidths=0.7, linestyles="solid")
        for key, style in look.items():
            x, y = chart[key].T
            axes.plot(x, y, **style.artist, linewidth=1.1, markersize=2.6)
            _mark_end(axes, x, y, style)
        axes.set(xscale=scales[0], yscale=scales[1], xlabel=typeset(f"${names[0]}$"))
        axes.set(xlim=ranges[0][[0, -1]], ylim=ranges[1][[0, -1]])
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() == "log":
                _label_decades(axis)
    _share(panels, typeset(f"${names[1]}$"))


def _label_decades(axis: Axis) -> None:
    """Plain numbers on a logarithmic axis, 2 and 5 among them where there is room."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def _gap_panel(axes: Axes, gap: Mapping[str, np.ndarray], look: Mapping[str, Style], scale: str) -> None:
    """The distance between charts against the iteration: linear to compare methods, logarithmic to see exact ones."""
    for key, style in look.items():
        axes.plot(np.where(gap[key] > 0, gap[key], np.nan) if scale == "log" else gap[key], **style.artist)
    axes.set(yscale=scale, xlabel="iteration", ylabel="invariance gap")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(_iterations())


def _iterations() -> MaxNLocator:
    return MaxNLocator(6, integer=True, steps=[1, 2, 5, 10])


def _mark_end(axes: Axes, x: np.ndarray, y: np.ndarray, style: Style) -> None:
    """A cross where a trajectory failed."""
    finite = np.flatnonzero(np.isfinite(y))
    if len(finite) < len(y):
        axes.plot(x[finite[-1]], y[finite[-1]], color=style.colour, marker="x", markersize=7, markeredgewidth=1.8)


def _share(panels: Sequence[Axes], label: str) -> None:
    """One scale for all panels, written at the leftmost of each row only."""
    for axes in panels[1:]:
        axes.sharey(panels[0])
    for i, axes in enumerate(panels):
        if i % _ACROSS:
            axes.tick_params(labelleft=False)
        else:
            axes.set_ylabel(label)


def _ceiling(losses: np.ndarray, start: float) -> float:
    """The largest loss worth looking at: twice as high above the lowest as the start."""
    worthwhile = losses[losses <= 2 * start - np.nanmin(losses)]
    return float(worthwhile.max(initial=start))


def _padded(values: np.ndarray, scale: str) -> np.ndarray:
    """A range a little wider than some values, evenly spaced on a scale."""
    low, high = (np.log(values) if scale == "log" else values)[[values.argmin(), values.argmax()]]
    margin = 0.08 * (high - low) or 1.0
    spaced = np.linspace(low - margin, high + margin, _GRID)
    return np.exp(spaced) if scale == "log" else spaced


def _levels(heights: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Heights for contours, denser near the bottom, around those on the paths; none where rounding leaves none."""
    bottom = min(np.nanmin(heights), along.min())
    depth = _ceiling(along, along[0]) - bottom or 1.0
    levels = np.unique(bottom + depth * np.geomspace(0.003, 3.0, 11))
    return levels[np.isfinite(levels)]
