"""Kinks and jumps of a density: where they are, and the density between two of them."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .results import NotFound

__all__ = ["branch", "kinks"]


def kinks(expressions: Sequence[sp.Expr], w: sp.Symbol) -> list[sp.Expr]:
    """Where expressions have a kink or a jump in w, in order.

    Raises
    ------
    NotFound
        If one of them is not a number.
    """
    zeros: set[sp.Expr] = set()
    for e in (e for expression in expressions for e in sp.preorder_traversal(expression)):
        sides: tuple[sp.Expr, ...] = ()
        if isinstance(e, (sp.Abs, sp.sign, sp.Heaviside)):
            sides = (e.args[0],)
        elif isinstance(e, sp.core.relational.Relational):
            sides = (e.lhs - e.rhs,)
        for side in sides:
            if side.has_free(w):
                slope, offset = side.diff(w), side.subs(w, 0)
                if slope.has_free(w) or not (-offset / slope).is_number:
                    raise NotFound("the kinks of the density move with the parameters")
                zeros.add(-offset / slope)
    return sorted(zeros)


def branch(expression: sp.Expr, w: sp.Symbol, inside: sp.Expr) -> sp.Expr:
    """An expression as it is between two kinks, around the number `inside`: without |.|, signs and cases."""

    def sign(argument: sp.Expr, *_: sp.Expr) -> sp.Expr:
        return sp.sign(argument.subs(w, inside)) if argument.has_free(w) else sp.sign(argument)

    def case(*cases: sp.Tuple) -> sp.Expr:
        for value, condition in cases:
            holds = condition.subs(w, inside)
            if holds == sp.true:
                return value
            if holds != sp.false:
                raise NotFound("the kinks of the density move with the parameters")
        return sp.nan

    chosen = expression.replace(sp.Abs, lambda u: u * sign(u)).replace(sp.sign, sign)
    return chosen.replace(sp.Heaviside, lambda u, _: (1 + sign(u)) / 2).replace(sp.Piecewise, case)
