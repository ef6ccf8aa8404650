"""The graph as its users meet it: operations, SymPy expressions, and derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from riemopt.kernels.graph import derivatives, lowering
from riemopt.kernels.graph.nodes import Arithmetic, Node

__all__ = ["Graph"]


class Graph(Arithmetic):
    """A graph of scalar operations that takes SymPy expressions and differentiates its nodes.

    Array notation enters it through :mod:`riemopt.kernels.graph.tracing`.

    Examples
    --------
    >>> x, graph = sp.Symbol("x"), Graph()
    >>> node = graph.input("x")
    >>> graph.tangents([graph.lower(sp.sin(2 * x), {x: node})], {node: graph.constant(1.0)})[0].op
    'mul'
    """

    def lower(self, expression: sp.Basic, environment: Mapping[sp.Symbol, Node]) -> Node:
        """The node of a SymPy expression; see :func:`riemopt.kernels.graph.lowering.lower`."""
        return lowering.lower(self, expression, environment)

    def tangents(self, outputs: Sequence[Node], seeds: Mapping[Node, Node]) -> list[Node]:
        """Directional derivatives of nodes; see :func:`riemopt.kernels.graph.derivatives.tangents`."""
        return derivatives.tangents(self, outputs, seeds)

    def gradients(self, outputs: Mapping[Node, Node], inputs: Sequence[Node]) -> list[Node]:
        """The derivative of a combination of nodes; see :func:`riemopt.kernels.graph.derivatives.gradients`."""
        return derivatives.gradients(self, outputs, inputs)
