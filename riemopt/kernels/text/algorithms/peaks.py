"""The search for the largest value of a function on the real line, on all scales."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sinh

from riemopt.kernels.functions.scalar import absolute, maximum
from riemopt.numerics.quadrature_rule import LARGEST_WIDTH, NARROWEST, NEGLIGIBLE_WIDTH

__all__ = ["Weight", "height", "largest_peak", "refined_peak"]

Weight = Callable[[float], float]
"""w: a function of the real line, -inf where it is not a number."""


def height(weight: Weight) -> tuple[float, tuple[float]]:
    """The status, which is 0, and the largest value of w."""
    return 0.0, (largest_peak(weight)[1],)


def largest_peak(weight: Weight) -> tuple[float, float, float, float]:
    """The largest peak of w: where it is, its height, and its widths to the left and to the right.

    It is looked for on a grid that is fine at the origin and reaches to 1e16, and then between the neighbours of the
    largest value there. A width is how far it takes w to fall by one, up to a factor of four.
    """
    best = -inf
    at = 0
    for i in range(-60, 61):
        w = weight(sinh(0.65 * i))
        if w > best:
            best = w
            at = i
    found = refined_peak(weight, sinh(0.65 * (at - 1)), sinh(0.65 * (at + 1)))
    if not found[1] >= best:
        found = (sinh(0.65 * at), best, found[2], found[3])
    return found


def refined_peak(weight: Weight, a: float, b: float) -> tuple[float, float, float, float]:
    """The peak of w between a and b by golden section: where it is, its height, and its widths to both sides.

    One loop with phases, because a compiler writes out w at every place that evaluates it: 0 to 3 are the golden
    section, whose inner points are u < v; 4 widens to the left and 5 to the right.
    """
    ratio = 0.6180339887498949
    u = b - ratio * (b - a)
    v = a + ratio * (b - a)
    wu = -inf
    wv = -inf
    c = u
    best = -inf
    left = 0.0
    right = 0.0
    phase = 0
    y = u
    for count in range(1000):
        w = weight(y)
        if phase == 0:
            wu = w
            phase = 1
            y = v
        elif phase <= 3:
            if phase == 2:
                wu = w
            else:
                wv = w
            if count < 90 and b - a > 1e-12 * (absolute(a) + absolute(b)):
                if wu > wv or not wv > -inf:
                    b = v
                    v = u
                    wv = wu
                    u = b - ratio * (b - a)
                    y = u
                    phase = 2
                else:
                    a = u
                    u = v
                    wu = wv
                    v = a + ratio * (b - a)
                    y = v
                    phase = 3
            else:
                c = u if wu > wv else v
                best = maximum(wu, wv)
                left = maximum(absolute(c) * NARROWEST, NEGLIGIBLE_WIDTH)
                right = left
                y = c - left
                phase = 4
        elif phase == 4:
            if left < LARGEST_WIDTH and w > best - 1.0:
                left = left * 4.0
                y = c - left
            else:
                y = c + right
                phase = 5
        elif right < LARGEST_WIDTH and w > best - 1.0:
            right = right * 4.0
            y = c + right
        else:
            break
    return c, best, left, right
