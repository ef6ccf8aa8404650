"""Expectations under a density: the sum or integral over one observation after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import sympy as sp

from .integral import Integral
from .intervals import over_interval
from .products import exponential
from .ranges import over_range
from .results import NotFound, add_up, in_lowest_terms, require_closed, with_least_arguments

__all__ = ["MOST_TERMS", "expectations", "members"]

MOST_TERMS = 256
"""How many terms a sum that is written out may have."""


def expectations(
    values: Sequence[sp.Expr], log_density: sp.Expr, observation: Sequence[sp.Symbol], support: Sequence[sp.Set]
) -> list[sp.Expr]:
    """The expectation of each value, in no particular form.

    Real observations are taken first: of the usual densities, those of the others are then easier.

    Raises
    ------
    NotFound
        If SymPy does not find one of them.
    """
    weight, *plain = (e.replace(sp.loggamma, lambda u: sp.log(sp.gamma(u))) for e in (log_density, *values))
    ranges = sorted(zip(observation, support, strict=True), key=lambda r: r[1] == sp.S.Reals)
    results = [with_least_arguments(e) for e in _expectations(plain, weight, ranges)]
    for result in results:
        require_closed(result, observation)
    return results


def members(support: sp.Set) -> float:
    """How many members a set has, as far as they can be listed."""
    return len(support) if support.is_finite_set and support.is_iterable else math.inf


def _expectations(
    values: Sequence[sp.Expr], weight: sp.Expr, ranges: Sequence[tuple[sp.Symbol, sp.Set]]
) -> list[sp.Expr]:
    """Sums and integrals of value · exp(weight) over all observations, those with few members first."""
    for i, (x, support) in enumerate(ranges):
        if members(support) <= MOST_TERMS:
            rest = [*ranges[:i], *ranges[i + 1 :]]
            terms = ([e.subs(x, m) for e in (weight, *values)] for m in support)
            return add_up(_expectations(there, here, rest) for here, *there in terms)
    if not ranges:
        density = exponential(sp.expand_log(weight))
        return [value * density for value in values]
    *outer, (x, support) = ranges
    if not outer:
        return _over(support, values, weight, x)
    # given the other observations, and then over those
    total, *parts = (with_least_arguments(e) for e in _over(support, [sp.S.One, *values], weight, x))
    return _expectations([in_lowest_terms(part / total) for part in parts], sp.log(total), outer)


def _over(support: sp.Set, values: Sequence[sp.Expr], weight: sp.Expr, x: sp.Symbol) -> list[sp.Expr]:
    """∫ or Σ value · exp(weight) over a set, for each value."""
    if isinstance(support, sp.Interval):
        return over_interval(Integral(tuple(values), weight, x, support.start, support.end))
    if support == sp.S.Integers:
        support = sp.Range(-sp.oo, sp.oo)
    if isinstance(support, sp.Range) or support in (sp.S.Naturals, sp.S.Naturals0):
        return over_range(values, weight, x, support)
    if isinstance(support, sp.Union) and len({isinstance(part, sp.Interval) for part in support.args}) == 1:
        return add_up(_over(part, values, weight, x) for part in support.args)
    raise NotFound(f"no way to integrate over {support}")
