"""StatisticalModel: a log-density with its observation, support, parameters and domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from riemopt.errors import DataError, ModelError, ShapeError
from riemopt.models.chart import Chart
from riemopt.models.check import require_density
from riemopt.models.domain import Domain, as_points
from riemopt.models.dual import ImplicitFamily, dual_chart, in_chart, mean_parameters, natural_form
from riemopt.models.expectation import Expectation, ExponentialForm, expectation_of, exponential_form
from riemopt.models.plan import Plan
from riemopt.models.support import contains, describe, member, require_fit
from riemopt.symbolic.functions import array_function, numeric_function
from riemopt.symbolic.identity import identity

__all__ = ["StatisticalModel"]

Sampler = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]

_COMPARISONS: dict[type, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    sp.StrictLessThan: np.less,
    sp.LessThan: np.less_equal,
    sp.StrictGreaterThan: np.greater,
    sp.GreaterThan: np.greater_equal,
    # up to what rounding leaves of a sum
    sp.Equality: lambda a, b: np.isclose(a, b, rtol=1e-9, atol=1e-9),
}


class StatisticalModel:
    """A parametrized family of densities p(x; θ).

    Parameters
    ----------
    log_density : sympy.Expr
        log p(x; θ), in nats.
    observation : sympy.Symbol or tuple of sympy.Symbol
        x.
    support : sympy.Set or tuple of sympy.Set
        Where the density is not zero, a set for each observation. It must not depend on the parameters.
    parameters : sequence of sympy.Symbol
        θ, in coordinate order. Their assumptions give the domain: declare them with ``positive=True`` or ``real=True``.
    name : str, optional
        What to call the model.
    domain : iterable of relation, optional
        Further conditions on the parameters.
    sampler : callable, optional
        Takes a point, a size and a ``numpy.random.Generator``; returns that many observations.
    constraints : iterable of relation, optional
        Further conditions on the observations, where the support is not a product. With an equation, the density is
        taken with respect to all observations but the last.
    check : bool, optional
        Whether to integrate the density numerically now, at a few points of the domain.

    Raises
    ------
    ModelError
        If a symbol is missing from the density, is neither parameter nor observation, the support does not fit, the
        density does not integrate to one, or some change of the parameters does not change it.

    Examples
    --------
    >>> import sympy as sp
    >>> import riemopt as ro
    >>> rate, x = sp.symbols("rate x", positive=True)
    >>> model = ro.StatisticalModel(
    ...     sp.log(rate) - rate * x, observation=x, support=sp.Interval.open(0, sp.oo), parameters=(rate,), name="Wait"
    ... )
    >>> model
    Wait(rate): rate > 0
    >>> print(model.expectation)
    score identity: an exponential family with statistics x
    """

    def __init__(
        self,
        log_density: sp.Expr,
        observation: sp.Symbol | Sequence[sp.Symbol],
        support: sp.Set | Sequence[sp.Set],
        parameters: Sequence[sp.Symbol],
        name: str = "",
        domain: Iterable[sp.Basic] = (),
        sampler: Sampler | None = None,
        constraints: Iterable[sp.Basic] = (),
        check: bool = True,
    ) -> None:
        self.name = name or "model"
        self.log_density = _expression(log_density, self.name)
        self.observation = _as_tuple(observation)
        self.support = _as_tuple(support)
        self.constraints = _as_tuple(constraints)
        self.parameters = _as_tuple(parameters)
        self._validate()
        self.domain = Domain.of(self.parameters, (domain,) if isinstance(domain, sp.Basic) else domain)
        self.chart = Chart.identity(self.parameters, self.domain)
        self.original: StatisticalModel = self
        self._sampler = sampler
        if check:
            require_density(self)

    def _validate(self) -> None:
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

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.parameters))}): {self.domain.describe() or 'no conditions'}"

    @cached_property
    def identity(self) -> str | None:
        """All that derivations depend on, as text; None where SymPy's expressions do not tell it."""
        own = (self.log_density, *self.observation, *self.support, *self.constraints, *self.domain.conditions)
        others = () if self.original is self else (*self.chart.expressions, *(self.chart.inverse or ()))
        texts = [identity(group) for group in (self.parameters, own, others)]
        if self.original is not self:
            texts.append(self.original.identity)
        return None if None in texts else "\0".join(map(str, texts))

    # -- what can be taken from the density

    @cached_property
    def exponential_form(self) -> ExponentialForm | None:
        """The density as an exponential family, or None if it does not separate into one."""
        return exponential_form(self.log_density, self.observation, self.parameters)

    @cached_property
    def expectation(self) -> Expectation:
        """How expectations under the model are taken; ``print`` it to read it in words."""
        if self.chart.is_implicit:
            return ImplicitFamily(self.original.expectation, self.chart)
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

    # -- other charts

    def reparametrize(
        self, substitution: Mapping[sp.Symbol, Any], parameters: Sequence[sp.Symbol], name: str = ""
    ) -> StatisticalModel:
        """The same model in another chart.

        Parameters
        ----------
        substitution : mapping of sympy.Symbol to sympy.Expr
            Every parameter as an expression in the new ones; one that is left out stays as it is.
        parameters : sequence of sympy.Symbol
            The new parameters, in coordinate order.
        name : str, optional
            What to call the model in its new chart.

        Raises
        ------
        ModelError
            If the change of coordinates is not invertible on the domain.

        Examples
        --------
        >>> import sympy as sp
        >>> import riemopt as ro
        >>> gamma = ro.models.Gamma()
        >>> alpha, beta = gamma.parameters
        >>> a, b = sp.symbols("a b", positive=True)
        >>> moved = gamma.reparametrize({alpha: a, beta: 1 / b}, parameters=(a, b))
        >>> moved.chart.to_original([2.0, 4.0])
        array([2.  , 0.25])
        """
        new = _as_tuple(parameters)
        step = Chart.of(self.domain, {**{p: p for p in self.parameters}, **substitution}, new)
        exchange = dict(zip(self.parameters, step.expressions, strict=True))
        return self._moved(step, self.log_density.subs(exchange, simultaneous=True), name or self.name)

    def _moved(self, step: Chart, log_density: sp.Expr, name: str) -> StatisticalModel:
        """The model in the coordinates of a further chart."""
        moved = StatisticalModel.__new__(StatisticalModel)
        moved.name, moved.log_density = name, log_density
        moved.observation, moved.support, moved.constraints = self.observation, self.support, self.constraints
        moved.parameters, moved.domain = step.parameters, step.domain
        moved.chart = self.chart.then(step)
        moved.original = self.original
        moved._sampler = self._sampler
        moved._validate()
        return moved

    def natural_chart(self) -> StatisticalModel:
        """An exponential family in its natural parameters z: log p = z·T(x) - A(z) + log h(x).

        They are called ``z_1``, ``z_2``, ..., or ``z`` if there is one, with an underscore behind where the model has
        these names; the order of the statistics is that of ``exponential_form``, but statistics of one factor come
        before those of two. In this chart Γ^(1) = 0: geodesics of the exponential connection are straight lines.

        Returns
        -------
        StatisticalModel
            A reparametrization of the original model, whatever chart this model is in.

        Raises
        ------
        ModelError
            If the model is not an exponential family, or is one with more statistics than parameters.

        Examples
        --------
        >>> import riemopt as ro
        >>> natural = ro.models.Gamma().natural_chart()
        >>> natural
        Gamma(z_1, z_2): z_2 < 0, z_1 > -1
        >>> natural.chart.describe()
        'alpha = z_1 + 1, beta = -z_2'
        """
        return self._dual_chart("z")

    def mean_chart(self) -> StatisticalModel:
        """An exponential family in its mean parameters η = E[T(x)] = ∂A/∂z.

        They are called ``eta_1``, ``eta_2``, ..., or ``eta``, in the order of :meth:`natural_chart`. In this chart
        Γ^(-1) = 0: geodesics of the mixture connection are straight lines. The metric is the inverse of that in natural
        parameters.

        Returns
        -------
        StatisticalModel
            A reparametrization of the original model. Where the parameters have no closed form in η, as for Gamma or
            Beta, they are found by Newton's method wherever numbers are asked for, and there are no tensors to read.

        Raises
        ------
        ModelError
            If the model is not an exponential family, or is one with more statistics than parameters.

        Examples
        --------
        >>> import riemopt as ro
        >>> ro.models.Normal().mean_chart().chart.describe()
        'mu = eta_1, sigma = sqrt(-eta_1**2 + eta_2)'
        >>> mean = ro.models.Gamma().mean_chart()
        >>> mean.chart.from_original([2.0, 4.0])
        array([-0.96351003,  0.5       ])
        >>> mean.chart.to_original([-0.96351003, 0.5]).round(6)
        array([2., 4.])
        """
        return self._dual_chart("eta")

    def _dual_chart(self, letter: str) -> StatisticalModel:
        if self.original is not self:
            return self.original._dual_chart(letter)
        form = natural_form(self)
        image = form.natural if letter == "z" else mean_parameters(self)
        step = dual_chart(self.domain, image, letter, (*self.parameters, *self.observation))
        return self._moved(step, in_chart(form, step, natural=letter == "z"), self.name)

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

    def sample(self, point: Any, size: int, rng: int | np.random.Generator | None = 0) -> np.ndarray:
        """Draw observations.

        Parameters
        ----------
        point : array_like, shape (n,)
            Where in the model.
        size : int
            How many.
        rng : int or numpy.random.Generator, optional
            A seed or a generator.

        Returns
        -------
        array, shape (size,), or (size, d) for d > 1 observations
        """
        if self._sampler is None:
            raise ModelError(f"{self.name} has no sampler; give one as StatisticalModel(..., sampler=...)")
        theta = as_points(point, self.parameters, "point")
        if theta.ndim != 1:
            raise ShapeError(f"point has shape {theta.shape}, but samples are drawn at one point ({self.dimension},)")
        self.domain.require(theta, what="point")
        return self._sampler(self.chart.to_original(theta), size, np.random.default_rng(rng))

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
        compiled = numeric_function((*self.parameters, *self.observation), [self.log_density])
        return lambda *arrays: compiled(*arrays)[0]


def _expression(value: Any, name: str) -> sp.Expr:
    try:
        # strict: a text would be evaluated
        return sp.sympify(value, strict=True)
    except sp.SympifyError:
        raise ModelError(f"{name}: the log-density is not a SymPy expression: {value!r:.80}") from None


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list, sp.Tuple)) else (value,)
