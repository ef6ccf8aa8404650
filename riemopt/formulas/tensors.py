"""Curvature, volume and the Amari–Chentsov tensor at a point, from primitives that can be differentiated.

A function takes the traced primitives `p` and a point `x`, an array of n traced numbers. In two dimensions the tensors
follow from the Gaussian curvature; where that is known, it is given, and digits that the general formula would lose
where the metric is nearly singular are kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["amari_chentsov", "ricci", "riemann", "scalar_curvature", "sectional_curvature", "volume_element"]

Pair = tuple[int, int]


@dataclass(frozen=True)
class _Curvature:
    """The metric at a point, its inverse, and the components R_abcd with a < b, c < d."""

    metric: Any
    inverse: Any
    components: dict[tuple[Pair, Pair], Any]

    @property
    def pairs(self) -> list[Pair]:
        return list(itertools.combinations(range(len(self.metric)), 2))

    def lowered(self, a: int, b: int, c: int, d: int) -> Any:
        """R_abcd; 0.0 where it vanishes by antisymmetry."""
        if a == b or c == d:
            return 0.0
        value = self.components[(min(a, b), max(a, b)), (min(c, d), max(c, d))]
        return value if (a < b) == (c < d) else -value

    def on_bivectors(self, u: Any, v: Any) -> tuple[Any, Any]:
        """R(u, v, u, v) and the squared area of u and v."""
        area = {(a, b): u[a] * v[b] - u[b] * v[a] for a, b in self.pairs}
        curvature, size = 0.0, 0.0
        for (a, b), (c, d) in itertools.product(self.pairs, repeat=2):
            both = area[a, b] * area[c, d]
            curvature = curvature + self.components[(a, b), (c, d)] * both
            size = size + (self.metric[a, c] * self.metric[b, d] - self.metric[a, d] * self.metric[b, c]) * both
        return curvature, size


def _curvature(p: Any, x: Any) -> _Curvature:
    """R_abcd = ½ (∂_b∂_c g_ad + ∂_a∂_d g_bc - ∂_a∂_c g_bd - ∂_b∂_d g_ac) + Γ_pbc Γ^p_ad - Γ_pbd Γ^p_ac."""
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

    def component(a: int, b: int, c: int, d: int) -> Any:
        second_derivatives = second[b][c][a, d] + second[a][d][b, c] - second[a][c][b, d] - second[b][d][a, c]
        return 0.5 * second_derivatives + lower[b][c] @ upper[a][d] - lower[b][d] @ upper[a][c]

    components = {}
    for one, other in itertools.combinations_with_replacement(itertools.combinations(every, 2), 2):
        components[one, other] = components[other, one] = component(*one, *other)
    return _Curvature(g, inverse, components)


def _tensor(n: int, order: int, entry: Callable[..., Any], zero: Any) -> Any:
    """An array of n components along each axis."""
    entries = [entry(*index) + zero for index in itertools.product(range(n), repeat=order)]
    return np.stack(entries).reshape(*([n] * order))


def riemann(p: Any, x: Any, gaussian: Any = None) -> Any:
    """The Riemann tensor R^ρ_σμν = g^ρκ R_κσμν, indices [ρ, σ, μ, ν]."""
    n = len(x)
    if gaussian is not None:
        curved = gaussian * p.metric(x)

        def turned(r: int, s: int, m: int, v: int) -> Any:
            return float(r == m) * curved[s, v] - float(r == v) * curved[s, m]

        return _tensor(n, 4, turned, 0.0 * gaussian)
    known = _curvature(p, x)

    def entry(r: int, s: int, m: int, v: int) -> Any:
        return sum((known.inverse[r, k] * known.lowered(k, s, m, v) for k in range(n)), 0.0)

    return _tensor(n, 4, entry, 0.0 * known.metric[0, 0])


def ricci(p: Any, x: Any, gaussian: Any = None) -> Any:
    """The Ricci tensor R_σν = g^ρμ R_ρσμν."""
    if gaussian is not None:
        return gaussian * p.metric(x)
    n, known = len(x), _curvature(p, x)

    def entry(s: int, v: int) -> Any:
        s, v = max(s, v), min(s, v)  # symmetric in rounding too
        pairs = itertools.product(range(n), repeat=2)
        return sum((known.inverse[r, m] * known.lowered(r, s, m, v) for r, m in pairs), 0.0)

    return _tensor(n, 2, entry, 0.0 * known.metric[0, 0])


def scalar_curvature(p: Any, x: Any) -> Any:
    """The scalar curvature R = g^ac g^bd R_abcd."""
    known = _curvature(p, x)
    total, inverse = 0.0 * known.metric[0, 0], known.inverse
    for ((a, b), (c, d)), component in known.components.items():
        minor = inverse[a, c] * inverse[b, d] - inverse[a, d] * inverse[b, c]
        total = total + 2.0 * minor * component
    return total


def sectional_curvature(p: Any, x: Any, u: Any, v: Any, gaussian: Any = None) -> Any:
    """The sectional curvature R(u, v, u, v) / (|u|²|v|² - (u·v)²) of the plane of two vectors."""
    if gaussian is not None:
        area = u[0] * v[1] - u[1] * v[0]
        return gaussian * (area / area)
    curvature, area = _curvature(p, x).on_bivectors(u, v)
    return curvature / area


def volume_element(p: Any, x: Any) -> Any:
    """√det g, from the pivots of the metric."""
    return np.sqrt(np.prod(type(x).of(p.graph, p.factorization(x).pivots)))


def amari_chentsov(contraction: Callable[[Any], Any], n: int) -> Any:
    """The tensor T_ijk from its contractions T_k(v, v) = T_ijk v^i v^j with as few vectors as its symmetry allows.

    Parameters
    ----------
    contraction : callable
        Takes v as numbers, shape (n,); returns T_k(v, v), shape (n,).
    n : int
        The number of coordinates.
    """
    units = np.eye(n)
    squares = [contraction(unit) for unit in units]
    mixed = {(i, j): contraction(units[i] + units[j]) for i, j in itertools.combinations(range(n - 1), 2)}

    def entry(*index: int) -> Any:
        i, j, k = sorted(index)
        if i == j:
            return squares[i][k]
        if j == k:
            return squares[j][i]
        return 0.5 * (mixed[i, j][k] - squares[i][k] - squares[j][k])

    return _tensor(n, 3, entry, 0.0)
