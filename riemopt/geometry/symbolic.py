"""The tensors of a model to read: derived lazily, simplified so that a person might have written them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, ShapeError
from riemopt.geometry import curvature, geodesic, metric
from riemopt.geometry.field import Field
from riemopt.geometry.printing import summary
from riemopt.geometry.tensors import FieldTensors
from riemopt.models.statistical import StatisticalModel

__all__ = ["SymbolicGeometry", "velocity_symbols"]

_SHORT = 45
"""Operations up to which a sum of products is looked at as a whole."""


class SymbolicGeometry:
    """The tensors of a model as SymPy expressions, derived when asked for and simplified for reading.

    Parameters
    ----------
    model : StatisticalModel
        The model.

    Attributes
    ----------
    model : StatisticalModel
        The model.

    Examples
    --------
    >>> import riemopt as ro
    >>> ro.Manifold(ro.models.Normal()).symbolic.metric
    Matrix([
    [sigma**(-2),           0],
    [          0, 2/sigma**2]])
    """

    def __init__(self, model: StatisticalModel) -> None:
        self.model = model

    def __repr__(self) -> str:
        return f"SymbolicGeometry({self.model!r})"

    def _repr_latex_(self) -> str | None:
        """The metric, the connection and the curvature, for a notebook; nothing where there are no formulas."""
        if not isinstance(self.model, StatisticalModel) or self.model.chart.is_implicit:
            return None
        return summary(self, "Fisher metric", "Levi-Civita connection, second kind", "Scalar")

    # -- the metric and its connections

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """The Fisher metric g_μν, shape (n, n)."""
        return self._matrix(self._tensors.metric)

    @cached_property
    def inverse_metric(self) -> sp.ImmutableMatrix:
        """The inverse g^μν of the Fisher metric, shape (n, n)."""
        return self._matrix(self._tensors.inverse)

    @cached_property
    def volume_element(self) -> sp.Expr:
        """The Riemannian volume density √det g, Jeffreys' prior up to its normalization."""
        return self._tensors.write.root(self._tensors.determinant)

    @cached_property
    def christoffel_first(self) -> sp.ImmutableDenseNDimArray:
        """The Levi-Civita symbols of the first kind Γ_ναβ, indices [ν, α, β]."""
        return self._array(self._tensors.first)

    @cached_property
    def christoffel(self) -> sp.ImmutableDenseNDimArray:
        """The Levi-Civita symbols of the second kind Γ^μ_αβ, indices [μ, α, β]."""
        return self._array(self._tensors.second)

    @cached_property
    def amari_chentsov(self) -> sp.ImmutableDenseNDimArray:
        """The Amari–Chentsov tensor T_μνκ, indices [μ, ν, κ]."""
        return self._with_skewness().array(self._with_skewness().skewness)

    def alpha_connection(self, a: Any) -> sp.ImmutableDenseNDimArray:
        """Amari's α-connection of the first kind Γ^(a)_ναβ, indices [ν, α, β]; `a` is a number or a symbol."""
        tensors = self._with_skewness(a)
        return tensors.array(tensors.alpha_first(a))

    @cached_property
    def connection_product(self) -> tuple[sp.Expr, ...]:
        """The lowered connection product Γ_ν(v), in the symbols `velocity`."""
        return self._products(self._tensors.first)

    @cached_property
    def velocity(self) -> tuple[sp.Symbol, ...]:
        """The components of the vector v in `connection_product`."""
        return velocity_symbols(self.model)

    @cached_property
    def geodesic_equations(self) -> tuple[sp.Eq, ...]:
        """The geodesic equations θ̈^μ + Γ^μ_αβ θ̇^α θ̇^β = 0."""
        return geodesic.geodesic_equations(self._products(self._tensors.second), self.velocity, self.model.parameters)

    # -- curvature

    @cached_property
    def riemann(self) -> sp.ImmutableDenseNDimArray:
        """The Riemann tensor R^ρ_σμν, indices [ρ, σ, μ, ν]."""
        return self._array(np.tensordot(self._tensors.inverse, self._tensors.riemann, axes=1))

    @cached_property
    def riemann_lowered(self) -> sp.ImmutableDenseNDimArray:
        """The Riemann tensor R_ρσμν with its first index lowered, indices [ρ, σ, μ, ν]."""
        return self._array(self._tensors.riemann)

    def alpha_curvature(self, a: Any) -> sp.ImmutableDenseNDimArray:
        """The Riemann tensor R^(a)_ρσμν of the α-connection, first index lowered; `a` is a number or a symbol.

        For an exponential family it is (1 - a²) R_ρσμν: the connections with a = 1 and a = -1 are flat.
        """
        tensors = self._with_skewness(a)
        return tensors.array(tensors.alpha_riemann(a))

    @cached_property
    def ricci(self) -> sp.ImmutableMatrix:
        """The Ricci tensor R_σν = R^ρ_σρν, shape (n, n)."""
        return self._matrix(self._tensors.ricci)

    @cached_property
    def scalar_curvature(self) -> sp.Expr:
        """The scalar curvature g^σν R_σν; twice the sectional curvature in two dimensions."""
        return self._tensors.write(self._tensors.scalar)

    def sectional_curvature(self, u: Any = None, v: Any = None) -> sp.Expr:
        """The sectional curvature of a plane, R_ρσμν u^ρ v^σ u^μ v^ν over the squared area of u and v.

        Parameters
        ----------
        u, v : sympy.Symbol or sequence of sympy.Expr, optional
            Vectors that span the plane, by components or as the coordinate along which they point. In two dimensions
            there is one plane, and no need to name it.

        Raises
        ------
        ArgumentError
            If the vectors do not span a plane, or are left out where there are several.
        ShapeError
            If a vector does not have n components.

        Examples
        --------
        >>> import riemopt as ro
        >>> ro.Manifold(ro.models.Normal()).symbolic.sectional_curvature()
        -1/2
        >>> symbolic = ro.Manifold(ro.models.MultivariateNormal(2)).symbolic
        >>> mu_1, mu_2, sigma_11, sigma_21, sigma_22 = ro.models.MultivariateNormal(2).parameters
        >>> symbolic.sectional_curvature(mu_1, mu_2), symbolic.sectional_curvature(mu_1, sigma_11)
        (1/4, -1/2)
        """
        parameters = self.model.parameters
        if (u is None) != (v is None) or (u is None and len(parameters) != 2):
            raise ArgumentError(f"a plane in {len(parameters)} dimensions is given by two vectors u and v")
        vectors = [self._vector(name, w) for name, w in (("u", u), ("v", v))] if u is not None else sp.eye(2).tolist()
        tensors = self._with(sp.flatten(vectors))
        first, second = (np.array([tensors.field(x) for x in w], dtype=object) for w in vectors)
        above, below = curvature.sectional_parts(tensors.metric, tensors.riemann, first, second)
        if not below:
            raise ArgumentError(f"u = {vectors[0]} and v = {vectors[1]} do not span a plane")
        return tensors.write(above / below)

    @cached_property
    def constant_curvature(self) -> sp.Expr | None:
        """The sectional curvature if it is one number for all planes and points, or None."""
        g, riemann, n = self._tensors.metric, self._tensors.riemann, len(self.model.parameters)
        if n < 2:
            return None
        value = self.scalar_curvature / (n * (n - 1))
        if value.free_symbols or value.has(sp.Integral, sp.Sum):
            return None
        number = self._tensors.field(value)
        for r, s, m, v in product(range(n), repeat=4):
            if riemann[r, s, m, v] - number * (g[r, m] * g[s, v] - g[r, v] * g[s, m]):
                return None
        return value

    # -- how they are computed

    @cached_property
    def _tensors(self) -> FieldTensors:
        """The tensors over a field that holds what is in the metric."""
        return self._with(())

    def _with(self, others: Sequence[sp.Expr]) -> FieldTensors:
        """The tensors over a field that holds some expressions besides."""
        return FieldTensors(self.model, self._metric_entries, None, tuple(others))

    def _with_skewness(self, a: Any = 0) -> FieldTensors:
        """The tensors over a field that holds the Amari–Chentsov tensor, and the letter `a`."""
        symbols = tuple(sorted(sp.sympify(a, strict=True).free_symbols, key=str))
        if symbols not in self._tensors_with_skewness:
            skewness = self.model.expectation.skewness
            self._tensors_with_skewness[symbols] = FieldTensors(self.model, self._metric_entries, skewness, symbols)
        return self._tensors_with_skewness[symbols]

    @cached_property
    def _tensors_with_skewness(self) -> dict[tuple[sp.Symbol, ...], FieldTensors]:
        return {}

    @cached_property
    def _metric_entries(self) -> sp.ImmutableMatrix:
        """The metric, simplified where its functions have relations that the field does not know."""
        g = metric.fisher_metric(self.model)
        related = Field.of(self.model.parameters, list(g)).related and not g.has(sp.Integral, sp.Sum)
        return g.applyfunc(sp.simplify) if related else g

    def _matrix(self, entries: np.ndarray) -> sp.ImmutableMatrix:
        return sp.ImmutableMatrix(self._tensors.array(entries).tolist())

    def _array(self, entries: np.ndarray) -> sp.ImmutableDenseNDimArray:
        return self._tensors.array(entries)

    def _products(self, symbols: np.ndarray) -> tuple[sp.Expr, ...]:
        """The contraction of symbols with the velocity, in the shorter of two forms."""
        tensors, v = self._with(self.velocity), self.velocity
        elements = [tensors.field(x) for x in v]
        pairs = list(combinations_with_replacement(range(len(v)), 2))
        results = []
        for each in symbols:
            coefficients = [self._tensors.write(each[a, b] * (1 if a == b else 2)) for a, b in pairs]
            terms = [x * v[a] * v[b] for x, (a, b) in zip(coefficients, pairs, strict=True)]
            ways = [sp.Add(*terms)]
            if sp.count_ops(ways[0]) < _SHORT:
                parts = [
                    tensors.field(x) * elements[a] * elements[b] for x, (a, b) in zip(coefficients, pairs, strict=True)
                ]
                ways.append(tensors.write(sum(parts[1:], parts[0])))
            results.append(min(ways, key=sp.count_ops))
        return tuple(results)

    def _vector(self, name: str, w: Any) -> list[sp.Expr]:
        """The components of a vector that a user gave."""
        parameters = self.model.parameters
        if isinstance(w, sp.Symbol):
            if w not in parameters:
                raise ArgumentError(f"{name}: {w} is not a coordinate; the coordinates are {parameters}")
            return [sp.Integer(int(w == p)) for p in parameters]
        components = [sp.sympify(x, strict=True) for x in w]
        if len(components) != len(parameters):
            raise ShapeError(f"{name} has {len(components)} components, but must have {len(parameters)}")
        return components


def velocity_symbols(model: StatisticalModel) -> tuple[sp.Symbol, ...]:
    """Real symbols for the components of a vector; with underscores before them if a parameter has one of the names."""
    names = [f"v_{p.name}" for p in model.parameters]
    while {p.name for p in model.parameters} & set(names):
        names = [f"_{name}" for name in names]
    return tuple(sp.Symbol(name, real=True) for name in names)
