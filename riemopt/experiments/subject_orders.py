"""SubjectOrders: how far from references, and from itself in other charts, an integrator ends on one subject."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from riemopt.experiments.convergence import ABOVE, Convergence
from riemopt.experiments.distance import fisher_rao, straight_length
from riemopt.experiments.subject import Subject
from riemopt.integrators import Integrator, RiemannianEuler
from riemopt.problem import INTEGRATED

__all__ = ["SubjectOrders"]

_HALF = float(np.sqrt(np.finfo(np.float64).eps))
"""Half of the digits, as a part of the way that was travelled."""

_UNITS = 1e-3
"""The part of that way from which on a difference in other units is no noise."""


class SubjectOrders:
    """One subject: where the references end, and how far from them and from itself an integrator ends."""

    def __init__(self, subject: Subject, counts: Sequence[int], quantities: Sequence[str]) -> None:
        self.subject, self.counts, self.quantities = subject, counts, quantities
        self.step_sizes = subject.time / np.array(counts, dtype=np.float64)
        self.remarks: list[str] = []
        if "exp" not in subject.own.problem.offers:
            self._remark("without geodesics, distances are lengths of straight lines in the chart")
        if len(subject.places) == 1 and "invariance" in quantities:
            self._remark("there is one chart, and so no gap between charts")

    def _remark(self, text: str) -> None:
        self.remarks.append(f"{self.subject.name}: {text}")

    # -- references

    @cached_property
    def flow(self) -> tuple[np.ndarray, float] | None:
        """Where the flow ends, and how far apart that is in different charts; None where there is none."""
        if "flow" not in self.subject.own.problem.offers:
            return None
        ends = [place.flow(self.subject.time) for place in self.subject.every_place]
        (noise,) = self._trusted(np.array([self._spread(ends)]), ends[:1], "the flow")
        return ends[0], float(noise)

    @cached_property
    def euler(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Where Riemannian Euler ends with each step size, shape (m, charts and control, n), and how far apart."""
        if "exp" not in self.subject.own.problem.offers:
            return None
        ends = self._ends(RiemannianEuler())
        spread = self._trusted(np.array([self._spread(row) for row in ends]), ends[:, 0], "Riemannian Euler")
        return ends, np.where(np.isnan(spread), np.nan, np.fmax.accumulate(spread))

    def _trusted(self, spread: np.ndarray, ends: Iterable[np.ndarray], what: str) -> np.ndarray:
        """How far apart the ends of a reference are in different charts; NaN where that is half of the digits."""
        most = _HALF * np.array([self._travelled(end) for end in ends])
        trusted = np.where(spread <= most, spread, np.nan)
        found = np.isfinite(spread)
        if (spread[found] > most[found]).any():
            self._remark(f"{what} differs between charts by {spread[found].max():.0e}: that is no reference")
        elif not found.any():
            self._remark(f"{what} does not reach the final time in every chart: there is no reference")
        return trusted

    def _ends(self, rule: Integrator) -> np.ndarray:
        """Where a rule ends, in own coordinates, shape (m, charts and control, n)."""
        time = self.subject.time
        return np.array([[place.end(rule, time, count) for place in self.subject.every_place] for count in self.counts])

    # -- distances

    def _travelled(self, end: np.ndarray) -> float:
        own = self.subject.own
        return straight_length(own.problem, own.start, end) if np.isfinite(end).all() else np.nan

    def _distance(self, point: np.ndarray, target: np.ndarray) -> float:
        return fisher_rao(self.subject.own.problem, point, target)

    def _distances(self, points: Iterable[np.ndarray], targets: Iterable[np.ndarray]) -> np.ndarray:
        return np.array([self._distance(*pair) for pair in zip(points, targets, strict=True)])

    def _spread(self, points: Iterable[np.ndarray]) -> float:
        """The largest distance between any two points; NaN where one is missing."""
        return float(np.max([self._distance(a, b) for a, b in itertools.combinations(points, 2)]))

    def curves(self, key: str, rule: Integrator) -> dict[str, Convergence]:
        """What is wanted to know of an integrator, as far as the subject tells."""
        is_euler = isinstance(rule, RiemannianEuler) and rule.a == 0.0
        known = self.euler if is_euler else None
        ends = self._ends(rule) if known is None else known[0]
        own, charted = ends[:, 0], ends[:, :-1]
        rounding = self._rounding(key, ends)
        curves = {}
        if "flow" in self.quantities and self.flow is not None:
            end, noise = self.flow
            distances = self._distances(itertools.repeat(end, len(own)), own)
            curves["flow"] = self._curve(distances, np.maximum(rounding, noise))
        if "riemannian_euler" in self.quantities and self.euler is not None and not is_euler:
            reached, spread = self.euler
            curves["riemannian_euler"] = self._curve(self._distances(reached[:, 0], own), np.maximum(rounding, spread))
        if "invariance" in self.quantities and charted.shape[1] > 1:
            exact = not rule.needs or set(INTEGRATED) & set(rule.needs)
            spread = self.euler[1] if exact and self.euler is not None else np.zeros(len(own))
            gaps = np.array([self._spread(row) for row in charted])
            curves["invariance"] = self._curve(gaps, np.maximum(rounding, spread))
        return curves

    def _rounding(self, key: str, ends: np.ndarray) -> float:
        """The largest distance from the control, since one of them may be small by chance; NaN if there is none."""
        apart = self._distances(ends[:, 0], ends[:, -1])
        found = np.isfinite(apart)
        if not found.any():
            return np.nan
        travelled = max(self._travelled(end) for end in ends[found, 0])
        if apart[found][0] > _UNITS * travelled:
            self._remark(f"{key} depends on the units of the coordinates")
            return 0.0
        noise = float(apart[found].max())
        if noise > _HALF * travelled:
            self._remark(f"{key} differs by {noise:.0e} in other units: less than {ABOVE:g} times that counts as noise")
        return noise

    def _curve(self, distances: np.ndarray, floor: Any) -> Convergence:
        return Convergence(self.step_sizes, distances, np.broadcast_to(floor, distances.shape))
