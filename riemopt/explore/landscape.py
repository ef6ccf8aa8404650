"""What lies under the paths: a window onto the plane of two coordinates, contours of the loss, ellipses and balls."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.manifold import LikelihoodProblem
from riemopt.models.domain import Domain

__all__ = ["Plane", "contours", "loss_curve", "spread_over", "unit_vectors"]

_FINE, _COARSE = 120, 56
"""Points along each axis under the contours: of a loss from a few statistics, and of one that is a sum over samples."""
_LEVELS = 11
_MARGIN = 0.3
"""Of the extent of the paths, on each side: room to drag the start to."""
_INSIDE = 1e-3
"""Of the extent, that a window keeps away from the border of the domain."""

Line = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Plane:
    """One or two coordinates that are drawn; the others stay as they are at a point.

    Attributes
    ----------
    domain : Domain
        Of the model's own chart.
    axes : tuple of int
        The coordinates.
    """

    domain: Domain
    axes: tuple[int, ...]

    @property
    def scales(self) -> list[str]:
        """Positive coordinates are drawn on logarithmic scales."""
        low, high = self.domain.bounds
        return ["log" if low[i] == 0.0 and np.isinf(high[i]) else "linear" for i in self.axes]

    def window(self, points: np.ndarray, losses: np.ndarray, start: np.ndarray) -> list[list[float]]:
        """A window around the start and the points worth looking at: no higher above the lowest than twice the start.

        Parameters
        ----------
        points : array, shape (..., n)
        losses : array, shape (...)
        start : array, shape (n,)
        """
        finite = np.isfinite(losses)
        ceiling = 2 * losses[..., 0].max(where=finite[..., 0], initial=-np.inf) - losses.min(
            where=finite, initial=np.inf
        )
        seen = np.concatenate([points[finite & (losses <= ceiling)], start[None]])
        return [self._range(seen[:, i], scale, i) for i, scale in zip(self.axes, self.scales, strict=True)]

    def _range(self, values: np.ndarray, scale: str, axis: int) -> list[float]:
        there, back = (np.log, np.exp) if scale == "log" else (np.asarray, np.asarray)
        low, high = there(values.min()), there(values.max())
        middle, extent = (low + high) / 2, max(high - low, 0.5 * max(1.0, abs(high)) if scale == "linear" else 1.5)
        bounds = [float(bound[axis]) for bound in self.domain.bounds]
        edge = _INSIDE * extent
        ends = [float(back(middle - (0.5 + _MARGIN) * extent)), float(back(middle + (0.5 + _MARGIN) * extent))]
        if scale == "linear":
            ends = [max(ends[0], bounds[0] + edge), min(ends[1], bounds[1] - edge)]
        return ends

    def points(self, base: np.ndarray, *coordinates: np.ndarray) -> np.ndarray:
        """Points (..., n) with these values of the drawn coordinates, and all others as at a base point."""
        points = np.empty((*np.shape(coordinates[0]), len(base)))
        points[...] = base
        for axis, values in zip(self.axes, coordinates, strict=True):
            points[..., axis] = values
        return points

    def spaced(self, window: Sequence[Sequence[float]], count: int) -> list[np.ndarray]:
        """Values from end to end of a window, evenly spaced on the scale of each coordinate."""
        return [
            np.geomspace(low, high, count) if scale == "log" else np.linspace(low, high, count)
            for (low, high), scale in zip(window, self.scales, strict=True)
        ]


def contours(
    plane: Plane, window: Sequence[Sequence[float]], base: np.ndarray, problem: LikelihoodProblem
) -> list[Line]:
    """Lines of equal loss in a window of two coordinates, denser near the bottom."""
    from contourpy import contour_generator

    x, y = plane.spaced(window, _FINE if problem.table is None else _COARSE)
    heights = np.ma.masked_invalid(problem.loss(plane.points(base, *np.meshgrid(x, y))))
    if not heights.count():
        return []
    at_start = float(problem.loss(base))
    bottom = float(heights.min())
    depth = (at_start - bottom if np.isfinite(at_start) else 0.0) or 1.0
    generator = contour_generator(x, y, heights)
    levels = bottom + depth * np.geomspace(0.003, 4.0, _LEVELS)
    lines = itertools.chain.from_iterable(generator.lines(level) for level in levels)
    return [(line[:, 0], line[:, 1]) for line in lines]


def loss_curve(plane: Plane, window: Sequence[Sequence[float]], base: np.ndarray, problem: LikelihoodProblem) -> Line:
    """The loss over a window of a single coordinate."""
    (x,) = plane.spaced(window, _FINE)
    return x, problem.loss(plane.points(base, x))


def spread_over(plane: Plane, window: Sequence[Sequence[float]], base: np.ndarray, across: int) -> np.ndarray:
    """Points spread evenly over a window, shape (across * across, n)."""
    inner = [values[1:-1] for values in plane.spaced(window, across + 2)]
    points = plane.points(base, *np.meshgrid(*inner)).reshape(-1, len(base))
    return points[np.asarray(plane.domain.contains(points))]


def unit_vectors(metrics: np.ndarray, axes: Sequence[int], count: int) -> np.ndarray:
    """Vectors of length one in the plane of two coordinates, in all directions.

    Parameters
    ----------
    metrics : array, shape (m, n, n)
    axes : sequence of int
        The two coordinates.
    count : int
        How many directions.

    Returns
    -------
    array, shape (m, count, n)
    """
    angles = np.linspace(0.0, 2 * np.pi, count)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    within = metrics[:, axes][:, :, axes]
    # columns of the inverse of Lᵀ, where g = L Lᵀ, are orthonormal
    frames = np.linalg.inv(np.linalg.cholesky(within)).swapaxes(-1, -2)
    vectors: Any = np.zeros((len(metrics), count, metrics.shape[-1]))
    vectors[..., list(axes)] = (frames @ circle).swapaxes(-1, -2)
    return np.asarray(vectors)
