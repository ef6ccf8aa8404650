"""The factorization g = L D Lᵀ of a metric, entry by entry in a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node

__all__ = ["ROUNDING", "Factorization", "factorize"]

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
"""A difference below this fraction of its terms is rounding."""


@dataclass(frozen=True, eq=False)
class Factorization:
    """L and D of g = L D Lᵀ, where L has ones on its diagonal.

    Attributes
    ----------
    graph : Graph
        Where the entries are.
    lower : list of list of Node
        The rows of L left of its diagonal.
    pivots : list of Node
        D.
    regular : list of Node
        For each pivot, whether it is above rounding; unless all are, the metric is singular.
    """

    graph: Graph
    lower: list[list[Node]]
    pivots: list[Node]
    regular: list[Node]

    def solve(self, covector: Sequence[Node]) -> list[Node]:
        """The vector g⁻¹c, by substitution with L, D and Lᵀ."""
        g, lower = self.graph, self.lower
        solution = list(covector)
        n = len(solution)
        for i in range(n):
            solution[i] = g.sub(solution[i], g.dot(lower[i][:i], solution[:i]))
        solution = [g.div(x, d) for x, d in zip(solution, self.pivots, strict=True)]
        for i in reversed(range(n)):
            column = [lower[k][i] for k in range(i + 1, n)]
            solution[i] = g.sub(solution[i], g.dot(column, solution[i + 1 :]))
        return solution

    def inner(self, u: Sequence[Node], v: Sequence[Node]) -> Node:
        """The inner product Σ d_j (Lᵀu)_j (Lᵀv)_j."""
        g = self.graph
        left, right = self._transposed_product(u), self._transposed_product(v)
        return g.dot(self.pivots, [g.mul(x, y) for x, y in zip(left, right, strict=True)])

    def _transposed_product(self, v: Sequence[Node]) -> list[Node]:
        """Lᵀv."""
        g, n = self.graph, len(v)
        return [g.add(v[j], g.dot([self.lower[i][j] for i in range(j + 1, n)], v[j + 1 :])) for j in range(n)]


def factorize(graph: Graph, metric: np.ndarray, known: Mapping[tuple[int, int], Node]) -> Factorization:
    """Eliminate column by column.

    Parameters
    ----------
    graph : Graph
        Where the entries are.
    metric : array of Node, shape (n, n)
        g; what is above the diagonal is not looked at.
    known : mapping of (int, int) to Node
        Entries of L, and on the diagonal of D, that are not to be computed by elimination.
    """
    n = len(metric)
    lower: list[list[Node]] = [[] for _ in range(n)]
    pivots: list[Node] = []
    regular = []
    for j in range(n):
        scaled = [graph.mul(lower[j][k], pivots[k]) for k in range(j)]
        pivot = known.get((j, j)) or graph.sub(metric[j, j], graph.dot(lower[j][:j], scaled))
        threshold = graph.mul(graph.constant(ROUNDING if j else 0.0), metric[j, j])
        regular.append(_above(graph, pivot, threshold, pivots))
        for i in range(j + 1, n):
            entry = graph.sub(metric[i, j], graph.dot(lower[i][:j], scaled))
            lower[i].append(known.get((i, j)) or graph.div(entry, pivot))
        pivots.append(pivot)
    return Factorization(graph, lower, pivots, regular)


def _above(graph: Graph, pivot: Node, threshold: Node, positive: Sequence[Node]) -> Node:
    """Whether a pivot is above a threshold; one that is a quotient by one known to be positive is not divided."""
    if pivot.op == "div" and pivot.args[1] in positive:
        pivot, threshold = pivot.args[0], graph.mul(threshold, pivot.args[1])
    return graph.operate("gt", pivot, threshold)
