"""The inverse of the exponential map by shooting, with its exact derivative and continuation for far targets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from riemopt.models.domain import Domain

__all__ = ["shoot"]

ExpAndSlope = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
Norm = Callable[[np.ndarray, np.ndarray], np.ndarray]

_NEWTON_STEPS = 5
"""Corrections after which a piece of the way counts as too long."""

_SHORTEST_PIECE = 1e-3
"""The fraction of its first piece of the way at which a target counts as out of reach."""

_MOST_PIECES = 500
"""The number of pieces after which it does, too."""


def shoot(
    exp_and_slope: ExpAndSlope, norm: Norm, domain: Domain, x: np.ndarray, y: np.ndarray, rtol: float, atol: float
) -> np.ndarray:
    """Solve exp(x, v) = y for v along the way from x to y, as far at a time as Newton's method will go.

    Each piece of the way is predicted along the tangent, exp's derivative being known, and then corrected. A
    piece on which the correction fails is tried again at a quarter of its length.
    """
    v, reached = np.zeros_like(x), x.copy()
    slope = np.tile(np.eye(x.shape[1]), (len(x), 1, 1))
    done = np.zeros(len(x))
    # a chart's straight line says little about geodesics beyond a few units of length
    inside = domain.contains(x) & domain.contains(y)
    x, y = (np.where(inside[:, None], ends, np.nan) for ends in (x, y))
    ahead = np.where(inside, 1.0 / np.maximum(1.0, norm(x, y - x)), 0.0)
    shortest = _SHORTEST_PIECE * ahead
    for _ in range(_MOST_PIECES):
        active = np.flatnonzero((done < 1.0) & (ahead > shortest))
        if not len(active):
            break
        target_at = np.minimum(done[active] + ahead[active], 1.0)
        target = x[active] + target_at[:, None] * (y[active] - x[active])
        guess = v[active] + _solved(slope[active], target - reached[active])
        found, *state = _correct(exp_and_slope, norm, x[active], target, guess, rtol, atol)
        good = active[found]
        v[good], slope[good], reached[good] = (values[found] for values in state)
        done[good] = target_at[found]
        ahead[good] *= 2.0
        ahead[active[~found]] *= 0.25
    v[done < 1.0] = np.nan
    # what Newton's method knows at the end is worth one more step
    return v + _solved(slope, y - reached)


def _correct(
    exp_and_slope: ExpAndSlope, norm: Norm, x: np.ndarray, y: np.ndarray, v: np.ndarray, rtol: float, atol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A few Newton steps for exp(x, v) = y: which converged, v, the derivative of exp there, and exp(x, v)."""
    v = v.copy()
    end, slope = exp_and_slope(x, v)
    # what is left is squared by the one step more in _shoot; a chord may be much longer than its geodesic
    length = np.minimum(norm(y, y - x), norm(x, v))
    enough = 1e-6 * length + 100.0 * norm(y, rtol * np.abs(y) + atol)
    error = norm(y, y - end)
    for _ in range(_NEWTON_STEPS):
        # NaN is not above: a geodesic that has left the domain has no derivative to follow
        above = np.flatnonzero(error > enough)
        if not len(above):
            break
        v[above] += _solved(slope[above], y[above] - end[above])
        end[above], slope[above] = exp_and_slope(x[above], v[above])
        error[above] = norm(y[above], y[above] - end[above])
    return error <= enough, v, slope, end


def _solved(matrices: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions of a batch of small systems; NaN where a matrix is singular."""
    regular = np.abs(np.linalg.det(matrices)) > 0
    solution = np.full_like(right, np.nan)
    solution[regular] = np.linalg.solve(matrices[regular], right[regular][..., None])[..., 0]
    return solution
