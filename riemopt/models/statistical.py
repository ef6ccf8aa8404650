"""StatisticalModel: a parametrized family of densities in a chart, what a user gives; other charts; samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ModelError, ShapeError
from riemopt.models.chart import Chart
from riemopt.models.check import require_density
from riemopt.models.density import Density, as_tuple
from riemopt.models.domain import as_points
from riemopt.models.dual import dual_chart, log_density_in_chart, mean_parameters, natural_form
from riemopt.models.expectation import Expectation, ImplicitExpectation
from riemopt.symbolic.identity import identity

__all__ = ["StatisticalModel"]

Sampler = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


class StatisticalModel(Density):
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
        super().__init__(log_density, observation, support, parameters, name, domain, constraints)
        self.chart = Chart.identity(self.parameters, self.domain)
        self.original: StatisticalModel = self
        self._sampler = sampler
        if check:
            require_density(self)

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

    @cached_property
    def expectation(self) -> Expectation:
        """How expectations under the model are taken; ``print`` it to read it in words."""
        if self.chart.is_implicit:
            return ImplicitExpectation(self.original.expectation, self.chart)
        return super().expectation

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
        new = as_tuple(parameters)
        step = Chart.of(self.domain, {**{p: p for p in self.parameters}, **substitution}, new)
        exchange = dict(zip(self.parameters, step.expressions, strict=True))
        return self._in_chart(step, self.log_density.subs(exchange, simultaneous=True), name or self.name)

    def _in_chart(self, step: Chart, log_density: sp.Expr, name: str) -> StatisticalModel:
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
        """The natural chart if the letter is ``"z"``, else the mean chart."""
        if self.original is not self:
            return self.original._dual_chart(letter)
        form = natural_form(self)
        image = form.natural if letter == "z" else mean_parameters(self)
        step = dual_chart(self.domain, image, letter, (*self.parameters, *self.observation))
        return self._in_chart(step, log_density_in_chart(form, step, natural=letter == "z"), self.name)

    # -- numbers

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
