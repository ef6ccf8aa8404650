"""Where to start a fit for which no start is given: a coarse search of the domain, on scales that the data suggest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from riemopt.errors import DataError
from riemopt.models.domain import Domain
from riemopt.optimize.descent import Descent, FitStatus, descend

__all__ = ["candidates", "search"]

_MOST, _LEAST = 4096, 512  # points that are looked at
_WORK = 4_000_000  # densities evaluated, at the most points
_INTERIOR = 64  # points of the domain that know nothing of the data
_AT_ONCE = 256  # points in one batch
_DESCENTS = 8  # points that a short descent is started from
_STEPS = 20  # of it
_MORE_STEPS = 200  # of one that promises more than the others; still on its way, it is into a spike of infinite density
_TOLERANCE = 1e-6  # of it
_APART = 0.5  # in free coordinates, at least one of which must differ so much between points descents start from
_SPREAD = 1.5  # how far from a hint to look: a standard deviation, in units or in e-folds


def search(problem: Any, domain: Domain, data: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Points to start from, the best first.

    The loss is looked at in points all over the domain; short descents start from the lowest.

    Parameters
    ----------
    problem : LikelihoodProblem
        The loss; of some of the samples, if there are many.
    domain : Domain
        Where to look.
    data, inputs : sequence of array, shape (N,)
        The observations, or the targets and inputs of a regression, column by column. They suggest scales.

    Returns
    -------
    list of array, shape (n,)

    Raises
    ------
    DataError
        If the loss is finite nowhere.
    """
    count = int(np.clip(_WORK // problem.count, _LEAST, _MOST))
    points = candidates(domain, data, inputs, count)
    with np.errstate(all="ignore"):
        batches = np.array_split(points, max(1, len(points) // _AT_ONCE))
        losses = np.concatenate([np.asarray(problem.loss(batch)) for batch in batches])
    chosen = _promising(problem, domain, points, losses)
    if not chosen:
        raise DataError("no point was found at which the likelihood is a number: give start=")
    descents = [descend(problem, point, tolerance=_TOLERANCE, max_steps=_STEPS) for point in chosen]
    lowest = min((descent.losses[-1] for descent in descents if descent.status.success), default=np.inf)
    for i, descent in enumerate(descents):
        # the others have found their optimum, or promise none that is better than those found
        if descent.status is FitStatus.STEP_LIMIT and descent.losses[-1] - 0.5 * descent.norm**2 < lowest:
            descents[i] = descend(problem, descent.points[-1], tolerance=_TOLERANCE, max_steps=_MORE_STEPS)

    def rank(descent: Descent) -> tuple[bool, float, float]:
        # of equal ones, as by a period or by an exchange of components, the one least far out
        end = descent.points[-1]
        return not descent.status.success, round(descent.losses[-1], 9), float(np.linalg.norm(domain.to_free(end)))

    return [descent.points[-1] for descent in sorted(descents, key=rank)]


def candidates(domain: Domain, data: Sequence[np.ndarray], inputs: Sequence[np.ndarray], count: int) -> np.ndarray:
    """Points all over a domain: around numbers that data suggest, always the same ones.

    Parameters
    ----------
    domain : Domain
    data, inputs : sequence of array, shape (N,)
    count : int
        How many points to try; those outside the domain are left out, and a few of its own added.

    Returns
    -------
    array, shape (m, n)
    """
    rng = np.random.default_rng(0)
    shape = (count, domain.dimension)
    offsets = _SPREAD * rng.normal(size=shape)
    sizes = rng.choice(_sizes(data, inputs), shape) * np.exp(offsets)
    hint = np.array(_places(data))[rng.integers(5 * len(data), size=shape)]
    lower, upper = domain.bounds
    above, below = np.isfinite(lower), np.isfinite(upper)
    with np.errstate(all="ignore"):
        within = lower + (upper - lower) * expit(offsets)
        half = np.where(above, lower + sizes, upper - sizes)
    sign = rng.choice([-1.0, 1.0], shape)
    whole = np.where(rng.random(shape) < 0.5, sign * sizes, hint[..., 0] + hint[..., 1] * offsets)
    points = np.where(above & below, within, np.where(above | below, half, whole))
    points[0] = domain.from_free(np.zeros(domain.dimension))
    # conditions on several coordinates at once may leave next to nothing of these
    return np.concatenate([points[domain.contains(points)], domain.interior_points(_INTERIOR)])


def _places(data: Sequence[np.ndarray]) -> list[tuple[float, float]]:
    """Where a location may lie, and how far around."""
    return [(place, _spread(column)) for column in data for place in np.quantile(column, [0.05, 0.25, 0.5, 0.75, 0.95])]


def _spread(column: np.ndarray) -> float:
    """How far numbers are apart, whatever the longest tails do: half of them lie within."""
    return float(np.subtract(*np.quantile(column, [0.75, 0.25])) or np.std(column))


def _sizes(data: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> np.ndarray:
    """How large a scale, a rate, a shape or a coefficient may be: powers of 2, each with its inverse."""
    sizes = [1.0]
    for column in data:
        spread, size = _spread(column), float(np.median(np.abs(column)))
        sizes += [spread, spread**2, size, (size / spread) ** 2 if spread else 1.0]
    widths = [float(np.max(np.abs(column))) for column in inputs]
    sizes += [size * factor for size in sizes for width in widths if width for factor in (width, 1.0 / width)]
    exponents = np.round(np.log2([size for size in sizes if 0.0 < size < np.inf]))
    return np.exp2(np.unique([exponents, -exponents]))


def _promising(problem: Any, domain: Domain, points: np.ndarray, losses: np.ndarray) -> list[np.ndarray]:
    """The points with the lowest losses of those where there is a gradient, none of them close to another."""
    chosen: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for i in np.argsort(np.where(np.isfinite(losses), losses, np.inf))[: np.isfinite(losses).sum()]:
        place = domain.to_free(points[i])
        apart = all(np.max(np.abs(place - other)) > _APART for other in places)
        if apart and np.isfinite(problem.gradient(points[i])).all():
            chosen.append(points[i])
            places.append(place)
        if len(chosen) == _DESCENTS:
            break
    return chosen
