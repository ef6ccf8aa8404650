"""Place: a problem in one of its charts, with a start; and the places of a model or a problem, with a control."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, ShapeError
from riemopt.experiments.charts import Charts, charts_of, labelled, reached, start_in, to_own
from riemopt.integrators import Integrator
from riemopt.manifold import Manifold
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.optimize import minimize
from riemopt.problem import ChartedProblem, Problem

__all__ = ["Place", "places_of_model", "places_of_problem"]


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


def places_of_model(
    model: Any, samples: Any, inputs: Any, charts: Charts, start: Any, backend: str, rtol: float
) -> tuple[dict[str, Place], Place]:
    """The charts of a model by label, its own first, and the control: its own chart in other units.

    Raises
    ------
    DomainError, ModelError, ShapeError, DataError
        See :func:`riemopt.experiments.invariance`.
    """
    data = {} if inputs is None else {"inputs": inputs}

    def place(label: str, moved: Any) -> Place:
        problem = Manifold(moved, backend=backend).likelihood(samples, **data, rtol=rtol)
        return Place(problem, start_in(model, label, moved, start), lambda points: to_own(model, moved, points))

    places = {label: place(label, moved) for label, moved in charts_of(model, charts).items()}
    return places, place("control", model.reparametrize(*_other_units(model.parameters)))


def places_of_problem(problem: Problem, charts: Charts, start: Any, rtol: float) -> tuple[dict[str, Place], Place]:
    """The charts of a problem by label, its own first, and the control: its own chart in other units.

    Raises
    ------
    ArgumentError
        If a chart is none, or the problem computes in single precision.
    DomainError, ShapeError
        See :func:`riemopt.experiments.invariance`.
    """
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
