"""The graph as its users meet it."""

import sympy as sp

from riemopt.kernels.graph import derivatives, lowering
from riemopt.kernels.graph.graph import Graph

x = sp.Symbol("x", positive=True)


def test_methods_are_the_functions_on_the_graph():
    graph = Graph()
    a, one = graph.input("a"), graph.constant(1.0)
    node = graph.lower(sp.exp(x) * x, {x: a})
    assert node is lowering.lower(graph, sp.exp(x) * x, {x: a})
    assert graph.tangents([node], {a: one}) == derivatives.tangents(graph, [node], {a: one})
    assert graph.gradients({node: one}, [a]) == derivatives.gradients(graph, {node: one}, [a])
