"""Polygammas and their remainders: the leading terms, the remainder for SymPy, and formulas for high orders.

For large x, ψ_n(x) is near its two leading terms, and what is left, the remainder, is what counts where these cancel.
Both are compiled functions for the orders of :data:`~riemopt.kernels.graph.operations.POLYGAMMA_ORDERS`.
"""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import sympy as sp
from mpmath.libmp import prec_to_dps

from riemopt.errors import ModelError
from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS, polygamma_name, remainder_name

__all__ = [
    "HIGHEST_ORDER",
    "PolygammaRemainder",
    "leading_coefficients",
    "leading_terms",
    "polygamma",
    "polygamma_remainder",
]

HIGHEST_ORDER = 40
"""Beyond this order powers leave the range of doubles."""

_STEPS, _TERMS = 12, 10
"""Of a polygamma of high order: steps of the recurrence, and terms of the series that is used from there on."""


def leading_coefficients(order: Any) -> tuple[sp.Expr, sp.Expr]:
    """The coefficients of 1/x^n and 1/x^(n+1) in the expansion of ψ_n(x) for large x, n > 0; both have its sign.

    They are those of DLMF 5.15.8 and 5.15.9, -(-1)^n (n-1)! and -(-1)^n n!/2.
    """
    sign = (-1) ** (order + 1)
    return sign * sp.factorial(order - 1), sign * sp.factorial(order) / 2


def leading_terms(order: sp.Expr, x: sp.Expr, count: int) -> sp.Expr:
    """The first of the two leading terms of ψ_n(x), n > 0, or both; for small x they are no larger than ψ_n(x)."""
    powers = x**order, x ** (order + 1)
    terms = (c / power for c, power in zip(leading_coefficients(order), powers, strict=True))
    return sp.Add(*list(terms)[: int(count)])


class PolygammaRemainder(sp.Function):  # type: ignore[misc]
    """ψ_n(x) less the first one or two of its :func:`leading_terms`, for n > 0 and x > 0; it has the sign of ψ_n(x).

    The arguments are n, x and the number of terms.

    Examples
    --------
    >>> x = sp.Symbol("x", positive=True)
    >>> PolygammaRemainder(1, x, 2).rewrite(sp.polygamma)
    polygamma(1, x) - 1/x - 1/(2*x**2)
    >>> PolygammaRemainder(1, x, 2).diff(x)
    PolygammaRemainder(2, x, 2)
    >>> PolygammaRemainder(1, sp.Integer(10) ** 20, 2).evalf(5)
    1.6667e-61
    """

    nargs = 3

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The derivative with respect to x is the remainder of ψ_(n+1)(x)."""
        if argindex != 2:
            raise sp.ArgumentIndexError(self, argindex)
        order, x, count = self.args
        return PolygammaRemainder(order + 1, x, count)

    def _eval_rewrite_as_polygamma(self, order: sp.Expr, x: sp.Expr, count: sp.Expr, **kwargs: Any) -> sp.Expr:
        return sp.polygamma(order, x) - leading_terms(order, x, count)

    def _eval_is_positive(self) -> bool | None:
        order, x, _ = self.args
        return bool(order.is_odd) if order.is_Integer and x.is_positive else None

    def _eval_is_negative(self) -> bool | None:
        order, x, _ = self.args
        return bool(order.is_even) if order.is_Integer and x.is_positive else None

    def _eval_evalf(self, prec: int) -> sp.Expr:
        order, x, count = self.args
        if not (order.is_Integer and x.is_number):
            return None
        # each term is about x times the next
        bits = prec + int(count) * max(0, mp.mag(x._to_mpmath(prec))) + 10
        with mp.workprec(bits):
            whole = sp.Float(mp.psi(int(order), x._to_mpmath(bits)), precision=bits)
        return sp.Float(whole - leading_terms(order, x.evalf(prec_to_dps(bits)), count), precision=prec)


def polygamma(g: Arithmetic, order: int, x: Node) -> Node:
    """ψ_n(x) for x > 0, else NaN: the compiled function, or above its orders a formula that is exact to rounding.

    The formula is the recurrence up to x + 12, then the series of DLMF 5.15.8 and 5.15.9.
    """
    if order == 0 or order in POLYGAMMA_ORDERS:
        return g.call(polygamma_name(order), x)
    if order > HIGHEST_ORDER:
        raise ModelError(f"polygamma functions have a compiled form up to order {HIGHEST_ORDER}, not {order}")
    power, far = g.constant(-order - 1.0), g.add(x, g.constant(_STEPS))
    near = g.total(g.power(g.add(x, g.constant(k)), power) for k in range(_STEPS))
    square, tail = g.power(far, g.constant(-2.0)), g.constant(0.0)
    for k in range(_TERMS, 0, -1):
        coefficient = float(sp.bernoulli(2 * k)) * math.perm(2 * k + order - 1, 2 * k - 1) / math.factorial(2 * k)
        tail = g.mul(square, g.add(g.constant(coefficient), tail))
    head = g.add(g.constant(1.0 / order), g.div(g.constant(0.5), far))
    total = g.add(near, g.mul(g.power(far, g.constant(-float(order))), g.add(head, tail)))
    value = g.mul(g.constant((-1.0) ** (order + 1) * math.factorial(order)), total)
    return g.call("select", g.operate("gt", x, g.constant(0.0)), value, g.constant(float("nan")))


def polygamma_remainder(g: Arithmetic, order: int, x: Node) -> Node:
    """What ψ_n(x) is beyond its two leading terms, n > 0: the compiled function, or above its orders the difference."""
    if order in POLYGAMMA_ORDERS:
        return g.call(remainder_name(order), x)
    powers = [g.power(x, g.constant(float(n))) for n in (order, order + 1)]
    terms = (g.div(g.constant(c), power) for c, power in zip(leading_coefficients(order), powers, strict=True))
    return g.sub(polygamma(g, order, x), g.total(terms))
