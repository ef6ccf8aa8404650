"""The stretches of a support: parts that are images of the real line or of a range of integers, between kinks.

The maps are x = y on the whole line, x = a + e^y on a half-line, x = a + (b - a)/(1 + e^-y) on an interval, and an
arithmetic progression of integers.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from riemopt.errors import ExpectationError
from riemopt.models.support import describe

__all__ = ["Stretch", "is_lattice", "kinks_of", "stretches_of", "with_fixed_ends"]

_KINKED = (sp.Abs, sp.sign, sp.Max, sp.Min, sp.Piecewise, sp.Heaviside, sp.floor, sp.ceiling)
"""Functions that have a kink or a jump."""


@dataclass(frozen=True)
class Stretch:
    """A part of an observation's support as the image of the real line or of a range of integers, x = f(y).

    Attributes
    ----------
    variable : sympy.Symbol
        y.
    location : sympy.Expr
        x, as a function of y and of `Plan.frozen`.
    log_slope : sympy.Expr
        log dx/dy; 0 for integers.
    lattice : tuple of float or None
        The first and the last integer; None for the real line.
    left : tuple of sympy.Expr, optional
        On an interval from a to b, b - x as it may stand in a density, and as a function of y: near b, the location has
        not its digits.
    """

    variable: sp.Symbol
    location: sp.Expr
    log_slope: sp.Expr
    lattice: tuple[float, float] | None
    left: tuple[sp.Expr, sp.Expr] | None = None


def is_lattice(support: sp.Set) -> bool:
    """Whether a set consists of single numbers: sums are taken over it, not integrals."""
    named = (sp.S.Naturals0, sp.S.Naturals, sp.S.Integers)
    return isinstance(support, (sp.FiniteSet, sp.Range)) or support in named


def stretches_of(x: sp.Symbol, support: sp.Set, kinks: Sequence[sp.Expr]) -> list[Stretch]:
    """The stretches of one observation's support, cut at kinks.

    Raises
    ------
    ExpectationError
        If the support is neither made of intervals nor of integers in arithmetic progression, or it is not clear which
        kinks lie in it, and in which order.
    """
    y = sp.Dummy(f"y_{x.name}", real=True)
    if isinstance(support, sp.Union):
        if len({is_lattice(part) for part in support.args}) > 1:
            raise ExpectationError(f"quadrature (the support {describe(support)} has both lengths and points)")
        return [stretch for part in support.args for stretch in stretches_of(x, part, kinks)]
    if isinstance(support, sp.FiniteSet):
        members = sorted(support)
        steps = {b - a for a, b in itertools.pairwise(members)}
        if len(steps) > 1:
            return [Stretch(y, member, sp.S.Zero, (0.0, 0.0)) for member in members]
        step = steps.pop() if steps else sp.S.One
        k = sp.Dummy(f"k_{x.name}", integer=True, nonnegative=True)
        return [Stretch(k, members[0] + step * k, sp.S.Zero, (0.0, float(len(members) - 1)))]
    if is_lattice(support):
        k = sp.Dummy(f"k_{x.name}", integer=True, nonnegative=support.inf.is_finite or None)
        step = abs(support.step) if isinstance(support, sp.Range) else sp.S.One
        low, high = support.inf, support.sup
        if low.is_finite:
            last = float((high - low) / step) if high.is_finite else np.inf
            return [Stretch(k, low + step * k, sp.S.Zero, (0.0, last))]
        if high.is_finite:
            k = sp.Dummy(f"k_{x.name}", integer=True, nonpositive=True)
            return [Stretch(k, high + step * k, sp.S.Zero, (-np.inf, 0.0))]
        return [Stretch(k, step * k, sp.S.Zero, (-np.inf, np.inf))]
    if support == sp.S.Reals:
        low, high = -sp.oo, sp.oo
    elif isinstance(support, sp.Interval):
        low, high = support.start, support.end
    else:
        raise ExpectationError(f"quadrature (the support {describe(support)} is neither an interval nor a range)")
    ends = [low, *_kinks_between(low, high, kinks), high]
    return [_stretch(x, y, a, b) for a, b in itertools.pairwise(ends)]


def with_fixed_ends(stretch: Stretch, freeze: Mapping[sp.Symbol, sp.Symbol]) -> Stretch:
    """A stretch with other symbols for the parameters in its ends: derivatives by the parameters do not see these.

    The distance to an end that moves is then no function of the variable alone, and is left out.
    """
    location, slope = stretch.location.xreplace(freeze), stretch.log_slope.xreplace(freeze)
    left = stretch.left if location == stretch.location else None
    return Stretch(stretch.variable, location, slope, stretch.lattice, left)


def _stretch(x: sp.Symbol, y: sp.Symbol, low: sp.Expr, high: sp.Expr) -> Stretch:
    """The stretch of an interval, half-line or line."""
    if not low.is_finite and low.is_number and not high.is_finite and high.is_number:
        return Stretch(y, y, sp.S.Zero, None)
    if high == sp.oo:
        return Stretch(y, low + sp.exp(y), y, None)
    if low == -sp.oo:
        return Stretch(y, high - sp.exp(y), y, None)
    slope = -y - 2 * sp.log(1 + sp.exp(-y))
    left = (high - x, (high - low) / (1 + sp.exp(y)))
    return Stretch(y, low + (high - low) / (1 + sp.exp(-y)), sp.log(high - low) + slope, None, left)


def _kinks_between(low: sp.Expr, high: sp.Expr, kinks: Sequence[sp.Expr]) -> list[sp.Expr]:
    """The kinks that lie between two ends, in order; raises where that depends on the parameters."""
    inside = []
    for point in kinks:
        above, below = point - low, high - point
        if above.is_nonpositive or below.is_nonpositive:
            continue
        if not (above.is_extended_positive and below.is_extended_positive):
            raise ExpectationError(
                f"quadrature (whether the density's kink at {point} lies in the support is not clear)"
            )
        inside.append(point)
    for a, b in itertools.combinations(inside, 2):
        if (a - b).is_positive is None:
            raise ExpectationError(f"quadrature (which of the density's kinks at {a} and {b} comes first is not clear)")
    # a comparison of every two of them is known
    return sorted(inside, key=lambda a: sum(bool((a - b).is_positive) for b in inside))


def kinks_of(density: sp.Expr, x: sp.Symbol, parameters: set[sp.Symbol], others: set[sp.Symbol]) -> list[sp.Expr]:
    """Where a density has a kink or a jump as a function of one observation.

    Parameters
    ----------
    density : sympy.Expr
        The log-density.
    x : sympy.Symbol
        The observation.
    parameters, others : set of sympy.Symbol
        The parameters and the other observations.

    Raises
    ------
    ExpectationError
        If a kink moves with the parameters, and is not found or depends on another observation.
    """
    zeros: set[sp.Expr] = set()
    for atom in density.atoms(*_KINKED):
        for argument in _switches(atom):
            if not argument.has_free(x):
                continue
            moves = bool(argument.free_symbols & parameters)
            if argument.free_symbols & others:
                if moves:
                    raise ExpectationError(f"quadrature (the density has a kink where {argument} is 0)")
                continue
            unknown = sp.Dummy(real=True)
            try:
                found = sp.solve(argument.xreplace({x: unknown}), unknown)
            except NotImplementedError:
                found = []
            found = [f for f in found if f.is_extended_real is not False]
            if moves and (isinstance(atom, (sp.floor, sp.ceiling)) or not found):
                raise ExpectationError(f"quadrature (the density's kink where {argument} is 0 was not found)")
            zeros.update(found)
    return sorted(zeros, key=sp.default_sort_key)


def _switches(atom: sp.Basic) -> list[sp.Expr]:
    """Expressions that change their sign where a function has a kink."""
    if isinstance(atom, sp.Piecewise):
        relations = [r for _, condition in atom.args for r in condition.atoms(sp.core.relational.Relational)]
        return [r.lhs - r.rhs for r in relations]
    if isinstance(atom, (sp.Max, sp.Min)):
        return [a - b for a, b in itertools.combinations(atom.args, 2)]
    return [atom.args[0]]
