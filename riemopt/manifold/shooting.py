"""The inverse of the exponential map by shooting, with its exact derivative and continuation for far targets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from riemopt.manifold.info import LogInfo, searched
from riemopt.models.domain import Domain

__all__ = ["shoot"]

ExpAndSlope = Callable[[np.ndarray, np.ndarray, float, float], tuple[np.ndarray, np.ndarray]]
Norm = Callable[[np.ndarray, np.ndarray], np.ndarray]

_NEWTON_STEPS = 5
"""Corrections after which a piece of the way counts as too long."""

_SHORTEST_PIECE = 1e-3
"""The fraction of its first piece of the way at which a target counts as out of reach."""

_MOST_PIECES = 500
"""The number of pieces after which it does, too."""

_ON_THE_WAY = 1e-6, 1e-8
"""Tolerances of exp before the target is reached: the place on the way needs not to be exact."""

_LAST_STEPS = 6
"""Newton steps at the target itself, at most."""

_ACCEPTED = 1e-8
"""How long the last of them may be, relative to the velocity."""


def shoot(
    exp_and_slope: ExpAndSlope, norm: Norm, domain: Domain, x: np.ndarray, y: np.ndarray, rtol: float, atol: float
) -> tuple[np.ndarray, LogInfo]:
    """Solve exp(x, v) = y for v along a way from x to y, as far at a time as Newton's method will go.

    The way is straight in the free coordinates of the domain, in which a half-line is a line, where it stays inside;
    else in the coordinates themselves. Each piece of it is predicted along the tangent, exp's derivative being known,
    and then corrected. A piece on which the correction fails is tried again at a quarter of its length.

    Parameters
    ----------
    exp_and_slope : callable
        Takes points and vectors (k, n) and two tolerances; returns exp and its derivative with respect to the vectors
        (k, n, n), the index of the derivative last.
    norm : callable
        The Riemannian norms of vectors at points.
    domain : Domain
        Where points may lie.
    x, y : array, shape (batch, n)
        Where to start and what to reach.
    rtol, atol : float
        The tolerances of exp.

    Returns
    -------
    v : array, shape (batch, n)
        NaN where no geodesic was found.
    info : LogInfo
    """
    inside = domain.contains(x) & domain.contains(y)
    x, y = (np.where(inside[:, None], ends, np.nan) for ends in (x, y))
    way = _Way(domain, x, y)
    v, reached = np.zeros_like(x), x.copy()
    slope = np.tile(np.asarray(np.eye(x.shape[1]), like=x), (len(x), 1, 1))
    done = np.zeros(len(x), like=x)
    # the beginning of the way says little about what is farther than a few units of length
    ahead = np.where(inside, 1.0 / np.maximum(1.0, way.length(norm)), 0.0)
    shortest = _SHORTEST_PIECE * ahead
    for _ in range(_MOST_PIECES):
        active = np.flatnonzero((done < 1.0) & (ahead > shortest))
        if not len(active):
            break
        to = np.minimum(done[active] + ahead[active], 1.0)
        target = way(active, to)
        guess = v[active] + _solved(slope[active], target - reached[active])
        loose = max(rtol, _ON_THE_WAY[0]), max(atol, _ON_THE_WAY[1])
        found, *state = _correct(exp_and_slope, norm, x[active], target, guess, *loose)
        good = active[found]
        v[good], slope[good], reached[good] = (values[found] for values in state)
        done[good] = to[found]
        ahead[good] *= 2.0
        ahead[active[~found]] *= 0.25
    # at the target itself until a step tells that the one before was enough, or is no shorter: that is rounding
    active = np.flatnonzero(done >= 1.0)
    error = np.full_like(done, np.nan)
    error[active] = np.inf
    reached[active], slope[active] = exp_and_slope(x[active], v[active], rtol, atol)
    for _ in range(_LAST_STEPS):
        correction = _solved(slope[active], y[active] - reached[active])
        size = norm(x[active], correction)
        better = size < error[active]
        active, correction, size = active[better], correction[better], size[better]
        v[active] += correction
        error[active] = size
        active = active[size > 10.0 * rtol * norm(x[active], v[active])]
        if not len(active):
            break
        reached[active], slope[active] = exp_and_slope(x[active], v[active], rtol, atol)
    known = error <= np.maximum(_ACCEPTED, 1e3 * rtol) * norm(x, v) + atol
    v[~known] = np.nan
    return v, LogInfo(searched(known, inside), np.where(known, error, np.nan))


class _Way:
    """A way from each x to its y through the domain: takes fractions of it.

    Whether it is straight in the free coordinates is found out where it matters, which is not between near points.
    """

    def __init__(self, domain: Domain, x: np.ndarray, y: np.ndarray) -> None:
        self._domain, self._x, self._y = domain, x, y
        self._from, self._to = domain.to_free(x), domain.to_free(y)

    def __call__(self, places: np.ndarray, fractions: np.ndarray) -> np.ndarray:
        points = self._y[places]
        short = np.flatnonzero(fractions < 1.0)
        if len(short):
            among, part = places[short], fractions[short]
            straight = self._x[among] + part[:, None] * (self._y[among] - self._x[among])
            points[short] = np.where(self._is_free(among)[:, None], self._free(among, part), straight)
        return points

    def length(self, norm: Norm) -> np.ndarray:
        """The norm of the velocity at x of one who goes the whole way in unit time; 1 for those that are near."""
        with np.errstate(invalid="ignore"):
            free = self._domain.free_slope(self._x) * (self._to - self._from)
        along, straight = norm(self._x, free), norm(self._x, self._y - self._x)
        far = np.flatnonzero(~((along <= 1.0) & (straight <= 1.0)))
        length = np.ones_like(along)
        if len(far):
            length[far] = np.where(self._is_free(far), along[far], straight[far])
        return length

    def _is_free(self, places: np.ndarray) -> np.ndarray:
        """Whether the way that is straight in free coordinates stays inside the domain."""
        known = np.isfinite(self._from[places]).all(axis=-1) & np.isfinite(self._to[places]).all(axis=-1)
        samples = self._free(places, np.asarray(np.linspace(0.0, 1.0, 33), like=self._x)[:, None])
        return np.logical_and(known, self._domain.contains(samples).all(axis=0))

    def _free(self, places: np.ndarray, fractions: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            free = self._from[places] + fractions[..., None] * (self._to[places] - self._from[places])
        return self._domain.from_free(free)


def _correct(
    exp_and_slope: ExpAndSlope, norm: Norm, x: np.ndarray, y: np.ndarray, v: np.ndarray, rtol: float, atol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A few Newton steps for exp(x, v) = y: which converged, v, the derivative of exp there, and exp(x, v)."""
    v = v.copy()
    end, slope = exp_and_slope(x, v, rtol, atol)
    # the steps at the target square what is left; a chord may be much longer than its geodesic
    length = np.minimum(norm(y, y - x), norm(x, v))
    enough = 1e-3 * length + 100.0 * norm(y, rtol * np.abs(y) + atol)
    error = norm(y, y - end)
    for _ in range(_NEWTON_STEPS):
        # NaN is not above: a geodesic that has left the domain has no derivative to follow
        above = np.flatnonzero(error > enough)
        correction = _solved(slope[above], y[above] - end[above])
        # one that is longer than the velocity itself leads nowhere, and to geodesics that take long
        near = norm(x[above], correction) <= 1.0 + norm(x[above], v[above])
        error[above[~near]] = np.nan
        above, correction = above[near], correction[near]
        if not len(above):
            break
        v[above] += correction
        end[above], slope[above] = exp_and_slope(x[above], v[above], rtol, atol)
        error[above] = norm(y[above], y[above] - end[above])
    return error <= enough, v, slope, end


def _solved(matrices: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions of a batch of small systems; NaN where a matrix is singular."""
    with np.errstate(all="ignore"):
        regular = np.abs(np.linalg.slogdet(matrices)[0]) > 0
    solution = np.full_like(right, np.nan)
    solution[regular] = np.linalg.solve(matrices[regular], right[regular][..., None])[..., 0]
    return solution
