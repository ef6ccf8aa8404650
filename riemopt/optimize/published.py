"""Steps as the code published with the paper takes them, beside the steps that mend what is a slip there."""

from __future__ import annotations

import dataclasses
import itertools
import math
from dataclasses import dataclass
from typing import Any

from riemopt.errors import ArgumentError
from riemopt.integrators import (
    FasterGeodesicCorrection,
    GeodesicCorrection,
    Integrator,
    Midpoint,
    NaturalGradient,
    Path,
)
from riemopt.integrators.base import PathIntegrator
from riemopt.numerics.arrays import copied
from riemopt.optimize.line_search import Backtracking
from riemopt.optimize.state import State
from riemopt.optimize.stepping import SearchedStep
from riemopt.optimize.watched import WatchedPoint, WatchedProblem
from riemopt.problem import Problem
from riemopt.solvers import ConjugateGradient, LinearSolver

__all__ = ["PublishedStep", "as_published", "published_solver"]

_RULES = (NaturalGradient, Midpoint, GeodesicCorrection, FasterGeodesicCorrection)
"""The rules that were published with the paper."""


def as_published(problem: Problem, rule: Integrator) -> Problem:
    """A problem whose metric, preconditioner and loss are those of the published code.

    Raises
    ------
    ArgumentError
        If the problem is not a network, or the rule none of those that were published.
    """
    if not isinstance(rule, _RULES):
        raise ArgumentError(f"faithful=True is for the published rules 'ng', 'mid', 'geo' and 'geof', not for {rule}")
    if not hasattr(problem, "as_published"):
        raise ArgumentError(f"faithful=True is for networks (riemopt.autodiff), not for a {type(problem).__name__}")
    return problem.as_published()  # type: ignore[no-any-return]


def published_solver(solver: LinearSolver | None) -> LinearSolver:
    """A solver as it was published: at most 50 iterations, of which ⌈5·1.3^j⌉ are kept, ended by a flat direction."""
    if solver is None:
        solver = ConjugateGradient(max_iterations=50)
    if not isinstance(solver, ConjugateGradient):
        raise ArgumentError(f"faithful=True is for ConjugateGradient, not for {solver!r:.80}")
    return dataclasses.replace(solver, keep=solver.keep or _later, indefinite="stop")


def _later(iteration: int) -> bool:
    """Whether an iteration is one of ⌈5·1.3^j⌉: 5, 7, 9, 11, 15, ..."""
    marks = (math.ceil(5.0 * 1.3**j) for j in itertools.count())
    return iteration == next(mark for mark in marks if mark >= iteration)


@dataclass(frozen=True)
class PublishedStep(SearchedStep):
    """The steps of the published code.

    The damping follows the reduction of the loss on the cases of the metric, although the reduction predicted is that
    of the gradient over all cases. A midpoint method takes two steps of the natural gradient, each damped, solved,
    walked back and searched by itself.
    """

    def begin(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State:
        """See :class:`~riemopt.optimize.driver.Stepping`; the faster geodesic correction begins without a step."""
        if isinstance(self.rule, FasterGeodesicCorrection):
            return state.but(memory=0.0 * here.theta)
        return super().begin(watched, here, state)

    def advance(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State | None:
        """See :class:`~riemopt.optimize.driver.Stepping`."""
        if not isinstance(self.rule, Midpoint) or self._is_straight(state):
            return super().advance(watched, here, state)
        half = dataclasses.replace(self, rule=NaturalGradient(), h=0.5 * self.h).advance(watched, here, state)
        if half is None:
            return None
        # the rate of the first step is where the second search begins
        search = dataclasses.replace(self.line_search, rate=half.rate or self.line_search.rate)
        middle = watched.at(half.theta) if half.rate else here
        whole = _FromMidpoint(_Carried(middle.theta), self.h, self.damping, search, middle=middle)
        full = whole.advance(watched, here, half.but(theta=here.theta, loss=here.loss))
        return full and full.but(solver_iterations=half.solver_iterations + full.solver_iterations)

    def _whole(self, search: Backtracking) -> float:
        return 1.0

    def _gain(self, here: WatchedPoint, there: WatchedPoint) -> float:
        return there.part_loss - here.part_loss


@dataclass(frozen=True)
class _FromMidpoint(PublishedStep):
    """The second step of a midpoint method: from the start, with gradient and metric of the midpoint.

    Attributes
    ----------
    middle : WatchedPoint
        The midpoint.
    """

    middle: WatchedPoint | None = None

    def _model(self, here: WatchedPoint) -> WatchedPoint:
        assert self.middle is not None
        return self.middle


class _Carried(PathIntegrator):
    """The natural gradient of another point."""

    def __init__(self, point: Any) -> None:
        self.point = point

    def path(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Path, Any]:
        """See :class:`riemopt.Integrator`."""
        return Path(theta, -problem.natural_gradient(copied(self.point))), memory
