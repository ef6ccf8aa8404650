"""How fast distances vanish with the step size: slopes, from those points that are more than noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Convergence"]

_ABOVE = 30.0
"""How far above the noise floor a distance must be: a thirtieth moves the slope over an octave by 0.05."""

_FEWEST, _MOST = 3, 6
"""Points of a fit."""


@dataclass(frozen=True, eq=False)
class Convergence:
    """Distances at several step sizes, and the power of the step size with which they vanish.

    Attributes
    ----------
    step_sizes : array, shape (m,)
        h, falling.
    distances : array, shape (m,)
        NaN where a trajectory failed or no distance was found.
    floor : array, shape (m,)
        The noise in each of them: rounding and the tolerance of exact integrations.
    """

    step_sizes: np.ndarray
    distances: np.ndarray
    floor: np.ndarray

    @cached_property
    def usable(self) -> np.ndarray:
        """Which distances are more than noise, shape (m,)."""
        return np.isfinite(self.distances) & (self.distances > _ABOVE * self.floor)

    @cached_property
    def fitted(self) -> np.ndarray:
        """Which distances the slope was fitted to, shape (m,): the finest ones that are more than noise."""
        fitted = np.zeros(len(self.distances), dtype=bool)
        chosen = np.flatnonzero(self.usable)[-_MOST:]
        if len(chosen) >= _FEWEST:
            fitted[chosen] = True
        return fitted

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest step size of the fit; NaN without one."""
        h = self.step_sizes[self.fitted]
        return (float(h.min()), float(h.max())) if len(h) else (np.nan, np.nan)

    @property
    def is_noise(self) -> bool:
        """Whether all distances that were found are noise."""
        found = np.isfinite(self.distances)
        return bool(found.any() and not self.usable.any())

    @cached_property
    def slope(self) -> float:
        """The power p in distance ≈ C hᵖ; infinite where all is noise, NaN where there are too few points."""
        if self.is_noise:
            return np.inf
        if not self.fitted.any():
            return np.nan
        h, d = self.step_sizes[self.fitted], self.distances[self.fitted]
        return float(np.polyfit(np.log(h), np.log(d), 1)[0])
