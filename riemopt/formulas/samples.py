"""The likelihood of samples as a sum over the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy as sp

from riemopt.formulas.geometry import Loss
from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.parts import TableSum
from riemopt.kernels.graph.programs import Program

__all__ = ["SampleLoss", "table_sum"]

RowTerms = Callable[[Graph, list[Node], list[Node]], list[Node]]
"""Takes a graph, the columns of a row in it, and the arguments; returns what to add up."""


def table_sum(graph: Graph, columns: int, args: Sequence[Node], terms: RowTerms) -> list[Node]:
    """Sums over the rows of the table that a kernel is given.

    Parameters
    ----------
    graph : Graph
        Where the sums are wanted.
    columns : int
        The number of columns.
    args : sequence of Node
        What the terms depend on besides the row.
    terms : callable
        See :data:`RowTerms`.
    """
    inner = Graph()
    row = [inner.input(f"column {i}") for i in range(columns)]
    inside = [inner.input(f"inside {i}") for i in range(len(args))]
    body = Program((*row, *inside), tuple(terms(inner, row, inside)))
    return graph.use(TableSum(body, columns), args)[1]


@dataclass(frozen=True, eq=False)
class SampleLoss(Loss):
    """The mean negative log-likelihood as a sum over samples; the only datum is one over their number.

    Attributes
    ----------
    log_density : sympy.Expr
        ℓ.
    observation, parameters : tuple of sympy.Symbol
        What it depends on.
    """

    log_density: sp.Expr
    observation: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]

    def value(self, point: TracedPoint) -> Node:
        """See :class:`Loss`."""

        def terms(graph: Graph, row: list[Node], inside: list[Node]) -> list[Node]:
            return [self._density(graph, row, inside)]

        return self._mean(point, terms)[0]

    def gradient(self, point: TracedPoint) -> list[Node]:
        """See :class:`Loss`."""

        def terms(graph: Graph, row: list[Node], inside: list[Node]) -> list[Node]:
            return graph.gradients({self._density(graph, row, inside): graph.constant(1.0)}, inside)

        return self._mean(point, terms)

    def _density(self, graph: Graph, row: list[Node], inside: list[Node]) -> Node:
        symbols = (*self.observation, *self.parameters)
        return graph.lower(self.log_density, dict(zip(symbols, (*row, *inside), strict=True)))

    def _mean(self, point: TracedPoint, terms: RowTerms) -> list[Node]:
        g = point.graph
        sums = table_sum(g, len(self.observation), point.coordinates, terms)
        return [g.neg(g.mul(point.data[0], total)) for total in sums]
