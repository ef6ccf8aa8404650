"""The modified Bessel functions I_n without their growth, as scalar code that every compiled target can take."""

from math import exp, nan, sqrt

__all__ = ["scaled_bessel_i"]


def scaled_bessel_i(order: float, x: float) -> float:
    """Return exp(-|x|) I_n(x), the modified Bessel function of the first kind without its growth, for n = 0, 1, 2, ...

    Parameters
    ----------
    order : float
        n, a whole number and not negative; anything else gives NaN. The cost grows with it where n^2 > 2 |x|.
    x : float
        Any number; the sign of I_n(-x) is (-1)^n. NaN gives NaN, and an infinity 0.0.

    Returns
    -------
    float
        exp(-|x|) I_n(x), with relative error below 1.1e-15 for 1e-12 <= |x| <= 1e6 and n = 0, ..., 8. For larger n the
        error grows like n: below 2e-14 at n = 500.

    Notes
    -----
    For |x| < 4 the power series, DLMF 10.25.2, from its last term inwards. For |x| >= 25 and n^2 <= 2 |x| the expansion
    for large arguments, DLMF 10.40.1, as far as its terms count; the smallest of them is near exp(-2 |x|). In between
    Miller's algorithm, DLMF 3.6(iii): the recurrence I_(k-1) = I_(k+1) + (2k/x) I_k, DLMF 10.29.1, runs down from zero
    at an order where exp(-x) I_k is below 1e-17, and DLMF 10.35.5, I_0 + 2 (I_1 + I_2 + ...) = exp(x), gives the scale.
    The terms of the series and of the recurrence are all positive: nothing cancels.

    Examples
    --------
    >>> scaled_bessel_i(0.0, 0.0)  # DLMF 10.30.1
    1.0
    >>> scaled_bessel_i(1.0, -2.0)
    -0.21526928924893768
    """
    size = abs(x)
    if not (order >= 0.0 and order % 1.0 == 0.0 and size >= 0.0):
        return nan
    sign = -1.0 if x < 0.0 and order % 2.0 == 1.0 else 1.0
    if size < 4.0:
        y = 0.25 * size * size
        # 18 terms leave out less than 4^18/18!^2 = 1.7e-21
        total = 1.0
        for k in range(18, 0, -1):
            total = 1.0 + total * (y / (k * (k + order)))
        first = exp(-size)
        for k in range(1, int(order) + 1):
            first *= 0.5 * size / k
        return sign * first * total
    if size >= 25.0 and size >= 0.5 * order * order:
        # the k-th term is the one before times ((2k - 1)^2 - 4 n^2) / (8 k x)
        total = 1.0
        term = 1.0
        odd = 1.0
        while abs(term) > 1e-17:
            term *= (odd * odd - 4.0 * order * order) / (4.0 * (odd + 1.0) * size)
            total += term
            odd += 2.0
        return sign * total * 0.3989422804014327 / sqrt(size)  # 1/sqrt(2 pi)
    double = 2.0 / size
    above = 0.0
    here = 1e-280
    total = 0.0
    wanted = 0.0
    for k in range(int(order + 12.0 + 8.5 * sqrt(size)), 0, -1):
        if k == order:
            wanted = here
        total += here
        below = above + k * double * here
        above = here
        here = below
        if here > 1e200:
            above *= 1e-200
            here *= 1e-200
            total *= 1e-200
            wanted *= 1e-200
    if order == 0.0:
        wanted = here
    return sign * wanted / (here + 2.0 * total)
