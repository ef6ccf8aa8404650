"""Conditional models on data: a geometry and a loss that are means over the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy as sp

from riemopt.formulas.geometry import Geometry, Loss
from riemopt.formulas.matrices import full, lower_triangle
from riemopt.formulas.samples import table_sum
from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.models.conditional import ConditionalModel

__all__ = ["DataAverage", "OutputLoss"]


class _Outputs:
    """A conditional model in a row of its data: z, the loss of the row, and their derivatives.

    Parameters
    ----------
    model : ConditionalModel
        The model.
    graph : Graph
        The graph of the sum's body.
    row : sequence of Node
        The inputs and the targets.
    inside : sequence of Node
        θ, and up to two vectors u and v, which are the same if there is but one.
    """

    def __init__(self, model: ConditionalModel, graph: Graph, row: Sequence[Node], inside: Sequence[Node]) -> None:
        self.graph, n = graph, model.dimension
        self.theta, self.u, self.v = list(inside[:n]), list(inside[n : 2 * n]), list(inside[-n:])
        given, targets = row[: len(model.inputs)], row[len(model.inputs) :]
        environment = dict(zip((*model.inputs, *model.parameters), (*given, *self.theta), strict=True))
        self.z = [graph.lower(e, environment) for e in model.outputs]
        # the loss as a function of z alone, so that it can be differentiated with respect to z
        self.free = [graph.input(f"output {k}") for k in range(len(self.z))]
        symbols = (*model.output.symbols, *model.output.targets)
        self.cost = graph.lower(model.output.loss, dict(zip(symbols, (*self.free, *targets), strict=True)))
        self.slope = graph.gradients({self.cost: graph.constant(1.0)}, self.free)

    def at_outputs(self, nodes: Sequence[Node]) -> list[Node]:
        """Functions of free z, at z."""
        return self.graph.substitute(nodes, dict(zip(self.free, self.z, strict=True)))

    def contract(self, coefficients: Sequence[Node]) -> list[Node]:
        """Jᵀc."""
        combined: dict[Node, Node] = {}
        for z, c in zip(self.z, coefficients, strict=True):
            combined[z] = self.graph.add(combined[z], c) if z in combined else c
        return self.graph.gradients(combined, self.theta)

    def along(self, nodes: Sequence[Node], direction: Sequence[Node]) -> list[Node]:
        """Derivatives along a direction."""
        return self.graph.tangents(nodes, dict(zip(self.theta, direction, strict=True)))

    def hessian(self, direction: Sequence[Node]) -> list[Node]:
        """H u, the derivative of the loss's differential with respect to z along u, still a function of free z."""
        return self.graph.tangents(self.slope, dict(zip(self.free, direction, strict=True)))

    def third_derivative(self, s: Sequence[Node], t: Sequence[Node]) -> list[Node]:
        """A'''[s, t], the derivative of H s along t, still a function of free z."""
        return self.graph.tangents(self.hessian(s), dict(zip(self.free, t, strict=True)))


Terms = Callable[[_Outputs], list[Node]]


@dataclass(frozen=True, eq=False)
class DataAverage(Geometry):
    """The geometry of a conditional model, its expectation over the inputs being the mean over a table.

    mathematics: g v = E_x[Jᵀ H Dz], Γ^(a)(v) = E_x[Jᵀ(H D²z + (1-a)/2 A'''[Dz, Dz])]. The only datum is one over the
    number of rows.
    """

    model: ConditionalModel

    def _metric(self, point: TracedPoint) -> list[Node]:
        n = self.model.dimension

        def terms(outputs: _Outputs) -> list[Node]:
            g, m = outputs.graph, len(outputs.z)
            units = [[g.constant(float(i == k)) for i in range(m)] for k in range(m)]
            jacobian = [outputs.contract(unit) for unit in units]
            hessian = [outputs.at_outputs(outputs.hessian(unit)) for unit in units]
            product = [[g.dot(hessian[k], [row[j] for row in jacobian]) for j in range(n)] for k in range(m)]
            return lower_triangle(n, lambda i, j: g.dot([row[i] for row in jacobian], [row[j] for row in product]))

        return full(n, _mean_over_rows(self.model, point, (), terms))

    def connection(self, point: TracedPoint, v: Sequence[Node], a: float) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(point, v, a)

    def mixed(self, point: TracedPoint, u: Sequence[Node], v: Sequence[Node]) -> list[Node]:
        """See :class:`Geometry`."""
        return self._product(point, (*u, *v), 0.0)

    def _product(self, point: TracedPoint, vectors: Sequence[Node], a: float) -> list[Node]:
        """Γ^(a)(u, v), where u is v if there is but one vector."""

        def terms(outputs: _Outputs) -> list[Node]:
            g, m = outputs.graph, len(outputs.z)
            first, other = (outputs.along(outputs.z, w) for w in (outputs.u, outputs.v))
            second = outputs.along(first, outputs.v)
            s, t = ([g.input(f"direction {k} {i}") for k in range(m)] for i in range(2))
            third = [g.mul(g.constant((1.0 - a) / 2.0), d) for d in outputs.third_derivative(s, t)]
            third = g.substitute(third, dict(zip((*s, *t), (*first, *other), strict=True)))
            total = [g.add(x, y) for x, y in zip(outputs.hessian(second), third, strict=True)]
            return outputs.contract(outputs.at_outputs(total))

        return _mean_over_rows(self.model, point, vectors, terms)


@dataclass(frozen=True, eq=False)
class OutputLoss(Loss):
    """The mean negative log-likelihood of targets under a conditional model.

    Attributes
    ----------
    model : ConditionalModel
        The model.
    constant : float
        What the loss of an output leaves out, on average.
    """

    model: ConditionalModel
    constant: float

    def value(self, point: TracedPoint) -> Node:
        """See :class:`Loss`."""
        model, g = self.model, point.graph
        if not model.output.profiled:
            (mean,) = _mean_over_rows(model, point, (), lambda o: o.at_outputs([o.cost]))
            return g.add(mean, g.constant(self.constant))
        # ½ log(2πe RSS/N), the loss at the best scale
        (cost,) = _sum_over_rows(model, point, (), lambda o: o.at_outputs([o.cost]))
        variance = g.mul(g.mul(g.constant(2.0), cost), point.data[0])
        return g.mul(point.data[1], g.lower(sp.log(2 * sp.pi * sp.E * _VARIANCE) / 2, {_VARIANCE: variance}))

    def gradient(self, point: TracedPoint) -> list[Node]:
        """See :class:`Loss`."""
        return _mean_over_rows(self.model, point, (), lambda o: o.contract(o.at_outputs(o.slope)))


_VARIANCE = sp.Symbol("variance", positive=True)


def _sum_over_rows(model: ConditionalModel, point: TracedPoint, vectors: Sequence[Node], terms: Terms) -> list[Node]:
    columns = len(model.inputs) + len(model.output.targets)
    args = (*point.coordinates, *vectors)
    return table_sum(point.graph, columns, args, lambda g, row, inside: terms(_Outputs(model, g, row, inside)))


def _mean_over_rows(model: ConditionalModel, point: TracedPoint, vectors: Sequence[Node], terms: Terms) -> list[Node]:
    """The mean over the rows; with a profiled scale, over the variance that fits best at θ."""
    g = point.graph
    if not model.output.profiled:
        return [g.mul(point.data[0], total) for total in _sum_over_rows(model, point, vectors, terms)]
    *sums, cost = _sum_over_rows(model, point, vectors, lambda o: [*terms(o), *o.at_outputs([o.cost])])
    squares = g.mul(g.constant(2.0), cost)
    return [g.mul(point.data[1], g.div(total, squares)) for total in sums]
