"""The tensors of a model at a traced point: by their expressions where there are some, else from the primitives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import sympy as sp

from riemopt.formulas import tensors
from riemopt.formulas.cancellation import without_cancellation
from riemopt.formulas.closed_form import ClosedForm
from riemopt.formulas.primitives import PointPrimitives
from riemopt.geometry.symbolic import SymbolicGeometry
from riemopt.kernels.graph.tracing import TracedArray

__all__ = ["ModelTensors"]


class ModelTensors:
    """Tensors as functions of traced primitives `p` and a point `x`, an array of n traced numbers.

    Parameters
    ----------
    symbolic : SymbolicGeometry
        The expressions; each is derived when it is first needed.
    """

    def __init__(self, symbolic: SymbolicGeometry) -> None:
        self._symbolic = symbolic

    def christoffel(self, p: PointPrimitives, x: Any) -> Any:
        """The symbols Γ^μ_αβ, from the products of the coordinate vectors; indices [μ, αβ]."""
        units = np.eye(len(x))
        return np.stack([p.raised_connection(x, u, v) for u in units for v in units], axis=1)

    def scalar_curvature(self, p: PointPrimitives, x: Any) -> Any:
        """The scalar curvature R."""
        known = self._known_curvature(p, x)
        return tensors.scalar_curvature(p, x) if known is None else known

    def riemann(self, p: PointPrimitives, x: Any) -> Any:
        """The Riemann tensor R^ρ_σμν."""
        return tensors.riemann(p, x, self._gaussian_curvature(p, x))

    def ricci(self, p: PointPrimitives, x: Any) -> Any:
        """The Ricci tensor R_σν."""
        return tensors.ricci(p, x, self._gaussian_curvature(p, x))

    def sectional_curvature(self, p: PointPrimitives, x: Any, u: Any, v: Any) -> Any:
        """The sectional curvature of the plane of two vectors."""
        return tensors.sectional_curvature(p, x, u, v, self._gaussian_curvature(p, x))

    def amari_chentsov(self, p: PointPrimitives, x: Any) -> Any:
        """The Amari–Chentsov tensor T_μνκ."""
        p.require_domain(x)
        geometry, n = p.formulas.geometry(), len(x)
        if isinstance(geometry, ClosedForm) and geometry.has_closed_skewness:
            return self._lowered(p, x, sp.flatten(self._symbolic.amari_chentsov)).reshape(n, n, n)
        return tensors.amari_chentsov(lambda v: p.skewness(x, v), n)

    def _known_curvature(self, p: PointPrimitives, x: Any) -> Any:
        """The scalar curvature by its expression, if the geometry is in closed form; else None."""
        if not isinstance(p.formulas.geometry(), ClosedForm):
            return None
        p.require_domain(x)
        return self._lowered(p, x, [self._symbolic.scalar_curvature])[0]

    def _gaussian_curvature(self, p: PointPrimitives, x: Any) -> Any:
        """Half the scalar curvature of a surface by its expression; None if it is no surface, or there is none."""
        scalar = self._known_curvature(p, x) if len(x) == 2 else None
        return None if scalar is None else 0.5 * scalar

    def _lowered(self, p: PointPrimitives, x: Any, expressions: Iterable[sp.Expr]) -> TracedArray:
        """Expressions in the coordinates, at the point."""
        environment = dict(zip(p.formulas.parameters, x.nodes, strict=True))
        nodes = [p.graph.lower(without_cancellation(e), environment) for e in expressions]
        return TracedArray.of(p.graph, nodes)
