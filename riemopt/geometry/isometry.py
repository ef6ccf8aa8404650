"""Isometries: coordinates in which a model is a product of standard spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from riemopt.geometry.spaces import Space
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.symbolic.functions import array_function

__all__ = ["Expressions", "Isometry"]

Expressions = tuple[sp.Expr, ...]


@dataclass(frozen=True)
class Isometry:
    """Coordinates in which a model is a product of standard spaces.

    Attributes
    ----------
    spaces : tuple of Space
        The factors.
    symbols : tuple of sympy.Symbol
        The coordinates of the factors, one factor after the other.
    forward : tuple of sympy.Expr
        Each of them as an expression of the model's parameters.
    backward : tuple of sympy.Expr
        The model's parameters as expressions of `symbols`.
    """

    spaces: tuple[Space, ...]
    symbols: tuple[sp.Symbol, ...]
    forward: Expressions
    backward: Expressions

    def in_chart(self, chart: Chart) -> Isometry | None:
        """The isometry of the model in another chart, or None if its inverse has no closed form."""
        inverse = chart.inverse_expressions
        if inverse is None:
            return None
        there = dict(zip(chart.original_parameters, chart.expressions, strict=True))
        back = dict(zip(chart.original_parameters, self.backward, strict=True))
        forward = tuple(e.xreplace(there) for e in self.forward)
        return Isometry(self.spaces, self.symbols, forward, tuple(e.xreplace(back) for e in inverse))

    def agrees(self, domain: Domain, metric: sp.Matrix) -> bool:
        """Whether the coordinates are inverse to one another, and bring the spaces' metric to a given one.

        Parameters
        ----------
        domain : Domain
            Where the model's parameters lie; some of its points are looked at.
        metric : sympy.Matrix
            The model's metric.
        """
        n = domain.dimension
        points = domain.interior_points(8, spread=0.3)
        images = array_function(domain.parameters, self.forward)(points)
        slopes = array_function(domain.parameters, tuple(sp.Matrix(self.forward).jacobian(domain.parameters)))(points)
        slopes = slopes.reshape(-1, n, n)
        wanted = array_function(domain.parameters, tuple(metric))(points).reshape(-1, n, n)
        pulled = np.einsum("kai,kab,kbj->kij", slopes, _metric_of(self.spaces, images), slopes)
        back = array_function(self.symbols, self.backward)(images)
        scale = np.sqrt(np.einsum("kii,kjj->kij", wanted, wanted))
        return bool(np.all(np.abs(pulled - wanted) <= 1e-9 * scale) and np.allclose(back, points, rtol=1e-9, atol=1e-9))


def _metric_of(spaces: Sequence[Space], points: np.ndarray) -> np.ndarray:
    """The metric of a product of spaces at points (m, n), shape (m, n, n)."""
    result = np.zeros((*points.shape, points.shape[-1]))
    start = 0
    for space in spaces:
        part = slice(start, start + space.dimension)
        result[:, part, part] = [space.metric(u) for u in points[:, part]]
        start = part.stop
    return result
