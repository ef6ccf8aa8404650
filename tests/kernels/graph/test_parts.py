"""Parts: their sizes, and derivatives under sums and integrals."""

import numpy as np

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Integral, Ode, Peak, TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numpy import NumpyTarget


def gaussian(normalized=False):
    """exp(-y²/(2p)) y² and 1 over the line."""
    graph = Graph()
    y, p = graph.input("y"), graph.input("p")
    weight = graph.neg(graph.div(graph.mul(y, y), graph.mul(graph.constant(2.0), p)))
    terms = (graph.constant(1.0), graph.mul(y, y))
    return Integral(Program((y, p), (weight,)), Program((y, p), (weight, *terms)), None, normalized)


def test_sizes_count_the_values():
    integral = gaussian()
    assert (integral.terms, integral.size, Peak(integral.weight).size) == (2, 3, 1)
    assert TableSum(integral.body, 1).size == 3
    assert Ode(integral.weight, 4).size == 5


def test_tables_are_used_by_sums_and_by_what_holds_them():
    assert TableSum(gaussian().body, 1).uses_table and not gaussian().uses_table
    graph = Graph()
    y, p = graph.input("y"), graph.input("p")
    total = graph.use(TableSum(gaussian().weight, 1), [p])[1][0]
    assert Ode(Program((y, p), (graph.constant(0.0), graph.mul(y, total))), 1).uses_table


def test_derivative_of_a_sum_is_the_sum_of_derivatives():
    inner, graph = Graph(), Graph()
    row, q = inner.input("row"), inner.input("q")
    p = graph.input("p")
    _, (total,) = graph.use(TableSum(Program((row, q), (inner.call("sin", inner.mul(row, q)),)), 1), [p])
    outputs = (total, *graph.tangents([total], {p: graph.constant(1.0)}))
    table = np.array([[0.3, 1.0, 2.5]])
    run = NumpyTarget().pointwise(Program((p,), outputs), [1], 0)
    found = run(np.array([[0.7]]), np.empty(0), table=table)[0]
    np.testing.assert_allclose(found, [np.sin(0.7 * table).sum(), (table * np.cos(0.7 * table)).sum()], rtol=1e-14)


def test_derivative_of_an_integral_is_taken_under_it():
    graph = Graph()
    p = graph.input("p")
    _, (_, mass, second) = graph.use(gaussian(), [p])
    outputs = (mass, second, *graph.tangents([mass, second], {p: graph.constant(1.0)}))
    found = NumpyTarget().pointwise(Program((p,), outputs), [1], 0)(np.array([[2.0]]), np.empty(0))[0]
    # the mass is (2πp)^½ and the second moment p times it
    root = np.sqrt(4 * np.pi)
    np.testing.assert_allclose(found, [root, 2 * root, root / 4, 1.5 * root], rtol=1e-9)


def test_normalized_integral_takes_its_check_along():
    graph = Graph()
    p = graph.input("p")
    _, (_, mass, _) = graph.use(gaussian(normalized=True), [p])
    assert graph.tangents([mass], {p: graph.constant(1.0)}) == [graph.constant(0.0)]
