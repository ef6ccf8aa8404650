"""Changes of the variable of an integral, until its weight has few parameters: shifts, scales, powers, exp and log.

SymPy knows many integrals over (0, ∞) of products of powers, and few of what a score product looks like. The changes
are read off the log-density.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from .integral import Integral
from .products import is_positive, map_bases

__all__ = ["standard_form", "to_half_line", "to_standard_range"]

_HYPERBOLIC = (sp.sinh, sp.cosh, sp.tanh, sp.sech, sp.csch, sp.coth)


def standard_form(integral: Integral) -> Integral:
    """The integral over a variable in which its weight has as few parameters as possible."""
    weight, *values = (_without_hyperbolic(e) for e in integral.expressions)
    integral = replace(integral, weight=weight, values=tuple(values))
    # a few rounds only: an exponential can undo what a logarithm did
    for _ in range(4):
        integral = _with_fewest_parameters(integral)
        other = _without_nesting(integral)
        if other is None:
            return integral
        integral = other
    return _with_fewest_parameters(integral)


def _with_fewest_parameters(integral: Integral) -> Integral:
    """The integral over powers, shifts and multiples of its variable, as long as its weight gets simpler."""
    power = _common_power(integral.expanded_weight, integral.w) if integral.low == 0 else sp.S.One
    if power != 1 and (power.is_positive or (power.is_negative and integral.high == sp.oo)):
        return _with_fewest_parameters(integral.substitute(lambda z: z ** (1 / power), *integral.ends))
    for candidate in _candidates(integral):
        if candidate.difficulty < integral.difficulty:
            return _with_fewest_parameters(candidate)
    return integral


def _without_hyperbolic(expression: sp.Expr) -> sp.Expr:
    """Hyperbolic functions as exponentials."""
    return expression.replace(lambda e: isinstance(e, _HYPERBOLIC), lambda e: e.rewrite(sp.exp))


def _candidates(integral: Integral) -> Iterator[Integral]:
    """The integral over shifted and scaled variables, which may have fewer parameters in its weight."""
    w, ends = integral.w, integral.ends
    if ends == (-sp.oo, sp.oo):
        for shift in _centres(integral.weight, w):
            yield integral.substitute(lambda z, shift=shift: z + shift, *ends)  # type: ignore[misc]
    if integral.high == sp.oo:
        for c in _scales(integral.expanded_weight, w):
            yield integral.substitute(lambda z, c=c: c * z, *ends)  # type: ignore[misc]


def _centres(weight: sp.Expr, w: sp.Symbol) -> list[sp.Expr]:
    """The mean of the roots of each polynomial in w."""
    found: dict[sp.Expr, None] = {}
    for e in sp.preorder_traversal(weight):
        if isinstance(e, sp.Add) and e.has_free(w) and e.is_polynomial(w):
            poly = sp.Poly(e, w)
            if poly.degree() < 4:
                centre = sp.cancel(-poly.nth(poly.degree() - 1) / (poly.degree() * poly.LC()))
                if centre != 0:
                    found[centre] = None
    return list(found)


def _common_power(weight: sp.Expr, w: sp.Symbol) -> sp.Expr:
    """The exponent c such that the weight depends on w through w^c only, but for a term with log(w); else 1."""
    exponents = [] if not _has_other_than_powers(weight, w) else [sp.S.One]
    exponents += [e.exp for e in weight.atoms(sp.Pow) if e.base == w and not e.exp.has_free(w)]
    common = (c for c in sorted(exponents, key=sp.default_sort_key) if all((e / c).is_Integer for e in exponents))
    return sp.S.One if 1 in exponents else next(common, sp.S.One)


def _has_other_than_powers(weight: sp.Expr, w: sp.Symbol) -> bool:
    """Whether w occurs other than in a power or as log(w)."""
    return bool(
        weight.replace(
            lambda e: e == sp.log(w) or (isinstance(e, sp.Pow) and e.base == w), lambda _: sp.S.Zero
        ).has_free(w)
    )


def _scales(weight: sp.Expr, w: sp.Symbol) -> list[sp.Expr]:
    """Scales c such that in the variable w/c a coefficient of a power is one."""
    found: dict[sp.Expr, None] = {}
    for e in sp.preorder_traversal(weight):
        if isinstance(e, sp.Mul) and e.has_free(w):
            coefficient, rest = e.as_independent(w, as_Add=False)
            base, exponent = rest.as_base_exp()
            if base in (w, sp.Abs(w)) and not exponent.has_free(w) and coefficient.free_symbols:
                for c in (coefficient, -coefficient):
                    if is_positive(c, w):
                        found[c ** (-1 / exponent)] = None
    return list(found)


def _without_nesting(integral: Integral) -> Integral | None:
    """The integral over e^-cw, log w or |w| where the weight has exponentials, logarithms or a symmetry; else None."""
    w, (low, high), weight = integral.w, integral.ends, integral.expanded_weight
    exponents = sorted((e.exp.coeff(w) for e in weight.atoms(sp.exp)), key=sp.default_sort_key)
    rate = next((abs(c) for c in exponents if c.is_positive or c.is_negative), None)
    if rate is not None and low == -sp.oo:
        return integral.substitute(lambda z: -sp.log(z) / rate, sp.S.Zero, sp.oo)
    if rate is not None and high == sp.oo:
        return integral.substitute(lambda z: -sp.log(z) / rate, sp.S.Zero, sp.S.One)
    if low == -sp.oo and sp.expand(weight.subs(w, -w) - weight) == 0:
        values = tuple(v + v.subs(w, -w) for v in integral.values)
        return replace(integral, values=values, low=sp.S.Zero).substitute(lambda z: z, sp.S.Zero, sp.oo)
    if low == 0 and any(term.has(sp.log(w)) and not _linear(term, sp.log(w)) for term in sp.Add.make_args(weight)):
        if high == 1:
            return integral.substitute(lambda z: sp.exp(-z), sp.S.Zero, sp.oo)
        return integral.substitute(sp.exp, -sp.oo, sp.oo)
    return None


def _linear(term: sp.Expr, logarithm: sp.Expr) -> bool:
    """Whether a term is a multiple of a logarithm."""
    return not (term / logarithm).has_free(*logarithm.free_symbols)


def to_standard_range(integral: Integral) -> Integral:
    """The integral over a variable that runs over (0, ∞), (0, 1) or all numbers."""
    low, high = integral.ends
    if low.is_infinite and high.is_infinite:
        return integral.substitute(lambda z: z, low, high)
    if low.is_infinite:
        return integral.substitute(lambda z: high - z, sp.S.Zero, sp.oo)
    if high.is_infinite:
        return integral.substitute(lambda z: low + z, sp.S.Zero, sp.oo)
    return integral.substitute(lambda z: low + (high - low) * z, sp.S.Zero, sp.S.One)


def to_half_line(integral: Integral) -> Integral:
    """An integral over (0, 1) as one over (0, ∞), of the odds w/(1 - w)."""
    odds = integral.substitute(lambda z: z / (1 + z), sp.S.Zero, sp.oo)

    def factor(base: sp.Expr) -> sp.Expr:
        rational = base.is_Add and base.has_free(odds.w) and base.is_rational_function(odds.w)
        return sp.factor(base) if rational else base

    weight, *values = (map_bases(e, factor) for e in odds.expressions)
    return replace(odds, weight=weight, values=tuple(values))
