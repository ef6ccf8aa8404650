"""Whether the map of a chart is one to one, as far as sampled points can tell."""

from __future__ import annotations

import textwrap

import numpy as np
from numpy.typing import NDArray

from riemopt.errors import ModelError
from riemopt.models.chart.free_map import SAMPLES, FreeMap

__all__ = ["require_invertible"]

Floats = NDArray[np.float64]

_TARGETS = 8  # points whose preimage is sought again from many starts
_STARTS = 32


def require_invertible(mapping: FreeMap) -> None:
    """Raise unless the Jacobian keeps its sign, and no second point with the same image is found.

    A map that folds only far out, or in a tiny region, can pass.

    Raises
    ------
    ModelError
        Saying why the map is not invertible, and at which points.
    """
    _require_one_sign(mapping)
    _require_one_branch(mapping)


def _require_one_sign(mapping: FreeMap) -> None:
    """The determinant, between free coordinates, must not vanish and must keep its sign."""
    pool, _ = mapping.samples
    matrix = mapping.free_jacobian(pool)
    with np.errstate(all="ignore"):
        determinant = np.linalg.det(matrix)
        lengths = np.linalg.norm(matrix, axis=-1).prod(axis=-1)
    usable = np.isfinite(determinant) & np.isfinite(lengths)
    pool, determinant, lengths = pool[usable], determinant[usable], lengths[usable]
    if not (np.abs(determinant) > 1e-12 * lengths).any():
        raise _not_invertible(mapping, "its Jacobian determinant is zero everywhere")
    radius = np.abs(mapping.source.to_free(pool)).max(axis=-1)
    zero = (determinant == 0.0) & (radius <= 2.0)  # far out it may vanish by underflow
    if zero.any():
        raise _not_invertible(mapping, "its Jacobian determinant vanishes", pool[zero][0])
    signs = np.zeros(len(pool))
    for ring in (radius <= 4.0, (radius > 4.0) & (radius <= 40.0), radius > 40.0):
        # where φ saturates, as softmax far out, what is left of the determinant is rounding
        floor = 1e-9 * np.abs(determinant[ring]).max(initial=0.0)
        signs[ring] = np.where(np.abs(determinant[ring]) > floor, np.sign(determinant[ring]), 0.0)
    if (signs > 0).any() and (signs < 0).any():
        first = (signs > 0).argmax(), (signs < 0).argmax()
        raise _not_invertible(mapping, "its Jacobian determinant changes sign", *pool[sorted(first)])


def _require_one_branch(mapping: FreeMap) -> None:
    """No second point may have the same image: the search for some preimages starts from all over the domain."""
    pool, images = mapping.samples
    few = slice(0, SAMPLES, SAMPLES // _TARGETS)
    starts = pool[:: max(len(pool) // _STARTS, 1)]
    known, targets = (np.repeat(values[few], len(starts), axis=0) for values in (pool, images))
    starts = np.tile(starts, (len(known) // len(starts), 1))
    points, error = mapping.descend(targets, starts)
    with np.errstate(all="ignore"):
        free = mapping.source.to_free(known)
        apart = np.abs(mapping.source.to_free(points) - free).max(axis=-1) / (1.0 + np.abs(free).max(axis=-1))
    other = (error < 1e-12) & (apart > 1e-3) & mapping.source.contains(points)
    if other.any():
        index = int(np.argmax(other))
        raise _not_invertible(mapping, "two points have the same image", known[index], points[index])


def _not_invertible(mapping: FreeMap, reason: str, *points: Floats) -> ModelError:
    names = ", ".join(map(str, mapping.source.parameters))
    places = " and ".join(", ".join(f"{value:.4g}" for value in point) for point in points)
    where = f" at {names} = {places}" if points else ""
    return ModelError(f"{textwrap.shorten(mapping.description, 200)} is not invertible: {reason}{where}")
