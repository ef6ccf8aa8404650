"""The remainder of a polygamma beyond its leading terms, as a SymPy function."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp
from mpmath.libmp import prec_to_dps

__all__ = ["PolygammaRemainder", "leading_terms"]


def leading_terms(order: sp.Expr, x: sp.Expr, count: int) -> sp.Expr:
    """The first of the terms -(-1)^n ((n-1)!/x^n + n!/(2x^(n+1))) of ψ_n(x) for large x, n > 0, or both of them.

    They are those of DLMF 5.15.8 and 5.15.9, and no larger than ψ_n(x) for small x either.
    """
    terms = sp.factorial(order - 1) / x**order, sp.factorial(order) / (2 * x ** (order + 1))
    return sp.Add(*((-1) ** (order + 1) * term for term in terms[: int(count)]))


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
