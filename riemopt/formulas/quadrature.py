"""A geometry whose expectations are taken numerically at every point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riemopt.formulas.expectation import Integrand, expectation
from riemopt.formulas.geometry import METRIC, Geometry, Skewness
from riemopt.formulas.matrices import full, lower_triangle
from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.nodes import Node
from riemopt.models.plan import Plan

__all__ = ["QuadratureGeometry", "QuadratureSkewness"]


@dataclass(frozen=True, eq=False)
class QuadratureGeometry(Geometry):
    """A geometry whose expectations are integrals over the support, or sums.

    Attributes
    ----------
    plan : Plan
        The density, and how its support is taken apart.
    """

    plan: Plan

    def _metric(self, point: TracedPoint) -> list[Node]:
        return full(len(self.plan.parameters), expectation(self.plan, point, (), _squared_scores))

    def connection(self, point: TracedPoint, v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(point, v, a)

    def mixed(self, point: TracedPoint, u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(point, (*u, *v), 0.0)

    def skewness(self, point: TracedPoint, v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return QuadratureSkewness(self.plan).product(point, v)

    def _product(self, point: TracedPoint, vectors: Sequence[Node], a: float) -> list[Node]:
        """Γ^(a)_ν(u, v), where u is v if there is but one vector; the metric is known from then on, too.

        Whoever asks for a connection goes on to raise its index: one integration serves both.
        """
        n, lowered = len(self.plan.parameters), _moving_product if self.plan.moves else _product

        def product(integrand: Integrand) -> list[Node]:
            return lowered(integrand, a)

        if METRIC in point.known:
            return expectation(self.plan, point, vectors, product)
        both = expectation(self.plan, point, vectors, lambda i: [*product(i), *_squared_scores(i)])
        point.known[METRIC] = full(n, both[n:])
        return both[:n]


@dataclass(frozen=True, eq=False)
class QuadratureSkewness(Skewness):
    """An Amari–Chentsov tensor that is an integral over the support.

    Attributes
    ----------
    plan : Plan
        The density, and how its support is taken apart.
    """

    plan: Plan

    def product(self, point: TracedPoint, v: Sequence[Node]) -> list[Node]:
        """See :class:`Skewness`: E[∂_νℓ (∂_αℓ v^α)²]."""
        return expectation(self.plan, point, v, _skewness_product)


# -- what these are the expectations of


def _squared_scores(integrand: Integrand) -> list[Node]:
    """∂_μℓ ∂_νℓ, the lower triangle of a matrix."""
    s = integrand.scores()
    return lower_triangle(len(s), lambda i, j: integrand.graph.mul(s[i], s[j]))


def _skewness_product(integrand: Integrand) -> list[Node]:
    """∂_νℓ (∂_αℓ v^α)²."""
    g = integrand.graph
    first = integrand.along(integrand.density, integrand.v)
    square = g.mul(first, first)
    return [g.mul(s, square) for s in integrand.scores()]


def _product(integrand: Integrand, a: float) -> list[Node]:
    """∂_νℓ (∂_α∂_βℓ + (1-a)/2 ∂_αℓ ∂_βℓ) u^α v^β."""
    g = integrand.graph
    first, other = (integrand.along(integrand.density, w) for w in (integrand.u, integrand.v))
    second = integrand.along(first, integrand.v)
    both = g.add(second, g.mul(g.constant((1.0 - a) / 2.0), g.mul(first, other)))
    return [g.mul(s, both) for s in integrand.scores()]


def _moving_product(integrand: Integrand, a: float) -> list[Node]:
    """The same where a kink moves with the parameters, and second derivatives of ℓ are not all there is.

    The metric is differentiated with the stretches of the support moving:
    2 Γ_ν(u, v) = ∂_u g_νβ v^β + ∂_v g_νβ u^β - ∂_ν g_uv.
    """
    g = integrand.graph
    scores = integrand.scores()
    first, other = (integrand.along(integrand.density, w) for w in (integrand.u, integrand.v))
    both = g.mul(first, other)
    result = []
    for k, score in enumerate(scores):
        unit = [g.constant(float(i == k)) for i in range(len(scores))]
        terms = ((integrand.u, g.mul(score, other)), (integrand.v, g.mul(score, first)), (unit, both))
        across, along, down = (integrand.total(product, direction) for direction, product in terms)
        doubled = g.sub(g.sub(g.add(across, along), down), g.mul(g.constant(a), g.mul(score, both)))
        result.append(g.mul(g.constant(0.5), doubled))
    return result
