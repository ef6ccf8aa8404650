"""Newton's method with damping for many systems of equations at once: the reference of the compiled one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["HALVINGS", "ITERATIONS", "LONGEST", "ROUNDING", "SMALL", "inverses", "iterate", "newton"]

Floats = NDArray[np.float64]
Equations = Callable[[Floats, Floats], tuple[Floats, Floats]]

ITERATIONS = 60
HALVINGS = 10
LONGEST = 16.0
"""The longest step, relative to 1 + |y|."""

ROUNDING = 4e-16
"""A step this short, relative to 1 + |y|, is the last."""

SMALL = 1e-5
"""A step this short that does not make the next one shorter is rounding."""


def newton(equations: Equations, targets: Floats, start: Floats) -> Floats:
    """Roots y of r(y; ξ), by Newton's method with damping, one for each of many ξ; see :func:`iterate`.

    Parameters
    ----------
    equations : callable
        Takes y and ξ, each of shape (m, n); returns r, shape (m, n), and its derivative, shape (m, n, n).
    targets : array, shape (m, n)
        ξ.
    start : array, shape (n,)
        Where to start.

    Returns
    -------
    array, shape (m, n)
        NaN where none was found.
    """
    points, converged = iterate(equations, targets, np.tile(start, (len(targets), 1)))
    return np.where(converged[:, None], points, np.nan)


def iterate(equations: Equations, targets: Floats, starts: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Newton's method with damping for r(y; ξ) = 0, from a start for each of many ξ.

    A step is halved until the simplified next step, which takes the derivative from before it, is shorter: a test
    that does not depend on the units of r (Deuflhard, "Newton Methods for Nonlinear Problems", 2004, section 3.3).

    Parameters
    ----------
    equations : callable
        Takes y and ξ, each of shape (m, n); returns r, shape (m, n), and its derivative, shape (m, n, n).
    targets : array, shape (m, n)
        ξ.
    starts : array, shape (m, n)
        Where to start.

    Returns
    -------
    points : array, shape (m, n)
        Where the iterations end, by convergence or not.
    converged : array of bool, shape (m,)
        Whether the last step was no longer than rounding. At a root where the derivative is singular it may not be.
    """
    with np.errstate(all="ignore"):
        return _iterate(equations, targets, starts.copy())


def _iterate(equations: Equations, targets: Floats, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    done = np.zeros(len(points), dtype=bool)
    active = np.flatnonzero(np.isfinite(targets).all(axis=-1))
    residual, slopes = equations(points, targets)
    for _ in range(ITERATIONS):
        inverse = inverses(slopes[active])
        step = -_applied(inverse, residual[active])
        size = _length(step, points[active])
        done[active[size <= ROUNDING]] = True
        going = np.isfinite(size) & (size > ROUNDING)
        active, inverse, step, size = active[going], inverse[going], step[going], size[going]
        damping = np.minimum(1.0, LONGEST / size)
        moved = np.zeros(len(active), dtype=bool)
        waiting = np.arange(len(active))
        for _ in range(HALVINGS):
            if not waiting.size:
                break
            rows = active[waiting]
            trial = points[rows] + damping[waiting, None] * step[waiting]
            left, slope = equations(trial, targets[rows])
            change = _length(_applied(inverse[waiting], left), points[rows])
            better = change <= (1.0 - 0.5 * damping[waiting]) * size[waiting]
            points[rows[better]], residual[rows[better]] = trial[better], left[better]
            slopes[rows[better]] = slope[better]
            moved[waiting[better]] = True
            floor = ~better & (size[waiting] <= SMALL)
            done[rows[floor]] = True
            waiting = waiting[~better & ~floor]
            damping[waiting] *= 0.5
        active = active[moved]
        if not active.size:
            break
    return points, done


def _length(step: Floats, points: Floats) -> Floats:
    return (np.abs(step) / (1.0 + np.abs(points))).sum(axis=-1)  # type: ignore[no-any-return]


def _applied(matrices: Floats, vectors: Floats) -> Floats:
    return np.einsum("mij,mj->mi", matrices, vectors)  # type: ignore[no-any-return]


def inverses(matrices: Floats) -> Floats:
    """The inverses of matrices, shape (m, n, n); NaN for those that have none."""
    regular = np.flatnonzero(np.isfinite(matrices).all(axis=(-1, -2)))
    regular = regular[np.linalg.slogdet(matrices[regular])[0] != 0.0]
    result = np.full_like(matrices, np.nan)
    result[regular] = np.linalg.inv(matrices[regular])
    return result
