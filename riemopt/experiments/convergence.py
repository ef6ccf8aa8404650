"""How fast distances vanish with the step size: slopes, from those points that are more than noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["ABOVE", "Convergence"]

ABOVE = 30.0
"""How far above the noise floor a distance must be: a thirtieth moves the slope over an octave by 0.05."""

_FEWEST, _MOST = 5, 9
"""Points of a fit."""

_SCATTER = 0.03
"""How far points may lie off the fit, relative: about what noise does at the last of them."""


_UNCLEAR = 0.5
"""The uncertainty from which on a slope is none."""


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
        The noise in each of them: rounding and the tolerance of exact integrations; NaN where it is not known.
    """

    step_sizes: np.ndarray
    distances: np.ndarray
    floor: np.ndarray

    @property
    def _known(self) -> np.ndarray:
        return np.isfinite(self.distances) & np.isfinite(self.floor)

    @cached_property
    def usable(self) -> np.ndarray:
        """Which distances are more than noise, shape (m,)."""
        return self._known & (self.distances > ABOVE * self.floor)

    @cached_property
    def fitted(self) -> np.ndarray:
        """Which distances the slope was fitted to, shape (m,): the finest beyond noise, as many as follow a power."""
        chosen = np.flatnonzero(self.usable)[-_MOST:]
        while len(chosen) > _FEWEST and self._scatter(chosen) > _SCATTER:
            chosen = chosen[1:]
        fitted = np.zeros(len(self.distances), dtype=bool)
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
        return bool(self._known.any() and not self.usable.any())

    @property
    def slope(self) -> float:
        """The power p in distance ≈ C hᵖ (1 + c h); infinite where all is noise, NaN where there is no telling."""
        return self._fit[0]

    @property
    def uncertainty(self) -> float:
        """How far the slope may be off: what is left of the difference that c makes on the finer half of the points."""
        return self._fit[1]

    @property
    def text(self) -> str:
        """The slope and its uncertainty, ``"2.00±0.01"``; where all is noise, the largest distance, ``"≤ 2e-15"``."""
        if self.is_noise:
            return f"≤ {np.nanmax(self.distances):.0e}"
        if np.isnan(self.slope):
            return "no power" if self.fitted.any() else "too few"
        return f"{self.slope:.2f}±{self.uncertainty:.2f}"

    @cached_property
    def _fit(self) -> tuple[float, float]:
        if self.is_noise or not self.fitted.any():
            return np.inf if self.is_noise else np.nan, np.nan
        chosen = np.flatnonzero(self.fitted)
        fine = chosen[len(chosen) // 2 :]
        plain = np.polyfit(np.log(self.step_sizes[fine]), np.log(self.distances[fine]), 1)[0]
        slope = float(self._corrected(chosen)[0][1])
        uncertainty = abs(slope - float(plain))
        return slope if uncertainty <= _UNCLEAR else np.nan, uncertainty

    def _corrected(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The coefficients of log C + p log h + c h, the columns that they multiply, and what these are to give."""
        h = self.step_sizes[chosen]
        columns = np.stack([np.ones_like(h), np.log(h), h], axis=1)
        wanted = np.log(self.distances[chosen])
        return np.linalg.lstsq(columns, wanted, rcond=None)[0], columns, wanted

    def _scatter(self, chosen: np.ndarray) -> float:
        coefficients, columns, wanted = self._corrected(chosen)
        return float(np.abs(columns @ coefficients - wanted).max())
