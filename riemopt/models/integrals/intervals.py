"""Integrals over an interval: over the variable that suits them, part by part, by a transform or as SymPy has them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import sympy as sp

from .integral import Integral
from .kinks import branch, kinks
from .mellin import by_exponents
from .products import exponential
from .results import NotFound, add_up, require_evaluated
from .substitution import standard_form, to_half_line, to_standard_range

__all__ = ["over_interval"]


def over_interval(integral: Integral) -> list[sp.Expr]:
    """The integrals of all values.

    Raises
    ------
    NotFound
        If SymPy finds no closed form of one of them.
    """
    integral = standard_form(to_standard_range(integral))
    ends_of_parts = _ends_of_parts(integral)
    if ends_of_parts:
        return add_up(over_interval(_restrict(integral, *ends)) for ends in pairwise(ends_of_parts))
    if integral.ends == (-sp.oo, sp.oo):
        return _by_sympy(integral)
    if integral.high == 1:
        return _attempt(by_exponents, to_half_line(integral)) or _by_sympy(integral)
    return _attempt(by_exponents, integral) or _by_sympy(integral)


def _attempt(method: Callable[[Integral], list[sp.Expr]], integral: Integral) -> list[sp.Expr] | None:
    """What a method finds, or None."""
    try:
        return method(integral)
    except NotFound:
        return None


def _by_sympy(integral: Integral) -> list[sp.Expr]:
    """The integrals as SymPy finds them."""
    density = exponential(integral.expanded_weight)
    found: dict[sp.Expr, sp.Expr] = {}
    for value in integral.values:
        if value not in found:
            result = sp.integrate(sp.powsimp(value * density), (integral.w, *integral.ends), conds="none")
            found[value] = require_evaluated(result, integral.w)
    return [found[value] for value in integral.values]


def _ends_of_parts(integral: Integral) -> list[sp.Expr]:
    """The ends of the range and the kinks between them, in order; empty if there are no kinks."""
    points = kinks(integral.expressions, integral.w)
    if not points:
        return []
    low, high = integral.ends
    return [low, *(c for c in points if low < c < high), high]


def _restrict(integral: Integral, low: sp.Expr, high: sp.Expr) -> Integral:
    """The integral over a part of its range without kinks."""
    inside = (low + high) / 2 if (high - low).is_finite else low + 1 if low.is_finite else high - 1
    weight, *values = (branch(e, integral.w, inside) for e in integral.expressions)
    return Integral(tuple(values), weight, integral.w, low, high)
