"""Ways of taking a step with a rule: as it is, or damped and as far as the loss falls."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError, ShapeError
from riemopt.integrators import Integrator, NaturalGradient, Path
from riemopt.numerics.arrays import copied
from riemopt.optimize.damping import LevenbergMarquardt
from riemopt.optimize.line_search import Backtracking
from riemopt.optimize.state import State
from riemopt.optimize.watched import WatchedPoint, WatchedProblem, is_finite
from riemopt.problem.metric import By, contraction, root

__all__ = ["FixedStep", "SearchedStep"]

_EPS = float(np.finfo(np.float64).eps)
_STRONGEST = 1.0 / _EPS**2
"""A damping beyond which no step is left."""

_STRAIGHT = NaturalGradient()


@dataclass(frozen=True)
class FixedStep:
    """The steps of a rule as they are.

    Attributes
    ----------
    rule : Integrator
        The rule.
    h : float
        The step size.
    """

    rule: Integrator
    h: float

    def begin(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State:
        """See :class:`~riemopt.optimize.driver.Stepping`."""
        return state.but(memory=self.rule.init(watched, copied(here.theta), self.h))

    def advance(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State | None:
        """See :class:`~riemopt.optimize.driver.Stepping`."""
        watched.begin_step(None, state.warm_starts, state.iteration, state.key)
        theta, memory = self.rule.step(watched, copied(here.theta), self.h, state.memory)
        require_point(self.rule, theta, here.theta)
        return state.but(
            theta=theta,
            memory=memory,
            warm_starts=watched.solutions,
            rate=1.0,
            solver_iterations=watched.solver_iterations,
        )


def require_point(rule: Integrator, theta: Any, before: Any) -> None:
    """Raise :class:`~riemopt.errors.ShapeError` unless a rule has returned a point."""
    if np.shape(theta) != before.shape:
        raise ShapeError(f"{rule} returned a point of shape {np.shape(theta)}, not {before.shape}")


@dataclass(frozen=True)
class SearchedStep:
    """The steps of a rule with a damped metric, as far along their path as the loss falls.

    The damping λ follows the ratio of the actual to the predicted reduction of the loss for the whole step; the
    prediction is that of the quadratic ∂L·δ + ½ δ·g δ with the undamped metric and the step δ without its correction.

    Attributes
    ----------
    rule : Integrator
        The rule.
    h : float
        The step size: the time for which a whole step follows its path.
    damping : LevenbergMarquardt, optional
        How λ follows the ratio; without it the metric is not damped.
    line_search : Backtracking
        How far to follow the path.
    units : callable, optional
        Takes a point and the state, gives √D of the damping λD; by default D is what `damping` says.
    correction_below : float, optional
        The λ from which on steps go without a correction.
    longest_correction : float, optional
        The ratio 2|δ₂|/|δ₁| of the correction to the step, in the norm of D, from which on a step is not trusted and
        the damping increased.
    controlled : float, optional
        The same ratio in the norm of the metric, from which on a step is shortened; from twice as much on it goes
        without its correction, and does not lower the damping.
    persistent : bool, optional
        Whether a step that is refused is tried again at once with more damping, or counts as a step.
    accepts : callable, optional
        Takes the point reached; whether to go there, although the loss has fallen.

    References
    ----------
    Martens, "Deep learning via Hessian-free optimization", 2010, for λ and the search. Transtrum and Sethna,
    "Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares minimization", 2012, for corrections
    and when to trust them.
    """

    rule: Integrator
    h: float
    damping: LevenbergMarquardt | None
    line_search: Backtracking
    units: Callable[[WatchedPoint, State], Any] | None = None
    correction_below: float | None = None
    longest_correction: float | None = None
    controlled: float | None = None
    persistent: bool = False
    accepts: Callable[[WatchedPoint], bool] = lambda there: True

    def begin(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State:
        """See :class:`~riemopt.optimize.driver.Stepping`."""
        damping = None if self.damping is None else (state.damping, self._by(state))
        watched.begin_step(damping, (), state.iteration, state.key)
        return state.but(memory=self.rule.init(watched, copied(here.theta), self.h))

    def advance(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State | None:
        """See :class:`~riemopt.optimize.driver.Stepping`."""
        if self.units is not None:
            state = state.but(units=self.units(here, state))
        while state.damping < _STRONGEST:
            damping = None if self.damping is None else (state.damping, self._by(state))
            watched.begin_step(damping, state.warm_starts, state.iteration, state.key)
            path, memory = self._path(watched, here, state)
            rate, loss, ratio = 0.0, here.loss, -1.0
            if self._trusts(path, state.units):
                corrected, search = self._control(here, path)
                path, memory = self._walked_back(watched, here, state, path, memory, corrected, search)
                if self.persistent and bool((here.theta + path.velocity == here.theta).all()):
                    return None
                rate, loss, ratio = self._searched(watched, here, path, search)
                if self.damping is not None and not corrected:
                    ratio = min(ratio, self.damping.high)
            there = path.at(rate * self.h) if rate else here.theta
            if rate and not self.accepts(watched.at(there)):
                rate, ratio = 0.0, -1.0
            strength = state.damping
            if self.damping is not None:
                strength = self.damping.next(strength, ratio)
            if not rate and self.damping is None:
                return None
            if rate or not self.persistent:
                memory = self.rule.remember(path, rate * self.h, self.h, memory)
                return state.but(
                    theta=there,
                    loss=loss,
                    memory=memory,
                    damping=max(strength, _EPS) if self.damping is not None else 0.0,
                    warm_starts=watched.solutions,
                    rate=rate,
                    solver_iterations=watched.solver_iterations,
                )
            state = state.but(damping=strength)
        return None

    def _by(self, state: State) -> By:
        """D."""
        if state.units is not None:
            return state.units**2
        return "identity" if self.damping is None else self.damping.by

    def _is_straight(self, state: State) -> bool:
        """Whether a step goes without a correction because of a strong damping."""
        return self.correction_below is not None and state.damping >= self.correction_below

    def _path(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> tuple[Path, Any]:
        theta = copied(here.theta)
        if self._is_straight(state):
            return _STRAIGHT.path(watched, theta, self.h, None)[0], state.memory
        path, memory = self.rule.path(watched, theta, self.h, state.memory)
        require_point(self.rule, path.velocity, here.theta)
        if self.controlled is not None and path.acceleration is None:
            raise ArgumentError(
                f"longest_correction= is for rules that correct their step after it, as 'geo'; {self.rule} does not"
            )
        if path.acceleration is not None and not is_finite(path.acceleration):
            path = dataclasses.replace(path, acceleration=None)
        return path, memory

    def _control(self, here: WatchedPoint, path: Path) -> tuple[bool, Backtracking]:
        """Whether to take the correction along, and how far to go at first."""
        if self.controlled is None or path.acceleration is None:
            return True, self.line_search
        size, correction = (here.undamped.norm(v) for v in (path.velocity, path.acceleration))
        ratio = 2.0 * self.h * float(correction) / float(size) if float(size) > 0.0 else math.nan
        if ratio <= self.controlled:
            return True, self.line_search
        if not ratio <= 2.0 * self.controlled:
            return False, self.line_search
        return True, dataclasses.replace(self.line_search, rate=self.line_search.rate * self.controlled / ratio)

    def _walked_back(
        self,
        watched: WatchedProblem,
        here: WatchedPoint,
        state: State,
        path: Path,
        memory: Any,
        corrected: bool,
        search: Backtracking,
    ) -> tuple[Path, Any]:
        """The path by earlier iterates of its solves, as long as the loss at the end of a first step falls that way."""
        path = path if corrected else dataclasses.replace(path, acceleration=None)
        if not watched.levels:
            return path, memory
        end = self._whole(search) * self.h
        best = watched.at(path.at(end)).loss
        for level in range(1, watched.levels + 1):
            with watched.earlier(level):
                other, remembered = self._path(watched, here, state)
            other = other if corrected else dataclasses.replace(other, acceleration=None)
            loss = watched.at(other.at(end)).loss
            if not (loss < best or math.isnan(best)):
                break
            path, memory, best = other, remembered, loss
        return path, memory

    def _trusts(self, path: Path, units: Any) -> bool:
        """Whether there is a step, and its correction is short against it."""
        if not is_finite(path.velocity):
            return False
        if path.acceleration is None or self.longest_correction is None:
            return True
        vectors = ((v if units is None else units * v) for v in (path.velocity, path.acceleration))
        size, correction = (root(contraction(v, v)) for v in vectors)
        return bool(2.0 * self.h * correction <= self.longest_correction * size)

    def _searched(
        self, watched: WatchedProblem, here: WatchedPoint, path: Path, search: Backtracking
    ) -> tuple[float, float, float]:
        """The rate to follow the path at, 0 for none; the loss there; and the ratio of reductions for a whole step."""
        whole: list[WatchedPoint] = []

        def along(rate: float) -> float:
            there = watched.at(path.at(rate * self.h))
            if not whole:
                whole.append(there)
            return there.loss

        model = self._model(here)
        slope = self.h * float(model.gradient @ path.velocity)
        watched.tally("lower_index")
        curvature = self.h**2 * float(model.undamped.inner(path.velocity, path.velocity))
        rate, loss = search(along, here.loss, slope)
        first = self._whole(search)
        predicted = first * slope + 0.5 * first**2 * curvature
        if not predicted < 0.0:  # as along a midpoint's path: nothing was promised that could be kept
            return rate, loss, -1.0
        there = whole[0] if first == search.rate else watched.at(path.at(first * self.h))
        return rate, loss, self._gain(here, there) / predicted

    def _whole(self, search: Backtracking) -> float:
        """The rate of a whole step, which the iterates of solves and the damping are judged by."""
        return search.rate

    def _model(self, here: WatchedPoint) -> WatchedPoint:
        """The point whose gradient and metric predict what a step does to the loss."""
        return here

    def _gain(self, here: WatchedPoint, there: WatchedPoint) -> float:
        """The change of the loss that is held against the predicted one."""
        return there.loss - here.loss
