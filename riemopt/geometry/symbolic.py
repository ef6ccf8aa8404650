"""The tensors of a model to read: derived lazily, simplified so that a person might have written them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import sympy as sp

from riemopt.geometry import connection, curvature, geodesic, metric
from riemopt.models.statistical import StatisticalModel

__all__ = ["SymbolicGeometry", "velocity_symbols"]


class SymbolicGeometry:
    """The tensors of a model as SymPy expressions, derived when asked for and simplified for reading.

    Parameters
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
        self._model = model

    @cached_property
    def metric(self) -> sp.ImmutableMatrix:
        """The Fisher metric g_μν, shape (n, n)."""
        return metric.fisher_metric(self._model).applyfunc(_readable)

    @cached_property
    def christoffel_first(self) -> sp.ImmutableDenseNDimArray:
        """The Levi-Civita symbols of the first kind Γ_ναβ, indices [ν, α, β]."""
        return connection.first_kind(self.metric, self._model.parameters).applyfunc(_readable)

    @cached_property
    def christoffel(self) -> sp.ImmutableDenseNDimArray:
        """The Levi-Civita symbols of the second kind Γ^μ_αβ, indices [μ, α, β]."""
        return connection.second_kind(self.metric, self._model.parameters).applyfunc(_readable)

    @cached_property
    def amari_chentsov(self) -> sp.ImmutableDenseNDimArray:
        """The Amari–Chentsov tensor T_μνκ, indices [μ, ν, κ]."""
        return self._model.expectation.skewness.applyfunc(_readable)

    def alpha_connection(self, a: Any) -> sp.ImmutableDenseNDimArray:
        """Amari's α-connection of the first kind Γ^(a)_ναβ, indices [ν, α, β]."""
        symbols = connection.alpha_first_kind(self.metric, self.amari_chentsov, self._model.parameters, a)
        return symbols.applyfunc(_readable)

    @cached_property
    def connection_product(self) -> tuple[sp.Expr, ...]:
        """The lowered connection product Γ_ν(v), in the symbols `velocity`."""
        product = connection.lowered_product(self.metric, self._model.parameters, self.velocity)
        return tuple(_readable(e) for e in product)

    @cached_property
    def velocity(self) -> tuple[sp.Symbol, ...]:
        """The components of the vector v in `connection_product`."""
        return velocity_symbols(self._model)

    @cached_property
    def riemann(self) -> sp.ImmutableDenseNDimArray:
        """The Riemann tensor R^ρ_σμν, indices [ρ, σ, μ, ν]."""
        return curvature.riemann(self.christoffel, self._model.parameters).applyfunc(_readable)

    @cached_property
    def ricci(self) -> sp.ImmutableMatrix:
        """The Ricci tensor R_σν, shape (n, n)."""
        return curvature.ricci(self.riemann).applyfunc(_readable)

    @cached_property
    def scalar_curvature(self) -> sp.Expr:
        """The scalar curvature; twice the sectional curvature in two dimensions."""
        return _readable(curvature.scalar_curvature(self.metric, self.ricci))

    @cached_property
    def geodesic_equations(self) -> tuple[sp.Eq, ...]:
        """The geodesic equations θ̈^μ + Γ^μ_αβ θ̇^α θ̇^β = 0."""
        return geodesic.geodesic_equations(self.christoffel, self._model.parameters)

    @cached_property
    def volume_element(self) -> sp.Expr:
        """The Riemannian volume density √det g, Jeffreys' prior up to its normalization."""
        return _readable(metric.volume_element(self.metric))


def _readable(expression: sp.Expr) -> sp.Expr:
    """The shorter of two forms that a person might have written; of integrals nobody has taken, as it is."""
    if expression.has(sp.Integral, sp.Sum):
        return expression  # simplifying would try to take them
    simple = sp.factor_terms(sp.simplify(expression))
    return min(simple, sp.factor(simple), key=sp.count_ops)


def velocity_symbols(model: StatisticalModel) -> tuple[sp.Symbol, ...]:
    """Symbols for the components of a vector, none of which is a parameter of the model."""
    return _symbols_beside(model, [f"v_{p.name}" for p in model.parameters])


def _symbols_beside(model: StatisticalModel, names: Sequence[str]) -> tuple[sp.Symbol, ...]:
    """Real symbols of some names, with underscores before them if a parameter has one of these names."""
    while {p.name for p in model.parameters} & set(names):
        names = [f"_{name}" for name in names]
    return tuple(sp.Symbol(name, real=True) for name in names)
