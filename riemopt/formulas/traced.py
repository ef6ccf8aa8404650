"""The primitives as formulas: a problem on traced arrays, from which every kernel of a model is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np
import sympy as sp

from riemopt.formulas.geometry import Geometry, Loss
from riemopt.formulas.standard import StandardGeodesics
from riemopt.geometry.closed_forms import Isometry
from riemopt.kernels.graph.lowering import Condition, Graph, Node, Ode, Program
from riemopt.kernels.graph.tracing import TracedArray, TracingError, flatten
from riemopt.models.straight import StraightLine
from riemopt.numerics.ode import ATOL, RTOL
from riemopt.problem.point import Point
from riemopt.problem.protocol import PRIMITIVES, Problem
from riemopt.status import Status

__all__ = ["Formulas", "TracedPrimitives", "leaf_node", "pointwise_program", "traced_inputs"]

_SINGULAR = 4.0 * float(np.finfo(np.float64).eps)
"""A pivot below this fraction of its diagonal entry is rounding."""


@dataclass(frozen=True, eq=False)
class Formulas:
    """A geometry, and possibly a loss, on a domain.

    Attributes
    ----------
    parameters : tuple of sympy.Symbol
        The coordinates of a point.
    margins : tuple of sympy.Expr
        Positive inside the domain.
    geometry : Geometry
        The metric and its connections.
    loss : Loss, optional
        The loss and its differential.
    data : int, optional
        How many numbers the loss, and possibly the geometry, depend on besides the point.
    isometry : callable, optional
        Gives coordinates in which geodesics are closed forms.
    straight_line : callable, optional
        Takes a; gives the geodesics of the a-connection where they are straight lines in some coordinates, else None.
    rtol, atol : float, optional
        Tolerances of every exact integration, where a program does not take its own.
    """

    parameters: tuple[sp.Symbol, ...]
    margins: tuple[sp.Expr, ...]
    geometry: Geometry
    loss: Loss | None = None
    data: int = 0
    isometry: Callable[[], Isometry | None] = lambda: None
    straight_line: Callable[[float], StraightLine | None] = lambda a: None
    rtol: float = RTOL
    atol: float = ATOL

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.parameters)

    def has_closed_form(self, primitive: str, a: float = 0.0) -> bool:
        """Whether `exp` or `transport` takes no integration; see :class:`Problem`."""
        if primitive not in ("exp", "transport"):
            return False
        return self.isometry() is not None if a == 0 else primitive == "exp" and self.straight_line(a) is not None

    def geodesic(self, a: float = 0.0) -> Ode:
        """The geodesic equation θ̈ = -g⁻¹Γ^(a)(θ̇) of an a-connection, as a first-order system in (θ, θ̇)."""
        n = self.dimension
        if a not in self._geodesics:
            self._geodesics[a] = self._ode(
                2 * n, lambda p, y: np.concatenate([y[n:], p.acceleration(y[:n], y[n:], a)]), self._approach(2 * n)
            )
        return self._geodesics[a]

    @cached_property
    def _geodesics(self) -> dict[float, Ode]:
        return {}

    @cached_property
    def natural_gradient_flow(self) -> Ode:
        """The natural gradient flow θ̇ = -g⁻¹∂L."""
        return self._ode(self.dimension, lambda p, y: -p.natural_gradient(y))

    @cached_property
    def transport(self) -> Ode:
        """A geodesic and a vector carried along it, ẇ = -g⁻¹Γ(θ̇, w), as a system in (θ, θ̇, w)."""
        n = self.dimension

        def derivative(p: TracedPrimitives, y: Any) -> Any:
            point, velocity, carried = y[:n], y[n : 2 * n], y[2 * n :]
            turned = p.raised_connection(point, velocity, carried)
            return np.concatenate([velocity, p.acceleration(point, velocity), -turned])

        return self._ode(3 * n, derivative, self._approach(3 * n))

    @cached_property
    def jacobi(self) -> Ode:
        """A geodesic and its derivatives along the n directions of its initial velocity.

        The system in (θ, θ̇) and n pairs (δθ, δθ̇), each of them the tangent of the geodesic equation: the Jacobi
        equation.
        """
        n = self.dimension

        def derivative(p: TracedPrimitives, y: Any) -> Any:
            state = y[: 2 * n]
            velocity: Any = np.concatenate([state[n:], p.acceleration(state[:n], state[n:])])
            parts: list[Any] = [velocity]
            for k in range(n):
                variation = y[2 * n * (k + 1) : 2 * n * (k + 2)]
                parts.append(p.tangent(velocity, state, variation))
            return np.concatenate(parts)

        return self._ode(2 * n * (n + 1), derivative, self._approach(2 * n * (n + 1)))

    def _ode(
        self,
        dimension: int,
        derivative: Callable[[TracedPrimitives, Any], Any],
        approach: Program | None = None,
    ) -> Ode:
        program = pointwise_program(self, derivative, [dimension])
        return Ode(program, dimension, approach)

    def _approach(self, dimension: int) -> Program | None:
        """How fast a geodesic, whose state begins with (θ, θ̇), closes in on the edge: the largest -ṁ/m and ṁ/m.

        By mean, a geodesic of the Poisson model is a parabola that touches 0 and comes back. At a bound that is not 0,
        what rounding leaves of m is the edge.
        """
        graph, n = Graph(), self.dimension
        state = [graph.input(f"state {i}") for i in range(dimension)]
        environment = dict(zip(self.parameters, state[:n], strict=True))
        margins = [graph.lower(margin, environment) for margin in self.margins]
        slopes = graph.tangents(margins, dict(zip(state[:n], state[n : 2 * n], strict=True)))
        rates = []
        for margin, slope, expression in zip(margins, slopes, self.margins, strict=True):
            terms = [graph.call("absolute", graph.lower(term, environment)) for term in sp.Add.make_args(expression)]
            distance = margin
            if len(terms) > 1:
                lost = graph.mul(graph.constant(_SINGULAR), reduce(graph.add, terms))
                distance = graph.call("maximum", graph.sub(margin, lost), graph.constant(0.0))
            rates.append(graph.div(slope, distance))
        if not rates:
            return None
        backward = reduce(lambda a, b: graph.call("maximum", a, b), rates)
        forward = reduce(lambda a, b: graph.call("maximum", a, b), [graph.neg(rate) for rate in rates])
        data = [graph.input(f"datum {i}") for i in range(self.data)]
        return Program((*state, *data), (forward, backward))


@dataclass(eq=False)
class TracedPrimitives(Problem):
    """The primitives of some formulas on traced arrays.

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
    """

    formulas: Formulas
    graph: Graph
    data: Sequence[Node] = ()
    rtol: Node | None = None
    atol: Node | None = None
    loss_required: bool = True
    conditions: list[Condition] = field(default_factory=list)
    notes: list[Node] = field(default_factory=list)
    metrics: dict[tuple[Node, ...], list[Node]] = field(default_factory=dict)
    _factors: dict[tuple[Node, ...], tuple[list[list[Node]], list[Node]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dimension = self.formulas.dimension
        self.offers = frozenset(PRIMITIVES)

    # -- conditions

    def require(self, status: Status, holds: Node) -> None:
        """Note that from here on a status applies unless a condition holds."""
        condition = Condition(status, holds)
        if condition not in self.conditions:
            self.conditions.append(condition)

    def require_domain(self, theta: Any) -> None:
        """Note that a point must be finite and lie in the domain."""
        for condition in self._inside(theta):
            self.require(condition.status, condition.holds)

    def _inside(self, theta: Any) -> list[Condition]:
        g, point = self.graph, self._at(theta)
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

    def loss(self, theta: Any) -> TracedArray:
        """The loss; see :class:`Problem`."""
        assert self.formulas.loss is not None
        g, point = self.graph, self._point(theta, required=self.loss_required)
        value = self.formulas.loss.value(self, point)
        if not self.loss_required:
            good = g.operate("eq", self.status(self._inside(theta)), g.constant(0.0))
            value = g.call("select", good, value, g.constant(float("nan")))
        return TracedArray.scalar(value)

    def gradient(self, theta: Any) -> TracedArray:
        """The differential of the loss; see :class:`Problem`."""
        assert self.formulas.loss is not None
        return TracedArray.of(self.graph, self.formulas.loss.gradient(self, self._point(theta)))

    def metric(self, theta: Any) -> TracedArray:
        """The Fisher metric."""
        n = self.formulas.dimension
        entries = self.formulas.geometry.metric(self, self._point(theta))
        return TracedArray.of(self.graph, entries).reshape(n, n)

    def at(self, theta: Any) -> Point:
        """The primitives at a traced point; see :class:`Problem`."""
        return Point(self, theta)

    def raise_index(self, theta: Any, covector: Any) -> TracedArray:
        """The vector of a covector, by an unrolled LDLᵀ solve; see :class:`Problem`."""
        g = self.graph
        lower, pivots = self._factorized(theta)
        solution = self._nodes(covector)
        n = len(solution)
        for i in range(n):
            solution[i] = g.sub(solution[i], g.dot(lower[i][:i], solution[:i]))
        solution = [g.div(x, d) for x, d in zip(solution, pivots, strict=True)]
        for i in reversed(range(n)):
            column = [lower[k][i] for k in range(i + 1, n)]
            solution[i] = g.sub(solution[i], g.dot(column, solution[i + 1 :]))
        return TracedArray.of(g, solution)

    def lower_index(self, theta: Any, vector: Any) -> TracedArray:
        """The covector of a vector; see :class:`Problem`."""
        return self.metric(theta) @ vector

    def inner(self, theta: Any, u: Any, v: Any) -> TracedArray:
        """The inner product g_μν u^μ v^ν; as Σ d_j (Lᵀu)_j (Lᵀv)_j where elimination would spoil the factors."""
        g, n = self.graph, self.formulas.dimension
        if not self.formulas.geometry.factors(self, self._point(theta)):
            return u @ (self.metric(theta) @ v)  # type: ignore[no-any-return]
        lower, pivots = self._factorized(theta)
        turned = [
            [g.add(w[j], g.dot([lower[i][j] for i in range(j + 1, n)], w[j + 1 :])) for j in range(n)]
            for w in (self._nodes(u), self._nodes(v))
        ]
        return TracedArray.scalar(g.dot(pivots, [g.mul(x, y) for x, y in zip(*turned, strict=True)]))

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> TracedArray:
        """The lowered product of the a-connection, Γ_ν(v) - (a/2) T_ν(v, v); see :class:`Problem`."""
        product = self.formulas.geometry.connection(self, self._point(theta), self._nodes(vector), a)
        return TracedArray.of(self.graph, product)

    def mixed_connection(self, theta: Any, u: Any, v: Any) -> TracedArray:
        """The lowered product Γ_ναβ u^α v^β of two vectors."""
        product = self.formulas.geometry.mixed(self, self._point(theta), self._nodes(u), self._nodes(v))
        return TracedArray.of(self.graph, product)

    def raised_connection(self, theta: Any, u: Any, v: Any) -> TracedArray:
        """The product Γ^μ_αβ u^α v^β of two vectors, a vector."""
        raised = self.formulas.geometry.raised(self, self._point(theta), self._nodes(u), self._nodes(v))
        if raised is None:
            lowered = self.connection(theta, v) if u is v else self.mixed_connection(theta, u, v)
            return self.raise_index(theta, lowered)
        self._factorized(theta)  # for the condition that the metric is regular
        return TracedArray.of(self.graph, raised)

    def acceleration(self, theta: Any, velocity: Any, a: float = 0.0) -> TracedArray:
        """The right-hand side of the geodesic equation; see :class:`Problem`."""
        if a:
            return -self.raise_index(theta, self.connection(theta, velocity, a))
        return -self.raised_connection(theta, velocity, velocity)

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> TracedArray:
        """The exponential map of an a-connection, in closed form or by integration; see :class:`Problem`."""
        if a == 0 and self.formulas.isometry() is not None:
            return self._standard(theta, vector).end
        line = self.formulas.straight_line(a)
        if line is not None:
            return self._straight(line, theta, vector)
        return self.solve(self.formulas.geodesic(a), np.concatenate([theta, vector]), 1.0)[: self.formulas.dimension]

    def exp_series(self, theta: Any, vector: Any, order: int) -> TracedArray:
        """The exponential map's Taylor polynomial in the vector; see :class:`Problem`.

        The geodesic equation gives the second derivative of a geodesic; each further one is the derivative of the one
        before along the geodesic, on which θ moves with θ̇ and θ̇ with θ̈.
        """
        g, n = self.graph, self.formulas.dimension
        state = traced_inputs(g, "series", 2 * n)
        inner = TracedPrimitives(self.formulas, g, self.data)
        derivatives: list[Any] = [state[n:]]
        for k in range(2, order + 1):
            if k == 2:
                derivatives.append(inner.acceleration(state[:n], state[n:]))
            else:
                moving: Any = np.concatenate(derivatives[:2])
                derivatives.append(inner.tangent(derivatives[-1], state, moving))
        terms = [derivative / float(math.factorial(k)) for k, derivative in enumerate(derivatives, start=1)]
        exchange = dict(zip(state.nodes, (*self._at(theta), *self._nodes(vector)), strict=True))
        for condition in inner.conditions:
            self.require(condition.status, g.substitute([condition.holds], exchange)[0])
        displacement = g.substitute(list(reduce(np.add, reversed(terms)).nodes), exchange)
        return TracedArray.of(g, displacement) + theta

    def _straight(self, line: StraightLine, theta: Any, vector: Any) -> TracedArray:
        g = self.graph
        environment = dict(zip(line.symbols, (*self._point(theta), *self._nodes(vector)), strict=True))
        for margin in line.margins:
            self.require(Status.LEFT_DOMAIN, g.operate("gt", g.lower(margin, environment), g.constant(0.0)))
        end = TracedArray.of(g, [g.lower(e, environment) for e in line.end])
        self.require_domain(end)
        return end

    def transport(self, theta: Any, along: Any, vector: Any) -> TracedArray:
        """A vector carried parallel to itself to ``exp(theta, along)``."""
        if self.formulas.isometry() is not None:
            return self._standard(theta, along).carried(vector)
        state = np.concatenate([theta, along, vector])
        return self.solve(self.formulas.transport, state, 1.0)[2 * self.formulas.dimension :]

    def log(self, theta: Any, target: Any) -> TracedArray:
        """The inverse of :meth:`exp`, where geodesics are closed forms."""
        return self._standard(theta).log(target)

    def leaving(self, theta: Any, vector: Any) -> TracedArray:
        """One over the time at which a geodesic leaves the domain, or 0, where geodesics are closed forms."""
        return self._standard(theta, vector).rate

    def _standard(self, theta: Any, vector: Any = None) -> StandardGeodesics:
        self.require_domain(theta)
        isometry = self.formulas.isometry()
        assert isometry is not None
        return StandardGeodesics(self, isometry, theta, vector)

    def flow(self, theta: Any, time: Any) -> TracedArray:
        """The exact natural gradient flow; see :class:`Problem`."""
        return self.solve(self.formulas.natural_gradient_flow, theta, time)

    # -- building blocks

    def solve(self, ode: Ode, state: Any, duration: Any) -> TracedArray:
        """The state of a differential equation after a time."""
        return self.follow(ode, state, duration)[:-1]

    def follow(self, ode: Ode, state: Any, duration: Any) -> TracedArray:
        """The state of a differential equation after a time, and the time up to which there is a solution."""
        g = self.graph
        rtol = g.constant(self.formulas.rtol) if self.rtol is None else self.rtol
        atol = g.constant(self.formulas.atol) if self.atol is None else self.atol
        time = state.lift(duration)[()]
        status, end = g.use(ode, (*self._nodes(state), *self.data, time, rtol, atol))
        for failure in (Status.LEFT_DOMAIN, Status.SINGULAR_METRIC, Status.NON_FINITE, Status.DIVERGED):
            self.require(failure, g.operate("ne", status, g.constant(float(failure))))
        return TracedArray.of(g, end)

    def tangent(self, outputs: TracedArray, inputs: TracedArray, direction: Any) -> TracedArray:
        """The derivative of traced outputs with respect to traced inputs along a direction."""
        seeds = dict(zip(self._nodes(inputs), self._nodes(direction), strict=True))
        return TracedArray.of(self.graph, self.graph.tangents(self._nodes(outputs), seeds))

    def _nodes(self, array: Any) -> list[Node]:
        if not isinstance(array, TracedArray):
            array = TracedArray.of(self.graph, []).lift(array)
            return list(array.flat)
        return list(array.nodes.flat)

    def _at(self, theta: Any) -> list[Node]:
        nodes = self._nodes(theta)
        if len(nodes) != self.formulas.dimension:
            raise TracingError(f"a point has {self.formulas.dimension} coordinates, not {len(nodes)}")
        return nodes

    def _point(self, theta: Any, required: bool = True) -> list[Node]:
        """The coordinates of a point, which must lie in the domain if that is required."""
        if required:
            self.require_domain(theta)
        return self._at(theta)

    def _factorized(self, theta: Any) -> tuple[list[list[Node]], list[Node]]:
        """The factors of g = L D Lᵀ at a point, on scalars; a pivot that is lost in rounding is a singular metric."""
        key = tuple(self._nodes(theta))
        if key not in self._factors:
            metric = self.metric(theta).nodes
            self._factors[key] = self._factorize(metric, self.formulas.geometry.factors(self, key))
        return self._factors[key]

    def _factorize(
        self, metric: np.ndarray, known: Mapping[tuple[int, int], Node]
    ) -> tuple[list[list[Node]], list[Node]]:
        """The rows of L left of its diagonal, and D; what is `known` of them is not computed."""
        g, n = self.graph, len(metric)
        lower: list[list[Node]] = [[] for _ in range(n)]
        pivots: list[Node] = []
        for j in range(n):
            scaled = [g.mul(lower[j][k], pivots[k]) for k in range(j)]
            pivot = known.get((j, j)) or g.sub(metric[j, j], g.dot(lower[j][:j], scaled))
            threshold = g.mul(g.constant(_SINGULAR if j else 0.0), metric[j, j])
            self.require(Status.SINGULAR_METRIC, _above(g, pivot, threshold, pivots))
            for i in range(j + 1, n):
                entry = g.sub(metric[i, j], g.dot(lower[i][:j], scaled))
                lower[i].append(known.get((i, j)) or g.div(entry, pivot))
            pivots.append(pivot)
        return lower, pivots


def _above(graph: Graph, pivot: Node, threshold: Node, positive: Sequence[Node]) -> Node:
    """Whether a pivot is above a threshold; one that is a quotient by one known to be positive is not divided."""
    if pivot.op == "div" and pivot.args[1] in positive:
        pivot, threshold = pivot.args[0], graph.mul(threshold, pivot.args[1])
    return graph.operate("gt", pivot, threshold)


def traced_inputs(graph: Graph, prefix: str, count: int) -> TracedArray:
    """A traced vector of as many inputs of a graph, named by a prefix and their places."""
    return TracedArray.of(graph, [graph.input(f"{prefix} {i}") for i in range(count)])


def pointwise_program(
    formulas: Formulas,
    rule: Callable[..., Any],
    sizes: Sequence[int],
    tolerances: bool = False,
) -> Program:
    """A function of traced primitives and vectors as a program.

    Parameters
    ----------
    formulas : Formulas
        What the primitives compute.
    rule : callable
        Takes the primitives, then a vector for each of `sizes`; returns an array or a tuple of arrays.
    sizes : sequence of int
        The length of each vector.
    tolerances : bool, optional
        Whether the relative and the absolute tolerance follow as two more constants.

    Returns
    -------
    Program
        Its inputs are the vectors, the data of `formulas`, and the tolerances. Its first output is the status, the
        others are NaN unless the status is 0, but for what the rule notes, which comes last.
    """
    graph, data = Graph(), formulas.data
    arrays = [traced_inputs(graph, f"array {k},", size) for k, size in enumerate(sizes)]
    constants = [graph.input(f"constant {i}") for i in range(data + 2 * tolerances)]
    rtol, atol = constants[data:] if tolerances else (None, None)
    primitives = TracedPrimitives(formulas, graph, constants[:data], rtol, atol)
    leaves, _ = flatten(rule(primitives, *arrays))
    status = primitives.status()
    good, nan = graph.operate("eq", status, graph.constant(0.0)), graph.constant(float("nan"))
    outputs = [graph.call("select", good, leaf_node(graph, leaf), nan) for leaf in leaves]
    given = [node for array in arrays for node in array.nodes] + constants
    return Program(tuple(given), (status, *outputs, *primitives.notes))


def leaf_node(graph: Graph, leaf: Any) -> Node:
    """A leaf of :func:`flatten` as a number of a graph."""
    return graph.number(leaf) if isinstance(leaf, Node) else graph.constant(leaf)
