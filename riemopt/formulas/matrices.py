"""Matrices in a graph: nodes row by row, and the lower triangle of those that are symmetric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node

__all__ = ["full", "lower_triangle", "matrix_vector"]


def lower_triangle(n: int, entry: Callable[[int, int], Node]) -> list[Node]:
    """The entries on and below the diagonal, row by row, from a function of row and column."""
    return [entry(i, j) for i in range(n) for j in range(i + 1)]


def full(n: int, triangle: Sequence[Node]) -> list[Node]:
    """All n² entries of a symmetric matrix, row by row, from its lower triangle."""
    return [triangle[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)] for i in range(n) for j in range(n)]


def matrix_vector(graph: Graph, matrix: Sequence[Node], vector: Sequence[Node]) -> list[Node]:
    """The product of a square matrix and a vector."""
    n = len(vector)
    return [graph.dot(matrix[n * i : n * (i + 1)], vector) for i in range(n)]
