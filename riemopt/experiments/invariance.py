"""Who cares about the chart: the same integrators from the same distribution, in several charts of one model."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, DomainError
from riemopt.experiments.charts import Charts, Integrators, charts_of, listed, rules_of, start_in, title, to_own
from riemopt.experiments.results import Progress, Tables, save_all
from riemopt.manifold import LikelihoodProblem, Manifold
from riemopt.models import StatisticalModel
from riemopt.optimize import minimize
from riemopt.status import Status

if TYPE_CHECKING:
    from riemopt.figures import Figure

__all__ = ["InvarianceResult", "invariance"]

_COMPILED_FROM = 200  # steps; fewer take less time than compiling the kernels that would take them


@dataclass(frozen=True, eq=False, repr=False)
class InvarianceResult:
    """Where some integrators went in several charts of a model, and how far apart that was.

    Attributes
    ----------
    charts : dict of str to StatisticalModel
        The model in each chart, its own chart first.
    losses : dict of str to dict of str to array, shape (steps + 1,)
        The mean negative log-likelihoods in nats, by chart and integrator; NaN from where a trajectory failed.
    points : dict of str to dict of str to array, shape (steps + 1, n)
        The points in the model's own chart, by chart and integrator.
    gap : dict of str to array, shape (steps + 1,)
        The invariance gap of each integrator: after each step, the largest Fisher–Rao distance between the points that
        two charts reached. NaN from where a trajectory failed in any chart.
    status : dict of str to dict of str to Status
        Why each trajectory ended, by chart and integrator.
    problem : LikelihoodProblem
        The loss, in the model's own chart.
    """

    charts: dict[str, StatisticalModel]
    losses: dict[str, dict[str, np.ndarray]]
    points: dict[str, dict[str, np.ndarray]]
    gap: dict[str, np.ndarray]
    status: dict[str, dict[str, Status]]
    problem: LikelihoodProblem

    @property
    def model(self) -> StatisticalModel:
        """The model in its own chart."""
        return next(iter(self.charts.values()))

    @property
    def remarks(self) -> list[str]:
        """What did not work out, a line each: trajectories that failed, and distances that could not be found."""
        remarks: list[str] = []
        for chart, key in itertools.product(self.charts, self.gap):
            if not self.status[chart][key].success:
                last = np.isfinite(self.losses[chart][key]).sum() - 1
                reason = self.status[chart][key].meaning
                remarks.append(f"{key} in the chart {chart} ended after iteration {last}: {reason}")
        for key, gap in self.gap.items():
            if np.isnan(gap).any() and all(self.status[chart][key].success for chart in self.charts):
                first = int(np.argmax(np.isnan(gap)))
                remarks.append(f"{key}: no geodesic was found between two points of iteration {first}; its gap is nan")
        return remarks

    def __repr__(self) -> str:
        return f"InvarianceResult({self.model.name}, charts={list(self.charts)}, integrators={list(self.gap)})"

    # -- to look at

    def table(self) -> Tables:
        """The losses and the gaps at some of the iterations, to ``print``."""
        from rich.table import Table
        from rich.text import Text  # which takes a label as it is: in a plain string, Rich reads "[...]" as a style

        losses, gaps = (Table(box=None, collapse_padding=True, pad_edge=False) for _ in range(2))
        for table in (losses, gaps):
            table.add_column("iteration", justify="right")
        losses.add_column("chart")
        for table, key in itertools.product((losses, gaps), self.gap):
            table.add_column(Text(key), justify="right", no_wrap=True, min_width=8)
        for k in _shown(len(next(iter(self.gap.values()))) - 1):
            for i, (chart, row) in enumerate(self.losses.items()):
                losses.add_row("" if i else str(k), Text(chart), *(f"{loss[k]:.5f}" for loss in row.values()))
            gaps.add_row(str(k), *(f"{gap[k]:.2e}" for gap in self.gap.values()))
        parts = [
            Text("Mean negative log-likelihood", style="bold"),
            losses,
            Text("\nInvariance gap: the largest Fisher-Rao distance between two charts", style="bold"),
            gaps,
        ]
        if self.remarks:
            parts.append(Text("\n" + "\n".join(self.remarks)))
        return Tables(*parts)

    def plot(self) -> Figure:
        """The losses against the iteration in every chart, the paths over the loss, and the gaps."""
        from riemopt import figures

        names = [sp.latex(parameter) for parameter in self.model.parameters]
        titles = [title(label, model) for label, model in self.charts.items()]
        return figures.invariance_figure(
            list(self.losses.values()), list(self.points.values()), self.gap, titles, names, self.problem.loss
        )

    # -- to keep

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the figure and the numbers.

        Parameters
        ----------
        folder : str or path-like
            Made if need be; files of the same names are replaced.

        Returns
        -------
        list of Path
            ``invariance.png``, ``invariance.svg``, ``losses.csv``, ``gaps.csv`` and ``points.csv``, all in the folder.

        Raises
        ------
        OSError
            If the folder or a file cannot be written; nothing half written is left then.
        """
        points = ["chart", "integrator", "iteration", *map(str, self.model.parameters), "status"]
        tables = {
            "losses.csv": (["chart", "integrator", "iteration", "loss"], self._loss_rows()),
            "gaps.csv": (["integrator", "iteration", "gap"], self._gap_rows()),
            "points.csv": (points, self._point_rows()),
        }
        return save_all(folder, "invariance", self.plot(), tables)

    def _loss_rows(self) -> Iterable[tuple[Any, ...]]:
        for chart, key in itertools.product(self.charts, self.gap):
            for k, loss in enumerate(self.losses[chart][key]):
                yield chart, key, k, float(loss)

    def _gap_rows(self) -> Iterable[tuple[Any, ...]]:
        for key, gaps in self.gap.items():
            for k, gap in enumerate(gaps):
                yield key, k, float(gap)

    def _point_rows(self) -> Iterable[tuple[Any, ...]]:
        for chart, key in itertools.product(self.charts, self.gap):
            for k, point in enumerate(self.points[chart][key]):
                yield chart, key, k, *map(float, point), self.status[chart][key].name


def invariance(
    model: StatisticalModel,
    samples: Any,
    charts: Charts = (),
    *,
    start: Any,
    integrators: Integrators = ("ng", "mid", "geo", "geof"),
    step_size: float = 0.5,
    steps: int = 10,
    backend: str | None = None,
    progress: Progress | None = None,
) -> InvarianceResult:
    """Run integrators in several charts of a model, and measure how far apart the charts lead them.

    A method that does not care about the chart goes through the same distributions in all of them. Figure 2 of the
    paper, and a number it does not have: the invariance gap.

    Parameters
    ----------
    model : StatisticalModel
        The model; its own chart is the first.
    samples : array_like, shape (N,), or (N, d) for d > 1 observations
        What to fit it to.
    charts : mapping of str to StatisticalModel, or iterable of pairs
        The other charts: reparametrizations of the model, by label.
    start : array_like, shape (n,)
        Where to start, in the model's own chart; it is mapped into the others.
    integrators : iterable of str, Integrator or callable, or mapping of str to these, optional
        Keys of :func:`riemopt.integrators.names`, integrators, which are called by their class, and functions
        ``step(theta, gradient) -> theta``, see :class:`riemopt.integrators.OptimizerStep`.
    step_size : float, optional
        The step size h > 0.
    steps : int, optional
        How many steps to take.
    backend : str, optional
        What runs the kernels, see :class:`riemopt.Manifold`; not ``"cupy"``. By default Numba, except for trajectories
        of fewer than 200 steps: these are over before their kernels would be compiled.
    progress : callable, optional
        Called as ``progress(done, total, what)`` before each piece of work: two counts of pieces, and what comes next.

    Returns
    -------
    InvarianceResult
        A trajectory that fails ends with its status; the others are not harmed.

    Raises
    ------
    ModelError
        If a chart is not a reparametrization of the model.
    DomainError
        If the start lies outside the domain, or a chart does not reach it.
    DataError
        If a sample lies outside the support.
    UnknownNameError
        If there is no integrator of a name.
    ArgumentError
        If a chart or an integrator is named twice, the step size is not one positive number, or `steps` is negative.

    References
    ----------
    Song, Song and Ermon, "Accelerating Natural Gradient with Higher-Order Invariance", 2018, section 7.1.

    Examples
    --------
    >>> import sympy as sp
    >>> import riemopt as ro
    >>> model = ro.models.Exponential()
    >>> (rate,) = model.parameters
    >>> r = sp.Symbol("r", positive=True)
    >>> moved = model.reparametrize({rate: 1 / r}, parameters=(r,))
    >>> result = ro.experiments.invariance(
    ...     model, model.sample([5.0], 1000), {"rate = 1/r": moved}, start=[1.0], steps=3, backend="numpy"
    ... )
    >>> bool(result.gap["geo"][-1] < result.gap["ng"][-1])
    True
    """
    if backend == "cupy":
        raise ArgumentError("a point at a time is moved, on the processor: backend must be 'numba' or 'numpy'")
    if np.ndim(step_size):
        raise ArgumentError(f"step_size must be one number, not {step_size!r:.80}")
    charted = charts_of(model, charts)
    rules = rules_of(integrators)
    starts = {label: start_in(model, label, moved, start) for label, moved in charted.items()}
    problem = Manifold(model, backend="numpy").likelihood(samples)
    if not np.isfinite(problem.loss(start)):
        raise DomainError(f"start: the loss at {listed(model, start)} is not finite")
    tell = progress or (lambda done, total, what: None)
    total = len(charted) * len(rules) + 1
    work = enumerate(itertools.product(charted.items(), rules.items()))

    problems = _problems(charted, samples, backend or ("numba" if steps >= _COMPILED_FROM else "numpy"))
    losses: dict[str, dict[str, np.ndarray]] = {label: {} for label in charted}
    points: dict[str, dict[str, np.ndarray]] = {label: {} for label in charted}
    status: dict[str, dict[str, Status]] = {label: {} for label in charted}
    for done, ((label, moved), (key, rule)) in work:
        tell(done, total, f"{key} in the chart {label}")
        trajectory = minimize(problems[label], rule, start=starts[label], step_size=step_size, steps=steps)
        losses[label][key], status[label][key] = trajectory.losses, trajectory.status
        points[label][key] = to_own(model, moved, trajectory.points)

    tell(total - 1, total, "distances between the charts")
    reached = np.array([list(row.values()) for row in points.values()])
    gaps = _gaps(Manifold(model, backend="numba" if backend is None else backend), reached)
    return InvarianceResult(
        charts=charted,
        losses=losses,
        points=points,
        gap=dict(zip(rules, gaps, strict=True)),
        status=status,
        problem=problem,
    )


def _problems(charted: Mapping[str, StatisticalModel], samples: Any, backend: str) -> dict[str, LikelihoodProblem]:
    return {label: Manifold(moved, backend=backend).likelihood(samples) for label, moved in charted.items()}


def _gaps(manifold: Manifold, points: np.ndarray) -> np.ndarray:
    """The largest distance between any two charts, from points of shape (charts, integrators, steps + 1, n)."""
    first, second = np.triu_indices(len(points), 1)
    a, b = points[first], points[second]
    distances = np.where((a == b).all(axis=-1), 0.0, np.nan)
    apart = np.isnan(distances) & np.isfinite(a).all(axis=-1) & np.isfinite(b).all(axis=-1)
    if apart.any():
        distances[apart] = manifold.distance(a[apart], b[apart])
    return np.asarray(distances.max(axis=0, initial=0.0))


def _shown(steps: int) -> list[int]:
    """The iterations in a table: a handful, the last among them."""
    return sorted({round(k) for k in np.geomspace(1, steps, 4)}) if steps else [0]
