"""Who cares about the chart: the same integrators from the same distribution, in several charts of one model."""

from __future__ import annotations

import itertools
import threading
from functools import cached_property
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError, DomainError
from riemopt.experiments.charts import Charts, charts_of, listed, start_in, to_own
from riemopt.experiments.invariance_result import InvarianceResult
from riemopt.experiments.progress import Progress, quiet
from riemopt.experiments.rules import Integrators, rules_of
from riemopt.integrators import Integrator
from riemopt.manifold import LikelihoodProblem, Manifold
from riemopt.models import StatisticalModel
from riemopt.optimize import Trajectory, minimize
from riemopt.status import Status

__all__ = ["InvarianceStudy", "invariance"]

_COMPILED_FROM = 200  # steps; fewer take less time than compiling the kernels that would take them


class InvarianceStudy:
    """The invariance experiment on one model, prepared once and run again and again.

    What is derived, traced and compiled is kept, so that a run takes milliseconds: as :func:`invariance` does, it runs
    integrators in several charts of a model and measures how far apart the charts lead them.

    Parameters
    ----------
    model : StatisticalModel
        The model; its own chart is the first.
    samples : array_like, shape (N,), or (N, d) for d > 1 observations
        What to fit it to.
    charts : mapping of str to StatisticalModel, or iterable of pairs, optional
        The other charts: reparametrizations of the model, by label.
    integrators : iterable of str, Integrator or callable, or mapping of str to these, optional
        What to compile at once, with all else that a run needs. Other integrators, all of them by default, are
        compiled when they are first run.
    backend : str, optional
        What runs the kernels of the trajectories, see :class:`riemopt.Manifold`; not ``"cupy"``.
    distances : str, optional
        What runs the kernels of the distances between charts; `backend` by default.

    Attributes
    ----------
    charts : dict of str to StatisticalModel
        The model in each chart, its own chart first.
    problem : LikelihoodProblem
        The loss, in the model's own chart.
    samples : array_like
        What the model is fitted to.
    manifold : Manifold
        What the distances are measured on, in the model's own chart.

    Raises
    ------
    ModelError
        If a chart is not a reparametrization of the model.
    DataError
        If a sample lies outside the support.
    UnknownNameError
        If there is no integrator of a name.
    ArgumentError
        If a chart or an integrator is named twice.

    Notes
    -----
    A study may be used from several threads; its runs take place one after the other. An integrator of a user's own
    class is traced at every run, since it may depend on more than itself.

    Examples
    --------
    >>> import sympy as sp
    >>> import riemopt as ro
    >>> model = ro.models.Exponential()
    >>> (rate,) = model.parameters
    >>> r = sp.Symbol("r", positive=True)
    >>> moved = model.reparametrize({rate: 1 / r}, parameters=(r,))
    >>> study = ro.experiments.InvarianceStudy(
    ...     model, model.sample([5.0], 1000), {"rate = 1/r": moved}, backend="numpy"
    ... )
    >>> gaps = [study.run(start=[1.0], step_size=h, integrators=["ng"], steps=3).gap["ng"][-1] for h in (0.2, 0.1)]
    >>> bool(gaps[1] < gaps[0])
    True
    """

    def __init__(
        self,
        model: StatisticalModel,
        samples: Any,
        charts: Charts = (),
        *,
        integrators: Integrators = (),
        backend: str = "numba",
        distances: str | None = None,
    ) -> None:
        if "cupy" in (backend, distances):
            raise ArgumentError("a point at a time is moved, on the processor: backend must be 'numba' or 'numpy'")
        self.charts: dict[str, StatisticalModel] = charts_of(model, charts)
        self.problem: LikelihoodProblem = Manifold(model, backend="numpy").likelihood(samples)
        self.samples, self._backend = samples, backend
        self.manifold: Manifold = Manifold(model, backend=distances or backend)
        self._one_at_a_time = threading.RLock()
        if integrators:
            self._compile(integrators)

    def __repr__(self) -> str:
        return f"InvarianceStudy({self.model.name}, charts={list(self.charts)})"

    @property
    def model(self) -> StatisticalModel:
        """The model in its own chart."""
        return next(iter(self.charts.values()))

    @cached_property
    def problems(self) -> dict[str, LikelihoodProblem]:
        """The loss in each chart, which the integrators minimize."""
        return {
            label: Manifold(moved, backend=self._backend).likelihood(self.samples)
            for label, moved in self.charts.items()
        }

    def _compile(self, integrators: Integrators) -> None:
        """Compile what a run of some integrators takes, by asking for it at a point that is none."""
        nowhere = np.full((1, self.model.dimension), np.nan)
        for rule, problem in itertools.product(rules_of(integrators).values(), self.problems.values()):
            problem.trajectories(rule, nowhere, np.ones(1), 0, True, None)
        self.manifold.distance(nowhere, nowhere)
        self.problem.loss(nowhere)

    def run(
        self,
        *,
        start: Any,
        integrators: Integrators = ("ng", "mid", "geo", "geof"),
        step_size: float = 0.5,
        steps: int = 10,
        progress: Progress | None = None,
    ) -> InvarianceResult:
        """Run integrators from one distribution in all charts.

        Parameters
        ----------
        start : array_like, shape (n,)
            Where to start, in the model's own chart; it is mapped into the others.
        integrators : iterable of str, Integrator or callable, or mapping of str to these, optional
            Keys of :func:`riemopt.integrators.names`, integrators, which are called by their class, and functions
            ``step(theta, gradient) -> theta``, see :class:`riemopt.integrators.OptimizerStep`.
        step_size : float, optional
            The step size h > 0.
        steps : int, optional
            How many steps to take.
        progress : callable, optional
            Called as ``progress(done, total, what)`` before each piece of work: two counts of pieces, and what comes
            next.

        Returns
        -------
        InvarianceResult
            A trajectory that fails ends with its status; the others are not harmed.

        Raises
        ------
        DomainError
            If the start lies outside the domain, or a chart does not reach it.
        ShapeError
            If the start is not one point.
        UnknownNameError
            If there is no integrator of a name.
        ArgumentError
            If an integrator is named twice, the step size is not one positive number, or `steps` is negative.
        """
        if np.ndim(step_size):
            raise ArgumentError(f"step_size must be one number, not {step_size!r:.80}")
        with self._one_at_a_time:
            return self._run(start, integrators, step_size, steps, progress or quiet)

    def _run(
        self, start: Any, integrators: Integrators, step_size: float, steps: int, tell: Progress
    ) -> InvarianceResult:
        rules = rules_of(integrators)
        starts = {label: start_in(self.model, label, moved, start) for label, moved in self.charts.items()}
        if not np.isfinite(self.problem.loss(start)):
            raise DomainError(f"start: the loss at {listed(self.model, start)} is not finite")

        total = len(self.charts) * len(rules) + 1
        done = itertools.count()
        losses: dict[str, dict[str, np.ndarray]] = {}
        points: dict[str, dict[str, np.ndarray]] = {}
        status: dict[str, dict[str, Status]] = {}
        for label, moved in self.charts.items():
            reached, losses[label], status[label] = [], {}, {}
            for key, rule in rules.items():
                tell(piece := next(done), total, f"{key} in the chart {label}")
                # the first looks at the arguments, and the others need no second look
                move = minimize if piece == 0 else _minimized
                trajectory = move(self.problems[label], rule, starts[label], step_size, steps)
                reached.append(trajectory.points)
                losses[label][key], status[label][key] = trajectory.losses, trajectory.status
            # all at once: a change of chart takes longer to begin than to do
            points[label] = dict(zip(rules, to_own(self.model, moved, np.stack(reached)), strict=True))

        tell(next(done), total, "distances between the charts")
        gaps = _gaps(self.manifold, np.array([list(row.values()) for row in points.values()]))
        return InvarianceResult(
            charts=dict(self.charts),
            losses=losses,
            points=points,
            gap=dict(zip(rules, gaps, strict=True)),
            status=status,
            problem=self.problem,
            samples=self.samples,
            rules=rules,
            step_size=step_size,
        )


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
    paper, and a number it does not have: the invariance gap. An :class:`InvarianceStudy` that is run once.

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
    trajectories = backend or ("numba" if steps >= _COMPILED_FROM else "numpy")
    study = InvarianceStudy(model, samples, charts, backend=trajectories, distances=backend or "numba")
    return study.run(start=start, integrators=integrators, step_size=step_size, steps=steps, progress=progress)


def _minimized(
    problem: LikelihoodProblem, rule: Integrator, start: np.ndarray, step_size: float, steps: int
) -> Trajectory:
    """What :func:`minimize` gives, of arguments that are known to make sense: of a short run the checks are most."""
    found = problem.trajectories(rule, start[None], np.full(1, float(step_size)), steps, True, None)
    if found is None:
        return minimize(problem, rule, start, step_size, steps)
    points, losses, status = found
    return Trajectory(points[0], losses[0], Status(int(status[0])))


def _gaps(manifold: Manifold, points: np.ndarray) -> np.ndarray:
    """The largest distance between any two charts, from points of shape (charts, integrators, steps + 1, n)."""
    first, second = np.triu_indices(len(points), 1)
    a, b = points[first], points[second]
    distances = np.where((a == b).all(axis=-1), 0.0, np.nan)
    apart = np.isnan(distances) & np.isfinite(a).all(axis=-1) & np.isfinite(b).all(axis=-1)
    if apart.any():
        distances[apart] = manifold.distance(a[apart], b[apart])
    return np.asarray(distances.max(axis=0, initial=0.0))
