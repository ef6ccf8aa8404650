"""Polygammas and their remainders for x > 0: one formula for each, which is unrolled for every order that is compiled.

Here ψ_n is the n-th derivative of the digamma function, and its remainder ρ_n is what it is beyond its two leading
terms for large x, ρ_n(x) = ψ_n(x) + (-1)^n ((n-1)!/x^n + n!/(2 x^(n+1))): sums such as x ψ_1(x) - 1 cancel.

How the polygammas are computed. For every x > 0, with z = x + 3/2 and w = 1/z²,

    |ψ_n(x)| = n!/x^(n+1) + n!/(x+1)^(n+1) + |ψ_n(x+2)|          recurrence, DLMF 5.15.5 twice
    |ψ_n(x+2)| = ((n-1)! + w f_n(w)) / z^n                       x + 2 = z + 1/2

The expansion of f_n about w = 0 is DLMF 5.11.8 with h = 1/2, differentiated n + 1 times (the half shift of DLMF
5.15.8 and 5.15.9: no odd powers of 1/z are left beside z^-n); it begins f_n(0) = -(n+1)!/24. Being asymptotic it
would need x > 7. Instead f_n is replaced by a quotient P(w)/Q(w) fitted over the whole of 0 < w < 4/9, that is x > 0.
The correction w f_n is negative and less than half of (n-1)!, and every other term is positive: nothing cancels.

How the remainders are computed. With a = 1/x, b = 1/(x+1), w = 1/(x+2)²,

    ρ_1(x) = (ab)²/2 + ρ_1(x+1)                                  recurrence, DLMF 5.15.5
    |ρ_n(x+2)| = ((n+1)!/12 + w f_n(w)) / (x+2)^(n+2)            the rest of DLMF 5.15.8 and 5.15.9

and the recurrence is differentiated n - 1 times, which gives (ab)² (n-1)!/2 times the sum of (i+1)(n-i) a^(n-1-i) b^i
over i = 0, ..., n - 1. Again f_n is negative and small, and replaced by a P(w)/Q(w) that is fitted over 0 < w < 1/4.
Every other term is positive.

The bounds in :mod:`riemopt.kernels.functions.coefficients` are for x in [1e-6, 1e8]; those of the polygammas hold as
measured on [1e-30, 1e20] too, where the value is a normal double. A value too large for a double is returned as an
infinity and one too small as a zero, of the right sign, and nothing raises. Zero, a negative number or NaN gives NaN.

The formulas branch only to return early, so that several numbers are computed side by side
(:mod:`riemopt.kernels.targets.llvm`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import factorial, nan
from typing import Any, NamedTuple

from riemopt.kernels.functions.coefficients import POLYGAMMAS, REMAINDERS
from riemopt.kernels.functions.unrolling import unrolled
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS, polygamma_name, remainder_name

__all__ = ["MEMBERS", "Member", "polygamma", "polygamma_remainder", "source"]


def polygamma(x: float, *, order: int, numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """ψ_n(x), from the coefficients of P and Q; positive for odd n, negative for even n.

    Examples
    --------
    >>> MEMBERS["polygamma_1"](1.0)  # π²/6, DLMF 5.4.12
    1.6449340668482264
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    r = 1.0 / (x + 1.5)
    w = r * r
    p = numerator[0]
    for coefficient in numerator[1:]:
        p = p * w + coefficient
    q = denominator[0]
    for coefficient in denominator[1:]:
        q = q * w + coefficient
    a2 = a * a
    b2 = b * b
    # a^(n+1), b^(n+1) and r^n
    a_power = 1.0
    b_power = 1.0
    for _ in range((order + 1) // 2):
        a_power = a_power * a2
        b_power = b_power * b2
    if order % 2 == 0:
        a_power = a_power * a
        b_power = b_power * b
    r_power = r if order % 2 else 1.0
    for _ in range(order // 2):
        r_power = r_power * w
    size = float(factorial(order)) * (b_power + a_power) + r_power * (float(factorial(order - 1)) + w * (p / q))
    return size if order % 2 else -size


def polygamma_remainder(
    x: float, *, order: int, weights: Sequence[float], numerator: Sequence[float], denominator: Sequence[float]
) -> float:
    """ρ_n(x), from the coefficients of P and Q; positive for odd n, negative for even n.

    The sum over i is symmetric in a and b, and is computed as v_0 (a^m + b^m) + ab (v_1 (a^(m-2) + b^(m-2)) + ... ab v)
    with the weights v_0, v_1, ..., v: for odd n it is this with m = n - 1, and for even n 2 (a + b) times this with
    m = n - 2.

    Examples
    --------
    >>> MEMBERS["polygamma_remainder_1"](1.0)  # π²/6 - 3/2, DLMF 5.4.12
    0.14493406684822643
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    d = 1.0 / (x + 2.0)
    c = a * b
    e = b * d
    w = d * d
    p = numerator[0]
    for coefficient in numerator[1:]:
        p = p * w + coefficient
    q = denominator[0]
    for coefficient in denominator[1:]:
        q = q * w + coefficient
    a2 = a * a
    b2 = b * b
    # the symmetric sums of the two steps, from the inside out
    a_power = 1.0
    b_power = 1.0
    d_power = 1.0
    first_sum = weights[-1]
    second_sum = weights[-1]
    for weight in weights[-2::-1]:
        a_power = a_power * a2
        b_power = b_power * b2
        d_power = d_power * w
        first_sum = weight * (a_power + b_power) + c * first_sum
        second_sum = weight * (b_power + d_power) + e * second_sum
    first = c * c
    second = e * e
    if order % 2 == 0:
        first = first * (a + b)
        second = second * (b + d)
    steps = second * second_sum + first * first_sum
    # d^(n+2)
    power = d if order % 2 else 1.0
    for _ in range(order // 2 + 1):
        power = power * w
    scale = factorial(order - 1) / (2.0 if order % 2 else 1.0)
    size = scale * steps + power * (factorial(order + 1) / 12.0 + w * (p / q))
    return size if order % 2 else -size


class Member(NamedTuple):
    """One of the functions of a formula, by what it fixes."""

    formula: Callable[..., float]
    constants: Mapping[str, Any]

    def __call__(self, x: float) -> float:
        """The value, by the formula as it stands."""
        return self.formula(x, **self.constants)


_WEIGHTS = {1: (1.0,), 2: (1.0,), 3: (3.0, 4.0), 4: (2.0, 1.0), 5: (5.0, 8.0, 9.0), 6: (3.0, 2.0, 4.0)}
"""Of the symmetric sums in the remainders, by their order."""


def _polygamma(order: int) -> Member:
    _, numerator, denominator = POLYGAMMAS[order]
    return Member(polygamma, {"order": order, "numerator": numerator, "denominator": denominator})


def _remainder(order: int) -> Member:
    _, numerator, denominator = REMAINDERS[order]
    constants = {"order": order, "weights": _WEIGHTS[order], "numerator": numerator, "denominator": denominator}
    return Member(polygamma_remainder, constants)


MEMBERS: dict[str, Member] = {
    **{polygamma_name(order): _polygamma(order) for order in POLYGAMMA_ORDERS},
    **{remainder_name(order): _remainder(order) for order in POLYGAMMA_ORDERS},
}
"""The functions by what text calls them."""


def source() -> str:
    """The text of all these functions, each unrolled."""
    functions = [unrolled(member.formula, name, member.constants) for name, member in MEMBERS.items()]
    return "\n\n\n".join(["from math import nan", *functions, ""])
