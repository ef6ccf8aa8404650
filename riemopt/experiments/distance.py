"""The Fisher–Rao distance between points that are not far from each other, from a problem's primitives."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fisher_rao", "is_measurable", "straight_length"]

_ITERATIONS = 100
_FOUND = 1e-6  # what a geodesic may miss its target by, as a part of its length,
_ROUNDING = 64.0  # and in units of rounding
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def is_measurable(problem: Any) -> bool:
    """Whether a problem tells lengths at all."""
    return "lower_index" in problem.offers


def fisher_rao(problem: Any, point: np.ndarray, target: np.ndarray) -> float:
    """The distance between two points.

    Parameters
    ----------
    problem : Problem
        Offers `lower_index`; with `exp`, the distance is the length of the geodesic, found by shooting again and again,
        each time by what the last shot missed. Without, it is the length of the straight line in the chart: longer by a
        part that falls with the square of the distance.
    point, target : array, shape (n,)

    Returns
    -------
    float
        NaN where a coordinate is, or no geodesic is found.
    """
    if not (np.isfinite(point).all() and np.isfinite(target).all()):
        return np.nan
    if "exp" not in problem.offers:
        return straight_length(problem, point, target)
    vector, missed = target - point, np.inf
    for _ in range(_ITERATIONS):
        rest = target - problem.exp(point, vector)
        # down to rounding: what is measured may be all rounding itself
        if not np.abs(rest).max() < missed:
            break
        missed = np.abs(rest).max()
        vector = vector + rest
    rounding = _ROUNDING * np.finfo(vector.dtype).eps * np.abs(point).max()
    return _length(problem, point, vector) if missed <= _FOUND * np.abs(vector).max() + rounding else np.nan


def straight_length(problem: Any, point: np.ndarray, target: np.ndarray) -> float:
    """The length of the straight line in the chart between two points."""
    line = target - point
    speeds = [_length(problem, point + 0.5 * (1.0 + node) * line, line) for node in _NODES]
    return float(0.5 * _WEIGHTS @ speeds)


def _length(problem: Any, point: np.ndarray, vector: np.ndarray) -> float:
    return float(np.sqrt(max(vector @ problem.lower_index(point, vector), 0.0)))
