"""Connections: Levi-Civita symbols of both kinds, α-connections, and the lowered product that integrators need.

The order of indices is the same everywhere: first kind ``[ν, α, β]`` (lowered index first),
second kind ``[μ, α, β]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
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


def first_kind(metric: Any, parameters: Symbols) -> np.ndarray:
    """The Levi-Civita symbols Γ_ναβ = ½(∂_α g_νβ + ∂_β g_να - ∂_ν g_αβ), indices [ν, α, β].

    Parameters
    ----------
    metric : array of sympy.Expr or of Fraction
        g, shape (n, n).
    parameters : sequence of sympy.Symbol
        The coordinates.

    Returns
    -------
    array of objects, shape (n, n, n)
    """
    n = len(parameters)
    half = sp.Rational(1, 2)
    result = np.empty((n, n, n), dtype=object)
    slopes = {(i, j, k): metric[i, j].diff(parameters[k]) for i, j, k in product(range(n), repeat=3) if j <= i}

    def slope(i: int, j: int, k: int) -> Any:
        return slopes[max(i, j), min(i, j), k]

    for nu, a, b in product(range(n), repeat=3):
        if a <= b:
            result[nu, a, b] = result[nu, b, a] = (slope(nu, b, a) + slope(nu, a, b) - slope(a, b, nu)) * half
    return result


def second_kind(inverse: Any, lowered: np.ndarray) -> np.ndarray:
    """The symbols Γ^μ_αβ = g^μν Γ_ναβ of any connection, indices [μ, α, β], from the inverse metric."""
    return np.tensordot(inverse, lowered, axes=1)


def alpha_first_kind(lowered: np.ndarray, skewness: Any, a: Any) -> np.ndarray:
    """The α-connection Γ^(a)_ναβ = Γ_ναβ - (a/2) T_ναβ, indices [ν, α, β]; a = 0 is Levi-Civita."""
    return lowered - skewness * (a * sp.Rational(1, 2))
