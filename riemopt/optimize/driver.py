"""The driver: one loop that takes a run from state to state, whatever takes the steps and decides when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from riemopt.optimize.state import State
from riemopt.optimize.watched import WatchedPoint, WatchedProblem, is_finite
from riemopt.status import Status

__all__ = ["Hook", "SpeedBelow", "Stepping", "Stopping", "drive"]

Hook = Callable[[State], None]
"""Called with every state, the first one too; it may raise ``StopIteration`` to end the run there."""


class Stepping(Protocol):
    """What takes a step: a rule, and how strongly to damp and how far to go."""

    def begin(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State:
        """The state before the first step, with the rule's memory."""
        ...

    def advance(self, watched: WatchedProblem, here: WatchedPoint, state: State) -> State | None:
        """The state after a step; None if there is no step left to take. A failure is noted by `watched`."""
        ...


class Stopping(Protocol):
    """What decides whether to stop at a point."""

    def __call__(self, here: WatchedPoint, state: State) -> tuple[Status | None, Any]:
        """Why to stop, or None; and what to remember for the next time, as ``state.stopping``."""
        ...


class SpeedBelow:
    """Stop where the Riemannian norm √(∂L·g⁻¹∂L) of the natural gradient is at most a tolerance.

    Parameters
    ----------
    tolerance : float
        At least 0.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance

    def __call__(self, here: WatchedPoint, state: State) -> tuple[Status | None, Any]:
        """See :class:`Stopping`."""
        return (Status.CONVERGED if 0.0 <= here.square_speed <= self.tolerance**2 else None), None


def drive(
    watched: WatchedProblem,
    stepping: Stepping,
    state: State,
    *,
    steps: int,
    stopping: Stopping | None = None,
    hooks: Sequence[Hook] = (),
    interruptible: bool = False,
) -> tuple[State, Status]:
    """Take a run from a state to its end.

    Parameters
    ----------
    watched : WatchedProblem
        The problem.
    stepping : Stepping
        What takes a step.
    state : State
        Where the run is: at a start, or where an earlier one has got to.
    steps : int
        The number of steps after which to stop, those of the earlier run among them.
    stopping : Stopping, optional
        What else decides whether to stop.
    hooks : sequence of callable, optional
        What is told of every point reached.
    interruptible : bool, optional
        Whether an interruption from the keyboard ends the run where it is, rather than everything.

    Returns
    -------
    state : State
        The last one that can be trusted, or the start.
    status : Status
        Why the run ended.
    """
    began = time.perf_counter() - state.seconds
    fresh = state.iteration == 0
    reached = state
    with np.errstate(all="ignore"):  # a status tells of a number that is not finite, not a warning
        while True:
            failure = _failure(watched, state)
            if failure is not None:
                return reached, failure
            here = watched.at(state.theta)
            why, remembered = (None, None) if stopping is None else stopping(here, state)
            if watched.failed:
                return reached, watched.status
            elapsed = time.perf_counter() - began
            state = state.but(loss=here.loss, stopping=remembered, seconds=elapsed)
            reached = state
            try:
                for hook in hooks:
                    hook(state)
            except StopIteration:
                return state, Status.STOPPED
            if why is not None:
                return state, why
            if state.iteration >= steps:
                return state, Status.COMPLETED
            try:
                if fresh:
                    state, fresh = stepping.begin(watched, here, state), False
                if watched.failed:
                    return reached, watched.status
                following = stepping.advance(watched, here, state)
            except KeyboardInterrupt:
                if not interruptible:
                    raise
                return reached, Status.STOPPED
            if following is None:
                return state, Status.STALLED
            state = following.but(iteration=state.iteration + 1)
            if watched.recovers and is_finite(state.theta):
                watched.forgive()
            if watched.failed:
                return reached, watched.status


def _failure(watched: WatchedProblem, state: State) -> Status | None:
    """Why the point of a state cannot be trusted, if it cannot."""
    if not is_finite(state.theta):
        return watched.status if watched.failed else Status.NON_FINITE
    here = watched.at(state.theta)
    if not here.inside:
        return Status.LEFT_DOMAIN
    return None if is_finite(here.loss) else Status.NON_FINITE
