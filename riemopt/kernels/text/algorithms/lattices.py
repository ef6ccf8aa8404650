"""Sums over a range of integers, from the largest term outward, and the search for that term."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, floor, inf, nan, sinh

from riemopt.kernels.functions.scalar import absolute, maximum, minimum
from riemopt.kernels.text.algorithms.marks import inlined
from riemopt.kernels.text.algorithms.peaks import Weight
from riemopt.numerics.quadrature_rule import FAR, LATTICE_TAIL, LEAST_PEAK_OF_LATTICE, MASS_ERROR
from riemopt.status import Status

__all__ = ["height_on_lattice", "largest_term", "lattice_sum"]

_NEGLIGIBLE_TERM = 1e-40
"""Weights below this, relative to the largest one, are not added."""

_MOST_TERMS = 4_000_000

_NON_FINITE = float(Status.NON_FINITE)


def height_on_lattice(weight: Weight, low: float, high: float) -> tuple[float, tuple[float]]:
    """The status, which is 0, and the largest value of w on the integers from `low` to `high`."""
    return 0.0, (largest_term(weight, low, high)[1],)


def lattice_sum(
    weight: Weight,
    body: Callable[[float], tuple[float, ...]],
    low: float,
    high: float,
    terms: int,
    normalized: bool,
) -> tuple[float, tuple[float, ...]]:
    """Sums of exp(w(k) - c) f(k) over the integers k from `low` to `high`, with c the largest value of w.

    Parameters
    ----------
    weight : callable
        w.
    body : callable
        w, and at least `terms` values f; a term of which one is not finite is left out where its weight is rounding.
    low, high : float
        The ends of the range, either of which may be infinite.
    terms : int
        How many sums there are.
    normalized : bool
        Whether the first sum times exp(c) is known to be 1. If it is not, nothing is to be trusted.

    Returns
    -------
    status : float
        0, or that of :attr:`riemopt.Status.NON_FINITE`.
    values : tuple of float
        c and the sums.
    """
    centre, best = largest_term(weight, low, high)
    if not best > -inf:
        return _NON_FINITE, (best, *[nan] * terms)
    # as far as there are peaks, and then as far as there are terms
    first = centre
    last = centre
    for i in range(-110, 111):
        distance = scaled_integer(i)
        k = inside(centre + (1.0 if i > 0 else -1.0) * distance, low, high)
        if weight(k) > best - LEAST_PEAK_OF_LATTICE:
            first = minimum(first, k)
            last = maximum(last, k)
    totals = [0.0] * terms
    count = 0
    # not a constant to the compiler, which would write the loop out
    two = 2 if best > -inf else 1
    for side in range(two):
        step = 1.0 if side == 1 else -1.0
        k = centre if side == 1 else centre - 1.0
        while low <= k and k <= high and count <= _MOST_TERMS:
            w, *f = body(k)
            e = exp(w - best)
            whole = absolute(sum(f)) < inf
            if _NEGLIGIBLE_TERM < e < inf and (whole or w > best - FAR):
                for j in range(terms):
                    totals[j] += e * f[j]
            if (k > last or k < first) and not e > LATTICE_TAIL:
                break
            k = k + step
            count += 1
    if (
        count <= _MOST_TERMS
        and all(absolute(totals[j]) < inf for j in range(terms))
        and (not normalized or absolute(exp(best) * totals[0] - 1.0) <= MASS_ERROR)
    ):
        return 0.0, (best, *totals)
    return _NON_FINITE, (best, *[nan] * terms)


def largest_term(weight: Weight, low: float, high: float) -> tuple[float, float]:
    """Where the largest value of w on the integers from `low` to `high` is, and how large.

    It is looked for on integers on all scales, from the end of the range if it has one, and then in strides that double
    on success and halve on failure.
    """
    best = -inf
    centre = 0.0
    for i in range(-110, 111):
        k = grid_point(float(i), low, high)
        w = weight(k)
        if w > best:
            best = w
            centre = k
    stride = floor(absolute(centre)) + 1.0
    while stride >= 1.0:
        up = inside(centre + stride, low, high)
        down = inside(centre - stride, low, high)
        wu = weight(up)
        wd = weight(down)
        if wu > best:
            best = wu
            centre = up
            stride = 2.0 * stride
        elif wd > best:
            best = wd
            centre = down
            stride = 2.0 * stride
        else:
            stride = floor(0.5 * stride)
    return centre, best


def grid_point(i: float, low: float, high: float) -> float:
    """The i-th integer of those on all scales: from an end of the range if it has one, else to both sides of 0."""
    distance = scaled_integer(i)
    if low > -inf:
        return inside(low + distance, low, high)
    if high < inf:
        return inside(high - distance, low, high)
    return distance if i > 0 else -distance


@inlined
def scaled_integer(i: float) -> float:
    """|i| for small i, and then integers whose distances grow like themselves."""
    return floor(sinh(0.35 * absolute(i)) / sinh(0.35) + 0.5)


def inside(k: float, low: float, high: float) -> float:
    """The integer of the range that is next to k."""
    return minimum(maximum(k, low), high)
