"""Curvature of the Levi-Civita connection."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import sympy as sp

__all__ = ["ricci", "riemann", "scalar_curvature"]


def riemann(christoffel: sp.NDimArray, parameters: Sequence[sp.Symbol]) -> sp.ImmutableDenseNDimArray:
    """The Riemann tensor R^ρ_σμν = ∂_μ Γ^ρ_νσ - ∂_ν Γ^ρ_μσ + Γ^ρ_μλ Γ^λ_νσ - Γ^ρ_νλ Γ^λ_μσ, indices [ρ, σ, μ, ν].

    Parameters
    ----------
    christoffel : sympy.Array
        The symbols of the second kind, [μ, α, β].
    parameters : sequence of sympy.Symbol
        The coordinates.
    """
    n = len(parameters)

    def entry(r: int, s: int, m: int, v: int) -> sp.Expr:
        quadratic = [
            christoffel[r, m, k] * christoffel[k, v, s] - christoffel[r, v, k] * christoffel[k, m, s] for k in range(n)
        ]
        return christoffel[r, v, s].diff(parameters[m]) - christoffel[r, m, s].diff(parameters[v]) + sp.Add(*quadratic)

    entries = [entry(*index) for index in product(range(n), repeat=4)]
    return sp.ImmutableDenseNDimArray(entries, (n, n, n, n))


def ricci(riemann_tensor: sp.NDimArray) -> sp.ImmutableMatrix:
    """The Ricci tensor R_σν = R^ρ_σρν, shape (n, n)."""
    n = riemann_tensor.shape[0]
    return sp.ImmutableMatrix(n, n, lambda s, v: sp.Add(*(riemann_tensor[r, s, r, v] for r in range(n))))


def scalar_curvature(metric: sp.Matrix, ricci_tensor: sp.Matrix) -> sp.Expr:
    """The scalar curvature g^σν R_σν."""
    return metric.LUsolve(sp.Matrix(ricci_tensor)).trace()
