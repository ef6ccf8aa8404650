"""Sums over integers: Σ t^x p(x) gives every moment, x^m being (t d/dt)^m at t = 1."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sympy as sp

from .kinks import branch, kinks
from .products import exponential, split_logarithms
from .results import NotFound, add_up, require_evaluated

__all__ = ["over_range"]


def over_range(values: Sequence[sp.Expr], weight: sp.Expr, x: sp.Symbol, support: sp.Set) -> list[sp.Expr]:
    """Sums over integers in arithmetic progression, cut at kinks."""
    low, high = support.inf, support.sup
    step = support.step if isinstance(support, sp.Range) else sp.S.One
    if step != 1 and step != -1:
        n = sp.Dummy("n", integer=True, nonnegative=True)
        start, count = support.start, (high - low) / abs(step)
        if not start.is_finite:
            raise NotFound(f"no way to sum over {support}")
        exchanged = [e.subs(x, start + step * n) for e in (weight, *values)]
        return over_range(exchanged[1:], exchanged[0], n, sp.Range(0, count + 1))
    # a kink is a part of its own; each other part is counted from a finite end
    points = [c for c in kinks([weight, *values], x) if c.is_integer and low <= c <= high]
    if not points and low.is_infinite and high.is_infinite:
        points = [sp.S.Zero]
    edges = [low - 1, *points, high + 1]
    parts = [(c, c) for c in points] + [(a + 1, b - 1) for a, b in pairwise(edges) if b - a > 1]
    return add_up(_over_part(values, weight, x, *part) for part in parts)


def _over_part(values: Sequence[sp.Expr], weight: sp.Expr, x: sp.Symbol, low: sp.Expr, high: sp.Expr) -> list[sp.Expr]:
    """Sums over consecutive integers without kinks between them."""
    inside = low if low.is_finite else high
    weight, *values = (branch(e, x, inside) for e in (weight, *values))
    if low == high:
        return [sp.powsimp((v * sp.exp(weight)).subs(x, low)) for v in values]
    n = sp.Dummy("n", integer=True, nonnegative=True)
    weight, *values = (e.subs(x, low + n if low.is_finite else high - n) for e in (weight, *values))
    density = exponential(sp.expand(split_logarithms(weight, n), log=False))
    # a polynomial factor of the density is no trouble as a part of the values
    polynomial = sp.Mul(*(part for part in sp.Mul.make_args(density) if part.is_polynomial(n)))
    density /= polynomial
    t = sp.Dummy("t", positive=True)
    moments: dict[sp.Expr, list[sp.Expr]] = {}

    def moment(factor: sp.Expr, order: int) -> sp.Expr:
        if factor not in moments:
            total = sp.summation(sp.powsimp(t**n * factor * density), (n, 0, high - low))
            moments[factor] = [require_evaluated(total, n)]
        known = moments[factor]
        while len(known) <= order:
            known.append(t * known[-1].diff(t))
        return sp.factor(require_evaluated(known[order].subs(t, 1)))

    sums = []
    for value in values:
        terms = []
        for product in sp.Add.make_args(sp.expand(value * polynomial)):
            coefficient, moving = product.as_independent(n, as_Add=False)
            order, factor = 0, sp.S.One
            for part in sp.Mul.make_args(moving):
                base, e = part.as_base_exp()
                if base == n and e.is_Integer and e > 0:
                    order += int(e)
                else:
                    factor *= part
            terms.append(coefficient * moment(factor, order))
        sums.append(sp.Add(*terms))
    return sums
