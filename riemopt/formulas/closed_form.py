"""Geometries and losses in closed form: SymPy expressions, lowered where a point is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import sympy as sp

from riemopt.formulas import cancellation
from riemopt.formulas.cancellation import ChristoffelComponent
from riemopt.formulas.geometry import Geometry, Loss, Skewness
from riemopt.formulas.matrices import matrix_vector
from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node

__all__ = ["ClosedForm", "ClosedLoss", "ClosedSkewness"]


@dataclass(frozen=True, eq=False)
class ClosedForm(Geometry):
    """A geometry in SymPy expressions; those in which polygammas cancel are rewritten before they become numbers.

    Attributes
    ----------
    parameters, velocity : tuple of sympy.Symbol
        The coordinates of a point, and those of a vector in the other expressions.
    tensor : sympy.Matrix
        g_μν.
    product : tuple of sympy.Expr, optional
        Γ_ν(v); without it the metric is differentiated in the graph.
    amari_chentsov : callable
        Gives the Amari–Chentsov tensor; called only where it is needed.
    """

    parameters: tuple[sp.Symbol, ...]
    velocity: tuple[sp.Symbol, ...]
    tensor: sp.Matrix
    product: tuple[sp.Expr, ...] | None
    amari_chentsov: Callable[[], Skewness]

    @property
    def has_closed_skewness(self) -> bool:
        """Whether the Amari–Chentsov tensor is in closed form, too."""
        return isinstance(self._skewness, ClosedSkewness)

    def _metric(self, point: TracedPoint) -> list[Node]:
        return self._metric_at(point.graph, point.coordinates)

    def _metric_at(self, graph: Graph, coordinates: Sequence[Node]) -> list[Node]:
        environment = self._environment(coordinates)
        return [graph.lower(e, environment) for e in self._metric_expressions]

    def factors(self, point: TracedPoint) -> dict[tuple[int, int], Node]:
        """See :class:`Geometry`."""
        environment = self._environment(point.coordinates)
        return {place: point.graph.lower(e, environment) for place, e in self._factors.items()}

    def connection(self, point: TracedPoint, v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`."""
        g = point.graph
        if self.product is None:
            product = self._differentiated(point, v)
        else:
            environment = dict(zip((*self.parameters, *self.velocity), (*point.coordinates, *v), strict=True))
            product = [g.lower(e, environment) for e in self._product]
        if a:
            skewness = self.skewness(point, v)
            product = [g.sub(x, g.mul(g.constant(a / 2.0), t)) for x, t in zip(product, skewness, strict=True)]
        return product

    def _differentiated(self, point: TracedPoint, v: Sequence[Node]) -> list[Node]:
        """Γ_ν(v): the derivative of g_νβ v^β along v less half the differential of g_αβ v^α v^β."""
        g = point.graph
        probe = [g.input(f"coordinate {i}") for i in range(len(v))]
        momenta = matrix_vector(g, self._metric_at(g, probe), v)
        along = g.tangents(momenta, dict(zip(probe, v, strict=True)))
        down = g.gradients({g.dot(momenta, v): g.constant(0.5)}, probe)
        product = [g.sub(x, y) for x, y in zip(along, down, strict=True)]
        return g.substitute(product, dict(zip(probe, point.coordinates, strict=True)))

    def mixed(self, point: TracedPoint, u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`: half the derivative of Γ_ν(u) along v."""
        g = point.graph
        probe = [g.input(f"probe {i}") for i in range(len(u))]
        bilinear = g.tangents(self.connection(point, probe, 0.0), dict(zip(probe, v, strict=True)))
        # linear in the probe: its tangent along u is its value there
        return [g.mul(g.constant(0.5), x) for x in g.tangents(bilinear, dict(zip(probe, u, strict=True)))]

    def skewness(self, point: TracedPoint, v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return self._skewness.product(point, v)

    def raised(self, point: TracedPoint, u: Sequence[Node], v: Sequence[Node]) -> list[Node] | None:
        """See :class:`Geometry`."""
        g, environment = point.graph, self._environment(point.coordinates)
        return [_contracted(g, component, environment, u, v) for component in self._second_kind] or None

    def _environment(self, coordinates: Sequence[Node]) -> dict[sp.Symbol, Node]:
        return dict(zip(self.parameters, coordinates, strict=True))

    @cached_property
    def _metric_expressions(self) -> sp.Matrix:
        return self.tensor.applyfunc(cache(cancellation.without_cancellation))

    @cached_property
    def _factors(self) -> dict[tuple[int, int], sp.Expr]:
        return cancellation.factors(self.tensor)

    @cached_property
    def _product(self) -> tuple[sp.Expr, ...]:
        return _without_cancellation_along(self.product or (), self.velocity)

    @cached_property
    def _second_kind(self) -> tuple[ChristoffelComponent, ...]:
        return cancellation.christoffel_components(self.tensor, self.parameters)

    @cached_property
    def _skewness(self) -> Skewness:
        return self.amari_chentsov()


@dataclass(frozen=True, eq=False)
class ClosedSkewness(Skewness):
    """An Amari–Chentsov tensor in SymPy expressions.

    Attributes
    ----------
    parameters, velocity : tuple of sympy.Symbol
        The coordinates of a point and of a vector v.
    contraction : tuple of sympy.Expr
        T_ναβ v^α v^β.
    """

    parameters: tuple[sp.Symbol, ...]
    velocity: tuple[sp.Symbol, ...]
    contraction: tuple[sp.Expr, ...]

    def product(self, point: TracedPoint, v: Sequence[Node]) -> list[Node]:
        """See :class:`Skewness`."""
        environment = dict(zip((*self.parameters, *self.velocity), (*point.coordinates, *v), strict=True))
        return [point.graph.lower(e, environment) for e in self._contraction]

    @cached_property
    def _contraction(self) -> tuple[sp.Expr, ...]:
        return _without_cancellation_along(self.contraction, self.velocity)


def _without_cancellation_along(forms: Iterable[sp.Expr], velocity: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
    return tuple(cancellation.without_cancellation_along(e, velocity) for e in forms)


def _contracted(
    g: Graph,
    component: ChristoffelComponent,
    environment: Mapping[sp.Symbol, Node],
    u: Sequence[Node],
    v: Sequence[Node],
) -> Node:
    """(A u₀v₀ + B (u₀v₁ + u₁v₀) + C u₁v₁) / D, the square completed where the terms might cancel."""
    a, b, c, determinant, denominator = (
        g.lower(e, environment)
        for e in (component.first, component.mixed, component.second, component.determinant, component.denominator)
    )

    def completed(square: Node, first: int) -> Node:
        """(C u₁ + B u₀)(C v₁ + B v₀) + (AC - B²) u₀v₀ over CD, or the same with C and A exchanged."""
        x, y = (g.add(g.mul(square, w[1 - first]), g.mul(b, w[first])) for w in (u, v))
        above = g.add(g.mul(x, y), g.mul(determinant, g.mul(u[first], v[first])))
        return g.div(above, g.mul(square, denominator))

    if component.second.is_nonzero:
        return completed(c, 0)
    if component.first.is_nonzero:
        return completed(a, 1)
    terms = g.mul(a, g.mul(u[0], v[0])), g.mul(c, g.mul(u[1], v[1]))
    crossed = g.mul(b, g.mul(u[0], v[1])), g.mul(b, g.mul(u[1], v[0]))
    sizes = [g.call("absolute", term) for term in (*terms, *crossed)]
    half = g.mul(g.constant(0.5), g.add(sizes[2], sizes[3]))
    plain = g.div(g.add(g.add(*terms), g.add(*crossed)), denominator)
    about_first = g.call("select", g.operate("gt", sizes[0], half), completed(a, 1), plain)
    is_second = g.operate("and", g.operate("ge", sizes[1], sizes[0]), g.operate("gt", sizes[1], half))
    return g.call("select", is_second, completed(c, 0), about_first)


@dataclass(frozen=True, eq=False)
class ClosedLoss(Loss):
    """A loss in SymPy expressions of the point and of data.

    Attributes
    ----------
    symbols : tuple of sympy.Symbol
        The parameters, then the data.
    expression : sympy.Expr
        L.
    differential : tuple of sympy.Expr
        ∂_μ L.
    """

    symbols: tuple[sp.Symbol, ...]
    expression: sp.Expr
    differential: tuple[sp.Expr, ...]

    def value(self, point: TracedPoint) -> Node:
        """See :class:`Loss`."""
        return self._lower(point, [self.expression])[0]

    def gradient(self, point: TracedPoint) -> list[Node]:
        """See :class:`Loss`."""
        return self._lower(point, self.differential)

    def _lower(self, point: TracedPoint, expressions: Iterable[sp.Expr]) -> list[Node]:
        environment = dict(zip(self.symbols, (*point.coordinates, *point.data), strict=True))
        return [point.graph.lower(e, environment) for e in expressions]
