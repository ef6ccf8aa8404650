"""The exponential function and the logarithm for lanes, of which LLVM would take one after the other.

The text is plain Python, as that of :mod:`riemopt.kernels.functions.digamma`, and uses three functions that look at the
bits of a number, :func:`exponent`, :func:`significand` and :func:`power_of_two`, which become instructions. Both cut a
number into a power of two and what is left, and use a series of that: the first terms of Taylor's for the exponential
function, and for the logarithm the polynomial in s² that interpolates (log((1 + s)/(1 - s)) - 2s)/s³ at the nodes of
Chebyshev's polynomial of degree 7. The constants were computed by mpmath at 40 digits. What each leaves out is below
5e-18.

The bounds are the largest relative errors measured against mpmath at 30 digits over 100,000 points.
"""

import math
from math import floor, inf, nan

from riemopt.kernels.functions.scalar import select

__all__ = ["exp", "log"]


def exponent(x: float) -> float:
    """The whole number k with 2^k <= x < 2^(k+1), for a positive normal number."""
    return math.frexp(x)[1] - 1.0


def significand(x: float) -> float:
    """|x| / 2^k, with the k of :func:`exponent`."""
    return 2.0 * math.frexp(abs(x))[0]


def power_of_two(k: float) -> float:
    """2^k for a whole number of at most 1023 and at least -1022."""
    return math.ldexp(1.0, int(k))


def exp(x: float) -> float:
    """e^x, with relative error below 1.5e-16 where it is a normal number; NaN of NaN.

    Examples
    --------
    >>> round(exp(1.0), 14)
    2.71828182845905
    """
    bounded = select(x > 710.0, 710.0, select(x < -746.0, -746.0, x))
    k = floor(select(x == x, bounded, 0.0) * 1.4426950408889634 + 0.5)
    # log 2 in two parts, of which the first times k is exact
    r = (bounded - k * 0.6931471805598903) - k * 5.497923018708371e-14
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = (p * r) * r + r + 1.0
    # in two steps, for results beyond the normal numbers
    half = floor(0.5 * k)
    return (p * power_of_two(half)) * power_of_two(k - half)


def log(x: float) -> float:
    """The natural logarithm, with relative error below 1.5e-16; NaN of a negative number and of NaN.

    Examples
    --------
    >>> round(log(10.0), 14)
    2.30258509299405
    """
    # 2^54 times what is not normal is
    normal = x * select(x < 2.2250738585072014e-308, 18014398509481984.0, 1.0)
    m = significand(normal)
    k = exponent(normal) - select(x < 2.2250738585072014e-308, 54.0, 0.0)
    k = select(m > 1.4142135623730951, k + 1.0, k)
    f = select(m > 1.4142135623730951, 0.5 * m, m) - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 0.14616449685043406
    p = p * z + 0.15331721600556042
    p = p * z + 0.18182889125261723
    p = p * z + 0.2222221113479508
    p = p * z + 0.28571428625975487
    p = p * z + 0.39999999999899505
    p = p * z + 0.666666666666667
    # log(1 + f) = f - s (f - z p), since 2 s = f - s f
    small = k * 5.497923018708371e-14 - s * (f - z * p)
    value = k * 0.6931471805598903 + (f + small)
    value = select(x > 0.0, value, select(x == 0.0, -inf, nan))
    return select(x < inf, value, x)
