"""The primitives at a point, in a graph: a problem on traced arrays, and the conditions under which it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from riemopt.formulas.factorization import Factorization, factorize
from riemopt.formulas.formulas import Formulas
from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.programs import Condition
from riemopt.kernels.graph.tracing import TracedArray, TracingError
from riemopt.problem.point import Point
from riemopt.problem.protocol import Problem
from riemopt.status import Status

__all__ = ["PointPrimitives"]


@dataclass(eq=False)
class PointPrimitives(Problem):
    """What some formulas say at a point, on traced arrays.

    Every use of a primitive at a point adds the conditions under which its numbers can be trusted.

    Parameters
    ----------
    formulas : Formulas
        What to compute.
    graph : Graph
        Where the operations go.
    data : sequence of Node, optional
        The loss's data.
    rtol, atol : Node, optional
        Tolerances of exact integrations.
    loss_required : bool, optional
        Whether the loss may be asked for inside the domain only. A rule that compares losses may look outside, and
        finds NaN there.

    Attributes
    ----------
    conditions : list of Condition
        What must hold, in the order in which it was found.
    notes : list of Node
        Outputs that are wanted whatever the status is.
    """

    formulas: Formulas
    graph: Graph
    data: Sequence[Node] = ()
    rtol: Node | None = None
    atol: Node | None = None
    loss_required: bool = True
    conditions: list[Condition] = field(init=False, default_factory=list)
    notes: list[Node] = field(init=False, default_factory=list)
    _points: dict[tuple[Node, ...], TracedPoint] = field(init=False, default_factory=dict)

    offers = frozenset(("loss", "gradient", "raise_index", "lower_index", "connection"))

    def __post_init__(self) -> None:
        self.dimension = self.formulas.dimension

    # -- conditions

    def require(self, status: Status, holds: Node) -> None:
        """Add a condition: from here on a status applies unless it holds."""
        condition = Condition(status, holds)
        if condition not in self.conditions:
            self.conditions.append(condition)

    def require_domain(self, theta: Any) -> None:
        """Add the conditions that a point is finite and lies in the domain."""
        for condition in self._inside(theta):
            self.require(condition.status, condition.holds)

    def _inside(self, theta: Any) -> list[Condition]:
        g, point = self.graph, self._coordinates(theta)
        environment = dict(zip(self.formulas.parameters, point, strict=True))
        finite = [Condition(Status.NON_FINITE, g.call("isfinite", node)) for node in point]
        margins = [g.lower(margin, environment) for margin in self.formulas.margins]
        return finite + [Condition(Status.LEFT_DOMAIN, g.operate("gt", m, g.constant(0.0))) for m in margins]

    def status(self, conditions: Sequence[Condition] | None = None) -> Node:
        """The status of the first condition that does not hold; 0 if all of them do."""
        g = self.graph
        result = g.constant(0.0)
        for condition in reversed(self.conditions if conditions is None else conditions):
            result = g.call("select", condition.holds, result, g.constant(float(condition.status)))
        return result

    def note(self, value: Any) -> None:
        """Add to the outputs a number that is wanted whatever the status is."""
        self.notes += self._nodes(value)

    # -- primitives

    def at(self, theta: Any) -> Point:
        """The primitives at a traced point; see :class:`Problem`."""
        return Point(self, theta)

    def loss(self, theta: Any) -> TracedArray:
        """The loss; see :class:`Problem`."""
        assert self.formulas.loss is not None
        g, point = self.graph, self.traced_point(theta, required=self.loss_required)
        value = self.formulas.loss.value(point)
        if not self.loss_required:
            good = g.operate("eq", self.status(self._inside(theta)), g.constant(0.0))
            value = g.call("select", good, value, g.constant(float("nan")))
        return TracedArray.scalar(value)

    def gradient(self, theta: Any) -> TracedArray:
        """The differential of the loss; see :class:`Problem`."""
        assert self.formulas.loss is not None
        return self._array(self.formulas.loss.gradient(self.traced_point(theta)))

    def metric(self, theta: Any) -> TracedArray:
        """The Fisher metric."""
        n = self.formulas.dimension
        return self._array(self.formulas.geometry().metric(self.traced_point(theta))).reshape(n, n)

    def factorization(self, theta: Any) -> Factorization:
        """The factors of g = L D Lᵀ; a pivot that is lost in rounding is a singular metric."""
        point, geometry = self.traced_point(theta), self.formulas.geometry()

        def factors() -> Factorization:
            metric = self.metric(theta).nodes
            return factorize(self.graph, metric, geometry.factors(point))

        found = point.once("factorization", factors)
        for regular in found.regular:
            self.require(Status.SINGULAR_METRIC, regular)
        return found

    def raise_index(self, theta: Any, covector: Any) -> TracedArray:
        """The vector of a covector, by an unrolled LDLᵀ solve; see :class:`Problem`."""
        return self._array(self.factorization(theta).solve(self._nodes(covector)))

    def lower_index(self, theta: Any, vector: Any) -> TracedArray:
        """The covector of a vector; see :class:`Problem`."""
        return self.metric(theta) @ vector

    def inner(self, theta: Any, u: Any, v: Any) -> TracedArray:
        """The inner product g_μν u^μ v^ν; by the factors where elimination would spoil them."""
        if not self.formulas.geometry().factors(self.traced_point(theta)):
            return u @ (self.metric(theta) @ v)  # type: ignore[no-any-return]
        return TracedArray.scalar(self.factorization(theta).inner(self._nodes(u), self._nodes(v)))

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> TracedArray:
        """The lowered product of the a-connection, Γ_ν(v) - (a/2) T_ν(v, v); see :class:`Problem`."""
        return self._array(self.formulas.geometry().connection(self.traced_point(theta), self._nodes(vector), a))

    def mixed_connection(self, theta: Any, u: Any, v: Any) -> TracedArray:
        """The lowered product Γ_ναβ u^α v^β of two vectors."""
        return self._array(self.formulas.geometry().mixed(self.traced_point(theta), self._nodes(u), self._nodes(v)))

    def raised_connection(self, theta: Any, u: Any, v: Any) -> TracedArray:
        """The product Γ^μ_αβ u^α v^β of two vectors, a vector."""
        raised = self.formulas.geometry().raised(self.traced_point(theta), self._nodes(u), self._nodes(v))
        if raised is None:
            lowered = self.connection(theta, v) if u is v else self.mixed_connection(theta, u, v)
            return self.raise_index(theta, lowered)
        self.factorization(theta)  # for the condition that the metric is regular
        return self._array(raised)

    def skewness(self, theta: Any, vector: Any) -> TracedArray:
        """The contraction T_ναβ v^α v^β of the Amari–Chentsov tensor, a covector."""
        return self._array(self.formulas.geometry().skewness(self.traced_point(theta), self._nodes(vector)))

    def acceleration(self, theta: Any, velocity: Any, a: float = 0.0) -> TracedArray:
        """The right-hand side of the geodesic equation; see :class:`Problem`."""
        if a:
            return -self.raise_index(theta, self.connection(theta, velocity, a))
        return -self.raised_connection(theta, velocity, velocity)

    # -- building blocks

    def traced_point(self, theta: Any, required: bool = True) -> TracedPoint:
        """A point and what is known there; it must lie in the domain if that is required."""
        if required:
            self.require_domain(theta)
        coordinates = tuple(self._coordinates(theta))
        if coordinates not in self._points:
            self._points[coordinates] = TracedPoint(self.graph, coordinates, self.data, self.require)
        return self._points[coordinates]

    def tangent(self, outputs: TracedArray, inputs: TracedArray, direction: Any) -> TracedArray:
        """The derivative of traced outputs with respect to traced inputs along a direction."""
        seeds = dict(zip(self._nodes(inputs), self._nodes(direction), strict=True))
        return self._array(self.graph.tangents(self._nodes(outputs), seeds))

    def _array(self, nodes: Sequence[Node]) -> TracedArray:
        return TracedArray.of(self.graph, nodes)

    def _nodes(self, array: Any) -> list[Node]:
        if not isinstance(array, TracedArray):
            array = self._array([]).lift(array)
            return list(array.flat)
        return list(array.nodes.flat)

    def _coordinates(self, theta: Any) -> list[Node]:
        nodes = self._nodes(theta)
        if len(nodes) != self.formulas.dimension:
            raise TracingError(f"a point has {self.formulas.dimension} coordinates, not {len(nodes)}")
        return nodes
