"""The inverse of a chart in closed form: one unknown after the other, each solution tried in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from riemopt.symbolic.functions import array_function

__all__ = ["eliminate"]

Floats = NDArray[np.float64]

_COUPLED = 4  # unknowns in an equation that is still solved in closed form

_INVERSES: Mapping[Any, Callable[[sp.Expr], tuple[sp.Expr, ...]]] = {
    sp.exp: lambda t: (sp.log(t),),
    sp.log: lambda t: (sp.exp(t),),
    sp.sin: lambda t: (sp.asin(t), sp.pi - sp.asin(t)),
    sp.cos: lambda t: (sp.acos(t), -sp.acos(t)),
    sp.tan: lambda t: (sp.atan(t),),
    sp.asin: lambda t: (sp.sin(t),),
    sp.acos: lambda t: (sp.cos(t),),
    sp.atan: lambda t: (sp.tan(t),),
    sp.sinh: lambda t: (sp.asinh(t),),
    sp.cosh: lambda t: (sp.acosh(t), -sp.acosh(t)),
    sp.tanh: lambda t: (sp.atanh(t),),
    sp.asinh: lambda t: (sp.sinh(t),),
    sp.acosh: lambda t: (sp.cosh(t),),
    sp.atanh: lambda t: (sp.tanh(t),),
    sp.Abs: lambda t: (t, -t),
    sp.erf: lambda t: (sp.erfinv(t),),
    sp.erfc: lambda t: (sp.erfcinv(t),),
}
"""What f(u) = t gives for u: one principal value, or two where f is even or periodic."""


def eliminate(
    parameters: Sequence[sp.Symbol],
    expressions: Sequence[sp.Expr],
    targets: Sequence[sp.Symbol],
    points: Floats,
    images: Floats,
) -> dict[sp.Symbol, sp.Expr] | None:
    """Solve φ(ξ) = t for ξ, one unknown from one equation at a time.

    Parameters
    ----------
    parameters : sequence of Symbol
        ξ.
    expressions : sequence of Expr
        φ(ξ).
    targets : sequence of Symbol
        t, one for each expression.
    points, images : array, shape (m, n)
        Some ξ and their φ(ξ). A solution counts only if it gives these ξ back, as of several branches the one does that
        lies in the domain.

    Returns
    -------
    dict of Symbol to Expr, or None
        Each of `parameters` as an expression of `targets`; None where an equation is not plain enough.
    """
    equations = dict(zip(targets, expressions, strict=True))
    solved: dict[sp.Symbol, sp.Expr] = {}
    while equations:
        for target, symbol in _plain_pairs(equations, set(parameters) - set(solved)):
            candidates = _solutions(equations[target], symbol, target)
            solution = _right_branch(candidates, parameters, symbol, targets, points, images)
            if solution is not None:
                break
        else:
            return None
        del equations[target]
        equations = {other: _cancel(equations[other].xreplace({symbol: solution})) for other in equations}
        solved = {known: value.xreplace({symbol: solution}) for known, value in solved.items()}
        solved[symbol] = solution
    return solved


def _plain_pairs(
    equations: Mapping[sp.Symbol, sp.Expr], unknown: set[sp.Symbol]
) -> Iterator[tuple[sp.Symbol, sp.Symbol]]:
    """Equations and unknowns to solve them for, those with the fewest unknowns and occurrences first."""
    pairs = []
    for target, expression in equations.items():
        present = expression.free_symbols & unknown
        if len(present) <= _COUPLED:
            pairs += [((len(present), expression.count(symbol)), target, symbol) for symbol in sorted(present, key=str)]
    for _, target, symbol in sorted(pairs, key=lambda pair: pair[0]):
        yield target, symbol


def _right_branch(
    candidates: Sequence[sp.Expr],
    parameters: Sequence[sp.Symbol],
    symbol: sp.Symbol,
    targets: Sequence[sp.Symbol],
    points: Floats,
    images: Floats,
) -> sp.Expr | None:
    """The candidate that gives the coordinate `symbol` back at known points, or None."""
    known = np.concatenate([images, points], axis=-1)
    wanted = points[:, parameters.index(symbol)]
    for candidate in candidates:
        values = array_function((*targets, *parameters), (candidate,))(known)[:, 0]
        # where φ is nearly flat, as tanh far out, the right branch has lost its digits too
        if np.isclose(values, wanted, rtol=1e-6, atol=1e-9).mean() > 0.75:
            return candidate
    return None


def _solutions(expression: sp.Expr, symbol: sp.Symbol, value: sp.Expr) -> list[sp.Expr]:
    """Candidates for the symbol where the expression has a value; no search, so none where it is not plain."""
    if expression.count(symbol) == 1:
        return _peel(expression, symbol, value)
    if not expression.is_rational_function(symbol):
        return []
    numerator = sp.fraction(sp.together(expression - value))[0].as_poly(symbol)
    if numerator is None or not 1 <= numerator.degree() <= 2:
        return []
    *square, slope, constant = numerator.all_coeffs()
    if not square:
        return [-constant / slope]
    root = sp.sqrt(slope**2 - 4 * square[0] * constant)
    return [(-slope + root) / (2 * square[0]), (-slope - root) / (2 * square[0])]


def _peel(expression: sp.Expr, symbol: sp.Symbol, value: sp.Expr) -> list[sp.Expr]:
    """Undo the outermost operation until the symbol, which occurs once, is left."""
    if expression == symbol:
        return [value]
    (inner,) = (argument for argument in expression.args if argument.has(symbol))
    others = [argument for argument in expression.args if not argument.has(symbol)]
    if expression.is_Add:
        values: tuple[sp.Expr, ...] = (value - sp.Add(*others),)
    elif expression.is_Mul:
        values = (value / sp.Mul(*others),)
    elif expression.is_Pow and inner == expression.exp:
        values = (sp.log(value) / sp.log(expression.base),)
    elif expression.is_Pow:
        values = _roots(expression.base, expression.exp, value)
    elif expression.func in _INVERSES:
        values = _INVERSES[expression.func](value)
    else:
        return []
    return [solution for branch in values for solution in _peel(inner, symbol, branch)]


def _roots(base: sp.Expr, exponent: sp.Expr, value: sp.Expr) -> tuple[sp.Expr, ...]:
    """What base^exponent = value gives for the base."""
    root = value ** (1 / exponent)
    if base.is_nonnegative or not exponent.is_integer:
        return (root,)
    if exponent.is_even:
        return (root, -root)
    return (root, sp.sign(value) * sp.Abs(value) ** (1 / exponent))


def _cancel(expression: sp.Expr) -> sp.Expr:
    """A small rational function in lowest terms; anything else as it is."""
    small = expression.count_ops() <= 60 and expression.is_rational_function()
    return sp.cancel(expression) if small else expression
