"""Functions of traced primitives as programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from riemopt.formulas.formulas import Formulas
from riemopt.formulas.primitives import PointPrimitives
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.memory import flatten
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.tracing import TracedArray

__all__ = ["leaf_node", "program_of", "traced_inputs"]


def program_of(
    primitives: type[PointPrimitives],
    formulas: Formulas,
    rule: Callable[..., Any],
    sizes: Sequence[int],
    tolerances: bool = False,
) -> Program:
    """A function of primitives and vectors as a program.

    Parameters
    ----------
    primitives : type
        Which primitives the rule is given.
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
    p = primitives(formulas, graph, constants[:data], rtol, atol)
    leaves, _ = flatten(rule(p, *arrays))
    status = p.status()
    good, nan = graph.operate("eq", status, graph.constant(0.0)), graph.constant(float("nan"))
    outputs = [graph.call("select", good, leaf_node(graph, leaf), nan) for leaf in leaves]
    inputs = [node for array in arrays for node in array.nodes] + constants
    return Program(tuple(inputs), (status, *outputs, *p.notes))


def traced_inputs(graph: Graph, prefix: str, count: int) -> TracedArray:
    """A traced vector of as many inputs of a graph, named by a prefix and their places."""
    return TracedArray.of(graph, [graph.input(f"{prefix} {i}") for i in range(count)])


def leaf_node(graph: Graph, leaf: Any) -> Node:
    """A leaf of :func:`flatten` as a number of a graph."""
    return graph.number(leaf) if isinstance(leaf, Node) else graph.constant(leaf)
