"""Natural gradient steps with geodesic corrections, damped so that they arrive from far away and to the last digit."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.errors import UnsupportedError
from riemopt.integrators import GeodesicCorrection
from riemopt.optimize.damping import LevenbergMarquardt
from riemopt.optimize.driver import drive
from riemopt.optimize.line_search import Backtracking
from riemopt.optimize.state import State
from riemopt.optimize.stepping import SearchedStep
from riemopt.optimize.watched import WatchedPoint, WatchedProblem
from riemopt.problem import DenseMetric, Metric
from riemopt.problem.evaluations import Evaluations
from riemopt.status import Status

__all__ = ["DAMPING", "LINE_SEARCH", "SINGULAR", "Descent", "FitStatus", "descend", "matrix_metric"]

DAMPING = LevenbergMarquardt(initial=1e-2, increase=2.0, decrease=0.2)
LINE_SEARCH = Backtracking(factor=0.5, fraction=1e-4, max_reductions=3)
SINGULAR = 1e-13
"""An eigenvalue of a metric scaled to a unit diagonal below which a direction counts as lost."""

_CORRECTION = 0.75  # the longest correction 2|δ₂|/|δ₁| that a step is trusted with: α of Transtrum and Sethna
_FRACTIONS = (1.0, 0.5, 0.25, 0.125)  # of an undamped step
_MEMORY = 0.5  # what a step leaves of the scale that coordinates once had
_EPS = float(np.finfo(np.float64).eps)
_NOISE = 1e-12  # a change of the loss, relative to it, below which its rounding decides
_PATIENCE = 20  # steps that may pass without a change of the loss
_CREEP = 1e-8  # a relative step below which a descent that comes to rest has met the rounding of its loss
_BEYOND = 1e-6  # how far behind an optimum, in Riemannian length, the loss must rise again


class FitStatus(enum.Enum):
    """Why a descent ended.

    Attributes
    ----------
    meaning : str
        The status in words.
    success : bool
        Whether the point can be trusted to be an optimum.
    """

    meaning: str
    success: bool

    CONVERGED = Status.CONVERGED.meaning, True
    AT_ROUNDING = "the loss falls no further in working precision", True
    STEP_LIMIT = "the limit of steps was reached", False
    STALLED = Status.STALLED.meaning, False
    SINGULAR_METRIC = "the metric is singular to working precision", False
    AT_EDGE = "the loss falls towards the edge of the domain: there is no optimum inside", False
    NON_FINITE = "the gradient or the metric is not finite", False

    def __new__(cls, meaning: str, success: bool) -> FitStatus:
        """A member from its meaning and whether it is a success."""
        member = object.__new__(cls)
        member._value_ = meaning
        member.meaning, member.success = meaning, success
        return member


@dataclass(frozen=True, eq=False)
class Descent:
    """The way down, and why it ended.

    Attributes
    ----------
    points : array, shape (steps + 1, n)
    losses : array, shape (steps + 1,)
    status : FitStatus
    norm : float
        The Riemannian norm of the gradient at the end, √(∂L·g⁻¹∂L).
    natural_gradient : array, shape (n,)
        The natural gradient there.
    metric : Metric
        The metric there.
    evaluations : Evaluations
        What the way has asked of the problem.
    """

    points: np.ndarray
    losses: np.ndarray
    status: FitStatus
    norm: float
    natural_gradient: np.ndarray
    metric: Metric
    evaluations: Evaluations


def descend(
    problem: Any,
    start: np.ndarray,
    *,
    tolerance: float,
    max_steps: int,
    damping: LevenbergMarquardt = DAMPING,
    line_search: Backtracking = LINE_SEARCH,
    tell: Callable[[int, float], None] | None = None,
) -> Descent:
    """Descend to an optimum of the loss by damped natural gradient steps with geodesic corrections.

    A step follows the path of ``geo`` with the metric g + λD as far as the loss falls. λ follows the ratio of the
    actual to the predicted fall; a step whose correction is not short against it, in the units of D, is not trusted at
    all. D is the largest diagonal of g on the way, those of long ago counting less. So the units of coordinates do not
    matter, and a coordinate that has lost its influence does not run away.

    Where the fall of the loss is about to drown in its rounding, steps are not damped, and follow the norm of the
    gradient down instead.

    Parameters
    ----------
    problem : Problem
        What offers `loss`, `gradient`, `connection` and a metric.
    start : array, shape (n,)
        A point where the loss is finite.
    tolerance : float
        The Riemannian norm of the gradient at which to stop.
    max_steps : int
        The number of steps after which to stop.
    damping : LevenbergMarquardt, optional
        How λ follows the ratio.
    line_search : Backtracking, optional
        How far to follow a step before λ is increased.
    tell : callable, optional
        Called with the number of steps taken and the loss.

    Returns
    -------
    Descent

    References
    ----------
    Transtrum and Sethna, "Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares minimization",
    2012, for the corrections and when to trust them.
    Moré, "The Levenberg-Marquardt algorithm: implementation and theory", 1978, for D.
    """
    watched = WatchedProblem(problem, recovers=True, prepare=matrix_metric)
    passed: list[State] = []

    def record(state: State) -> None:
        passed.append(state)
        if tell is not None and state.iteration:
            tell(state.iteration, state.loss)

    searched = SearchedStep(
        GeodesicCorrection(),
        1.0,
        damping,
        line_search,
        units=_largest_lengths,
        longest_correction=_CORRECTION,
        persistent=True,
        accepts=lambda there: not np.isnan(there.speed),
    )
    start = np.array(start, dtype=np.float64)
    state, _ = drive(
        watched,
        _FitStep(searched),
        State(start, damping=damping.initial),
        steps=max_steps,
        stopping=_Settled(tolerance),
        hooks=[record],
    )
    with np.errstate(all="ignore"):
        here = watched.at(state.theta)
        status = _status(problem, here, tolerance, state.iteration >= max_steps)
        passed = passed or [state.but(loss=here.loss)]
        return Descent(
            np.array([state.theta for state in passed]),
            np.array([state.loss for state in passed]),
            status,
            here.speed,
            here.undamped_natural_gradient,
            here.undamped,
            watched.evaluations,
        )


def matrix_metric(metric: Metric) -> Metric:
    """A metric by its matrix, which a fit factorizes and reads the spectrum of; as it is where that is too large."""
    try:
        return DenseMetric(metric.dense())
    except UnsupportedError:
        return metric


def _largest_lengths(here: WatchedPoint, state: State) -> np.ndarray:
    """√D, the largest lengths of the coordinate vectors on the way; 1 where they are not to be had."""
    try:
        lengths = np.sqrt(np.maximum(here.undamped.diagonal(), 0.0))
    except UnsupportedError:
        return np.ones_like(here.theta)
    return np.asarray(np.maximum(_MEMORY * (np.zeros_like(lengths) if state.units is None else state.units), lengths))


def _noise(here: WatchedPoint) -> float:
    """A change of the loss at a point that may be rounding, in the precision that the problem computes in."""
    precision = here.watched.problem.dtype
    unit = 1.0 if precision is None else max(1.0, float(np.finfo(precision).eps) / _EPS)
    return _NOISE * unit * max(1.0, abs(here.loss))


def _is_near(here: WatchedPoint) -> bool:
    """Whether the fall of the loss that is still to come is about to drown in rounding."""
    return 0.5 * here.speed**2 <= _noise(here)


class _Settled:
    """Stop at a small norm of the gradient, or where many steps have changed next to nothing, as towards an edge."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance

    def __call__(self, here: WatchedPoint, state: State) -> tuple[Status | None, Any]:
        """See :class:`~riemopt.optimize.driver.Stopping`; what is remembered are the last losses and norms."""
        entry = np.array([[here.loss, here.speed]])
        trail = entry if state.stopping is None else np.concatenate([state.stopping, entry])[-1 - _PATIENCE :]
        if not here.speed > self.tolerance:
            return Status.CONVERGED, trail
        if len(trail) > _PATIENCE:
            (loss, norm), small = trail[0], max(_noise(here), self.tolerance)
            if loss - here.loss <= small and 2.0 * here.speed > norm:
                return Status.STALLED, trail
        return None, trail


@dataclass(frozen=True)
class _FitStep:
    """A damped step; near the optimum an undamped natural gradient step, whole or a part, that lowers the norm."""

    searched: SearchedStep

    def begin(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State:
        """See :class:`~riemopt.optimize.driver.Stepping`."""
        return self.searched.begin(watched, here, state)

    def advance(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State | None:
        """See :class:`~riemopt.optimize.driver.Stepping`."""
        if not _is_near(here):
            return self.searched.advance(watched, here, state)
        for rate in _FRACTIONS:
            theta = here.theta - rate * here.undamped_natural_gradient
            there = watched.at(theta)
            if _is_near(there) and there.speed < here.speed:
                return state.but(theta=theta, units=_largest_lengths(here, state))
        return None


def _status(problem: Any, here: WatchedPoint, tolerance: float, at_limit: bool) -> FitStatus:
    if np.isnan(here.speed):
        return FitStatus.NON_FINITE
    metric = here.undamped
    if isinstance(metric, DenseMetric) and metric.factorization.spectrum[0][0] <= SINGULAR:
        return FitStatus.SINGULAR_METRIC
    converged = here.speed <= tolerance
    at_rest = np.all(np.abs(here.undamped_natural_gradient) <= _CREEP * np.abs(here.theta))
    if not (converged or _is_near(here) or at_rest):
        return FitStatus.STEP_LIMIT if at_limit else FitStatus.STALLED
    if not _rises_beyond(problem, here):
        return FitStatus.AT_EDGE
    return FitStatus.CONVERGED if converged else FitStatus.AT_ROUNDING


def _rises_beyond(problem: Any, here: WatchedPoint) -> bool:
    """Whether the loss rises again behind the optimum, as it does not towards one at infinity or on the edge."""
    if here.speed == 0.0:
        return True
    reach = max(_BEYOND, 100.0 * here.speed)
    beyond = here.theta - reach / here.speed * here.undamped_natural_gradient
    return bool(problem.gradient(beyond) @ here.undamped_natural_gradient < 0.0)
