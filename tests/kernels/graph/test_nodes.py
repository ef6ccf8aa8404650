"""Nodes: operations are held once, and simplified as they are made."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import nodes_of
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.text.expressions import source
from tests.kernels.graph.cases import x


def test_equal_subexpressions_are_computed_once():
    graph = Graph()
    a = graph.input("a")
    first = graph.lower(sp.digamma(x**2) + 1, {x: a})
    second = graph.lower(3 * sp.digamma(x**2), {x: a})
    assert source(Program((a,), (first, second)), "f").count("digamma") == 1


@given(st.integers(-32, 32), st.floats(0.1, 10.0))
def test_integer_powers_are_products(n, base):
    graph = Graph()
    a = graph.input("a")
    program = Program((a,), (graph.power(a, graph.constant(n)),))
    assert "**" not in source(program, "f")
    (value,) = NumpyTarget().pointwise(program, [1], 0)(np.array([[base]]), np.array([]))[0]
    assert value == pytest.approx(base**n, rel=1e-13)


def test_constants_fold_and_identities_vanish():
    graph = Graph()
    a, zero, one = graph.input("a"), graph.constant(0.0), graph.constant(1.0)
    assert graph.add(a, zero) is a and graph.mul(a, one) is a and graph.div(a, one) is a
    assert graph.mul(a, zero) is zero and graph.sub(a, a) is zero
    assert graph.neg(graph.neg(a)) is a
    assert graph.add(graph.constant(2.0), graph.constant(3.0)).value == 5.0
    assert graph.call("sqrt", graph.constant(9.0)).value == 3.0


def test_zeros_and_nan_are_told_apart():
    graph = Graph()
    assert graph.constant(0.0) is not graph.constant(-0.0)
    assert graph.constant(math.nan) is graph.constant(math.nan)
    assert graph.constant(-0.0).equals(0.0) and not graph.input("a").equals(0.0)


def test_nodes_of_some_outputs_come_operands_first_and_stop_at_what_is_known():
    graph = Graph()
    a, b = graph.input("a"), graph.input("b")
    total = graph.add(graph.mul(a, b), b)
    order = nodes_of([total])
    assert all(order.index(arg) < order.index(node) for node in order for arg in node.args)
    assert nodes_of([total], {total.args[1]}) == [b, total.args[0], total] or a not in nodes_of([total], total.args)


def test_nodes_of_another_graph_are_written_into_this_one():
    graph, other = Graph(), Graph()
    foreign = other.input("t")
    image = [other.lower(sp.exp(2 * x) + 3, {x: foreign}), other.constant(5.0)]
    a = graph.input("a")
    found = graph.substitute(image, {foreign: graph.mul(a, a)})
    assert all(node.graph is graph for node in nodes_of(found))
    assert found == [graph.lower(sp.exp(2 * x) + 3, {x: graph.mul(a, a)}), graph.constant(5.0)]
