"""Connections: Levi-Civita symbols of both kinds, α-connections, and the lowered product that integrators need.

The order of indices is the same everywhere: first kind ``[ν, α, β]`` (lowered index first),
second kind ``[μ, α, β]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import sympy as sp

__all__ = ["alpha_first_kind", "first_kind", "lowered_product", "second_kind", "skewness_product"]

Symbols = Sequence[sp.Symbol]


def lowered_product(metric: sp.Matrix, parameters: Symbols, velocity: Symbols) -> tuple[sp.Expr, ...]:
    """The connection product Γ_ν(v) = (∂_α g_νβ - ½ ∂_ν g_αβ) v^α v^β of the Levi-Civita connection.

    Parameters
    ----------
    metric : sympy.Matrix
        g, shape (n, n).
    parameters, velocity : sequence of sympy.Symbol
        The coordinates, and the components of v.

    Returns
    -------
    tuple of sympy.Expr
        n expressions, quadratic in the velocity.
    """
    n = len(parameters)
    energy = sp.Add(*(metric[a, b] * velocity[a] * velocity[b] for a, b in product(range(n), repeat=2)))
    momenta = [sp.Add(*(metric[nu, b] * velocity[b] for b in range(n))) for nu in range(n)]
    return tuple(
        sp.Add(*(momenta[nu].diff(parameters[a]) * velocity[a] for a in range(n))) - energy.diff(parameters[nu]) / 2
        for nu in range(n)
    )


def skewness_product(skewness: sp.NDimArray, velocity: Symbols) -> tuple[sp.Expr, ...]:
    """The contraction T_ναβ v^α v^β of the Amari–Chentsov tensor."""
    n = len(velocity)
    pairs = list(product(range(n), repeat=2))
    return tuple(sp.Add(*(skewness[nu, a, b] * velocity[a] * velocity[b] for a, b in pairs)) for nu in range(n))


def first_kind(metric: sp.Matrix, parameters: Symbols) -> sp.ImmutableDenseNDimArray:
    """The Levi-Civita symbols Γ_ναβ = ½(∂_α g_νβ + ∂_β g_να - ∂_ν g_αβ), indices [ν, α, β]."""

    def entry(nu: int, a: int, b: int) -> sp.Expr:
        derivatives = metric[nu, b].diff(parameters[a]) + metric[nu, a].diff(parameters[b])
        return (derivatives - metric[a, b].diff(parameters[nu])) / 2

    return _array(len(parameters), entry)


def second_kind(metric: sp.Matrix, parameters: Symbols) -> sp.ImmutableDenseNDimArray:
    """The Levi-Civita symbols Γ^μ_αβ = g^μν Γ_ναβ, indices [μ, α, β]."""
    n = len(parameters)
    lowered = first_kind(metric, parameters)
    pairs = list(product(range(n), repeat=2))
    right = sp.Matrix([[lowered[nu, a, b] for a, b in pairs] for nu in range(n)])
    raised = metric.LUsolve(right)
    return _array(n, lambda mu, a, b: raised[mu, a * n + b])


def alpha_first_kind(
    metric: sp.Matrix, skewness: sp.NDimArray, parameters: Symbols, a: sp.Expr
) -> sp.ImmutableDenseNDimArray:
    """The α-connection Γ^(a)_ναβ = Γ_ναβ - (a/2) T_ναβ, indices [ν, α, β]; a = 0 is Levi-Civita."""
    return first_kind(metric, parameters) - skewness * (sp.sympify(a) / 2)


def _array(n: int, entry: Callable[[int, int, int], sp.Expr]) -> sp.ImmutableDenseNDimArray:
    return sp.ImmutableDenseNDimArray([[[entry(i, j, k) for k in range(n)] for j in range(n)] for i in range(n)])
