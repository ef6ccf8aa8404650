"""The geodesic equation."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

__all__ = ["geodesic_equations", "time"]

time = sp.Symbol("t", real=True)
"""The parameter of a geodesic."""


def geodesic_equations(
    pull: Sequence[sp.Expr], velocity: Sequence[sp.Symbol], parameters: Sequence[sp.Symbol]
) -> tuple[sp.Eq, ...]:
    """The equations θ̈^μ + Γ^μ_αβ θ̇^α θ̇^β = 0, with each coordinate a function of the time t.

    Parameters
    ----------
    pull : sequence of sympy.Expr
        Γ^μ_αβ v^α v^β.
    velocity : sequence of sympy.Symbol
        The components of v.
    parameters : sequence of sympy.Symbol
        The coordinates.
    """
    curves = [sp.Function(p.name, **p.assumptions0)(time) for p in parameters]
    moving = {
        **dict(zip(parameters, curves, strict=True)),
        **{v: curve.diff(time) for v, curve in zip(velocity, curves, strict=True)},
    }
    terms = zip(curves, pull, strict=True)
    return tuple(sp.Eq(curve.diff(time, 2) + term.xreplace(moving), 0) for curve, term in terms)
