"""Subject: a model or a problem in several charts, as a study of its integrators needs it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, ShapeError
from riemopt.experiments.charts import Charts, charts_of, labelled, reached, start_in, to_own
from riemopt.experiments.distance import is_measurable
from riemopt.integrators import Integrator
from riemopt.manifold import Manifold
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.optimize import minimize
from riemopt.problem import ChartedProblem, Problem

__all__ = ["Place", "Subject", "subjects_of"]

_RTOL = 1e-13
"""The tolerance of exact integrations, near rounding."""


@dataclass(frozen=True, eq=False)
class Place:
    """A problem in a chart.

    Attributes
    ----------
    problem : Problem
        The loss and its geometry in the coordinates of the chart.
    start : array, shape (n,)
        Where to start, in these coordinates.
    to_own : callable
        Takes points of the chart to the subject's own coordinates.
    """

    problem: Problem
    start: np.ndarray
    to_own: Callable[[np.ndarray], np.ndarray]

    def end(self, rule: Integrator, time: float, steps: int) -> np.ndarray:
        """Where a rule ends after a time in so many steps, in the subject's own coordinates; NaN where it fails."""
        # a step at a time: kernels of primitives serve all rules, a whole trajectory would be compiled for each
        rule = copy.copy(rule)
        rule.traceable = False
        return self._in_own(minimize(self.problem, rule, self.start, time / steps, steps, keep="last").x)

    def flow(self, time: float) -> np.ndarray:
        """Where the natural gradient flow is after a time, in the subject's own coordinates; NaN where it ends."""
        return self._in_own(self.problem.flow(self.start, time))

    def _in_own(self, point: np.ndarray) -> np.ndarray:
        return self.to_own(point) if np.isfinite(point).all() else np.full_like(point, np.nan)


@dataclass(frozen=True, eq=False)
class Subject:
    """A model or a problem in several charts, with a start and a final time.

    Attributes
    ----------
    name : str
        What it is called.
    places : dict of str to Place
        The charts by label, its own first.
    control : Place
        Its own chart with every coordinate measured in other units. A method that is covariant under linear maps does
        the same there but for rounding.
    time : float
        The final time T.
    """

    name: str
    places: dict[str, Place]
    control: Place
    time: float

    @property
    def own(self) -> Place:
        """The first chart."""
        return next(iter(self.places.values()))

    @property
    def every_place(self) -> list[Place]:
        """The charts, then the control."""
        return [*self.places.values(), self.control]

    @classmethod
    def of(
        cls,
        model: StatisticalModel | ConditionalModel | Problem,
        samples: Any = None,
        charts: Charts = (),
        *,
        start: Any,
        inputs: Any = None,
        time: float = 1.0,
        name: str = "",
        backend: str = "numba",
        rtol: float | None = None,
    ) -> Subject:
        """A subject; see :func:`order_of_invariance` for what it takes.

        Parameters
        ----------
        model : StatisticalModel, ConditionalModel or Problem
            What to study.
        samples : array_like, optional
            The observations of a model, or its targets.
        charts : mapping of str to model or Chart, or iterable of pairs, optional
            Other charts by label: reparametrizations of a model; of a problem, charts whose original coordinates are
            those of the problem.
        start : array_like, shape (n,)
            Where to start, in its own coordinates.
        inputs : array_like, optional
            The inputs of a conditional model.
        time : float, optional
            The final time.
        name : str, optional
            What to call it.
        backend : str, optional
            What runs the kernels of a model.
        rtol : float, optional
            The tolerance of exact integrations: by default 1e-13, or that of a problem which has one.

        Raises
        ------
        ArgumentError
            If there are samples where a problem is given, or none where a model is; or the time is not positive.
        DomainError, ModelError, ShapeError
            See :func:`riemopt.experiments.invariance`.
        """
        if not 0.0 < time < np.inf:
            raise ArgumentError(f"time must be positive and finite, not {time!r}")
        if isinstance(model, Problem):
            if samples is not None or inputs is not None:
                raise ArgumentError("a problem has its data: samples and inputs belong to a model")
            exactness = getattr(model, "rtol", _RTOL) if rtol is None else rtol
            places, control = _places_of_problem(model, charts, start, exactness)
            return cls(name or type(model).__name__, places, control, float(time))
        if samples is None:
            raise ArgumentError(f"{model.name} needs samples")
        exactness = _RTOL if rtol is None else rtol
        places, control = _places_of_model(model, samples, inputs, charts, start, backend, exactness)
        return cls(name or model.name, places, control, float(time))


def subjects_of(
    model: StatisticalModel | ConditionalModel | Problem | Sequence[Subject],
    samples: Any = None,
    charts: Charts = (),
    *,
    start: Any = None,
    **settings: Any,
) -> dict[str, Subject]:
    """What a study is given, by name: several subjects, or what :meth:`Subject.of` makes one of.

    Raises
    ------
    ArgumentError
        If there is no start or no subject, two have the same name, or a problem does not offer the metric's product.
    """
    if isinstance(model, (StatisticalModel, ConditionalModel, Problem)):
        if start is None:
            raise ArgumentError("a model or a problem needs a start: start=[...]")
        model = [Subject.of(model, samples, charts, start=start, **settings)]
    named: dict[str, Subject] = {}
    for subject in model:
        if subject.name in named:
            raise ArgumentError(f"two subjects are called {subject.name!r}: Subject.of(..., name=...) tells them apart")
        if not is_measurable(subject.own.problem):
            raise ArgumentError(f"{subject.name}: without the metric's product there are no distances to measure")
        named[subject.name] = subject
    if not named:
        raise ArgumentError("there are no subjects")
    return named


def _places_of_model(
    model: Any, samples: Any, inputs: Any, charts: Charts, start: Any, backend: str, rtol: float
) -> tuple[dict[str, Place], Place]:
    data = {} if inputs is None else {"inputs": inputs}

    def place(label: str, moved: Any) -> Place:
        problem = Manifold(moved, backend=backend).likelihood(samples, **data, rtol=rtol)
        return Place(problem, start_in(model, label, moved, start), lambda points: to_own(model, moved, points))

    places = {label: place(label, moved) for label, moved in charts_of(model, charts).items()}
    return places, place("control", model.reparametrize(*_other_units(model.parameters)))


def _places_of_problem(problem: Problem, charts: Charts, start: Any, rtol: float) -> tuple[dict[str, Place], Place]:
    theta = np.asarray(start, dtype=np.float64)
    if theta.ndim != 1:
        raise ShapeError(f"start has shape {theta.shape}, but must be one point: (n,)")
    problem.require_inside(theta, "start")
    if "gradient" in problem.offers and np.asarray(problem.gradient(theta)).dtype.itemsize < theta.dtype.itemsize:
        raise ArgumentError("the problem computes in single precision: of that, slopes are noise")

    def place(label: str, chart: Any) -> Place:
        if chart is problem:
            return Place(problem, theta, lambda points: points)
        if not isinstance(chart, Chart):
            raise ArgumentError(
                f"the chart {label!r} of a problem must be a riemopt.models.chart.Chart, not {chart!r:.60}"
            )
        start = reached(chart, theta, label, f"the point {theta.tolist()}")
        return Place(ChartedProblem(problem, chart, rtol=rtol), start, chart.to_original)

    symbols = sp.symbols(f"theta1:{len(theta) + 1}", real=True)
    control = Chart.of(Domain.of(symbols), *_other_units(symbols))
    places = {label: place(label, chart) for label, chart in labelled("own", problem, charts).items()}
    return places, place("control", control)


def _other_units(parameters: tuple[sp.Symbol, ...]) -> tuple[dict[sp.Symbol, sp.Expr], tuple[sp.Symbol, ...]]:
    """Each coordinate as a multiple of a new one, by factors that floating point cannot multiply by exactly."""
    scaled = tuple(sp.Symbol(f"{p.name}_in_other_units", **p.assumptions0) for p in parameters)
    return {p: (i + sp.Rational(10, 7)) * x for i, (p, x) in enumerate(zip(parameters, scaled, strict=True))}, scaled
