"""Forms of SymPy expressions that are computed in ways of their own: exponentials, Bessel functions, factorials.

Whether an expression has such a form is told from SymPy's assumptions; nothing here makes a node.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

__all__ = [
    "FACTORIALS",
    "Exponent",
    "ScaledBessel",
    "bessel_growth",
    "coefficient_and_exponent",
    "exponent_of",
    "has_own_logarithm",
    "less_one",
    "logistic_exponent",
    "scaled",
]

FACTORIALS = (sp.gamma, sp.factorial, sp.binomial, sp.beta)
"""Functions whose logarithms are sums of log-gammas."""

Exponent = list[sp.Expr | tuple[sp.Expr, sp.Expr]]
"""A sum: of terms u, and of terms (c, b) that stand for c log(b)."""


class ScaledBessel(sp.Function):  # type: ignore[misc]
    """exp(-|x|) I_n(x)."""


def scaled(factor: sp.Expr) -> sp.Expr:
    """A power of a Bessel function as that of the scaled one; anything else as it is."""
    base, power = factor.as_base_exp()
    return ScaledBessel(*base.args) ** power if _is_bessel(base) else factor


def bessel_growth(factors: Sequence[sp.Expr]) -> sp.Expr | None:
    """The exponent of exp(...) that scaling all Bessel functions in some factors leaves over; None if there are none.

    A quotient of two of them must not overflow where each of them would.
    """
    growth, found = sp.S.Zero, False
    for factor in factors:
        base, power = factor.as_base_exp()
        if _is_bessel(base):
            growth, found = growth + power * sp.Abs(base.args[1]), True
    return growth if found else None


def _is_bessel(e: sp.Expr) -> bool:
    return isinstance(e, sp.besseli) and bool(e.args[0].is_Integer)


def has_own_logarithm(e: sp.Expr) -> bool:
    """Whether an expression is known to be positive, and its logarithm better taken apart from that of its factors."""
    if _is_bessel(e):
        order, x = e.args
        return bool(x.is_positive or (order.is_even and x.is_extended_real))
    return bool(isinstance(e, (*FACTORIALS, sp.besseli, sp.Add)) and e.is_positive)


def exponent_of(e: sp.Expr) -> Exponent | None:
    """The u with e = exp(u), as a sum; None if e is not written like that."""
    if isinstance(e, sp.exp):
        return [e.args[0]] if e.args[0].is_extended_real is not False else None
    if isinstance(e, sp.Pow) and e.base.is_positive:
        grows = any(exponent_of(term) is not None for term in sp.Add.make_args(e.base) if term != e.base)
        if not e.exp.is_number or grows:
            return [(e.exp, e.base)]
    if isinstance(e, sp.Mul):
        parts = [exponent_of(factor) for factor in e.args]
        return None if any(part is None for part in parts) else [term for part in parts for term in part or ()]
    return None


def coefficient_and_exponent(term: sp.Expr) -> tuple[sp.Expr, Exponent]:
    """A term as c exp(u): c, and u as a sum, empty if there is no exponential."""
    coefficient: list[sp.Expr] = []
    total: Exponent = []
    for factor in sp.Mul.make_args(term):
        part = exponent_of(factor)
        if part is None:
            coefficient.append(factor)
        else:
            total += part
    return sp.Mul(*coefficient), total


def less_one(e: sp.Add) -> tuple[int, Exponent] | None:
    """The sign s and the u of a sum s (exp(u) - 1); None if it is not one."""
    one, power = e.args if len(e.args) == 2 else (None, None)
    if one not in (sp.S.One, sp.S.NegativeOne):
        return None
    exponent = exponent_of(-one * power)
    return None if exponent is None else (-int(one), exponent)


def logistic_exponent(e: sp.Expr) -> Exponent | None:
    """The u of a power (1 + exp(u))^-k with whole k > 0; None if it is not one."""
    if not (isinstance(e, sp.Pow) and e.exp.is_Integer and e.exp.is_negative and isinstance(e.base, sp.Add)):
        return None
    one, *rest = e.base.args
    return exponent_of(rest[0]) if one == 1 and len(rest) == 1 else None
