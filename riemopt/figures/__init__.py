"""Figures, drawn with Matplotlib and shown by nobody: each function returns a ``matplotlib.figure.Figure``."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

__all__ = ["Figure", "Style", "cost_figure", "fit_figure", "invariance_figure", "order_figure", "save", "styles"]

Paths = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Style:
    """How an integrator is drawn, in every figure.

    Attributes
    ----------
    name : str
        Its name in a legend.
    colour : str
    line : str or tuple
        A Matplotlib line style.
    marker : str
        A Matplotlib marker; empty for none.
    """

    name: str
    colour: str
    line: Any = "-"
    marker: str = ""

    def label(self, key: str) -> str:
        """The key of the integrator and its name."""
        return f"{key}  {self.name}" if self.name else key

    @property
    def artist(self) -> dict[str, Any]:
        """The style as arguments of Matplotlib's ``plot``."""
        return {"color": self.colour, "linestyle": self.line, "marker": self.marker}

    @property
    def marks(self) -> dict[str, Any]:
        """The same without a line, and with a marker in any case."""
        return {"color": self.colour, "linestyle": "", "marker": self.marker or "o"}


# Okabe and Ito's palette, which colour-blind readers can tell apart, https://jfly.uni-koeln.de/color; black and grey
# for what is exact
_STYLES = {
    "ng": Style("natural gradient", "#D55E00", marker="o"),
    "mid": Style("midpoint", "#0072B2", marker="s"),
    "geo": Style("geodesic correction", "#009E73", marker="^"),
    "geof": Style("faster geodesic correction", "#CC79A7", marker="v"),
    "gd": Style("gradient descent", "#E69F00", marker="D"),
    "ng-exact": Style("natural gradient flow", "#000000", (0, (4, 2))),
    "geo-exact": Style("Riemannian Euler", "#808080", (0, (1, 1.2))),
    "geo3": Style("geodesic series", "#2E8B57", (0, (4, 1.2)), "^"),
    "geo4": Style("geodesic series", "#5FA777", (0, (3, 1.2)), "^"),
    "geo5": Style("geodesic series", "#95C8A3", (0, (2, 1.2)), "^"),
    "heun": Style("Heun", "#56B4E9", marker="P"),
    "rk4": Style("Runge-Kutta", "#3A4CC0", marker="p"),
    "rk5": Style("Nyström", "#7A5CC8", marker="X"),
    "dopri5": Style("Dormand-Prince", "#9C6FD6", (0, (4, 1.2)), "X"),
    "dop853": Style("Dormand-Prince", "#5D2A8A", marker="*"),
    "mirror": Style("mirror descent", "#8C6D31", (0, (4, 1.2)), "<"),
    "mirror-dual": Style("dual mirror descent", "#B99B5E", (0, (4, 1.2)), ">"),
    "mid-exact": Style("Riemannian midpoint", "#444444", (0, (3, 1, 1, 1)), "s"),
    "ng-adaptive": Style("adaptive flow", "#000000", (0, (1, 1)), "d"),
}
_OTHERS = [Style("", "#56B4E9", marker="P"), Style("", "#8C6D31", marker="X"), Style("", "#5D4A9C", marker="*")]

_LOOK: dict[Any, Any] = {
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
_ACROSS = 4  # charts side by side
_GRID = 96  # points along each axis under the contours
_BINS = 200  # the most bars of a histogram
_CURVE = 400  # points along a density
_DPI = 200  # the figure in the README is shown at less than half its size


def styles(keys: Iterable[str]) -> dict[str, Style]:
    """The style of each integrator: always the same for those of the paper.

    Parameters
    ----------
    keys : iterable of str
        What the integrators are called.

    Examples
    --------
    >>> styles(["ng", "mine"])["ng"].colour
    '#D55E00'
    """
    keys = list(keys)
    others = [key for key in keys if key not in _STYLES]
    spare = {key: _OTHERS[i % len(_OTHERS)] for i, key in enumerate(others)}
    return {key: _STYLES.get(key) or spare[key] for key in keys}


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
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(width, 2.05 * sum(heights) + 0.7), dpi=_DPI, layout="constrained")
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
            axes.tick_params(labelsize=_LOOK["xtick.labelsize"])  # or Matplotlib asks again when it draws
        _lay_out(figure)
    return figure


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
    with mpl.rc_context(_LOOK):
        figure = _with_room(len(quantities), len(curves), len(keys) / 3)
        panels = figure.subplots(len(curves), len(quantities), squeeze=False, sharex="row", sharey="row")
        for row, (name, rows) in zip(panels, curves.items(), strict=True):
            for axes, quantity in zip(row, quantities, strict=True):
                axes.set(xscale="log", yscale="log")
                for key, known in rows.items():
                    if quantity in known:
                        _convergence(axes, known[quantity], look[key])
            row[0].set_ylabel(_typeset(f"{name}: Fisher-Rao distance") if len(curves) > 1 else "Fisher-Rao distance")
        for first, last, heading in zip(panels[0], panels[-1], quantities.values(), strict=True):
            first.set_title(heading)
            last.set_xlabel("step size")
        _name(figure, look, 3)
    return figure


def _with_room(across: int, down: int, legend: float) -> Figure:
    """A figure for so many panels, and lines of a legend above them."""
    size = (2.9 * across + 0.3, 2.6 * down + 0.7 + 0.16 * math.ceil(legend))
    return Figure(figsize=size, dpi=_DPI, layout="constrained")


def _name(figure: Figure, look: Mapping[str, Style], columns: int) -> None:
    """The integrators above the panels, and everything in its place."""
    entries = [Line2D([], [], **style.artist) for style in look.values()]
    labels = [style.label(key) for key, style in look.items()]
    figure.legend(entries, labels, loc="outside upper center", ncols=columns, frameon=False)
    _lay_out(figure)


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


def cost_figure(wanted: Sequence[float], costs: Mapping[str, Mapping[str, Sequence[Any]]]) -> Figure:
    """Linear solves against the distance to the flow on logarithmic scales, a panel for each subject.

    Numbers that are extrapolated have hollow markers.

    Parameters
    ----------
    wanted : sequence of float
        The distances.
    costs : mapping of str to mapping of str to sequence of Cost
        By subject and integrator, one for each distance.

    Returns
    -------
    matplotlib.figure.Figure
    """
    keys = list(dict.fromkeys(key for rows in costs.values() for key in rows))
    look = styles(keys)
    across = min(len(costs), 3)
    down = math.ceil(len(costs) / across)
    distances, legend = np.array(wanted), 3 if across > 2 else 2
    with mpl.rc_context(_LOOK):
        figure = _with_room(max(across, 2), down, len(keys) / legend)
        panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
        for axes in panels[len(costs) :]:
            axes.set_axis_off()
        for axes, (name, rows) in zip(panels, costs.items(), strict=False):
            axes.set(xscale="log", yscale="log", xlabel="Fisher-Rao distance", title=_typeset(name))
            for key, row in rows.items():
                solves = np.array([cost.solves for cost in row])
                measured = np.array([not cost.extrapolated for cost in row])
                style = look[key]
                axes.plot(distances, solves, color=style.colour, linestyle=style.line)
                axes.plot(distances[measured], solves[measured], **style.marks)
                axes.plot(distances[~measured], solves[~measured], **style.marks, markerfacecolor="white")
        panels[0].xaxis.set_inverted(True)
        for axes in panels[::across]:
            axes.set_ylabel("linear solves")
        _name(figure, look, legend)
    return figure


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
    look: dict[str, Any] = {"color": _STYLES["mid"].colour, "label": "fitted"}
    observed: dict[str, Any] = {"color": "#C8C8C8", "label": f"{len(samples)} observations"}
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(4.9, 3.1), dpi=_DPI, layout="constrained")
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
        axes.set(xlabel=_typeset(f"${name}$"), ylabel="probability" if counts else "density")
        axes.set_title(_typeset(title))
        axes.legend(frameon=False)
        axes.tick_params(labelsize=_LOOK["xtick.labelsize"])  # or Matplotlib asks again when it draws
        _lay_out(figure)
    return figure


def _bulk(samples: np.ndarray) -> tuple[float, float]:
    """Where nearly all numbers are: all of them, but for tails that would leave no room for the rest."""
    low, high = float(samples.min()), float(samples.max())
    first, last = map(float, np.quantile(samples, [0.25, 0.75]))
    margin = 6.0 * (last - first) or max(high - low, 1.0)
    return max(low, first - margin), min(high, last + margin)


def _lay_out(figure: Figure) -> None:
    """Give everything its place once: finding it again for every file would take longer than drawing."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


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
        axes.set_title(_typeset(title))
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
        axes.set(xscale=scales[0], yscale=scales[1], xlabel=_typeset(f"${names[0]}$"))
        axes.set(xlim=ranges[0][[0, -1]], ylim=ranges[1][[0, -1]])
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() == "log":
                _label_decades(axis)
    _share(panels, _typeset(f"${names[1]}$"))


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


def _typeset(text: str) -> str:
    """A text that Matplotlib can set: with its formulas as plain text where it does not know their LaTeX."""
    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return text.replace("$", "")
    return text
