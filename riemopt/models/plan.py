"""A quadrature plan: a density and the stretches of its support, for sums and integrals that are taken numerically.

Every stretch is mapped to the real line or to a range of integers, so that one rule serves them all; see
:mod:`riemopt.models.stretches`. The plan is SymPy; the numbers come from compiled kernels, or from
:mod:`riemopt.numerics.quadrature` where a few of them are enough.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ExpectationError
from riemopt.models.stretches import Stretch, is_lattice, kinks_of, stretches_of, with_fixed_ends
from riemopt.numerics.quadrature import integrals
from riemopt.numerics.quadrature_of_rows import integrals_of_rows, peaks_of_rows
from riemopt.symbolic.functions import numeric_function

__all__ = ["Plan", "Stretch"]


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
            kinks = kinks_of(log_density, x, set(parameters), others) if not is_lattice(part) else []
            stretches.append(tuple(with_fixed_ends(stretch, freeze) for stretch in stretches_of(x, part, kinks)))
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
        return self._in_variables(self.log_density, stretches), sp.Add(*(s.log_slope for s in stretches))

    def _in_variables(self, expression: sp.Expr, stretches: Sequence[Stretch]) -> sp.Expr:
        """A function of x and θ as a function of the variables of stretches and θ."""
        return _in_variables(expression, self.observation, tuple(stretches))

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
            expressions = [density + slope, *(self._in_variables(value, chosen) for value in values)]
            functions = _real_functions([s.variable for s in chosen], [e.subs(at) for e in expressions])
            with np.errstate(over="ignore"):
                total += _integrate(functions, [s.lattice for s in chosen], alone=len(places) == 1)
        return total

    def moments(self, order: int, point: Sequence[float] | np.ndarray) -> np.ndarray:
        """The mass at a point, and the expectations of products of so many scores (:meth:`products`); computed once."""
        key = (order, *map(float, point))
        if key not in self._moments:
            self._moments[key] = self.expect(self.products(order), point)
        return self._moments[key]

    @cached_property
    def _moments(self) -> dict[tuple[float, ...], np.ndarray]:
        """What :meth:`moments` has computed, by order and point."""
        return {}

    def indices(self, order: int) -> list[tuple[int, ...]]:
        """The indices of a symmetric tensor, none less than the next, in lexicographic order."""
        every = itertools.product(range(len(self.parameters)), repeat=order)
        return [index for index in every if all(i >= j for i, j in itertools.pairwise(index))]

    def products(self, order: int) -> list[sp.Expr]:
        """Products of scores ∂_μℓ ∂_νℓ ..., one for each of :meth:`indices`."""
        return [sp.Mul(*(self.score[i] for i in index)) for index in self.indices(order)]

    def unevaluated(self, value: sp.Expr, support: Sequence[sp.Set]) -> sp.Expr:
        """An expectation as an unevaluated integral or sum, for reading."""
        result = value * sp.exp(self.log_density)
        for x, part in zip(self.observation, support, strict=True):
            if isinstance(part, sp.FiniteSet):
                result = sp.Add(*(result.subs(x, member) for member in part))
            elif is_lattice(part):
                result = sp.Sum(result, (x, part.inf, part.sup))
            else:
                pieces = part.args if isinstance(part, sp.Union) else [part]
                result = sp.Add(*(sp.Integral(result, (x, p.inf, p.sup)) for p in pieces))
        return result

    @cached_property
    def score(self) -> tuple[sp.Expr, ...]:
        """∂_μℓ."""
        return tuple(self.log_density.diff(p) for p in self.parameters)


@functools.lru_cache(maxsize=4096)
def _in_variables(expression: sp.Expr, observation: tuple[sp.Symbol, ...], stretches: tuple[Stretch, ...]) -> sp.Expr:
    """See :meth:`Plan._in_variables`; once for all points."""
    for stretch in stretches:
        if stretch.left is not None:
            left, value = stretch.left
            expression = expression.xreplace({left: value, -left: -value})
    exchange = {x: s.location for x, s in zip(observation, stretches, strict=True)}
    # log(c e^y) as log(c) + y: e^y may overflow
    result = sp.expand_log(expression.subs(exchange, simultaneous=True))
    for s in stretches:
        # so that the logit of x is y, and not a difference of large numbers
        grown, shrunk = (sp.log(1 + sp.exp(sign * s.variable)) for sign in (1, -1))
        result = result.xreplace({grown: s.variable + shrunk})
    return result


_Functions = Callable[..., list[np.ndarray]]


def _real_functions(variables: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> _Functions:
    """Expressions as functions of arrays; NaN where a value is not real."""
    function = numeric_function(variables, expressions)

    def evaluate(*arrays: Any) -> list[np.ndarray]:
        shape = np.broadcast_shapes(*(np.shape(a) for a in arrays))
        values = function(*arrays)
        return [np.broadcast_to(np.real(np.where(np.isreal(v), v, np.nan)), shape).astype(float) for v in values]

    return evaluate


def _integrate(functions: _Functions, lattices: Sequence[tuple[float, float] | None], alone: bool) -> np.ndarray:
    """The mass and the integrals over one variable, or over the second inside the first.

    `alone` says that there is no other stretch: the mass is then the whole probability, 1.
    """
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
    """A weight and values, and between them the value 1, whose integral is the mass."""
    weight, *rest = values
    return [weight, np.ones_like(weight), *rest]


def _with_sizes(values: list[np.ndarray]) -> list[np.ndarray]:
    """A weight and values, and behind them the absolute values, whose integrals say how exact the others can be."""
    return [*values, *map(np.abs, values[1:])]
