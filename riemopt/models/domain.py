"""Domain: where the coordinates of a chart may lie, as conditions to read, to compile and to check."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray
from sympy.core.relational import Relational

from riemopt.errors import DomainError, ModelError, ShapeError
from riemopt.models.conditions import as_text, assumed_conditions, inequalities, is_lower, is_strict, margin
from riemopt.numerics.arrays import as_numbers, on_host
from riemopt.numerics.boxes import Box
from riemopt.symbolic.functions import array_function

__all__ = ["Domain", "Image", "as_points"]

Floats = NDArray[np.float64]

_SPREAD = 3.5  # of free coordinates: three decades of a half-line, a few units of the real line
_ATTEMPTS = 60
_BLOCK = 1 << 16  # points whose conditions are evaluated together


@dataclass(frozen=True)
class Domain:
    """An open subset of ℝⁿ (up to its boundary): the points where every condition holds.

    Build one with `Domain.of`, which takes the conditions from the assumptions of the symbols.

    Parameters
    ----------
    parameters : tuple of Symbol
        The coordinates, in order.
    conditions : tuple of Relational
        Inequalities between expressions of the coordinates.

    Examples
    --------
    >>> alpha, beta = sp.symbols("alpha beta", positive=True)
    >>> domain = Domain.of((alpha, beta), extra=[beta < alpha])
    >>> domain.describe()
    'alpha > 0, beta > 0, beta < alpha'
    >>> domain.contains([[2.0, 1.0], [1.0, 2.0]])
    array([ True, False])
    """

    parameters: tuple[sp.Symbol, ...]
    conditions: tuple[Relational, ...]

    @classmethod
    def of(cls, parameters: Sequence[sp.Symbol], extra: Iterable[Any] = ()) -> Domain:
        """The domain that the assumptions of the symbols give, with further conditions.

        Parameters
        ----------
        parameters : sequence of Symbol
            Each declared with ``real=True``, ``positive=True`` or the like.
        extra : iterable of relations, optional
            Inequalities, strict or not, between expressions of the parameters.

        Raises
        ------
        ModelError
            If a parameter is not known to be real, or is an integer; if a condition is no inequality, can never hold,
            or has a symbol that is not a parameter.
        """
        parameters = tuple(parameters)
        for symbol in parameters:
            if parameters.count(symbol) > 1:
                raise ModelError(f"parameter {symbol} is named twice")
        conditions = [condition for symbol in parameters for condition in assumed_conditions(symbol)]
        for relation in extra:
            conditions += inequalities(relation, parameters)
        return cls(parameters, tuple(dict.fromkeys(conditions)))

    def __getstate__(self) -> dict[str, Any]:
        # SymPy rebuilds a relation by evaluating it, which turns alpha > 0 into true for a positive alpha
        parts = [(condition.func, condition.lhs, condition.rhs) for condition in self.conditions]
        return {"parameters": self.parameters, "conditions": parts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        conditions = tuple(relation(lhs, rhs, evaluate=False) for relation, lhs, rhs in state["conditions"])
        self.__dict__.update(parameters=state["parameters"], conditions=conditions)

    @property
    def dimension(self) -> int:
        """How many coordinates there are."""
        return len(self.parameters)

    @cached_property
    def margins(self) -> tuple[sp.Expr, ...]:
        """An expression for each condition, positive where the condition holds in the interior."""
        return tuple(margin(condition) for condition in self.conditions)

    def describe(self) -> str:
        """The conditions as text: ``"alpha > 0, beta > 0"``; empty if there are none."""
        return ", ".join(as_text(condition) for condition in self.conditions)

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Whether points are finite and satisfy every condition.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array of bool, shape (...)

        Raises
        ------
        ShapeError
            If the last axis has not length n.
        """
        array = as_points(points, self.parameters)
        if array.ndim > 1 and len(array) > _BLOCK:
            # what is needed on the way would take several times the room of the points
            return np.concatenate([self.contains(array[k : k + _BLOCK]) for k in range(0, len(array), _BLOCK)])
        # column by column: NumPy is slow along a short last axis
        facts = [*np.moveaxis(np.isfinite(array), -1, 0), *np.moveaxis(self._holds(array), -1, 0)]
        return functools.reduce(np.logical_and, facts)

    def require(self, points: ArrayLike, what: str = "start") -> None:
        """Raise unless every point lies in the domain.

        Parameters
        ----------
        points : array_like, shape (..., n)
        what : str, optional
            What the points are called in the message.

        Raises
        ------
        DomainError
            Naming the first point outside, its coordinate, the value and the conditions on it.
        ShapeError
            If the last axis has not length n.

        Examples
        --------
        >>> Domain.of(sp.symbols("alpha beta", positive=True)).require([[1.0, 1.0], [-1.0, 1.0]])
        Traceback (most recent call last):
        riemopt.errors.DomainError: start[1]: alpha = -1.0 is outside its domain alpha > 0
        """
        array = as_points(points, self.parameters, what)
        inside = self.contains(array)
        if inside.all():
            return
        index = tuple(np.argwhere(~on_host(inside))[0])
        label = f"{what}[{', '.join(map(str, index))}]" if index else what
        raise DomainError(f"{label}: {self._violation(on_host(array[index]))}")

    def pull_back(self, parameters: Sequence[sp.Symbol], substitution: Mapping[sp.Symbol, sp.Expr]) -> Domain:
        """The same domain in another chart.

        Parameters
        ----------
        parameters : sequence of Symbol
            The coordinates of the other chart.
        substitution : mapping of Symbol to Expr
            The coordinates of this domain as expressions of those.

        Returns
        -------
        Domain
            The assumptions of the new coordinates, and those of the old conditions that they do not imply.

        Raises
        ------
        ModelError
            If no point of the other chart can satisfy a condition.

        Examples
        --------
        >>> alpha, a = sp.Symbol("alpha", positive=True), sp.Symbol("a", real=True)
        >>> Domain.of([alpha]).pull_back([a], {alpha: a + 1}).describe()
        'a > -1'
        """
        moved = (
            condition.func(condition.lhs.xreplace(substitution), condition.rhs.xreplace(substitution), evaluate=False)
            for condition in self.conditions
        )
        return Domain.of(parameters, moved)

    def interior_points(self, count: int, rng: int | np.random.Generator = 0, *, spread: float = 1.0) -> Floats:
        """Random points of the interior: three decades of a half-line, a few units of the real line.

        Parameters
        ----------
        count : int
            How many.
        rng : int or numpy.random.Generator, optional
            The seed, or where the random numbers come from.
        spread : float, optional
            A factor on the width, in units and in decades.

        Returns
        -------
        array, shape (count, n)

        Raises
        ------
        ModelError
            If almost no points tried satisfy the conditions.
        """
        generator = np.random.default_rng(rng)
        found = np.empty((0, self.dimension))
        for attempt in range(_ATTEMPTS):
            # a**2 > 1000 has its points far out, a simplex of many coordinates near their lower bounds
            shift, log_scale = generator.normal(size=2) * 0.2 * max(attempt - 5, 0)
            free = generator.uniform(-_SPREAD, _SPREAD, (max(4 * count, 256), self.dimension))
            trial = self.from_free(free * np.exp(log_scale) * spread + shift)
            inside = np.isfinite(trial).all(axis=-1) & (self._margins_at(trial) > 0).all(axis=-1)
            found = np.concatenate([found, trial[inside]])
            if len(found) >= count:
                return found[:count]
        raise ModelError(f"no points found that satisfy {self.describe()}")

    # -- free coordinates: the box of the conditions on single coordinates, unrolled onto ℝⁿ

    @cached_property
    def box(self) -> Box:
        """The values of each coordinate that the conditions on it alone allow."""
        lower, upper = [-np.inf] * self.dimension, [np.inf] * self.dimension
        for condition in self.conditions:
            if condition.lhs in self.parameters and condition.rhs.is_number:
                index, bound = self.parameters.index(condition.lhs), float(condition.rhs)
                if is_lower(condition):
                    lower[index] = max(lower[index], bound)
                else:
                    upper[index] = min(upper[index], bound)
        return Box(tuple(lower), tuple(upper))

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """The lowest and highest value of each coordinate that the conditions on it alone allow, two of shape (n,)."""
        return self.box.bounds

    def to_free(self, points: Floats) -> Floats:
        """See :meth:`Box.to_free`."""
        return self.box.to_free(points)

    def from_free(self, free: Floats) -> Floats:
        """See :meth:`Box.from_free`."""
        return self.box.from_free(free)

    def free_slope(self, points: Floats) -> Floats:
        """See :meth:`Box.free_slope`."""
        return self.box.free_slope(points)

    # -- evaluation

    @cached_property
    def _margins_at(self) -> Callable[[Floats], Floats]:
        """The margins as a function of points."""
        return array_function(self.parameters, self.margins)

    @cached_property
    def _strict(self) -> NDArray[np.bool_]:
        """Which conditions exclude equality."""
        return np.array([is_strict(condition) for condition in self.conditions], dtype=bool)

    def _holds(self, points: Floats) -> NDArray[np.bool_]:
        """Which conditions hold at points, shape (..., number of conditions)."""
        margins = self._margins_at(points)
        return np.where(np.asarray(self._strict, like=margins), margins > 0, margins >= 0)

    def _violation(self, point: Floats) -> str:
        """Which coordinates of a point outside break which condition, for a message."""
        for symbol, value in zip(self.parameters, point, strict=True):
            if not np.isfinite(value):
                return f"{symbol} = {value} is not finite"
        violated = self.conditions[int(np.argmin(self._holds(point)))]
        symbols = violated.free_symbols
        values = zip(self.parameters, point, strict=True)
        where = ", ".join(f"{symbol} = {value}" for symbol, value in values if symbol in symbols)
        if len(symbols) > 1:
            return f"{where} is outside the domain {as_text(violated)}"
        own = [as_text(condition) for condition in self.conditions if condition.free_symbols == symbols]
        return f"{where} is outside its domain {', '.join(own)}"


@dataclass(frozen=True)
class Image(Domain):
    """The image of a domain under a map.

    Attributes
    ----------
    source : Domain
        The domain.
    expressions : tuple of sympy.Expr
        The map.
    """

    source: Domain
    expressions: tuple[sp.Expr, ...]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "source": self.source, "expressions": self.expressions}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.update(source=state["source"], expressions=state["expressions"])

    def interior_points(self, count: int, rng: int | np.random.Generator = 0, *, spread: float = 1.0) -> Floats:
        """Images of random points of the source; see :meth:`Domain.interior_points`."""
        points = self._map(self.source.interior_points(4 * count, rng, spread=spread))
        found = points[self.contains(points)]
        if len(found) < count:
            raise ModelError(f"no points found that satisfy {self.describe()}")
        return found[:count]

    @cached_property
    def _map(self) -> Callable[[Floats], Floats]:
        """The map as a function of points."""
        return array_function(self.source.parameters, self.expressions)


def as_points(points: ArrayLike, parameters: Sequence[sp.Symbol], what: str = "points") -> Floats:
    """An array of 64-bit floats whose last axis counts the parameters.

    Parameters
    ----------
    points : array_like, shape (..., n)
    parameters : sequence of Symbol
        The n coordinates.
    what : str, optional
        What the points are called in the message.

    Raises
    ------
    ShapeError
        If they are no numbers, or the last axis has not length n.
    """
    array = as_numbers(points, what)
    if array.ndim == 0 or array.shape[-1] != len(parameters):
        names = ", ".join(map(str, parameters))
        raise ShapeError(f"{what}: the last axis of shape {array.shape} must have length {len(parameters)}: ({names})")
    return array
