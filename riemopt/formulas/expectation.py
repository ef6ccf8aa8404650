"""Expectations under a density as integrals over its support, or sums, in a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.parts import Integral, Peak
from riemopt.kernels.graph.programs import Program
from riemopt.models.plan import Plan
from riemopt.models.stretches import Stretch
from riemopt.status import Status

__all__ = ["Integrand", "expectation"]

_MASS = 1e-9
"""How far the total probability may be from 1."""


class Integrand:
    """A log-density ℓ inside an integral, and what it is differentiated with respect to.

    Parameters
    ----------
    graph : Graph
        The graph of the integral's body.
    plan : Plan
        How the support is taken apart.
    stretches : sequence of Stretch
        One for each observation.
    inputs : sequence of Node
        The variables of the stretches, θ, θ again for the ends of stretches, and up to two vectors.

    Attributes
    ----------
    theta, frozen : sequence of Node
        θ, and θ where it moves the ends of stretches.
    u, v : sequence of Node
        The first and the last vector; the same one if there is but one.
    density, weight : Node
        ℓ, and ℓ with the logarithm of the substitution's slope.
    """

    def __init__(self, graph: Graph, plan: Plan, stretches: Sequence[Stretch], inputs: Sequence[Node]) -> None:
        n, d = len(plan.parameters), len(stretches)
        self.graph = graph
        self.theta, self.frozen = inputs[d : d + n], inputs[d + n : d + 2 * n]
        self.u, self.v = inputs[d + 2 * n : d + 3 * n], inputs[-n:]
        symbols = (*(s.variable for s in stretches), *plan.parameters, *plan.frozen)
        environment = dict(zip(symbols, inputs, strict=False))
        density, slope = plan.on(stretches)
        self.density = graph.lower(density, environment)
        # the sum is taken before it is lowered: much of it may cancel
        self.weight = graph.lower(density + slope, environment)

    def scores(self) -> list[Node]:
        """∂_μℓ."""
        return self.graph.gradients({self.density: self.graph.constant(1.0)}, self.theta)

    def along(self, node: Node, direction: Sequence[Node]) -> Node:
        """The derivative along a direction at a fixed observation."""
        return self.graph.tangents([node], dict(zip(self.theta, direction, strict=True)))[0]

    def total(self, node: Node, direction: Sequence[Node]) -> Node:
        """The derivative of ∫ exp(w) f, as an integrand, where the observation moves with the ends of its stretch."""
        seeds = dict(zip((*self.theta, *self.frozen), (*direction, *direction), strict=True))
        change, drift = self.graph.tangents([node, self.weight], seeds)
        return self.graph.add(change, self.graph.mul(node, drift))


Terms = Callable[[Integrand], list[Node]]
"""What to take the expectations of."""


def expectation(plan: Plan, point: TracedPoint, vectors: Sequence[Node], terms: Terms) -> list[Node]:
    """E[f] for each f that `terms` gives, provided that the total probability is 1.

    Parameters
    ----------
    plan : Plan
        How the support is taken apart.
    point : TracedPoint
        θ.
    vectors : sequence of Node
        The components of up to two vectors, which the integrand finds as its u and v.
    terms : callable
        Takes the :class:`Integrand`; returns what to take the expectations of.
    """
    g, theta = point.graph, point.coordinates
    args = (*theta, *theta, *vectors)
    outer, *inner = plan.stretches
    totals: list[Node] | None = None
    for stretch in outer:
        part = _integral(plan, stretch, inner, len(args), terms, normalized=len(outer) == 1)
        status, (best, *values) = g.use(part, args)
        point.require(Status.NON_FINITE, g.operate("eq", status, g.constant(0.0)))
        height = g.call("exp", best)
        scaled = [g.mul(height, value) for value in values]
        totals = scaled if totals is None else [g.add(t, x) for t, x in zip(totals, scaled, strict=True)]
    assert totals is not None
    mass, *result = totals
    if len(outer) > 1:
        excess = g.call("absolute", g.sub(mass, g.constant(1.0)))
        point.require(Status.NON_FINITE, g.operate("le", excess, g.constant(_MASS)))
    return result


def _integral(
    plan: Plan, stretch: Stretch, inner: Sequence[Sequence[Stretch]], count: int, terms: Terms, normalized: bool
) -> Integral:
    """The integral over a stretch of the first observation; of integrals over the second, if there are two."""
    if inner:
        return _double_integral(plan, stretch, inner[0], count, terms, normalized)
    graph = Graph()
    inputs = [graph.input(f"inside {i}") for i in range(1 + count)]
    integrand = Integrand(graph, plan, [stretch], inputs)
    body = Program(tuple(inputs), (integrand.weight, graph.constant(1.0), *terms(integrand)))
    weight = Program(tuple(inputs), (integrand.weight,))
    return Integral(weight, body, stretch.lattice, normalized)


def _double_integral(
    plan: Plan, first: Stretch, seconds: Sequence[Stretch], count: int, terms: Terms, normalized: bool
) -> Integral:
    """The integral over a stretch of the first observation of the integrals over all stretches of the second."""
    graph = Graph()
    inputs = [graph.input(f"inside {i}") for i in range(1 + count)]
    peaks, heights, values = [], [], []
    for second in seconds:
        part, top = _inner_integral(plan, first, second, count, terms)
        _, (peak,) = graph.use(top, inputs)
        status, (best, *found) = graph.use(part, inputs)
        good = graph.operate("eq", status, graph.constant(0.0))
        peaks.append(peak)
        heights.append(best)
        values.append([graph.call("select", good, x, graph.constant(float("nan"))) for x in found])
    peak, height = _maximum(graph, peaks), _maximum(graph, heights)
    factors = [graph.call("exp", graph.sub(h, height)) for h in heights]
    totals = [graph.dot(factors, list(column)) for column in zip(*values, strict=True)]
    return Integral(
        Program(tuple(inputs), (peak,)),
        Program(tuple(inputs), (height, *totals)),
        first.lattice,
        normalized,
        scaled=True,
    )


def _inner_integral(plan: Plan, first: Stretch, second: Stretch, count: int, terms: Terms) -> tuple[Integral, Peak]:
    """The integral over a stretch of the second observation, the first one being fixed, and the largest weight."""
    graph = Graph()
    y, x, *rest = (graph.input(f"inside {i}") for i in range(2 + count))
    integrand = Integrand(graph, plan, [first, second], [x, y, *rest])
    values = [graph.constant(1.0), *terms(integrand)]
    sizes = [graph.call("absolute", value) for value in values]
    inputs = (y, x, *rest)
    weight = Program(inputs, (integrand.weight,))
    body = Program(inputs, (integrand.weight, *values, *sizes))
    return Integral(weight, body, second.lattice), Peak(weight, second.lattice)


def _maximum(graph: Graph, nodes: Sequence[Node]) -> Node:
    result = nodes[0]
    for node in nodes[1:]:
        result = graph.call("maximum", result, node)
    return result
