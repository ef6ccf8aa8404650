"""Integrals over (0, ∞) of products of powers and logarithms: derivatives of one with free exponents.

The integral M(a) = ∫ u_1^a_1 ⋯ u_m^a_m e^r dw as a function of a is a Mellin transform, and

    ∫ Π u_i^e_i log(u_i)^j_i e^r dw = (Π ∂^j_i/∂a_i^j_i) M at a = e.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from .integral import Integral
from .products import Term, exponential, products, split_logarithms
from .results import require_evaluated

__all__ = ["by_exponents"]


def by_exponents(integral: Integral) -> list[sp.Expr]:
    """The integrals over (0, ∞) as derivatives of integrals with free exponents."""
    w = integral.w
    fixed, moving = integral.expanded_weight.as_independent(w, as_Add=True)
    density = exponential(moving)
    summands = (products(split_logarithms(value, w), [w]) for value in integral.values)
    sums = [[Term.of(summand * density, w) for summand in several] for several in summands]
    groups: dict[tuple[sp.Expr, sp.Expr], list[Term]] = {}
    for term in (term for terms in sums for term in terms):
        groups.setdefault((term.exponent, term.rest), []).append(term)
    transforms = {key: _MellinTransform.of(terms, w) for key, terms in groups.items()}
    results = []
    for terms in sums:
        coefficients: dict[sp.Expr, sp.Expr] = {}
        for term in terms:
            part = transforms[term.exponent, term.rest](term)
            coefficients[part] = coefficients.get(part, sp.S.Zero) + term.coefficient
        results.append(exponential(fixed) * sp.Add(*(sp.cancel(c) * part for part, c in coefficients.items())))
    return results


@dataclass(frozen=True)
class _MellinTransform:
    """∫ Π u^a_u · exp(exponent) · rest dw over (0, ∞), as a function of free exponents a.

    Attributes
    ----------
    w : sympy.Symbol
        The variable.
    free : dict
        For each u, the symbol a_u.
    integral : sympy.Expr
        The integral of Π u^(-a_u) · exp(exponent) · rest; for u = w, of w^(a - 1).
    known : dict
        Its derivatives by their orders, and their values at exponents.
    """

    w: sp.Symbol
    free: dict[sp.Expr, sp.Symbol]
    integral: sp.Expr
    known: dict[Any, sp.Expr] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: Sequence[Term], w: sp.Symbol) -> _MellinTransform:
        """The transform that gives the integrals of some terms, all with the same exponent and rest."""
        bases = sorted({u for t in terms for u in (*t.powers, *t.logs)} | {w}, key=sp.default_sort_key)
        free = {}
        integrand = sp.exp(terms[0].exponent) * terms[0].rest
        for u in bases:
            powers = {t.powers.get(u, sp.S.Zero) for t in terms}
            if u == w or len(powers) > 1 or any(u in t.logs for t in terms):
                free[u] = sp.Dummy("a", positive=True)
                # exponents as the tables have them: w^(a - 1) and (1 + w)^-a
                integrand *= w ** (free[u] - 1) if u == w else u ** -free[u]
            else:
                integrand *= u ** powers.pop()
        result = sp.integrate(integrand, (w, 0, sp.oo), conds="none", meijerg=True)
        return cls(w, free, require_evaluated(result, w))

    def __call__(self, term: Term) -> sp.Expr:
        """The integral of a term, but for its coefficient."""
        orders = tuple(term.logs.get(u, 0) for u in self.free)
        exponents = tuple(term.powers.get(u, sp.S.Zero) for u in self.free)
        if (orders, exponents) not in self.known:
            if orders not in self.known:
                symbols = zip(self.free.values(), orders, strict=True)
                derivative = self.integral.diff(*symbols) if any(orders) else self.integral
                self.known[orders] = derivative * (-1) ** (sum(orders) - orders[list(self.free).index(self.w)])
            at = {a: e + 1 if u == self.w else -e for (u, a), e in zip(self.free.items(), exponents, strict=True)}
            self.known[orders, exponents] = require_evaluated(self.known[orders].xreplace(at))
        return self.known[orders, exponents]
