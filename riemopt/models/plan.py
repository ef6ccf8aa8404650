"""A quadrature plan: how a support is run through, for sums and integrals that are taken numerically.

Every stretch of the support is mapped to the real line, or to a range of integers, so that one rule serves them all:
x = y on the whole line, x = a + e^y on a half-line, x = a + (b - a)/(1 + e^-y) on an interval. A density with a kink or
a jump is taken in stretches between them. The plan is SymPy; the numbers come from compiled kernels, or from
:mod:`riemopt.numerics.quadrature` where a few of them are enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ExpectationError
from riemopt.models.support import describe
from riemopt.numerics.quadrature import integrals
from riemopt.numerics.quadrature_of_rows import integrals_of_rows, peaks_of_rows
from riemopt.symbolic.functions import numeric_function

__all__ = ["Plan", "Stretch"]

_KINKED = (sp.Abs, sp.sign, sp.Max, sp.Min, sp.Piecewise, sp.Heaviside, sp.floor, sp.ceiling)


@dataclass(frozen=True)
class Stretch:
    """A part of an observation's support, as the image of the real line or of a range of integers.

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


@dataclass(frozen=True)
class Plan:
    """A density and the stretches of its support.

    Attributes
    ----------
    log_density : sympy.Expr
        ℓ(x; θ).
    observation, parameters : tuple of sympy.Symbol
        x and θ; one observation, or two whose support is a product.
    frozen : tuple of sympy.Symbol
        The parameters once more, as they occur in the ends of stretches: a derivative of the density at a fixed
        observation must not see them.
    stretches : tuple of tuple of Stretch
        For every observation.
    """

    log_density: sp.Expr
    observation: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    frozen: tuple[sp.Symbol, ...]
    stretches: tuple[tuple[Stretch, ...], ...]

    @classmethod
    def of(
        cls,
        log_density: sp.Expr,
        observation: Sequence[sp.Symbol],
        support: Sequence[sp.Set],
        parameters: Sequence[sp.Symbol],
    ) -> Plan:
        """The plan of a density.

        Raises
        ------
        ExpectationError
            If there are more than two observations, or a kink moves with the parameters and is not found.
        """
        if len(observation) > 2:
            raise ExpectationError(f"quadrature (it takes one or two observations, not {len(observation)})")
        frozen = tuple(sp.Dummy(p.name, **p.assumptions0) for p in parameters)
        freeze = dict(zip(parameters, frozen, strict=True))
        stretches = []
        for x, part in zip(observation, support, strict=True):
            others = set(observation) - {x}
            breaks = _breaks(log_density, x, set(parameters), others) if not _is_lattice(part) else []
            stretches.append(tuple(_frozen(stretch, freeze) for stretch in _stretches(x, part, breaks)))
        return cls(log_density, tuple(observation), tuple(parameters), frozen, tuple(stretches))

    @property
    def moves(self) -> bool:
        """Whether an end of a stretch moves with the parameters."""
        return any(s.location.free_symbols & set(self.frozen) for part in self.stretches for s in part)

    def __str__(self) -> str:
        kinds = {("a sum" if s.lattice else "an integral") for part in self.stretches for s in part}
        over = " and ".join(sorted(kinds))
        return f"quadrature: {over} over {', '.join(map(str, self.observation))}, taken to 1e-10 at every point"

    def on(self, stretches: Sequence[Stretch]) -> tuple[sp.Expr, sp.Expr]:
        """The log-density on some stretches, one an observation, in their variables; and the log-slope of the map."""
        return self._placed(self.log_density, stretches), sp.Add(*(s.log_slope for s in stretches))

    def _placed(self, expression: sp.Expr, stretches: Sequence[Stretch]) -> sp.Expr:
        """A function of x as a function of the variables of stretches."""
        for stretch in stretches:
            if stretch.left is not None:
                left, value = stretch.left
                expression = expression.xreplace({left: value, -left: -value})
        exchange = {x: s.location for x, s in zip(self.observation, stretches, strict=True)}
        # log(c e^y) as log(c) + y: what e^y is may be no number
        result = sp.expand_log(expression.subs(exchange, simultaneous=True))
        for s in stretches:
            # so that the logit of x is y, and not a difference of large numbers
            grown, shrunk = (sp.log(1 + sp.exp(sign * s.variable)) for sign in (1, -1))
            result = result.xreplace({grown: s.variable + shrunk})
        return result

    # -- numbers at a point

    def expect(self, values: Sequence[sp.Expr], point: Sequence[float] | np.ndarray) -> np.ndarray:
        """The mass and the expectations of some values at a point, taken with NumPy.

        Parameters
        ----------
        values : sequence of sympy.Expr
            Functions of x and θ.
        point : sequence of float
            θ.

        Returns
        -------
        array, shape (1 + m,)
            NaN where two rules do not agree.
        """
        # exact as it is written down: in binary, 0.1 is a long fraction
        at = dict(zip(self.parameters, map(sp.Float, point), strict=True))
        at |= dict(zip(self.frozen, map(sp.Float, point), strict=True))
        total = np.zeros(1 + len(values))
        places = list(itertools.product(*self.stretches))
        for chosen in places:
            density, slope = self.on(chosen)
            expressions = [density + slope, *(self._placed(value, chosen) for value in values)]
            functions = _numeric([s.variable for s in chosen], [e.subs(at) for e in expressions])
            with np.errstate(over="ignore"):
                total += _nested(functions, [s.lattice for s in chosen], alone=len(places) == 1)
        return total

    def moments(self, order: int, point: Sequence[float] | np.ndarray) -> np.ndarray:
        """The mass at a point, and the expectations of products of so many scores (:meth:`products`); remembered."""
        key = (order, *map(float, point))
        if key not in self._known:
            self._known[key] = self.expect(self.products(order), point)
        return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[float, ...], np.ndarray]:
        return {}

    def indices(self, order: int) -> list[tuple[int, ...]]:
        """The indices of a symmetric tensor, none less than the next, in lexicographic order."""
        every = itertools.product(range(len(self.parameters)), repeat=order)
        return [index for index in every if all(i >= j for i, j in itertools.pairwise(index))]

    def products(self, order: int) -> list[sp.Expr]:
        """Products of scores ∂_μℓ ∂_νℓ ..., one for each of :meth:`indices`."""
        return [sp.Mul(*(self.score[i] for i in index)) for index in self.indices(order)]

    def unevaluated(self, value: sp.Expr, support: Sequence[sp.Set]) -> sp.Expr:
        """An expectation as an integral or a sum that nobody has taken, for reading."""
        result = value * sp.exp(self.log_density)
        for x, part in zip(self.observation, support, strict=True):
            if isinstance(part, sp.FiniteSet):
                result = sp.Add(*(result.subs(x, member) for member in part))
            elif _is_lattice(part):
                result = sp.Sum(result, (x, part.inf, part.sup))
            else:
                pieces = part.args if isinstance(part, sp.Union) else [part]
                result = sp.Add(*(sp.Integral(result, (x, p.inf, p.sup)) for p in pieces))
        return result

    @cached_property
    def score(self) -> tuple[sp.Expr, ...]:
        """∂_μℓ."""
        return tuple(self.log_density.diff(p) for p in self.parameters)


_Functions = Callable[..., list[np.ndarray]]


def _numeric(variables: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> _Functions:
    function = numeric_function(variables, expressions)

    def evaluate(*arrays: Any) -> list[np.ndarray]:
        shape = np.broadcast_shapes(*(np.shape(a) for a in arrays))
        values = function(*arrays)
        return [np.broadcast_to(np.real(np.where(np.isreal(v), v, np.nan)), shape).astype(float) for v in values]

    return evaluate


def _nested(functions: _Functions, lattices: Sequence[tuple[float, float] | None], alone: bool) -> np.ndarray:
    """The mass and the integrals over one variable, or over the second inside the first; `alone`, the mass is all."""
    if len(lattices) == 1:
        for normalized in (True, False) if alone else (False,):  # a mass of 1 is worth a second look
            best, totals = integrals(
                lambda y: functions(y)[0], lambda y: _with_mass(functions(y)), lattices[0], normalized
            )
            if np.isfinite(totals).all():
                break
        return np.exp(best) * totals

    def outer(ys: np.ndarray) -> list[np.ndarray]:
        best, totals = integrals_of_rows(lambda y, z: _with_sizes(_with_mass(functions(y, z))), ys, lattices[1])
        return [best, *totals]

    def outer_weight(ys: np.ndarray) -> np.ndarray:
        return peaks_of_rows(functions, ys, lattices[1])[1]

    best, totals = integrals(outer_weight, outer, lattices[0], rtol=1e-8, scaled=True, most_panels=128)
    return np.exp(best) * totals


def _with_mass(values: list[np.ndarray]) -> list[np.ndarray]:
    weight, *rest = values
    return [weight, np.ones_like(weight), *rest]


def _with_sizes(values: list[np.ndarray]) -> list[np.ndarray]:
    return [*values, *map(np.abs, values[1:])]


# -- stretches


def _is_lattice(support: sp.Set) -> bool:
    named = (sp.S.Naturals0, sp.S.Naturals, sp.S.Integers)
    return isinstance(support, (sp.FiniteSet, sp.Range)) or support in named


def _stretches(x: sp.Symbol, support: sp.Set, breaks: Sequence[sp.Expr]) -> list[Stretch]:
    y = sp.Dummy(f"y_{x.name}", real=True)
    if isinstance(support, sp.Union):
        if len({_is_lattice(part) for part in support.args}) > 1:
            raise ExpectationError(f"quadrature (the support {describe(support)} has both lengths and points)")
        return [stretch for part in support.args for stretch in _stretches(x, part, breaks)]
    if isinstance(support, sp.FiniteSet):
        members = sorted(support)
        steps = {b - a for a, b in itertools.pairwise(members)}
        if len(steps) > 1:
            return [Stretch(y, member, sp.S.Zero, (0.0, 0.0)) for member in members]
        step = steps.pop() if steps else sp.S.One
        k = sp.Dummy(f"k_{x.name}", integer=True, nonnegative=True)
        return [Stretch(k, members[0] + step * k, sp.S.Zero, (0.0, float(len(members) - 1)))]
    if _is_lattice(support):
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
    ends = [low, *_between(low, high, breaks), high]
    return [_stretch(x, y, a, b) for a, b in itertools.pairwise(ends)]


def _frozen(stretch: Stretch, freeze: Mapping[sp.Symbol, sp.Symbol]) -> Stretch:
    """A stretch whose ends do not move with the parameters; what is left to such an end does."""
    location, slope = stretch.location.xreplace(freeze), stretch.log_slope.xreplace(freeze)
    left = stretch.left if location == stretch.location else None
    return Stretch(stretch.variable, location, slope, stretch.lattice, left)


def _stretch(x: sp.Symbol, y: sp.Symbol, low: sp.Expr, high: sp.Expr) -> Stretch:
    if not low.is_finite and low.is_number and not high.is_finite and high.is_number:
        return Stretch(y, y, sp.S.Zero, None)
    if high == sp.oo:
        return Stretch(y, low + sp.exp(y), y, None)
    if low == -sp.oo:
        return Stretch(y, high - sp.exp(y), y, None)
    slope = -y - 2 * sp.log(1 + sp.exp(-y))
    left = (high - x, (high - low) / (1 + sp.exp(y)))
    return Stretch(y, low + (high - low) / (1 + sp.exp(-y)), sp.log(high - low) + slope, None, left)


def _between(low: sp.Expr, high: sp.Expr, breaks: Sequence[sp.Expr]) -> list[sp.Expr]:
    """The breaks that lie between two ends, in order."""
    inside = []
    for point in breaks:
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


def _breaks(density: sp.Expr, x: sp.Symbol, parameters: set[sp.Symbol], others: set[sp.Symbol]) -> list[sp.Expr]:
    """Where the density has a kink or a jump as a function of one observation."""
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
    """What changes its sign where a function has a kink."""
    if isinstance(atom, sp.Piecewise):
        relations = [r for _, condition in atom.args for r in condition.atoms(sp.core.relational.Relational)]
        return [r.lhs - r.rhs for r in relations]
    if isinstance(atom, (sp.Max, sp.Min)):
        return [a - b for a, b in itertools.combinations(atom.args, 2)]
    return [atom.args[0]]
