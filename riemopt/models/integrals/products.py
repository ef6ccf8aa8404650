"""Log-densities and values as sums of products: of powers, of logarithms and of exponentials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy as sp

__all__ = [
    "Term",
    "expand_polynomial",
    "exponential",
    "is_negative",
    "is_positive",
    "map_bases",
    "products",
    "split_logarithms",
]


def split_logarithms(expression: sp.Expr, w: sp.Symbol) -> sp.Expr:
    """An expression with log(u v^c) as log u + c log v, and powers and logarithms of sums as those of 1 + ...

    A sum in a power or in a logarithm is divided by its term of lowest degree in w, and the term taken out as a factor.
    """

    def power(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
        scale, base = _scaled(base, w)
        return scale**exponent * base**exponent

    def logarithm(argument: sp.Expr) -> sp.Expr:
        result, unknown = sp.S.Zero, sp.S.One
        for factor in sp.Mul.make_args(sp.factor_terms(argument)):
            base, exponent = factor.as_base_exp()
            if isinstance(factor, sp.exp):
                result += factor.exp
            elif base.is_Mul and base.is_positive:
                result += exponent * logarithm(base)
            elif is_positive(base, w):
                scale, base = _scaled(base, w)
                result += exponent * (sp.log(base) + (logarithm(scale) if scale != 1 else sp.S.Zero))
            else:
                unknown *= factor
        return result + sp.log(unknown)

    def sum_in_power(e: sp.Basic) -> bool:
        return isinstance(e, sp.Pow) and isinstance(e.base, sp.Add) and e.has_free(w)

    apart = expression.replace(sum_in_power, lambda e: power(e.base, e.exp))
    return apart.replace(sp.log, logarithm)


def _scaled(base: sp.Expr, w: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """A sum as a positive factor, and a sum whose term of lowest degree in w is 1 or -1."""
    if not isinstance(base, sp.Add) or not base.has_free(w):
        return sp.S.One, base
    terms = [term.as_independent(w, as_Add=False) for term in sp.Add.make_args(expand_polynomial(base, w))]
    powers = [moving.as_coeff_exponent(w)[1] for _, moving in terms]
    lowest = min(powers) if all(e.is_Rational for e in powers) else sp.S.Zero
    scale = sp.factor_terms(sp.Add(*(c for (c, _), e in zip(terms, powers, strict=True) if e == lowest)))
    scale = (scale if scale.is_positive else -scale if scale.is_negative else sp.S.One) * w**lowest
    return scale, sp.Add(*(c * moving / scale for c, moving in terms))


def map_bases(expression: sp.Expr, change: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    """An expression with `change` applied to whatever it takes logarithms and powers of."""
    changed = expression.replace(sp.log, lambda u: sp.log(change(u)))
    return sp.expand_power_base(changed.replace(sp.Pow, lambda u, c: change(u) ** c))


def expand_polynomial(base: sp.Expr, w: sp.Symbol) -> sp.Expr:
    """A polynomial in w multiplied out, so that what cancels does."""
    return sp.expand(base) if base.is_Add and base.has_free(w) and base.is_polynomial(w) else base


def is_positive(expression: sp.Expr, w: sp.Symbol) -> bool:
    """Whether an expression is known to be positive, where w > 0.

    1 - w^c with c > 0 is taken to be: it occurs in densities on (0, 1) only.
    """
    if expression.is_positive:
        return True
    if isinstance(expression, sp.Add) and len(expression.args) == 2:
        power = 1 - expression
        base, exponent = power.as_base_exp()
        return base == w and bool(exponent.is_positive)
    return False


def is_negative(expression: sp.Expr, w: sp.Symbol) -> bool:
    """Whether an expression is known to be negative, as in :func:`is_positive`."""
    return is_positive(-expression, w)


def products(expression: sp.Expr, moving: Sequence[sp.Expr]) -> list[sp.Expr]:
    """The terms of an expression, multiplied out.

    Sums in denominators and under roots stay as they are, and so do sums that contain none of `moving`.
    """
    names: dict[sp.Expr, sp.Symbol] = {}

    def named(base: sp.Expr) -> sp.Symbol:
        return names.setdefault(base, sp.Dummy("u", real=True, positive=base.is_positive))

    def fixed(e: sp.Basic) -> bool:
        return isinstance(e, sp.Add) and not e.has(*moving)

    def divides(e: sp.Basic) -> bool:
        return isinstance(e, sp.Pow) and e.base.is_Add and not (e.exp.is_Integer and e.exp > 0)

    hidden = expression.replace(fixed, named).replace(divides, lambda e: named(e.base) ** e.exp)
    bases = {u: base for base, u in names.items()}
    while any(base.has_free(*bases) for base in bases.values()):
        bases = {u: base.xreplace(bases) for u, base in bases.items()}
    terms = sp.Add.make_args(sp.expand(hidden, log=False))
    return [product.xreplace(bases) for product in terms if product != 0]


def exponential(total: sp.Expr) -> sp.Expr:
    """The exponential of a sum, its multiples of logarithms as powers."""
    factors = []
    for term in sp.Add.make_args(total):
        logs = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log)]
        factors.append(logs[0].args[0] ** (term / logs[0]) if logs else sp.exp(term))
    return sp.Mul(*factors)


@dataclass(frozen=True)
class Term:
    """A product in which all factors but the first depend on w.

    It is coefficient · Π u^powers[u] · Π log(u)^logs[u] · exp(exponent) · rest, with u = w or a sum.
    """

    coefficient: sp.Expr
    powers: dict[sp.Expr, sp.Expr]
    logs: dict[sp.Expr, int]
    exponent: sp.Expr
    rest: sp.Expr

    @classmethod
    def of(cls, product: sp.Expr, w: sp.Symbol) -> Term:
        """The factors of a product, sorted."""
        coefficient, moving = product.as_independent(w, as_Add=False)
        powers: dict[sp.Expr, sp.Expr] = {}
        logs: dict[sp.Expr, int] = {}
        exponent, rest = sp.S.Zero, sp.S.One
        for factor in sp.Mul.make_args(moving):
            base, e = factor.as_base_exp()
            if isinstance(factor, sp.exp):
                exponent += factor.exp
            elif isinstance(base, sp.log) and e.is_Integer and e > 0:
                logs[base.args[0]] = logs.get(base.args[0], 0) + int(e)
            elif not e.has_free(w) and (base == w or base.is_Add):
                powers[base] = powers.get(base, sp.S.Zero) + e
            else:
                rest *= factor
        return cls(coefficient, powers, logs, exponent, rest)
