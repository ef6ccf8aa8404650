"""The geodesic equation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import sympy as sp

__all__ = ["geodesic_equations", "time"]

time = sp.Symbol("t", real=True)
"""The parameter of a geodesic."""


def geodesic_equations(christoffel: sp.NDimArray, parameters: Sequence[sp.Symbol]) -> tuple[sp.Eq, ...]:
    """The equations θ̈^μ + Γ^μ_αβ θ̇^α θ̇^β = 0, with each coordinate a function of the time t.

    Parameters
    ----------
    christoffel : sympy.Array
        The symbols of the second kind, [μ, α, β].
    parameters : sequence of sympy.Symbol
        The coordinates.
    """
    n = len(parameters)
    curve = {p: sp.Function(p.name, **p.assumptions0)(time) for p in parameters}
    speed = [curve[p].diff(time) for p in parameters]

    def equation(mu: int) -> sp.Eq:
        pull = [christoffel[mu, a, b].xreplace(curve) * speed[a] * speed[b] for a, b in product(range(n), repeat=2)]
        return sp.Eq(speed[mu].diff(time) + sp.Add(*pull), 0)

    return tuple(equation(mu) for mu in range(n))
