"""What a geometry and a loss have to offer: the metric, its connections, a loss and its differential, in a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.nodes import Node

__all__ = ["METRIC", "Geometry", "Loss", "Skewness"]

METRIC = "metric"
"""What the metric's entries are called among what is known at a point."""


class Geometry(ABC):
    """A metric and its connections."""

    def metric(self, point: TracedPoint) -> list[Node]:
        """The entries g_μν, row by row."""
        return point.once(METRIC, lambda: self._metric(point))

    @abstractmethod
    def _metric(self, point: TracedPoint) -> list[Node]:
        """The same, computed."""

    @abstractmethod
    def connection(self, point: TracedPoint, v: Sequence[Node], a: float) -> list[Node]:
        """The lowered product Γ^(a)_ν(v)."""

    @abstractmethod
    def mixed(self, point: TracedPoint, u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """The lowered product Γ_ναβ u^α v^β of two vectors."""

    def skewness(self, point: TracedPoint, v: Sequence[Node]) -> list[Node]:
        """The contraction T_ναβ v^α v^β of the Amari–Chentsov tensor: Γ^(-1)_ν(v) - Γ^(1)_ν(v)."""
        mixture, exponential = self.connection(point, v, -1.0), self.connection(point, v, 1.0)
        return [point.graph.sub(m, e) for m, e in zip(mixture, exponential, strict=True)]

    def factors(self, point: TracedPoint) -> dict[tuple[int, int], Node]:
        """Entries of L, and of D on the diagonal, of g = L D Lᵀ, that elimination would spoil; no others."""
        return {}

    def raised(self, point: TracedPoint, u: Sequence[Node], v: Sequence[Node]) -> list[Node] | None:
        """The product Γ^μ_αβ u^α v^β where raising the index of the lowered one would spoil it; else None."""
        return None


class Skewness(ABC):
    """An Amari–Chentsov tensor."""

    @abstractmethod
    def product(self, point: TracedPoint, v: Sequence[Node]) -> list[Node]:
        """The contraction T_ναβ v^α v^β."""


class Loss(ABC):
    """A loss and its differential."""

    @abstractmethod
    def value(self, point: TracedPoint) -> Node:
        """L at a point."""

    @abstractmethod
    def gradient(self, point: TracedPoint) -> list[Node]:
        """∂_μ L at a point."""
