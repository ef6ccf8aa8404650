"""Density: a log-density with its observation, support, parameters and domain, and what follows from these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from riemopt.errors import DataError, ModelError, ShapeError
from riemopt.models.domain import Domain, as_points
from riemopt.models.expectation import Expectation, ExponentialForm, expectation_of, exponential_form
from riemopt.models.plan import Plan
from riemopt.models.support import contains, describe, member, require_fit
from riemopt.symbolic.functions import array_function, numeric_function

__all__ = ["Density", "as_tuple"]

_COMPARISONS: dict[type, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    sp.StrictLessThan: np.less,
    sp.LessThan: np.less_equal,
    sp.StrictGreaterThan: np.greater,
    sp.GreaterThan: np.greater_equal,
    # up to what rounding leaves of a sum
    sp.Equality: lambda a, b: np.isclose(a, b, rtol=1e-9, atol=1e-9),
}


class Density:
    """A parametrized log-density ℓ(x; θ), its symbols checked.

    The arguments are those of :class:`~riemopt.StatisticalModel`.
    """

    name: str
    log_density: sp.Expr
    observation: tuple[sp.Symbol, ...]
    support: tuple[sp.Set, ...]
    constraints: tuple[sp.Basic, ...]
    parameters: tuple[sp.Symbol, ...]
    domain: Domain

    def __init__(
        self,
        log_density: sp.Expr,
        observation: sp.Symbol | Sequence[sp.Symbol],
        support: sp.Set | Sequence[sp.Set],
        parameters: Sequence[sp.Symbol],
        name: str,
        domain: Iterable[sp.Basic],
        constraints: Iterable[sp.Basic],
    ) -> None:
        self.name = name or "model"
        self.log_density = _expression(log_density, self.name)
        self.observation = as_tuple(observation)
        self.support = as_tuple(support)
        self.constraints = as_tuple(constraints)
        self.parameters = as_tuple(parameters)
        self._validate()
        self.domain = Domain.of(self.parameters, (domain,) if isinstance(domain, sp.Basic) else domain)

    def _validate(self) -> None:
        """Raise for symbols, supports and constraints that do not fit one another."""
        for kind, symbols in (("parameter", self.parameters), ("observation", self.observation)):
            strangers = [s for s in symbols if not isinstance(s, sp.Symbol)]
            if strangers:
                raise ModelError(f"{self.name}: the {kind} {strangers[0]} is not a SymPy symbol")
            if not symbols:
                raise ModelError(f"{self.name}: there is no {kind}")
            # by name: two symbols of one name and different assumptions read the same
            names = [s.name for s in symbols]
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise ModelError(f"{self.name}: the {kind} {twice[0]} is named twice")
        both = {s.name for s in self.parameters} & {s.name for s in self.observation}
        if both:
            raise ModelError(f"{self.name}: {min(both)} is both a parameter and an observation")
        if len(self.support) != len(self.observation):
            raise ModelError(f"{self.name}: {len(self.support)} supports for {len(self.observation)} observations")
        for symbol, support in zip(self.observation, self.support, strict=True):
            if not isinstance(support, sp.Set):
                raise ModelError(f"{self.name}: the support of {symbol} is not a SymPy set")
            moving = sorted(map(str, support.free_symbols))
            if moving:
                raise ModelError(f"{self.name}: the support of {symbol} depends on {moving[0]}; it must be fixed")
            try:
                require_fit(symbol, support)
            except ModelError as error:
                raise ModelError(f"{self.name}: {error}") from None
        free = self.log_density.free_symbols
        known = {*self.parameters, *self.observation}
        for kind, symbols in (("parameter", self.parameters), ("observation", self.observation)):
            missing = [str(s) for s in symbols if s not in free]
            if missing:
                twin = [s for s in free - known if str(s) == missing[0]]
                hint = "; a symbol of that name but with other assumptions does" if twin else ""
                raise ModelError(f"{self.name}: the {kind} {missing[0]} does not occur in the log-density{hint}")
        foreign = sorted(map(str, free - known))
        if foreign:
            raise ModelError(
                f"{self.name}: {foreign[0]} occurs in the log-density but is neither a parameter nor an observation"
            )
        undefined = sorted(map(str, self.log_density.atoms(AppliedUndef)))
        if undefined:
            raise ModelError(f"{self.name}: nothing is known of the function {undefined[0]} in the log-density")
        for relation in self.constraints:
            if type(relation) not in _COMPARISONS:
                raise ModelError(f"{self.name}: the constraint {relation} is neither an equation nor an inequality")
            foreign = sorted(map(str, relation.free_symbols - set(self.observation)))
            if foreign:
                raise ModelError(
                    f"{self.name}: the constraint {relation} contains {foreign[0]}, which is no observation"
                )

    @property
    def dimension(self) -> int:
        """The number of parameters."""
        return len(self.parameters)

    @cached_property
    def exponential_form(self) -> ExponentialForm | None:
        """The density as an exponential family, or None if it does not separate into one."""
        return exponential_form(self.log_density, self.observation, self.parameters)

    @cached_property
    def expectation(self) -> Expectation:
        """How expectations under the model are taken; ``print`` it to read it in words."""
        return expectation_of(
            self.log_density,
            self.observation,
            self.support,
            self.constraints,
            self.parameters,
            self.exponential_form,
            self._reference,
            self.some_points,
            lambda: self.plan,
        )

    @cached_property
    def plan(self) -> Plan:
        """How to take sums and integrals over the support numerically."""
        return Plan.of(self.log_density, self.observation, self.support, self.parameters)

    def some_points(self) -> list[np.ndarray]:
        """A few points of the domain that are neither special nor extreme."""
        centre = self.domain.from_free(np.zeros(self.dimension))
        near = self.domain.interior_points(2, np.random.default_rng(0), spread=0.3)
        points = [*([centre] if self.domain.contains(centre) else []), *near]
        # integrals inside integrals take their time
        return points if len(self.observation) == 1 else points[:1]

    def _reference(self) -> tuple[dict[sp.Symbol, sp.Expr], dict[sp.Symbol, sp.Expr]]:
        """Some observation of the support and some point of the domain."""
        point = self.domain.from_free(np.zeros(self.dimension))
        if not self.domain.contains(point):
            point = self.domain.interior_points(1)[0]
        coordinates = [sp.nsimplify(x, rational=True) for x in point]
        members = [member(support) for support in self.support]
        return dict(zip(self.observation, members, strict=True)), dict(zip(self.parameters, coordinates, strict=True))

    # -- numbers

    def log_density_at(self, points: Any, samples: Any) -> np.ndarray:
        """The log-density of samples, in nats.

        Parameters
        ----------
        points : array_like, shape (..., n)
            Where in the model; outside the domain the result is NaN.
        samples : array_like, shape (N,), or (N, d) for d > 1 observations
            The observations; outside the support the result is -inf, and NaN for an observation that is NaN.

        Returns
        -------
        array, shape (..., N)
        """
        theta = as_points(points, self.parameters)
        columns = self._columns(samples)
        with np.errstate(all="ignore"):
            values = self._compiled_log_density(*np.moveaxis(theta[..., None, :], -1, 0), *columns)
        inside = np.all([contains(s, c) for s, c in zip(self.support, columns, strict=True)], axis=0)
        inside &= np.all([self.fulfils(relation, columns) for relation in self.constraints], axis=0)
        unknown = np.any([np.isnan(c) for c in columns], axis=0)
        values = np.where(inside | unknown, values, -np.inf)
        return np.where(self.domain.contains(theta)[..., None], values, np.nan)

    def require_samples(self, samples: Any, where: Callable[[int], str] = "sample {}".format) -> list[np.ndarray]:
        """The samples as a column for each observation.

        Parameters
        ----------
        samples : array_like, shape (N,), or (N, d) for d > 1 observations
            What to check.
        where : callable, optional
            Says what a sample is called, from its index.

        Returns
        -------
        list of array, shape (N,)

        Raises
        ------
        DataError
            If there is none, or one of them is not finite or lies outside the support, naming it.
        """
        columns = self._columns(samples)
        if not columns[0].size:
            raise DataError("there are no samples")
        for symbol, support, column in zip(self.observation, self.support, columns, strict=True):
            for wrong, why in (
                (~np.isfinite(column), "is not finite"),
                (~contains(support, column), f"lies outside the support of {self.name}, {describe(support)}"),
            ):
                if wrong.any():
                    index = int(np.argmax(wrong))
                    raise DataError(f"{where(index)}: {symbol} = {column[index]} {why}")
        for relation in self.constraints:
            wrong = ~self.fulfils(relation, columns)
            if wrong.any():
                raise DataError(
                    f"{where(int(np.argmax(wrong)))} lies outside the support of {self.name}: not {relation}"
                )
        return columns

    def fulfils(self, relation: sp.Basic, columns: Sequence[np.ndarray]) -> np.ndarray:
        """Whether observations fulfil a constraint; an equation, up to rounding."""
        sides = array_function(self.observation, [relation.lhs, relation.rhs])(np.stack(columns, axis=-1))
        compare = _COMPARISONS[type(relation)]
        return np.asarray(compare(sides[..., 0], sides[..., 1]))

    def _columns(self, samples: Any) -> list[np.ndarray]:
        """Samples as a column for each observation."""
        try:
            array = np.asarray(samples, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(f"the samples are not an array of numbers: {samples!r:.80}") from None
        wanted = len(self.observation)
        if wanted == 1 and array.ndim <= 1:
            return [np.atleast_1d(array)]
        if array.ndim == 2 and array.shape[1] == wanted:
            return list(array.T)
        shape = "(N,)" if wanted == 1 else f"(N, {wanted})"
        raise ShapeError(f"the samples have shape {array.shape}, but must have shape {shape}")

    @cached_property
    def _compiled_log_density(self) -> Callable[..., Any]:
        """The log-density as a function of arrays: parameters, then observations."""
        compiled = numeric_function((*self.parameters, *self.observation), [self.log_density])
        return lambda *arrays: compiled(*arrays)[0]


def _expression(value: Any, name: str) -> sp.Expr:
    """The log-density that a user gave, as an expression."""
    try:
        # strict: a text would be evaluated
        return sp.sympify(value, strict=True)
    except sp.SympifyError:
        raise ModelError(f"{name}: the log-density is not a SymPy expression: {value!r:.80}") from None


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Several values as a tuple, or the tuple of one."""
    return tuple(value) if isinstance(value, (tuple, list, sp.Tuple)) else (value,)
