"""The natural gradient flow to a wanted accuracy, with few evaluations."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riemopt.errors import ArgumentError
from riemopt.integrators.base import Integrator, Orders, register
from riemopt.integrators.runge_kutta import moved
from riemopt.numerics.tableaux import BOGACKI_SHAMPINE, DORMAND_PRINCE_853, TSITOURAS, Row, Tableau

__all__ = ["AdaptiveFlow"]


class _Pair(NamedTuple):
    """A method with what was measured of its errors.

    A sub-step of length h at a speed s makes an error of about ``typical`` sh (ρh)^p, where ρ is the rate at which the
    velocity changes. An estimate E from the tableau is of lower order; the error is about ``factor`` E √(E/sh), since
    the terms of a series that are left out fall about as fast as those before them.
    """

    tableau: Tableau
    errors: tuple[Row, ...]
    typical: float
    factor: float

    @property
    def evaluations(self) -> int:
        """The evaluations of a sub-step, the one at its start included."""
        return 1 + len(self.tableau.stages)

    def expected(self, length: float, change: float) -> float:
        """The error to expect of a sub-step, from its length sh and ρh."""
        return self.typical * length * change**self.tableau.order

    def change(self, length: float, error: float) -> float:
        """The ρh for which to expect an error."""
        return (error / (self.typical * length)) ** (1 / self.tableau.order)

    def estimated(self, length: float, estimate: float) -> float:
        """The error of a sub-step that was made, from E."""
        return self.factor * estimate * math.sqrt(estimate / length)


_PAIRS = (
    _Pair(BOGACKI_SHAMPINE, BOGACKI_SHAMPINE.errors, typical=0.05, factor=1.2),
    _Pair(TSITOURAS, TSITOURAS.errors, typical=0.01, factor=0.5),
    _Pair(DORMAND_PRINCE_853, DORMAND_PRINCE_853.errors[:1], typical=2e-8, factor=0.08),
)
"""Their numbers, and those below, take few evaluations on 35 flows of five models, from 20 starts, for tolerances from
1e-2 to 1e-10."""

_SHORTEST = 1e-12
"""The shortest sub-step worth taking, as a fraction of the whole time."""

_MOST = 10_000
"""Sub-steps, refused or not, after which a flow counts as not to be had."""

_RETREAT, _SHORTER, _LONGER = 0.25, 0.7, 5.0
"""The longest next sub-step, by the last one: after one that met a number that is not finite, one whose error was too
large, and one that was good."""

_SHARE = 0.5
"""How much of the error that is left to make a sub-step may make before the last one."""

_AIM = 0.3
"""How much of that a sub-step is meant to make: a refused one costs more than one that is too short."""

_LEAST = 0.1
"""What is left of the tolerance at least, where errors were larger than planned or decayed less."""

_FASTEST = 0.8
"""The highest rate at which errors are trusted to decay. Speeds may fall faster at first, and other directions not."""

_DOUBT = 2.0
"""The error, by the allowed one, from which on a sub-step whose length was a guess is given up at its second stage."""


_ABRUPT = 1e3
"""The change of the velocity, by itself, from which on it is not taken for a rate: the stage was too far away."""


class _Known(NamedTuple):
    """What sub-steps have taught about the flow."""

    rate: float = 1.0
    """ρ; at first that of a likelihood, which decays like exp(-t) near the optimum of a model that is right."""
    decay: float = 0.0
    """The rate at which errors made so far decay."""
    longest: float = math.inf
    """The longest sub-step worth trying."""
    guessed: bool = True
    """Whether nothing was learned yet."""


@register("ng-adaptive")
class AdaptiveFlow(Integrator):
    """The natural gradient flow θ̇ = -g⁻¹∂L for a time h, to a wanted accuracy with few evaluations.

    It takes as many sub-steps of Runge–Kutta methods of orders 3, 5 and 8 as the accuracy needs. Each next one is the
    first of those equal ones to the end of the step that together take the fewest evaluations, of a gradient and a
    linear solve each, by what the sub-steps before have taught. Errors are measured in the Riemannian norm, by products
    with the metric. Those made early may be larger than those made late, as far as the flow forgets them.

    A sub-step that meets numbers that are not finite, outside the domain for instance, is tried again at a quarter of
    its length; where that does not help, the point is NaN.

    Parameters
    ----------
    tolerance : float, optional
        The Fisher–Rao distance to the flow that the end may have, about: it is estimated, not bounded. In the benchmark
        ``adaptive``, 97 of 100 flows end within three times the tolerance. One sub-step whose estimate happens to
        cancel can end at 70 times. For a problem without `lower_index` it is the Euclidean distance in the chart.

    Raises
    ------
    ArgumentError
        If the tolerance is not positive and finite.

    Notes
    -----
    Exactly invariant, up to the tolerance. A first guess of the length of a sub-step takes it that the velocity changes
    at a rate of 1, as that of a likelihood does near the optimum of a model that is right. Where it changes faster, the
    second evaluation already tells. A step evaluates nothing at its end: all that it hands on are rates.

    References
    ----------
    Equation (5) of the paper. Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, second edition,
    sections II.3 and II.4, on what becomes of local errors at the end, and on estimates and the length of steps.

    Examples
    --------
    A time of 5 at once, and whether it ends within ten times the tolerance:

    >>> import riemopt as ro
    >>> gamma = ro.models.Gamma()
    >>> problem = ro.Manifold(gamma, backend="numpy").likelihood(gamma.sample([20.0, 20.0], 1000))
    >>> flow = ro.integrators.AdaptiveFlow(tolerance=1e-6)
    >>> x = ro.minimize(problem, flow, [1.0, 1.0], step_size=5.0, steps=1).x
    >>> error = x - problem.flow([1.0, 1.0], 5.0)
    >>> bool(error @ problem.lower_index(x, error) < (10 * 1e-6) ** 2)
    True
    """

    needs = ("gradient", "raise_index")
    traceable = False
    recovers = True
    orders = Orders(flow=math.inf, riemannian_euler=1, invariance=math.inf)

    def __init__(self, tolerance: float = 1e-6) -> None:
        if not (isinstance(tolerance, (int, float)) and 0.0 < tolerance < math.inf):
            raise ArgumentError(f"tolerance must be positive and finite, not {tolerance!r}")
        self.tolerance = float(tolerance)

    def __repr__(self) -> str:
        return f"AdaptiveFlow(tolerance={self.tolerance:g})"

    def init(self, problem: Any, theta: Any, h: Any) -> Any:
        """What is known of the flow before the first evaluation."""
        return _Known()

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        known, rest, spent = memory, h, 0.0
        velocity, speed = _velocity(problem, theta)
        for _ in range(_MOST):
            if not 0.0 < speed < math.inf:
                break
            budget = max(_LEAST * self.tolerance, self.tolerance - spent * math.exp(-known.decay * rest))
            pair, parts = _plan(known, speed, rest, _AIM * budget)
            sub = rest / parts
            if not sub > _SHORTEST * h:
                break
            left = rest - sub if parts > 1 else 0.0
            allowed = (_SHARE if left else 1.0) * budget * math.exp(known.decay * left)
            point, error, known = _sub_step(problem, theta, velocity, speed, sub, pair, allowed, known)
            if not error <= allowed:
                continue
            if not left:
                return point, known
            velocity_there, speed_there = _velocity(problem, point)
            if not math.isfinite(speed_there):
                known = known._replace(longest=_RETREAT * sub)
                continue
            known = known._replace(decay=_decay(speed, speed_there, sub))
            spent = spent * math.exp(-known.decay * sub) + error
            theta, velocity, speed, rest = point, velocity_there, speed_there, left
        return (theta if speed == 0.0 else math.nan * theta), known


def _velocity(problem: Any, theta: Any) -> tuple[Any, float]:
    """The velocity of the flow, and its norm."""
    velocity = -problem.natural_gradient(theta)
    return velocity, _norm(problem, theta, velocity)


def _decay(before: float, after: float, time: float) -> float:
    """The rate at which a speed falls, and with it the errors made so far."""
    return min(_FASTEST, max(0.0, math.log(before / after) / time)) if after else 0.0


def _norm(problem: Any, theta: Any, *vectors: Any) -> float:
    """The root of the sum of the squared norms of vectors."""
    lower = problem.lower_index if "lower_index" in problem.offers else lambda _, vector: vector
    square = float(sum(vector @ lower(theta, vector) for vector in vectors))
    return 0.0 if square < 0.0 else math.sqrt(square)  # below 0 by rounding; NaN stays


def _plan(known: _Known, speed: float, rest: float, budget: float) -> tuple[_Pair, int]:
    """The pair, and the number of equal parts of the rest, that keep the error within a budget with least evaluations.

    An error decays while the flow goes on, as the speed does that errors are proportional to. Those of equal sub-steps
    are therefore the same at the end.
    """

    def parts(pair: _Pair) -> int:
        count = max(1, math.ceil(rest / known.longest))
        while True:
            sub = rest / count
            error = count * pair.expected(speed * sub, known.rate * sub) * math.exp(-known.decay * (rest - sub))
            if not error > budget or sub <= _SHORTEST * rest:
                return count
            count = max(count + 1, math.floor(count * (error / budget) ** (1 / (pair.tableau.order + 2))))

    return min(((pair, parts(pair)) for pair in _PAIRS), key=lambda plan: plan[0].evaluations * plan[1])


def _sub_step(
    problem: Any, theta: Any, velocity: Any, speed: float, h: float, pair: _Pair, allowed: float, known: _Known
) -> tuple[Any, float, _Known]:
    """The end of a sub-step, its error, and what is then known; an infinite error for one that is of no use."""
    velocities, length = [velocity], speed * h
    for row in pair.tableau.stages:
        velocities.append(-problem.natural_gradient(moved(theta, h, row, velocities)))
        if not np.all(np.isfinite(velocities[-1])):
            return None, math.inf, known._replace(longest=_RETREAT * h)
        if known.guessed and len(velocities) == 2:
            rate = _norm(problem, theta, velocities[1] - velocity) / (sum(row.values()) * length)
            if not rate * h < _ABRUPT:
                return None, math.inf, known._replace(longest=_RETREAT * h)
            known = known._replace(rate=max(rate, known.rate), guessed=False)
            if pair.expected(length, known.rate * h) > _DOUBT * allowed:
                return None, math.inf, known
    point = moved(theta, h, pair.tableau.weights, velocities)
    if not problem.contains(point):
        return None, math.inf, known._replace(longest=_RETREAT * h)
    estimate = _norm(problem, theta, *(moved(0.0, h, row, velocities) for row in pair.errors))
    error = pair.estimated(length, estimate)
    change = pair.change(length, error)
    if not change < _ABRUPT:
        return None, math.inf, known._replace(longest=_RETREAT * h)
    known = known._replace(rate=change / h, longest=(_LONGER if error <= allowed else _SHORTER) * h)
    return point, error, known
