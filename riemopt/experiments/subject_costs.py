"""What it costs an integrator on one subject to end within a distance of the flow: how many steps, and with what."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from riemopt.experiments.cost_result import Cost
from riemopt.experiments.distance import fisher_rao
from riemopt.experiments.places import Place
from riemopt.experiments.subject import Subject
from riemopt.integrators import AdaptiveFlow, Integrator
from riemopt.problem import CountedProblem

__all__ = ["AdaptiveCosts", "SubjectCosts", "costs_of"]

_STEADY = 0.05
"""How far the slopes of the last two octaves may differ where a power law is continued."""

_SLOWEST = 0.5
"""The slope below which a distance does not vanish."""

_FINEST = 1e-14
"""The tightest tolerance."""


class SubjectCosts:
    """A rule on a subject: how many steps it needs, and what they cost."""

    def __init__(self, rule: Integrator, subject: Subject, flow: np.ndarray, most: int) -> None:
        self.rule, self.subject, self.flow, self.most = rule, subject, flow, most
        self.missed = cache(self._missed)

    def _missed(self, steps: int) -> float:
        """How far from the flow so many steps end; NaN where they fail."""
        return self._distance(self.subject.own, self.rule, steps)

    def _distance(self, place: Place, rule: Integrator, steps: int) -> float:
        end = place.end(rule, self.subject.time, steps)
        return fisher_rao(self.subject.own.problem, self.flow, end)

    def cost(self, wanted: float) -> Cost:
        """What it costs to end within a distance."""
        steps = _fewest(self.missed, wanted, self.most)
        if steps is None:
            return self._extrapolated(wanted)
        for rtol in _tighter(_sufficient(wanted), 0.1):
            cost = self._counted(self.rule, steps, rtol)
            if cost.achieved <= wanted:
                return cost
        return Cost()

    def _counted(self, rule: Integrator, steps: int, rtol: float) -> Cost:
        """What a run costs whose exact integrations are done to a tolerance."""
        own = self.subject.own
        problem = CountedProblem(own.problem, rtol=rtol)
        achieved = self._distance(Place(problem, own.start, own.to_own), rule, steps)
        calls = problem.calls
        return Cost(steps, calls["raise_index"], calls["gradient"], calls["connection"], achieved)

    def _extrapolated(self, wanted: float) -> Cost:
        """What the most steps cost, times what is missing from them by the power law of the last octaves."""
        most = 4 * (self.most // 4)
        coarse, middle, fine = (self.missed(most // part) for part in (4, 2, 1))
        if not (coarse > 0.0 and middle > 0.0 and fine > wanted):
            return Cost()
        before, slope = math.log2(coarse / middle), math.log2(middle / fine)
        if slope < _SLOWEST or abs(slope - before) > _STEADY:
            return Cost()
        # what is left of a difference from the order halves with each octave: as much again is yet to come
        factor = (fine / wanted) ** (1 / (2 * slope - before))
        known = self._counted(self.rule, most, _sufficient(wanted))
        if not known.is_measured:
            return Cost()
        steps, solves, gradients, connections = (factor * count for count in known[:4])
        return Cost(steps, solves, gradients, connections, extrapolated=True)


class AdaptiveCosts(SubjectCosts):
    """A rule that chooses its own steps: how tight its tolerance must be, and what it costs."""

    def cost(self, wanted: float) -> Cost:
        """What it costs to end within a distance."""
        for tolerance in _tighter(wanted, 0.5):
            rule = copy.copy(self.rule)
            assert isinstance(rule, AdaptiveFlow)
            rule.tolerance = tolerance
            cost = self._counted(rule, 1, _FINEST)
            if cost.achieved <= wanted:
                return cost
        return Cost()


def costs_of(rule: Integrator, subject: Subject, flow: np.ndarray, most: int) -> SubjectCosts:
    """What a rule costs on a subject whose flow ends at a point, with so many steps at most."""
    kind = AdaptiveCosts if isinstance(rule, AdaptiveFlow) else SubjectCosts
    return kind(rule, subject, flow, most)


def _fewest(missed: Callable[[int], float], wanted: float, most: int) -> int | None:
    """The smallest number of steps that gets within a distance, as twice as many do; None beyond the most."""

    def stays(steps: int) -> bool:
        return missed(steps) <= wanted and missed(2 * steps) <= wanted

    high = 1
    while not stays(high):
        high *= 2
        if high > most:
            return None
    low = high // 2
    for by_power_law in itertools.cycle((True, False)):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        if by_power_law and missed(low) > wanted > missed(high) > 0.0:
            share = math.log(missed(low) / wanted) / math.log(missed(low) / missed(high))
            middle = min(max(low + 1, round(low * (high / low) ** share)), high - 1)
        low, high = (low, middle) if stays(middle) else (middle, high)
    return high


def _sufficient(wanted: float) -> float:
    """The relative tolerance of exact integrations to begin with."""
    return min(1e-3, 0.01 * wanted)


def _tighter(tolerance: float, factor: float) -> Iterator[float]:
    """Tolerances from one on, down to rounding."""
    while tolerance >= _FINEST:
        yield tolerance
        tolerance *= factor
