"""Chart: a change of coordinates θ = φ(ξ), its inverse, and how vectors and covectors travel along it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from riemopt.errors import ModelError, ShapeError
from riemopt.models.chart.elimination import eliminate
from riemopt.models.chart.free_map import SAMPLES, FreeMap
from riemopt.models.chart.invertibility import require_invertible
from riemopt.models.chart.symbols import as_expression, require_chart_symbols
from riemopt.models.domain import Domain, as_points
from riemopt.symbolic.functions import array_function
from riemopt.symbolic.implicit import is_implicit

__all__ = ["Chart"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chart:
    """A change of coordinates θ = φ(ξ) from the coordinates ξ of a chart to the original ones θ.

    Parameters
    ----------
    original_parameters : tuple of Symbol
        θ, in order.
    parameters : tuple of Symbol
        ξ, in order.
    expressions : tuple of Expr
        φ: each original parameter, in their order, as an expression of `parameters`.
    original_domain : Domain
        Where θ may lie.
    domain : Domain
        Where ξ may lie; usually ``original_domain.pull_back(parameters, φ)``.
    validate : bool, optional
        Whether to check that φ is invertible. It is checked on sampled points, so a chart that folds only far out, or
        in a tiny region, can pass.
    inverse : tuple of Expr, optional
        φ⁻¹ where it is what defines the chart: each coordinate as an expression of `original_parameters`.

    Raises
    ------
    ModelError
        If the numbers of parameters differ, an expression has an unknown symbol, or φ is not invertible on the domain.

    Examples
    --------
    >>> alpha, beta, a, b = sp.symbols("alpha beta a b", positive=True)
    >>> chart = Chart.of(Domain.of((alpha, beta)), {alpha: a, beta: 1 / b}, (a, b))
    >>> chart.to_original([2.0, 4.0])
    array([2.  , 0.25])
    >>> chart.from_original([2.0, 0.25])
    array([2., 4.])
    >>> chart.push_forward([2.0, 4.0], [1.0, 16.0])
    array([ 1., -1.])
    """

    original_parameters: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    expressions: tuple[sp.Expr, ...]
    original_domain: Domain
    domain: Domain
    validate: InitVar[bool] = True
    inverse: tuple[sp.Expr, ...] | None = None

    def __post_init__(self, validate: bool) -> None:
        for name in ("original_parameters", "parameters", "expressions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if validate:
            require_chart_symbols(self.original_parameters, self.parameters, self.expressions)
            if (self.original_domain.parameters, self.domain.parameters) != (self.original_parameters, self.parameters):
                raise ModelError("chart: the parameters of the domains are not those of the chart")
        if validate and self.expressions != self.parameters:
            require_invertible(self._map)

    @classmethod
    def identity(cls, parameters: Sequence[sp.Symbol], domain: Domain) -> Chart:
        """The chart that leaves every coordinate as it is.

        Parameters
        ----------
        parameters : sequence of Symbol
        domain : Domain
        """
        same = tuple(parameters)
        return cls(same, same, same, domain, domain, validate=False, inverse=same)

    @classmethod
    def of(
        cls, original_domain: Domain, substitution: Mapping[sp.Symbol, sp.Expr], parameters: Sequence[sp.Symbol]
    ) -> Chart:
        """The chart of a substitution, with the original domain pulled back.

        Parameters
        ----------
        original_domain : Domain
            Where the original parameters may lie.
        substitution : mapping of Symbol to Expr
            Each original parameter as an expression of the new ones.
        parameters : sequence of Symbol
            The new parameters, in order.

        Raises
        ------
        ModelError
            If an original parameter is missing, a key is not one, or the chart is not invertible.
        """
        originals = original_domain.parameters
        names = ", ".join(map(str, originals))
        for key in substitution:
            if key not in originals:
                raise ModelError(f"chart: {key} is not one of the original parameters ({names})")
        for symbol in originals:
            if symbol not in substitution:
                raise ModelError(f"chart: no expression for the original parameter {symbol}")
        expressions = {symbol: as_expression(symbol, substitution[symbol]) for symbol in originals}
        require_chart_symbols(originals, parameters, tuple(expressions.values()))
        domain = original_domain.pull_back(parameters, expressions)
        return cls(originals, tuple(parameters), tuple(expressions.values()), original_domain, domain)

    def then(self, further: Chart) -> Chart:
        """The chart from the coordinates of a further chart, whose original ones are mine, to my original ones.

        Parameters
        ----------
        further : Chart
            A chart with ``further.original_parameters == self.parameters``.

        Examples
        --------
        >>> alpha, a, s = *sp.symbols("alpha a", positive=True), sp.Symbol("s", real=True)
        >>> first = Chart.of(Domain.of([alpha]), {alpha: a**2}, [a])
        >>> first.then(Chart.of(first.domain, {a: sp.exp(s)}, [s])).describe()
        'alpha = exp(2*s)'
        """
        if further.original_parameters != self.parameters:
            raise ModelError(f"chart: {further.original_parameters} are not the coordinates {self.parameters}")
        inner = dict(zip(self.parameters, further.expressions, strict=True))
        expressions = tuple(expression.xreplace(inner) for expression in self.expressions)
        inverse = None
        if self.inverse is not None and further.inverse is not None:
            outer = dict(zip(self.parameters, self.inverse, strict=True))
            inverse = tuple(expression.xreplace(outer) for expression in further.inverse)
        return Chart(
            self.original_parameters,
            further.parameters,
            expressions,
            self.original_domain,
            further.domain,
            validate=False,
            inverse=inverse,
        )

    def __getstate__(self) -> dict[str, Any]:
        # compiled functions cannot be pickled: they are compiled again when needed
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def dimension(self) -> int:
        """How many coordinates there are."""
        return len(self.parameters)

    @property
    def is_implicit(self) -> bool:
        """Whether φ has no closed form and is found by Newton's method."""
        return is_implicit(self.expressions)

    def describe(self) -> str:
        """The chart as text: ``"alpha = a, beta = 1/b"``."""
        pairs = zip(self.original_parameters, self.expressions, strict=True)
        return ", ".join(f"{symbol} = {expression}" for symbol, expression in pairs)

    # -- points, vectors, covectors

    def to_original(self, points: ArrayLike) -> Floats:
        """φ: points of this chart in the original coordinates.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n)

        Raises
        ------
        ShapeError
            If the last axis has not length n.
        """
        return self._phi(as_points(points, self.parameters))

    def from_original(self, points: ArrayLike) -> Floats:
        """φ⁻¹: points in the original coordinates in those of this chart.

        In closed form where one was found, polished to rounding; else by a damped Newton iteration.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n)
            NaN for points outside the original domain, and for those that no point of this chart maps to.

        Raises
        ------
        ShapeError
            If the last axis has not length n.
        """
        targets = as_points(points, self.original_parameters)
        if self.expressions == self.parameters:
            inside = self.original_domain.contains(targets) & self.domain.contains(targets)
            return np.where(inside[..., None], targets, np.nan)
        if self.inverse is not None and self._closed_inverse is not None:
            return np.where(self.original_domain.contains(targets)[..., None], self._closed_inverse(targets), np.nan)
        flat = targets.reshape(-1, self.dimension)
        result = np.full_like(flat, np.nan)
        rows = np.flatnonzero(self.original_domain.contains(flat))
        result[rows] = self._map.preimages(flat[rows], self._closed_inverse)
        return result.reshape(targets.shape)

    def jacobian(self, points: ArrayLike) -> Floats:
        """J = ∂θ/∂ξ, rows counting original coordinates.

        Parameters
        ----------
        points : array_like, shape (..., n)
            In this chart.

        Returns
        -------
        array, shape (..., n, n)
        """
        array = as_points(points, self.parameters)
        return self._jacobian_entries(array).reshape(*array.shape, self.dimension)

    def push_forward(self, points: ArrayLike, vectors: ArrayLike) -> Floats:
        """J v: vectors of this chart in the original coordinates.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            In this chart; they broadcast.

        Returns
        -------
        array, shape (..., n)
        """
        array = as_points(vectors, self.parameters, "vectors")
        return _multiply(self.jacobian(points), array)

    def pull_back_covectors(self, points: ArrayLike, covectors: ArrayLike) -> Floats:
        """Jᵀ c: covectors of the original coordinates in this chart.

        Parameters
        ----------
        points : array_like, shape (..., n)
            In this chart.
        covectors : array_like, shape (..., n)
            In the original coordinates.

        Returns
        -------
        array, shape (..., n)
        """
        array = as_points(covectors, self.original_parameters, "covectors")
        return _multiply(np.swapaxes(self.jacobian(points), -1, -2), array)

    def second_derivative(self, points: ArrayLike, vectors: ArrayLike) -> Floats:
        """D²φ[v, v] = (∂²θ/∂ξ∂ξ) v v: the acceleration, in the original coordinates, of a straight line ξ + t v.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            In this chart; they broadcast.

        Returns
        -------
        array, shape (..., n)
            Not the coordinates of a vector: by this term connections differ from tensors.

        Raises
        ------
        ShapeError
            If the last axes have not length n, or the others do not broadcast.

        Examples
        --------
        >>> alpha, beta, a, b = sp.symbols("alpha beta a b", positive=True)
        >>> chart = Chart.of(Domain.of((alpha, beta)), {alpha: a**2, beta: 1 / b}, (a, b))
        >>> chart.second_derivative([1.0, 2.0], [3.0, 2.0])
        array([18.,  1.])
        """
        arrays = as_points(points, self.parameters), as_points(vectors, self.parameters, "vectors")
        try:
            together = np.concatenate(np.broadcast_arrays(*arrays), axis=-1)
        except ValueError:
            raise _unbroadcast(*arrays) from None
        return self._second_derivatives(together)

    @cached_property
    def jacobian_matrix(self) -> sp.ImmutableMatrix:
        """J as a SymPy matrix."""
        return sp.ImmutableMatrix(self.expressions).jacobian(sp.ImmutableMatrix(self.parameters))

    @cached_property
    def inverse_expressions(self) -> tuple[sp.Expr, ...] | None:
        """φ⁻¹ in closed form, each coordinate of this chart in the original ones; None where none was found."""
        if self.inverse is not None:
            return self.inverse
        targets = [sp.Dummy(symbol.name, **symbol.assumptions0) for symbol in self.original_parameters]
        points, images = (values[: SAMPLES // 2] for values in self._map.samples)
        solution = eliminate(self.parameters, self.expressions, targets, points, images)
        back = dict(zip(targets, self.original_parameters, strict=True))
        return None if solution is None else tuple(solution[symbol].xreplace(back) for symbol in self.parameters)

    @cached_property
    def _map(self) -> FreeMap:
        """φ between the free coordinates of both domains."""
        return FreeMap(self._phi, self.jacobian, self.domain, self.original_domain, self.describe())

    @cached_property
    def _phi(self) -> Callable[[Floats], Floats]:
        return array_function(self.parameters, self.expressions)

    @cached_property
    def _jacobian_entries(self) -> Callable[[Floats], Floats]:
        """The entries of J as a function of points, row by row."""
        return array_function(self.parameters, tuple(self.jacobian_matrix))

    @cached_property
    def _second_derivatives(self) -> Callable[[Floats], Floats]:
        """D²φ[v, v] as a function of a point and v, one behind the other."""
        v = sp.ImmutableMatrix([sp.Dummy() for _ in self.parameters])
        slopes = (self.jacobian_matrix * v).jacobian(sp.ImmutableMatrix(self.parameters))
        return array_function((*self.parameters, *v), tuple(slopes * v))

    @cached_property
    def _closed_inverse(self) -> Callable[[Floats], Floats] | None:
        inverse = self.inverse_expressions
        return None if inverse is None else array_function(self.original_parameters, inverse)


def _multiply(matrices: Floats, vectors: Floats) -> Floats:
    """Products of matrices and vectors, which broadcast."""
    try:
        return np.asarray((matrices @ vectors[..., None])[..., 0])
    except ValueError:
        raise _unbroadcast(matrices[..., 0], vectors) from None


def _unbroadcast(points: Floats, vectors: Floats) -> ShapeError:
    return ShapeError(f"points and vectors of shapes {points.shape} and {vectors.shape} do not broadcast")
