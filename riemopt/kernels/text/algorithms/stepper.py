"""The adaptive stepper: solves one autonomous differential equation y' = f(y; p), forward or backward in time.

The exponential map, the exact natural gradient flow, parallel transport and the Jacobi equation all run on it. A stage
that the equation's own conditions refuse (outside the domain, a singular metric) counts as an error that is too large:
the step is tried again at a quarter of its length. A solution that leaves the domain in finite time therefore drives
the step to nothing, and that is how leaving is told: the status says why, and the state is NaN.

:func:`begin`, :func:`advance` and :func:`end` branch on no number, so that they step one solution as well as several
in lanes: a step is always computed, and taken where it is good. A solution on its way is its state `y`, the derivative
`k0` there, and six numbers: the `outcome`, negative while it goes on and then the status; the time `t` behind it; the
length `h` of the next step; the `cause` of the last refusal; by what the `largest` next step is longer; and the `count`
of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan

from riemopt.kernels.functions.scalar import absolute, minimum, select, spread
from riemopt.kernels.text.runtime.step_control import LONGER, ended, first_guess, first_step, resize
from riemopt.numerics.ode import MAXIMAL_STEPS
from riemopt.status import Status

__all__ = ["advance", "begin", "end", "solution"]

SMALLEST_STEP = 1e-14
"""The shortest step worth taking, as a fraction of the whole duration."""

RETREAT = 0.25
"""What is left of a step after one that was refused."""

RUNNING = -1.0
"""The outcome of a solution that has not come to its end."""

STEP_LIMIT = float(MAXIMAL_STEPS)
LEFT_DOMAIN = float(Status.LEFT_DOMAIN)
DIVERGED = float(Status.DIVERGED)

Vector = tuple[float, ...]
Field = Callable[[Vector, Vector], tuple[float, Vector]]
"""Takes y and p; returns the status, and f."""

Way = tuple[Vector, Vector, float, float, float, float, float, float]
"""y, k0, outcome, t, h, cause, largest and count."""


def solution(
    begin: Callable[..., tuple[Vector, float, float, float, float, float, float]],
    advance: Callable[..., Way],
    end: Callable[[Vector, float, float, float], tuple[float, Vector]],
    y: Vector,
    p: Vector,
    duration: float,
    rtol: float,
    atol: float,
) -> tuple[float, Vector]:
    """The status, and the state after some time with the time reached behind it; NaN if it was not reached."""
    k0, outcome, t, h, cause, largest, count = begin(y, p, duration, rtol, atol)
    while not ended(outcome):
        y, k0, outcome, t, h, cause, largest, count = advance(
            y, k0, outcome, t, h, cause, largest, count, p, duration, rtol, atol
        )
    return end(y, outcome, t, duration)


def begin(
    field: Field,
    square_sum: Callable[[Vector, Vector, float, float], float],
    change_sum: Callable[[Vector, Vector, Vector, float, float], float],
    first_stage: Callable[[Vector, float, Vector], Vector],
    first_node: float,
    dimension: float,
    y: Vector,
    p: Vector,
    duration: float,
    rtol: float,
    atol: float,
) -> tuple[Vector, float, float, float, float, float, float]:
    """A solution at its start: k0 and the six numbers.

    Parameters
    ----------
    field : callable
        The equation.
    square_sum, change_sum : callable
        The sum of squares of a vector, and of the difference of two, scaled by the tolerances at y.
    first_stage : callable
        The point of the method's first stage, from y, the length of the step, and k0.
    first_node : float
        How far into the step that stage is.
    dimension : float
        The number of components.
    y, p : tuple of float
        The state and the constants.
    duration : float
        How long, of either sign.
    rtol, atol : float
        The tolerances.
    """
    status, k0 = field(y, p)
    speed = square_sum(k0, y, rtol, atol)
    h = minimum(first_guess(square_sum(y, y, rtol, atol), speed, dimension), absolute(duration))
    d = select(duration < 0.0, -h, h) / first_node
    refused, k1 = field(first_stage(y, d, k0), p)
    change = change_sum(k1, k0, y, rtol, atol)
    h = select(refused == 0.0, first_step(h, speed, change, dimension), h * RETREAT)
    outcome = select(status != 0.0, status, select(duration == 0.0, 0.0, RUNNING))
    return k0, outcome, spread(0.0), h, spread(0.0), spread(LONGER), spread(0.0)


def advance(
    field: Field,
    approach: Callable[[Vector, Vector], tuple[float, float]],
    limited: bool,
    trial: Callable[[Vector, Vector, float, float, Vector, float, float], tuple[float, Vector, float]],
    choose: Callable[[bool, Vector, Vector], Vector],
    y: Vector,
    k0: Vector,
    outcome: float,
    t: float,
    h: float,
    cause: float,
    largest: float,
    count: float,
    p: Vector,
    duration: float,
    rtol: float,
    atol: float,
) -> Way:
    """A solution after one more step.

    Parameters
    ----------
    field : callable
        The equation.
    approach : callable
        Takes y and p; returns one over the longest step allowed, forward and backward. Used if `limited`.
    trial : callable
        The stages of the method: takes y, k0, the step with its sign and its length, p and the tolerances; returns the
        first status of a stage that is not 0, the end of the step, and the norm of its error.
    choose : callable
        One vector or the other.
    y, k0, outcome, t, h, cause, largest, count
        The solution on its way.
    p, duration, rtol, atol
        See :func:`begin`.
    """
    running = outcome < 0.0
    span = absolute(duration)
    if limited:
        forward, backward = approach(y, p)
        rate = select(duration > 0.0, forward, backward)
        h = select(h * rate > 1.0, 1.0 / rate, h)
    rest = span - t
    last = h >= rest
    # two steps of one length to the end rather than a long one and a short one
    h = select(last, rest, select(h >= 0.5 * rest, 0.5 * rest, h))
    short = (h < rest) & (h < SMALLEST_STEP * span)
    d = select(duration < 0.0, -h, h)
    refused, z, error = trial(y, k0, d, h, p, rtol, atol)
    # the end of the step is the first stage of the next one, and it too must be allowed
    status, kz = field(z, p)
    refused = select((refused == 0.0) & (error < 1.0), status, refused)
    judged = (refused == 0.0) & (error < inf)
    good = judged & (error < 1.0)
    factor = resize(error)
    moved = running & good
    y = choose(moved, z, y)
    k0 = choose(moved, kz, k0)
    t = select(moved, t + h, t)
    cause = select(good, cause, select(judged, 0.0, refused))
    h = h * select(good, minimum(factor, largest), select(judged, factor, RETREAT))
    largest = select(good, LONGER, 1.0)
    count = count + 1.0
    lost = select(cause == 0.0, LEFT_DOMAIN, cause)
    over = select(count >= STEP_LIMIT, DIVERGED, outcome)
    over = select(good & last, 0.0, select(short, lost, over))
    return y, k0, select(running, over, outcome), t, h, cause, largest, count


def end(
    choose: Callable[[bool, Vector, Vector], Vector],
    dimension: int,
    y: Vector,
    outcome: float,
    t: float,
    duration: float,
) -> tuple[float, Vector]:
    """The status, and the state at the end with the time reached behind it; NaN if the end was not reached."""
    t = select(duration < 0.0, -t, t)
    reached = outcome == 0.0
    state, time = choose(reached, y, (*[nan] * dimension,)), (select(reached, duration, t),)
    return outcome, state + time
