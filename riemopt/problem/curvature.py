"""Curvature at a point, from a metric that can be differentiated."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

__all__ = ["scalar_curvature"]


def scalar_curvature(p: Any, x: Any) -> Any:
    """The scalar curvature from a metric and its derivatives at a point: R = g^ac g^bd R_abcd.

    R_abcd = ½ (∂_b∂_c g_ad + ∂_a∂_d g_bc - ∂_a∂_c g_bd - ∂_b∂_d g_ac) + Γ_pbc Γ^p_ad - Γ_pbd Γ^p_ac.
    """
    n, units = len(x), np.eye(len(x))
    g = p.metric(x)
    first = [p.tangent(g.ravel(), x, unit).reshape(n, n) for unit in units]
    second = [[p.tangent(d.ravel(), x, unit).reshape(n, n) for unit in units] for d in first]
    inverse = np.stack([p.raise_index(x, unit) for unit in units])
    every = range(n)

    def gamma(b: int, c: int) -> Any:
        return np.stack([0.5 * (first[b][k, c] + first[c][k, b] - first[k][b, c]) for k in every])

    lower = [[gamma(b, c) for c in every] for b in every]
    upper = [[inverse @ lower[b][c] for c in every] for b in every]

    def riemann(a: int, b: int, c: int, d: int) -> Any:
        bent = second[b][c][a, d] + second[a][d][b, c] - second[a][c][b, d] - second[b][d][a, c]
        return 0.5 * bent + lower[b][c] @ upper[a][d] - lower[b][d] @ upper[a][c]

    # antisymmetric in (a, b) and in (c, d)
    total = 0.0
    for a, b in itertools.combinations(every, 2):
        for c, d in itertools.combinations(every, 2):
            minor = inverse[a, c] * inverse[b, d] - inverse[a, d] * inverse[b, c]
            total = total + 2.0 * minor * riemann(a, b, c, d)
    return total if n > 1 else 0.0 * g[0, 0]
