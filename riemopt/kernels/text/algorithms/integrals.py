"""Integrals over the real line: basin by basin, on both sides of each peak, panel by panel.

An integral ∫ exp(w(y)) f(y) dy is taken where exp(w) has its mass. Around the largest peak of w a grid shows the
valleys; between two of them is a *basin*. In each basin both sides of its peak are integrated apart, y = c ± s
sinh(π/2 sinh τ) with s the width of the peak: the double exponential map of Takahasi and Mori (1974), under which even
algebraic tails vanish. In τ the 21-point rule of Gauss and Kronrod is bisected until its error estimate, that of
QUADPACK, is small against the whole. An integral that is known to be one is taken along, and if it does not come out,
the grid is made finer: a peak that was overlooked cannot go unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import asinh, exp, inf, nan, sinh

from riemopt.kernels.functions.scalar import absolute, minimum
from riemopt.kernels.text.algorithms.marks import inlined
from riemopt.kernels.text.algorithms.peaks import Weight, largest_peak, refined_peak
from riemopt.kernels.text.runtime.quadpack import panel_error
from riemopt.numerics.quadrature_rule import (
    FAR,
    FARTHEST,
    GAUSS_WEIGHTS,
    KRONROD_NODES,
    KRONROD_WEIGHTS,
    LEAST_PEAK,
    MASS_ERROR,
    NEGLIGIBLE,
)
from riemopt.status import Status

__all__ = ["MOST_NESTED_PANELS", "MOST_PANELS", "integral"]

_ERROR, _PANEL_ERROR = 1e-10, 1e-11
"""What the error of an integral may be, and what a panel may add to it, relative to the integral of absolute values."""

_DEEPEST = 40
"""How often a panel is bisected at most."""

MOST_PANELS, MOST_NESTED_PANELS = 20_000, 300
"""Panels after which none is bisected any more; of integrals over integrals, every panel takes its time."""

_FIRST_DEPTH, _MORE_DEPTH = 2, 3
"""Bisections to begin with, and how many more for integrands whose mass is not found."""

_NON_FINITE = float(Status.NON_FINITE)

Body = Callable[[float], tuple[float, ...]]
"""w and the f."""


def integral(
    weight: Weight, body: Body, terms: int, scaled: bool, normalized: bool, most_panels: int
) -> tuple[float, tuple[float, ...]]:
    """Integrals of exp(w(y) - c) f(y) over all real y, with c the largest value of w.

    Every attempt sweeps over the basins twice: once with panels of equal depth, to learn how large the integrals of
    the absolute values are, and once to the wanted accuracy.

    Parameters
    ----------
    weight : callable
        w.
    body : callable
        w, and the values f; twice as many as `terms` if they are `scaled`.
    terms : int
        How many integrals there are.
    scaled : bool
        Whether the second half of f stands for the absolute values of the first when errors are judged.
    normalized : bool
        Whether the first integral times exp(c) is known to be 1. If it is not, nothing is to be trusted.
    most_panels : int
        The number of panels after which none is bisected any more.

    Returns
    -------
    status : float
        0, or that of :attr:`riemopt.Status.NON_FINITE`.
    values : tuple of float
        c and the integrals.
    """
    centre, best, left, right = largest_peak(weight)
    if not best > -inf:
        return _NON_FINITE, (best, *[nan] * terms)
    width = minimum(left, right)
    # not constants to the compiler, which would write out every loop of a known length
    two = 2 if best > -inf else 1
    nodes = 21 if best > -inf else 1
    gap = 0.65
    most = 70
    for attempt in range(two + 1):
        base = _FIRST_DEPTH + _MORE_DEPTH * attempt
        if attempt > 0:
            gap *= 0.25
            most *= 4
        scales = [0.0] * terms
        panels = 0
        for sweep in range(two):
            totals = [0.0] * terms
            errors = [0.0] * terms
            sizes = [0.0] * terms
            for start, stop, top_at in basins(weight, centre, width, gap, most):
                if start <= centre and centre < stop:
                    c, peak, sl, sr = centre, best, left, right
                else:
                    # a narrow peak is far above what the grid sees of it
                    c, peak, sl, sr = refined_peak(
                        weight, centre + width * sinh(gap * (top_at - 1)), centre + width * sinh(gap * (top_at + 1))
                    )
                if peak > best - LEAST_PEAK:
                    for side in range(two):
                        s = sr if side == 1 else -sl
                        reach = (stop - c) / sr if side == 1 else (c - start) / sl
                        panels = add_side(
                            weight, body, best, c, s, reach, base, sweep, nodes,
                            panels, scales, totals, errors, sizes, terms, scaled, most_panels,
                        )  # fmt: skip
            for j in range(terms):
                scales[j] = sizes[j]
        # what is not a number is an error, too
        if all(errors[j] <= _ERROR * scales[j] for j in range(terms)) and (
            not normalized or absolute(exp(best) * totals[0] - 1.0) <= MASS_ERROR
        ):
            return 0.0, (best, *totals)
    return _NON_FINITE, (best, *[nan] * terms)


@inlined
def basins(weight: Weight, centre: float, width: float, gap: float, most: int) -> Iterator[tuple[float, float, int]]:
    """The basins of w, from left to right: the valleys at their ends, and which point of the grid is the highest.

    The i-th point of the grid, from ``-most`` to ``most``, is ``centre + width * sinh(gap * i)``. A valley is lower by
    one than the tops on both sides.
    """
    start = -inf
    top = -inf
    low = inf
    top_at = -most
    low_at = -most
    for i in range(-most, most + 2):
        w = weight(centre + width * sinh(gap * i)) if i <= most else inf
        if not w > -inf:
            w = -inf
        if i <= most and w >= top and not (w > low + 1.0 and top > low + 1.0):
            top = w
            top_at = i
            low = w
            low_at = i
            continue
        if w <= low:
            low = w
            low_at = i
            continue
        if i <= most and not (w > low + 1.0 and top > low + 1.0):
            continue
        stop = centre + width * sinh(gap * low_at) if i <= most else inf
        yield start, stop, top_at
        start = stop
        top = w
        top_at = i
        low = w
        low_at = i


@inlined
def add_side(
    weight: Weight,
    body: Body,
    best: float,
    c: float,
    s: float,
    reach: float,
    base: int,
    sweep: int,
    nodes: int,
    panels: int,
    scales: list[float],
    totals: list[float],
    errors: list[float],
    sizes: list[float],
    terms: int,
    scaled: bool,
    most_panels: int,
) -> int:
    """Add the integrals over one side of a peak to `totals`, their errors to `errors` and sizes to `sizes`.

    The way from the peak at `c` to the end of its basin, `reach` widths away, is bisected: 2**`base` panels in the
    first sweep; in the second one further, until a panel adds little to the error, in units of `scales`. `s` is the
    width of the peak, negative to the left. Returns how many panels there were, with those `panels` before.
    """
    unit = 0.39269908169872414 * absolute(s)
    end = minimum(FARTHEST, asinh(asinh(reach) / 1.5707963267948966))
    depth = base
    place = 0
    while True:
        h = end / 2.0 ** (depth + 1)
        middle = (2.0 * place + 1.0) * h
        kronrod = [0.0] * terms
        gauss = [0.0] * terms
        magnitudes = [0.0] * terms
        add_panel(
            weight, body, best, c, s, unit, middle, h, nodes, kronrod, gauss, magnitudes, terms, scaled
        )  # fmt: skip
        panels += 1
        fine = True
        differences = [0.0] * terms
        for j in range(terms):
            differences[j] = panel_error(kronrod[j] - gauss[j], magnitudes[j])
            fine = fine and (differences[j] <= _PANEL_ERROR * scales[j] or magnitudes[j] == 0.0)
        if sweep == 0 or fine or depth >= _DEEPEST or panels > most_panels:
            for j in range(terms):
                totals[j] += kronrod[j]
                errors[j] += differences[j]
                sizes[j] += magnitudes[j]
            place += 1
            while depth > base and place % 2 == 0:
                place = place // 2
                depth -= 1
            if depth == base and place == 2**base:
                break
        else:
            place = 2 * place
            depth += 1
    return panels


@inlined
def add_panel(
    weight: Weight,
    body: Body,
    best: float,
    c: float,
    s: float,
    unit: float,
    middle: float,
    h: float,
    nodes: int,
    kronrod: list[float],
    gauss: list[float],
    magnitudes: list[float],
    terms: int,
    scaled: bool,
) -> None:
    """Add what both rules make of the panel from `middle` - `h` to `middle` + `h`, and Kronrod's of absolute values."""
    for node in range(nodes):
        tau = middle + h * KRONROD_NODES[node]
        wk = h * KRONROD_WEIGHTS[node]
        wg = h * GAUSS_WEIGHTS[node]
        # hyperbolic functions of τ, and then of π/2 sinh τ, by two exponentials
        grown = exp(tau)
        shrunk = 1.0 / grown
        above = exp(0.7853981633974483 * (grown - shrunk))
        below = 1.0 / above
        y = c + 0.5 * s * (above - below)
        e = unit * (grown + shrunk) * (above + below)
        # an integrand that is an integral itself is not taken for nothing
        if scaled and not exp(weight(y) - best) * e > NEGLIGIBLE:
            continue
        wy, *f = body(y)
        e = exp(wy - best) * e
        whole = absolute(sum(f)) < inf
        if NEGLIGIBLE < e < inf and (whole or wy > best - FAR):
            for j in range(terms):
                z = e * f[j]
                kronrod[j] += wk * z
                gauss[j] += wg * z
                magnitudes[j] += wk * e * (f[terms + j] if scaled else absolute(f[j]))
