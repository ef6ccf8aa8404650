"""Geometries and losses in another chart θ = φ(ξ), which is differentiated in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riemopt.formulas.geometry import Geometry, Loss
from riemopt.formulas.matrices import full, lower_triangle, matrix_vector
from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.nodes import Node
from riemopt.models.chart import Chart

__all__ = ["ChartedGeometry", "ChartedLoss"]


class _Transition:
    """A chart θ = φ(ξ) at a point ξ: the point θ, and what J = ∂θ/∂ξ and D²φ do with vectors.

    Parameters
    ----------
    chart : Chart
        φ.
    point : TracedPoint
        ξ.
    """

    def __init__(self, chart: Chart, point: TracedPoint) -> None:
        self.graph = graph = point.graph
        self._probes = [graph.input(f"coordinate {i}") for i in range(len(point.coordinates))]
        self._at = dict(zip(self._probes, point.coordinates, strict=True))
        environment = dict(zip(chart.parameters, self._probes, strict=True))
        image = [graph.lower(e, environment) for e in chart.expressions]
        self._columns = [graph.tangents(image, {probe: graph.constant(1.0)}) for probe in self._probes]
        self.image = point.elsewhere(graph.substitute(image, self._at))
        self.columns = [graph.substitute(column, self._at) for column in self._columns]

    @classmethod
    def at(cls, chart: Chart, point: TracedPoint) -> _Transition:
        """The transition at a point, made once: what is known at its image is kept with it."""
        return point.once(chart, lambda: cls(chart, point))

    def push_forward(self, v: Sequence[Node]) -> list[Node]:
        """J v."""
        return self._combined(self.columns, v)

    def pull_back(self, covector: Sequence[Node]) -> list[Node]:
        """Jᵀ c."""
        return [self.graph.dot(column, covector) for column in self.columns]

    def second_derivative(self, u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """D²φ[u, v]."""
        seeds = dict(zip(self._probes, v, strict=True))
        return self.graph.substitute(self.graph.tangents(self._combined(self._columns, u), seeds), self._at)

    def _combined(self, columns: Sequence[Sequence[Node]], coefficients: Sequence[Node]) -> list[Node]:
        return [self.graph.dot(row, coefficients) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, eq=False)
class ChartedGeometry(Geometry):
    """A geometry in another chart.

    Attributes
    ----------
    chart : Chart
        φ.
    original : Geometry
        The geometry in θ.
    """

    chart: Chart
    original: Geometry

    def _metric(self, point: TracedPoint) -> list[Node]:
        """Jᵀ g J."""
        phi, n = _Transition.at(self.chart, point), len(point.coordinates)
        metric = self.original.metric(phi.image)
        rows = [phi.pull_back(matrix_vector(point.graph, metric, column)) for column in phi.columns]
        return full(n, lower_triangle(n, lambda i, j: rows[i][j]))

    def connection(self, point: TracedPoint, v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`: Jᵀ(Γ^(a)(Jv) + g D²φ[v, v])."""
        phi = _Transition.at(self.chart, point)
        product = self.original.connection(phi.image, phi.push_forward(v), a)
        return self._pulled_back(phi, product, v, v)

    def mixed(self, point: TracedPoint, u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        phi = _Transition.at(self.chart, point)
        product = self.original.mixed(phi.image, phi.push_forward(u), phi.push_forward(v))
        return self._pulled_back(phi, product, u, v)

    def _pulled_back(
        self, phi: _Transition, product: Sequence[Node], u: Sequence[Node], v: Sequence[Node]
    ) -> list[Node]:
        """Jᵀ(Γ(Ju, Jv) + g D²φ[u, v]) from the product Γ(Ju, Jv) in θ."""
        g, second = phi.graph, phi.second_derivative(u, v)
        lowered = matrix_vector(g, self.original.metric(phi.image), second)
        return phi.pull_back([g.add(c, s) for c, s in zip(product, lowered, strict=True)])


@dataclass(frozen=True, eq=False)
class ChartedLoss(Loss):
    """A loss in another chart.

    Attributes
    ----------
    chart : Chart
        φ.
    original : Loss
        The loss in θ.
    """

    chart: Chart
    original: Loss

    def value(self, point: TracedPoint) -> Node:
        """See :class:`Loss`."""
        return self.original.value(_Transition.at(self.chart, point).image)

    def gradient(self, point: TracedPoint) -> list[Node]:
        """See :class:`Loss`: Jᵀ ∂L."""
        phi = _Transition.at(self.chart, point)
        return phi.pull_back(self.original.gradient(phi.image))
