"""What a result may look like: of functions that can be compiled, and in a form with few operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy as sp

from .products import products

__all__ = ["NotFound", "add_up", "in_lowest_terms", "require_closed", "require_evaluated", "with_least_arguments"]


class NotFound(Exception):
    """No closed form was found; ``str()`` says why in a few words."""


def require_evaluated(result: sp.Expr, *gone: sp.Symbol) -> sp.Expr:
    """What SymPy gave, of a result by cases the first one.

    Raises
    ------
    NotFound
        If there is an integral, a sum or an infinity in it, or one of the symbols `gone`.
    """

    def first(*cases: sp.Tuple) -> sp.Expr:
        # the last case is what was asked, where it may not converge
        return cases[0][0] if cases[-1][0].has(sp.Integral, sp.Sum) else sp.Piecewise(*cases)

    result = result.replace(sp.Piecewise, first)
    unfinished = (sp.Integral, sp.Sum, sp.Limit, sp.Piecewise, sp.Derivative, sp.Subs, sp.hyper, sp.meijerg)
    if result.has(sp.nan, sp.zoo, sp.oo, -sp.oo, *unfinished) or result.has_free(*gone):
        raise NotFound("SymPy finds no closed form")
    return result


_COMPILABLE = (
    *(sp.exp, sp.log, sp.sin, sp.cos, sp.tan, sp.sinh, sp.cosh, sp.tanh, sp.cot, sp.sec, sp.csc, sp.Abs, sp.sign),
    *(sp.asin, sp.acos, sp.atan, sp.asinh, sp.acosh, sp.atanh, sp.gamma, sp.polygamma, sp.loggamma, sp.erf, sp.erfc),
    *(sp.besseli, sp.factorial, sp.zeta),
)


def require_closed(result: sp.Expr, observation: Sequence[sp.Symbol]) -> None:
    """Raise unless a result is free of the observation, and made of functions that kernels have."""
    require_evaluated(result, *observation)
    strange = {e.func for e in result.atoms(sp.Function) if not isinstance(e, _COMPILABLE)}
    if strange:
        raise NotFound(f"SymPy's result contains {min(f.__name__ for f in strange)}")


def with_least_arguments(expression: sp.Expr) -> sp.Expr:
    """An expression with gamma and polygamma functions of u + m, m an integer, in terms of those of u.

    By https://dlmf.nist.gov/5.5.E1 and https://dlmf.nist.gov/5.15.E5, so that equal terms are seen to be equal.
    """

    def split(argument: sp.Expr) -> tuple[sp.Expr, int]:
        """u and m of an argument u + m."""
        offset, rest = argument.as_coeff_Add()
        if not offset.is_Rational:
            return argument, 0
        steps = int(sp.floor(offset) if rest and not rest.could_extract_minus_sign() else sp.ceiling(offset) - 1)
        return argument - steps, steps

    def gamma(argument: sp.Expr) -> sp.Expr:
        base, steps = split(sp.expand(argument))
        return sp.gamma(base) * _rising(base, steps)

    def polygamma(order: sp.Expr, argument: sp.Expr) -> sp.Expr:
        base, steps = split(sp.expand(argument))
        terms = (base + k for k in range(steps)) if steps > 0 else (base - k for k in range(1, 1 - steps))
        rest = sp.Add(*(u ** (-order - 1) for u in terms))
        return sp.polygamma(order, base) + (-1) ** order * sp.factorial(order) * (rest if steps > 0 else -rest)

    plain = expression.rewrite(sp.gamma).replace(sp.gamma, gamma)
    for function in (sp.sin, sp.cos):
        plain = plain.replace(function, lambda u, function=function: function(sp.expand(u)))
    return plain.replace(sp.polygamma, polygamma)


def _rising(base: sp.Expr, steps: int) -> sp.Expr:
    """gamma(base + steps) / gamma(base)."""
    if steps < 0:
        return 1 / _rising(base + steps, -steps)
    return sp.Mul(*(base + k for k in range(steps)))


def in_lowest_terms(expression: sp.Expr) -> sp.Expr:
    """An expression as a polynomial in transcendental functions, its coefficients in lowest terms and factored."""
    functions = {f for f in expression.atoms(sp.Function) if not isinstance(f, sp.exp)}
    names = {f: sp.Dummy("f", real=True) for f in functions | expression.atoms(sp.NumberSymbol)}
    coefficients: dict[sp.Expr, sp.Expr] = {}
    for term in products(expression.xreplace(names), list(names.values()) or [sp.nan]):
        coefficient, product = term.as_independent(*names.values(), as_Add=False)
        coefficients[product] = coefficients.get(product, sp.S.Zero) + coefficient
    total = sp.Add(*(sp.factor(c) * product for product, c in coefficients.items()))
    best = min(total, sp.factor_terms(total), sp.factor(total), key=lambda e: e.count_ops())
    return best.xreplace({name: f for f, name in names.items()})


def add_up(parts: Iterable[Sequence[sp.Expr]]) -> list[sp.Expr]:
    """For each value the sum over parts, each of which has all values."""
    return [sp.Add(*terms) for terms in zip(*parts, strict=True)]
