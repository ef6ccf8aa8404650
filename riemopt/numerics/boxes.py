"""Boxes: products of intervals, half-lines and lines, unrolled onto ℝⁿ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

__all__ = ["Box"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Box:
    """An open box, whose points have free coordinates: any numbers.

    Parameters
    ----------
    lower, upper : tuple of float
        The bounds of each coordinate; infinite where there is none.

    Examples
    --------
    >>> box = Box((0.0, -np.inf), (1.0, np.inf))
    >>> box.from_free(np.array([0.0, 2.0]))
    array([0.5, 2. ])
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Both bounds as arrays, of shape (n,) each."""
        return np.array(self.lower), np.array(self.upper)

    def _bounds_for(self, points: Floats) -> tuple[Floats, Floats]:
        """The same where the points are, which may be a GPU."""
        return np.asarray(self.lower, like=points), np.asarray(self.upper, like=points)

    def to_free(self, points: Floats) -> Floats:
        """Each coordinate unrolled onto the real line: x, log(x - l), -log(u - x) or logit; NaN outside the bounds."""
        lower, upper = self._bounds_for(points)
        above, below = np.isfinite(lower), np.isfinite(upper)
        with np.errstate(all="ignore"):
            half = np.where(above, np.log(points - lower), -np.log(upper - points))
            within = logit((points - lower) / (upper - lower))
        return np.where(above & below, within, np.where(above | below, half, points))

    def from_free(self, free: Floats) -> Floats:
        """The inverse of `to_free`."""
        lower, upper = self._bounds_for(free)
        above, below = np.isfinite(lower), np.isfinite(upper)
        with np.errstate(all="ignore"):
            half = np.where(above, lower + np.exp(free), upper - np.exp(-free))
            within = lower + (upper - lower) * expit(free)
        return np.where(above & below, within, np.where(above | below, half, free))

    def free_slope(self, points: Floats) -> Floats:
        """The derivative of each coordinate by its free coordinate, shape (..., n)."""
        lower, upper = self._bounds_for(points)
        above, below = np.isfinite(lower), np.isfinite(upper)
        with np.errstate(all="ignore"):
            half = np.where(above, points - lower, upper - points)
            within = (points - lower) * (upper - points) / (upper - lower)
        return np.where(above & below, within, np.where(above | below, half, 1.0))
