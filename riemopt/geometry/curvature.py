"""Curvature of the α-connections, of which Levi-Civita is one.

Arrays hold objects with arithmetic and a method ``diff``: SymPy expressions, or elements of a field of fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import sympy as sp

__all__ = ["lowered_riemann", "ricci", "scalar_curvature", "sectional_parts"]


def lowered_riemann(
    inverse: Any, lowered: np.ndarray, parameters: Sequence[sp.Symbol], dual: np.ndarray | None = None
) -> np.ndarray:
    """The Riemann tensor R_ρσμν = ∂_μ Γ_ρνσ - ∂_ν Γ_ρμσ + Γ*_κνρ Γ^κ_μσ - Γ*_κμρ Γ^κ_νσ, indices [ρ, σ, μ, ν].

    Γ* is the dual connection, Γ^(-a) of Γ^(a): with it, ∂_μ g_ρκ = Γ_ρμκ + Γ*_κμρ.

    Parameters
    ----------
    inverse : array, shape (n, n)
        The inverse metric.
    lowered : array, shape (n, n, n)
        The symbols of the first kind.
    parameters : sequence of sympy.Symbol
        The coordinates.
    dual : array, shape (n, n, n), optional
        Those of the dual connection, if it is another one. Without it the connection is Levi-Civita's, whose symmetries
        give most components.

    Returns
    -------
    array of objects, shape (n, n, n, n)
        ``[ρ, σ, μ, ν]`` of R^ρ_σμν = ∂_μ Γ^ρ_νσ - ∂_ν Γ^ρ_μσ + Γ^ρ_μλ Γ^λ_νσ - Γ^ρ_νλ Γ^λ_μσ, ρ lowered.
    """
    n = len(parameters)
    raised = np.tensordot(inverse, lowered, axes=1)
    star = lowered if dual is None else dual
    result = np.full((n, n, n, n), lowered[0, 0, 0] * 0, dtype=object)

    def component(r: int, s: int, m: int, v: int) -> Any:
        curl = lowered[r, v, s].diff(parameters[m]) - lowered[r, m, s].diff(parameters[v])
        return curl + star[:, v, r] @ raised[:, m, s] - star[:, m, r] @ raised[:, v, s]

    pairs = list(combinations(range(n), 2))
    if dual is not None:
        for r, s, (m, v) in product(range(n), range(n), pairs):
            result[r, s, m, v] = component(r, s, m, v)
            result[r, s, v, m] = -result[r, s, m, v]
        return result
    for k, (m, v) in enumerate(pairs):
        for r, s in pairs[: k + 1]:
            # with s < m, it is the last of three that the first Bianchi identity relates
            value = result[r, m, s, v] - result[r, v, s, m] if s < m else component(r, s, m, v)
            for i, j, x, y in ((r, s, m, v), (m, v, r, s)):
                result[i, j, x, y] = result[j, i, y, x] = value
                result[j, i, x, y] = result[i, j, y, x] = -value
    return result


def ricci(inverse: Any, riemann: np.ndarray) -> np.ndarray:
    """The Ricci tensor R_σν = g^ρμ R_ρσμν, shape (n, n)."""
    return np.tensordot(inverse, riemann, axes=([0, 1], [0, 2]))


def scalar_curvature(inverse: Any, ricci_tensor: np.ndarray) -> Any:
    """The scalar curvature g^σν R_σν."""
    return np.sum(inverse * ricci_tensor)


def sectional_parts(metric: Any, riemann: np.ndarray, u: Any, v: Any) -> tuple[Any, Any]:
    """R(u, v, u, v) and the squared area of u and v: the sectional curvature of their plane is the quotient."""
    both = np.tensordot(np.tensordot(riemann, v, axes=1), u, axes=1)
    area = (u @ metric @ u) * (v @ metric @ v) - (u @ metric @ v) * (v @ metric @ u)
    return u @ (both @ v), area
