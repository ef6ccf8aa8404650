"""Integrals of several values with one weight, and changes of their variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from .products import expand_polynomial, is_negative, map_bases, split_logarithms

__all__ = ["Integral"]


@dataclass(frozen=True)
class Integral:
    """∫ value · exp(weight) dw from low to high, for each value; an end may be infinite."""

    values: tuple[sp.Expr, ...]
    weight: sp.Expr
    w: sp.Symbol
    low: sp.Expr
    high: sp.Expr

    @property
    def expressions(self) -> tuple[sp.Expr, ...]:
        """The weight, and then the values."""
        return (self.weight, *self.values)

    @property
    def ends(self) -> tuple[sp.Expr, sp.Expr]:
        """Both ends."""
        return self.low, self.high

    def substitute(self, old: Callable[[sp.Symbol], sp.Expr], low: sp.Expr, high: sp.Expr) -> Integral:
        """The same integrals over z from low to high, where w = old(z) is monotone."""
        z = sp.Dummy("w", positive=True) if low == 0 else sp.Dummy("w", real=True)
        w = old(z)
        slope = w.diff(z)
        if is_negative(slope, z):
            slope = -slope
        weight, *values = (map_bases(e.subs(self.w, w), lambda u: expand_polynomial(u, z)) for e in self.expressions)
        return Integral(tuple(values), weight + sp.log(slope), z, low, high)

    @property
    def expanded_weight(self) -> sp.Expr:
        """The weight as a sum, its logarithms split."""
        return sp.expand(split_logarithms(self.weight, self.w), log=False)

    @property
    def difficulty(self) -> tuple[int, int]:
        """How many parameters the part of the weight has that depends on w, and how many operations."""
        moving = sp.Add(*(term for term in sp.Add.make_args(self.expanded_weight) if term.has_free(self.w)))
        return len(moving.free_symbols), int(moving.count_ops())
