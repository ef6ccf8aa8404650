"""Natural gradient steps with geodesic corrections, damped so that they arrive from far away and to the last digit."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from riemopt.optimize.damping import LevenbergMarquardt
from riemopt.optimize.line_search import Backtracking

__all__ = ["DAMPING", "LINE_SEARCH", "SINGULAR", "Descent", "FitStatus", "ScaledMetric", "descend"]

DAMPING = LevenbergMarquardt(initial=1e-2, increase=2.0, decrease=0.2)
LINE_SEARCH = Backtracking(factor=0.5, fraction=1e-4, max_reductions=3)
SINGULAR = 1e-13
"""An eigenvalue of a metric scaled to a unit diagonal below which a direction counts as lost."""

_EPS = float(np.finfo(np.float64).eps)
_CORRECTION = 0.75  # the longest correction 2|δ₂|/|δ₁| that a step is trusted with: α of Transtrum and Sethna
_STRONGEST = 1.0 / _EPS**2  # a damping beyond which no step is left
_FRACTIONS = (1.0, 0.5, 0.25, 0.125)  # of an undamped step
_MEMORY = 0.5  # what a step leaves of the scale that coordinates once had
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

    CONVERGED = "the Riemannian norm of the gradient fell under the tolerance", True
    AT_ROUNDING = "the loss falls no further in working precision", True
    STEP_LIMIT = "the limit of steps was reached", False
    STALLED = "no step lowers the loss, although its gradient has not vanished", False
    SINGULAR_METRIC = "the metric is singular to working precision", False
    AT_EDGE = "the loss falls towards the edge of the domain: there is no optimum inside", False
    NON_FINITE = "the gradient or the metric is not finite", False

    def __new__(cls, meaning: str, success: bool) -> FitStatus:
        """A member from its meaning and whether it is a success."""
        member = object.__new__(cls)
        member._value_ = meaning
        member.meaning, member.success = meaning, success
        return member


class ScaledMetric:
    """A metric in units of its own: scaled to a unit diagonal, so that the coordinates' units do not matter.

    Parameters
    ----------
    metric : array, shape (n, n)
        g, finite.
    """

    def __init__(self, metric: np.ndarray) -> None:
        self.lengths = np.sqrt(np.maximum(np.diagonal(metric), 0.0))  # of the coordinate vectors
        self.scale = np.where(self.lengths > 0.0, self.lengths, 1.0)
        self.matrix = metric / np.outer(self.scale, self.scale)

    def solver(self, added: np.ndarray | float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
        """Solves (g + diag(a)) x = c, with a in units of the scale squared; an eigenvalue lost in rounding is raised.

        Raises
        ------
        LinAlgError
            If the matrix is not positive definite.
        """
        floor = np.full(len(self.scale), len(self.scale) * _EPS)  # what rounding makes of an eigenvalue 0
        from scipy.linalg import cho_factor, cho_solve  # slow to import

        factor = cho_factor(self.matrix + np.diag(floor + added), check_finite=False)
        return lambda covector: cho_solve(factor, covector / self.scale, check_finite=False) / self.scale

    def inner(self, u: np.ndarray, v: np.ndarray) -> float:
        """The inner product of two vectors."""
        return float((self.scale * u) @ self.matrix @ (self.scale * v))

    @property
    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """The eigenvalues of the scaled matrix in ascending order, and the directions in coordinates, as columns."""
        values, vectors = np.linalg.eigh(self.matrix)
        return values, vectors / self.scale[:, None]


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
    """

    points: np.ndarray
    losses: np.ndarray
    status: FitStatus
    norm: float
    natural_gradient: np.ndarray


class _Place:
    """A point, with what is known there; its norm is NaN where that is not finite."""

    norm = np.nan

    def __init__(self, problem: Any, theta: np.ndarray, loss: float) -> None:
        self.theta, self.loss = theta, loss
        self.gradient, metric = problem.gradient(theta), problem.metric(theta)
        self.natural_gradient = np.full_like(theta, np.nan)
        if not (np.isfinite(self.gradient).all() and np.isfinite(metric).all()):
            return
        self.metric = ScaledMetric(metric)
        try:
            self.natural_gradient = self.metric.solver()(self.gradient)
        except LinAlgError:
            return
        self.norm = float(np.sqrt(max(self.gradient @ self.natural_gradient, 0.0)))

    @property
    def noise(self) -> float:
        """A change of the loss that may be rounding."""
        return _NOISE * max(1.0, abs(self.loss))

    @property
    def near(self) -> bool:
        """Whether the fall of the loss that is still to come is about to drown in rounding."""
        return 0.5 * self.norm**2 <= self.noise


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

    A step follows θ + t δ₁ + ½ t² δ₂, with (g + λD) δ₁ = -∂L and (g + λD) δ₂ = -Γ(δ₁), as far as the loss falls. λ
    follows the ratio of the actual to the predicted fall; a step whose correction is not short against it, in the units
    of D, is not trusted at all. D is the largest diagonal of g on the way, those of long ago counting less. So the
    units of coordinates do not matter, and a coordinate that has lost its influence does not run away.

    Where the fall of the loss is about to drown in its rounding, steps are not damped, and follow the norm of the
    gradient down instead.

    Parameters
    ----------
    problem : Problem
        What offers `loss`, `gradient`, `connection` and `metric`.
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
    with np.errstate(all="ignore"):  # what is not finite is never accepted
        here = _Place(problem, np.array(start, dtype=np.float64), float(problem.loss(start)))
        passed = [here]
        strength, scale = damping.initial, np.zeros_like(here.theta)
        while here.norm > tolerance and len(passed) <= max_steps and not _creeps(passed, tolerance):
            scale = np.maximum(_MEMORY * scale, here.metric.lengths)
            if here.near:
                there = _undamped(problem, here)
            else:
                there, strength = _damped(problem, here, scale, strength, damping, line_search)
            if there is None:
                break
            here = there
            passed.append(here)
            if tell is not None:
                tell(len(passed) - 1, here.loss)
        status = _status(problem, here, tolerance, len(passed) > max_steps)
    points, losses = np.array([place.theta for place in passed]), np.array([place.loss for place in passed])
    return Descent(points, losses, status, here.norm, here.natural_gradient)


def _creeps(passed: Sequence[_Place], tolerance: float) -> bool:
    """Whether many steps have changed next to nothing, as on the way to an edge."""
    if len(passed) <= _PATIENCE:
        return False
    before, here = passed[-1 - _PATIENCE], passed[-1]
    return before.loss - here.loss <= max(here.noise, tolerance) and 2.0 * here.norm > before.norm


def _undamped(problem: Any, here: _Place) -> _Place | None:
    """The next place after a natural gradient step, whole or a part of it; none if no part lowers the norm."""
    for rate in _FRACTIONS:
        theta = here.theta - rate * here.natural_gradient
        there = _Place(problem, theta, float(problem.loss(theta)))
        if there.near and there.norm < here.norm:
            return there
    return None


def _damped(
    problem: Any,
    here: _Place,
    scale: np.ndarray,
    strength: float,
    damping: LevenbergMarquardt,
    line_search: Backtracking,
) -> tuple[_Place | None, float]:
    """The next place, and λ after that step; no place if the loss does not fall along the shortest step there is."""
    while strength < _STRONGEST:
        step = _step(problem, here, scale, strength)
        if step is not None:
            if np.array_equal(here.theta + step.first, here.theta):
                break
            there, ratio = _taken(problem, here, step, line_search)
            if there is not None:
                return there, max(damping.next(strength, ratio), _EPS)
        strength = damping.next(strength, -1.0)
    return None, strength


def _taken(problem: Any, here: _Place, step: _Step, line_search: Backtracking) -> tuple[_Place | None, float]:
    """The place that a step leads to, if the loss falls on the way, and the ratio of its fall to the predicted one."""
    slope, bend = float(here.gradient @ step.first), here.metric.inner(step.first, step.first)
    rate, loss = line_search(lambda rate: problem.loss(step.to(rate)), here.loss, slope)
    if rate == 0.0:
        return None, -1.0
    there = _Place(problem, step.to(rate), loss)
    if np.isnan(there.norm):
        return None, -1.0
    ratio = (loss - here.loss) / (rate * slope + 0.5 * rate**2 * bend)
    # a step that had to be shortened was too long, whatever has been gained
    return there, ratio if rate == line_search.rate else -1.0


@dataclass(frozen=True, eq=False)
class _Step:
    """A step from a point, and its geodesic correction: a curve."""

    theta: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def to(self, rate: float) -> np.ndarray:
        """The point that a fraction of the step leads to."""
        return self.theta + rate * self.first + 0.5 * rate**2 * self.second


def _step(problem: Any, here: _Place, scale: np.ndarray, strength: float) -> _Step | None:
    """The damped step; None where its correction is not short against it."""
    try:
        solve = here.metric.solver(strength * (scale / here.metric.scale) ** 2)
    except LinAlgError:
        return None
    first = -solve(here.gradient)
    second = -solve(problem.connection(here.theta, first))
    if not np.isfinite(second).all():
        return _Step(here.theta, first, np.zeros_like(first))
    short = 2.0 * np.linalg.norm(scale * second) <= _CORRECTION * np.linalg.norm(scale * first)
    return _Step(here.theta, first, second) if short else None


def _status(problem: Any, here: _Place, tolerance: float, at_limit: bool) -> FitStatus:
    if np.isnan(here.norm):
        return FitStatus.NON_FINITE
    if here.metric.spectrum[0][0] <= SINGULAR:
        return FitStatus.SINGULAR_METRIC
    converged = here.norm <= tolerance
    if not (converged or here.near or np.all(np.abs(here.natural_gradient) <= _CREEP * np.abs(here.theta))):
        return FitStatus.STEP_LIMIT if at_limit else FitStatus.STALLED
    if not _rises_beyond(problem, here):
        return FitStatus.AT_EDGE
    return FitStatus.CONVERGED if converged else FitStatus.AT_ROUNDING


def _rises_beyond(problem: Any, here: _Place) -> bool:
    """Whether the loss rises again behind the optimum, as it does not towards one at infinity or on the edge."""
    if here.norm == 0.0:
        return True
    reach = max(_BEYOND, 100.0 * here.norm)
    beyond = here.theta - reach / here.norm * here.natural_gradient
    return bool(problem.gradient(beyond) @ here.natural_gradient < 0.0)
