"""Integrals on arrays: the reference of the compiled ones, and a check of densities that needs no compiler.

The same plan as in :mod:`riemopt.kernels.text.algorithms.integrals`, by other means: peaks are refined by grids within
grids, and both sides of a peak are integrated by the Gauss-Legendre rule on more and more panels until two results
agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from riemopt.numerics.quadrature_rule import (
    FAR,
    FARTHEST,
    LATTICE_TAIL,
    LEAST_PEAK,
    LEAST_PEAK_OF_LATTICE,
    MASS_ERROR,
    NARROWEST,
    NEGLIGIBLE,
    NEGLIGIBLE_WIDTH,
)

__all__ = ["GRID", "clean", "integrals", "lattice_grid", "peak"]

Weight = Callable[[np.ndarray], np.ndarray]
Terms = Callable[[np.ndarray], Sequence[np.ndarray]]

GRID = np.sinh(0.4 * np.arange(-110, 111))
_FINE_GRID = np.sinh(0.1 * np.arange(-440, 441))
_LATTICE_GRID = np.unique(np.floor(np.sinh(0.2 * np.arange(0, 190)) / np.sinh(0.2)))
_PANELS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
_LONGEST_BLOCK = 1 << 22
"""Terms of a sum that are taken at once, at most; they double from one block to the next."""

_HALF_PI = np.pi / 2


def peak(weight: Weight, lattice: tuple[float, float] | None = None) -> float:
    """The largest value of a function of the real line, or of a range of integers."""
    with np.errstate(all="ignore"):
        return (_lattice_peak(weight, *lattice) if lattice else _peak(weight, GRID))[1]


def integrals(
    weight: Weight,
    terms: Terms,
    lattice: tuple[float, float] | None = None,
    normalized: bool = False,
    rtol: float = 1e-11,
    scaled: bool = False,
    most_panels: int = 4096,
) -> tuple[float, np.ndarray]:
    """Integrals ∫ exp(w - c) f dy over the real line, or sums over a range of integers.

    Parameters
    ----------
    weight : callable
        w of an array.
    terms : callable
        w and f of an array, one array each.
    lattice : tuple of float, optional
        The first and the last integer, either of which may be infinite; None for an integral.
    normalized : bool, optional
        Whether the first integral times exp(c) must be 1.
    rtol : float, optional
        How well two rules must agree, relative to the integral of absolute values.
    scaled : bool, optional
        Whether the second half of the terms stands for the absolute values of the first. A term that is an integral
        itself may be a difference of much larger ones.
    most_panels : int, optional
        The number of panels after which an integral counts as not to be had.

    Returns
    -------
    peak : float
        c, the largest value of w that was found.
    integrals : array, shape (m,)
        NaN if they cannot be trusted: no two rules agree, a term is not finite, or the first is not 1.
    """
    with np.errstate(all="ignore"):
        if lattice:
            best, totals = _sum(weight, terms, *lattice, scaled)
        else:
            best, totals = _integral(weight, terms, rtol, scaled, most_panels, GRID)
            if normalized and not _is_one(best, totals[0]):
                best, totals = _integral(weight, terms, rtol, scaled, most_panels, _FINE_GRID)
        if normalized and not _is_one(best, totals[0]):
            totals = np.full_like(totals, np.nan)
    return best, totals


def _is_one(best: float, total: float) -> bool:
    return bool(abs(np.exp(best) * total - 1.0) <= MASS_ERROR)


def clean(values: np.ndarray) -> np.ndarray:
    """Values of w: what overflows or is not a number is where the formula ends, and not where the mass is."""
    return np.where(values < np.inf, values, -np.inf)


def _peak(weight: Weight, grid: np.ndarray) -> tuple[float, float]:
    """Where the largest value on a grid and between its points is, and how large."""
    for _ in range(40):
        values = clean(weight(grid))
        at = int(np.argmax(values))
        low, high = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
        if high - low <= 1e-12 * (abs(low) + abs(high)):
            break
        best = grid[at]
        grid = np.unique(np.concatenate([np.linspace(low, best, 9), np.linspace(best, high, 9)]))
    return float(grid[at]), float(values[at])


def _width(weight: Weight, centre: float, best: float, side: float) -> float:
    """How far it takes to fall by one."""
    reach = max(abs(centre) * NARROWEST, NEGLIGIBLE_WIDTH) * 2.0 ** np.arange(0, 700)
    fallen = ~(weight(centre + side * reach) > best - 1.0)
    return float(reach[int(np.argmax(fallen))])


def _basins(weight: Weight, centre: float, best: float, grid: np.ndarray) -> list[tuple[float, float, float]]:
    """The stretches between valleys that a grid, as wide as the peak and around it, shows; each with its peak."""
    width = min(_width(weight, centre, best, side) for side in (-1.0, 1.0))
    grid = centre + width * grid
    values = clean(weight(grid))
    basins, start, top, low = [], -np.inf, 0, 0
    for i in range(1, len(grid)):
        if values[i] > values[low] + 1.0 and values[top] > values[low] + 1.0:
            basins.append((start, grid[low], top))
            start, top, low = grid[low], i, i
        elif values[i] >= values[top]:
            top = low = i
        elif values[i] <= values[low]:
            low = i
    basins.append((start, np.inf, top))
    result = []
    for start, stop, top in basins:
        if start <= centre < stop:
            result.append((start, stop, centre))
            continue
        # a narrow peak is far above what the grid sees of it
        near = grid[max(top - 1, 0) : top + 2]
        at, height = _peak(weight, np.linspace(near[0], near[-1], 17))
        if height > best - LEAST_PEAK:
            result.append((start, stop, at))
    return result


def _integral(
    weight: Weight, terms: Terms, rtol: float, scaled: bool, most_panels: int, grid: np.ndarray
) -> tuple[float, np.ndarray]:
    centre, best = _peak(weight, GRID)
    if not np.isfinite(best):
        return best, np.full((len(terms(np.zeros(1))) - 1) // (2 if scaled else 1), np.nan)
    sides = []
    for start, stop, middle in _basins(weight, centre, best, grid):
        top = float(weight(np.array([middle]))[0])
        for side, reach in ((-1.0, middle - start), (1.0, stop - middle)):
            width = _width(weight, middle, top, side)
            end = min(FARTHEST, float(np.arcsinh(np.arcsinh(reach / width) / _HALF_PI)))
            sides.append((middle, side * width, end))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    previous = None
    for panels in (p for p in _PANELS if p <= most_panels):
        total = size = 0.0
        for middle, width, end in sides:
            h = end / panels
            tau = (h * (np.arange(panels)[:, None] + 0.5) + 0.5 * h * nodes).ravel()
            inner = _HALF_PI * np.sinh(tau)
            scale = abs(width) * _HALF_PI * np.cosh(tau) * np.cosh(inner) * np.tile(0.5 * h * weights, panels)
            y = middle + width * np.sinh(inner)
            if scaled:  # a term that is an integral itself is not taken for nothing
                near = np.exp(weight(y) - best) * scale > NEGLIGIBLE
                y, scale = y[near], scale[near]
            w, *f = terms(y)
            measure = np.exp(w - best) * scale
            seen = (measure > NEGLIGIBLE) & (measure < np.inf) & (np.isfinite(sum(f)) | (w > best - FAR))
            parts = np.where(seen, np.stack(f), 0.0) * np.where(seen, measure, 0.0)
            values, sizes = np.split(parts, 2) if scaled else (parts, np.abs(parts))
            total, size = total + values.sum(axis=1), size + sizes.sum(axis=1)
        if previous is not None and np.all(np.abs(total - previous) <= rtol * size):
            return best, np.asarray(total)
        previous = total
    return best, np.full_like(total, np.nan)


def _lattice_peak(weight: Weight, low: float, high: float) -> tuple[float, float]:
    grid = lattice_grid(low, high)
    while True:
        values = clean(weight(grid))
        at = int(np.argmax(values))
        left, right = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
        finer = np.unique(np.floor(np.concatenate([np.linspace(left, right, 33), grid[at : at + 1]])))
        if np.array_equal(finer, grid):
            return float(grid[at]), float(values[at])
        grid = finer


def _sum(weight: Weight, terms: Terms, low: float, high: float, scaled: bool) -> tuple[float, np.ndarray]:
    centre, best = _lattice_peak(weight, low, high)
    m = (len(terms(np.full(1, centre))) - 1) // (2 if scaled else 1)
    if not np.isfinite(best):
        return best, np.full(m, np.nan)
    far = centre + np.concatenate([-_LATTICE_GRID[::-1], _LATTICE_GRID])
    far = far[(far >= low) & (far <= high)]
    # and the centre, should rounding move its height
    peaks = np.append(far[clean(weight(far)) > best - LEAST_PEAK_OF_LATTICE], centre)
    total = np.zeros(m)
    for side in (1.0, -1.0):
        k, block = (centre if side > 0 else centre - 1.0), 256
        while low <= k <= high:
            ks = k + side * np.arange(block)
            ks = ks[(ks >= low) & (ks <= high)]
            w, *f = terms(ks)
            measure = np.exp(w - best)
            seen = (measure > NEGLIGIBLE) & (measure < np.inf) & (np.isfinite(sum(f)) | (w > best - FAR))
            total += (np.where(seen, np.stack(f[:m]), 0.0) * np.where(seen, measure, 0.0)).sum(axis=1)
            beyond = ks[-1] > peaks.max() if side > 0 else ks[-1] < peaks.min()
            if beyond and not measure[-1] > LATTICE_TAIL:
                break
            k, block = ks[-1] + side, 2 * block
            if block > _LONGEST_BLOCK:
                return best, np.full(m, np.nan)
    return best, total


def lattice_grid(low: float, high: float) -> np.ndarray:
    """Integers of a range on all scales: from an end of it if it has one, else to both sides of 0."""
    if np.isfinite(low):
        grid = low + _LATTICE_GRID
    elif np.isfinite(high):
        grid = high - _LATTICE_GRID[::-1]
    else:
        grid = np.concatenate([-_LATTICE_GRID[:0:-1], _LATTICE_GRID])
    return grid[(grid >= low) & (grid <= high)]
