"""The map of a chart between the free coordinates of its two domains, where steps of any length stay inside."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from riemopt.errors import ModelError
from riemopt.models.domain import Domain
from riemopt.numerics.newton import iterate

__all__ = ["SAMPLES", "FreeMap"]

Floats = NDArray[np.float64]

SAMPLES = 64
"""How many points at each spread are sampled."""

_SPREADS = (10.0, 100.0)  # far points too: sin(a/10) turns back only at a = 16
_TRIES = 4  # starting points for a preimage, from near and from all over
_ROUNDING = 1e-14  # an error this small is not improved
_ACCEPTED = 1e-9  # the error of a preimage, at most


@dataclass(frozen=True, eq=False)
class FreeMap:
    """A map φ between two domains, with the free coordinates of :class:`~riemopt.numerics.boxes.Box` on both sides.

    Attributes
    ----------
    values : callable
        φ: takes points (..., n) and returns their images (..., n).
    jacobian : callable
        ∂φ: takes points (..., n) and returns matrices (..., n, n).
    source, target : Domain
        Where points and images may lie.
    description : str
        What the map is called in messages.
    """

    values: Callable[[Floats], Floats]
    jacobian: Callable[[Floats], Floats]
    source: Domain
    target: Domain
    description: str

    @cached_property
    def samples(self) -> tuple[Floats, Floats]:
        """Points of the source, near ones first, whose images lie in the target; and these images.

        Raises
        ------
        ModelError
            If there are none.
        """
        points = [self.source.interior_points(SAMPLES)]
        for spread in _SPREADS:
            with contextlib.suppress(ModelError):
                points.append(self.source.interior_points(SAMPLES, spread=spread))
        pool = np.concatenate([self._on_axes(points[0][:4]), *points])
        images = self.values(pool)
        usable = self.target.contains(images)
        if not usable.any():
            where = self.source.describe() or "the domain"
            raise ModelError(f"{self.description}: no point of {where} maps into the original domain")
        return pool[usable], images[usable]

    def _on_axes(self, points: Floats) -> Floats:
        """The points with one coordinate put in the middle of its range, where odd powers have slope 0."""
        n = self.source.dimension
        free = np.repeat(self.source.to_free(points), n, axis=0)
        rows = np.arange(len(free))
        free[rows, rows % n] = 0.0
        moved = self.source.from_free(free)
        return moved[self.source.contains(moved)]

    def free_jacobian(self, points: Floats) -> Floats:
        """The derivative of free coordinates by free coordinates, (..., n, n): its entries are of the order of 1."""
        rows = self.target.free_slope(self.values(points))
        columns = self.source.free_slope(points)
        with np.errstate(all="ignore"):
            return self.jacobian(points) * columns[..., None, :] / rows[..., :, None]

    def preimages(self, targets: Floats, guess: Callable[[Floats], Floats] | None) -> Floats:
        """The points whose images are given, shape (m, n); NaN where none is found.

        Parameters
        ----------
        targets : array, shape (m, n)
            The images.
        guess : callable, optional
            The inverse in closed form: its values are good up to rounding. Without it the search starts at samples.
        """
        found = np.full_like(targets, np.nan)
        for starts in [guess(targets)] if guess is not None else self._starts(targets):
            missing = np.isnan(found).any(axis=-1)
            if not missing.any():
                break
            points, error = self.descend(targets[missing], starts[missing])
            good = (error <= _ACCEPTED) & self.source.contains(points)
            found[missing] = np.where(good[:, None], points, np.nan)
        return found

    def _starts(self, targets: Floats) -> Iterator[Floats]:
        """For each target the samples whose images are nearest, one after the other."""
        pool, images = self.samples
        free, goals = self.target.to_free(images), self.target.to_free(targets)
        for near in (slice(SAMPLES), slice(None)):  # far out, φ may be too flat to find the way back
            nearest = np.empty((min(_TRIES, len(pool)), len(targets)), dtype=np.intp)
            for part in np.array_split(np.arange(len(targets)), len(targets) // 4096 + 1):
                distance = np.abs(free[near] - goals[part, None]).max(axis=-1)
                nearest[:, part] = np.argsort(distance, axis=-1)[:, :_TRIES].T
            for choice in nearest:
                yield pool[choice]

    def descend(self, targets: Floats, starts: Floats) -> tuple[Floats, Floats]:
        """Where Newton's method ends from some starts, (m, n), and how far the images are from the targets then, (m,).

        A start whose image has no larger error than rounding stays as it is.
        """
        points, error = starts.copy(), self._error(starts, targets)
        rough = np.flatnonzero(error > _ROUNDING)
        if rough.size:
            free, _ = iterate(self._equations, targets[rough], self.source.to_free(points[rough]))
            ends = self.source.from_free(free)
            left = self._error(ends, targets[rough])
            better = left < error[rough]
            points[rough[better]], error[rough[better]] = ends[better], left[better]
        return points, error

    def _equations(self, free: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """The difference of image and target, and its derivative, at free coordinates of the source."""
        points = self.source.from_free(free)
        return self._difference(points, targets), self.free_jacobian(points)

    def _difference(self, points: Floats, targets: Floats) -> Floats:
        """Images less targets in free coordinates, shape (m, n)."""
        images = self.values(points)
        with np.errstate(all="ignore"):
            # on the boundary of a closed domain a free coordinate is infinite
            return np.where(images == targets, 0.0, self.target.to_free(images) - self.target.to_free(targets))

    def _error(self, points: Floats, targets: Floats) -> Floats:
        """The largest difference relative to 1 + |target|, in free coordinates, shape (m,); infinite for NaN."""
        difference, goals = self._difference(points, targets), self.target.to_free(targets)
        with np.errstate(all="ignore"):
            error = (np.abs(difference) / (1.0 + np.abs(goals))).max(axis=-1)
        return np.where(np.isfinite(error), error, np.inf)
