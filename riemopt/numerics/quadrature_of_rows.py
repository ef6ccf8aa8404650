"""Integrals on arrays, many at once, each over one peak by one rule of fixed fineness."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from riemopt.numerics.quadrature import GRID, clean, lattice_grid
from riemopt.numerics.quadrature_rule import NARROWEST, NEGLIGIBLE, NEGLIGIBLE_WIDTH

__all__ = ["integrals_of_rows", "peaks_of_rows"]

Rows = Callable[[np.ndarray, np.ndarray], Sequence[np.ndarray]]

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_TAU = np.arange(-208, 209) / 32.0
_REACH = 2048
_HALF_PI = np.pi / 2


def peaks_of_rows(
    functions: Rows, rows: np.ndarray, lattice: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Where the largest values of w(y, z) over z are, for every y, and how large.

    Parameters
    ----------
    functions : callable
        Of y and z, which broadcast; what it returns first is w.
    rows : array, shape (k,)
        The y.
    lattice : tuple of float, optional
        The first and the last integer z; None for the real line.
    """
    y = rows[:, None]

    def weight(z: np.ndarray) -> np.ndarray:
        return clean(functions(*np.broadcast_arrays(y, z))[0])

    grid = GRID if lattice is None else lattice_grid(*lattice)
    at = np.argmax(weight(grid[None, :]), axis=1)
    a, c, b = (grid[np.clip(at + shift, 0, len(grid) - 1)][:, None] for shift in (-1, 0, 1))
    if lattice is not None:
        while np.max(b - a) > 32:
            z = np.floor(a + (b - a) * np.linspace(0.0, 1.0, 33))
            at = np.argmax(weight(z), axis=1)
            a, b = (np.take_along_axis(z, np.clip(at + shift, 0, 32)[:, None], 1) for shift in (-1, 1))
        z = np.minimum(a + np.arange(33.0), b)
        values = weight(z)
        at = np.argmax(values, axis=1)[:, None]
        return np.take_along_axis(z, at, 1)[:, 0], np.take_along_axis(values, at, 1)[:, 0]
    for _ in range(70):
        u, v = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
        left = weight(u) > weight(v)
        a, b = np.where(left, a, u), np.where(left, v, b)
    c = (a + b) / 2.0
    return c[:, 0], weight(c)[:, 0]


def integrals_of_rows(
    functions: Rows, rows: np.ndarray, lattice: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Integrals over z of exp(w(y, z) - c(y)) f(y, z) for every y, each by one rule of fixed fineness.

    Returns
    -------
    peaks : array, shape (k,)
        c.
    integrals : array, shape (m, k)
    """
    y = rows[:, None]
    centre, best = peaks_of_rows(functions, rows, lattice)
    if lattice is None:
        reach = np.maximum(np.abs(centre) * NARROWEST, NEGLIGIBLE_WIDTH)[:, None] * 2.0 ** np.arange(0, 200)
        width = np.full(len(rows), np.inf)
        for side in (-1.0, 1.0):
            w = functions(*np.broadcast_arrays(y, centre[:, None] + side * reach))[0]
            fallen = np.argmax(~(w > best[:, None] - 1.0), axis=1)
            width = np.minimum(width, reach[np.arange(len(rows)), fallen])
        inner = _HALF_PI * np.sinh(_TAU)
        z = centre[:, None] + width[:, None] * np.sinh(inner)
        measure = width[:, None] * _HALF_PI * np.cosh(_TAU) * np.cosh(inner) / 32.0
    else:
        z = centre[:, None] + np.arange(-_REACH, _REACH + 1)
        measure = np.where((z >= lattice[0]) & (z <= lattice[1]), 1.0, 0.0)
        z = np.clip(z, *lattice)
    w, *f = functions(*np.broadcast_arrays(y, z))
    measure = np.exp(clean(w) - best[:, None]) * measure
    seen = (measure > NEGLIGIBLE) & (measure < np.inf)
    return best, (np.where(seen, np.stack(f), 0.0) * np.where(seen, measure, 0.0)).sum(axis=-1)
