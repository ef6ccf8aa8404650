"""The factorization of a metric in a graph, against NumPy."""

import numpy as np
import pytest

from riemopt.formulas.factorization import factorize
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import values

ROOT = np.array([[2.0, 0.0, 0.0], [0.3, 1.5, 0.0], [-0.7, 0.4, 0.9]])
METRIC = ROOT @ ROOT.T
U, V = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.2, 4.0])


def factorized(known=None):
    graph = Graph()
    entries = np.array([graph.input(f"g {i}") for i in range(9)], dtype=object).reshape(3, 3)
    vectors = [[graph.input(f"{name} {i}") for i in range(3)] for name in "uv"]
    inputs = [*entries.flat, *vectors[0], *vectors[1]]
    return factorize(graph, entries, known(graph) if known else {}), vectors, inputs


def test_solutions_and_inner_products_are_those_of_numpy():
    factors, (u, v), inputs = factorized()
    outputs = [*factors.solve(u), factors.inner(u, v), *factors.pivots]
    found = values(factors.graph, inputs, outputs, METRIC, U, V)
    np.testing.assert_allclose(found[:3], np.linalg.solve(METRIC, U), rtol=1e-13)
    assert found[3] == pytest.approx(U @ METRIC @ V, rel=1e-14)
    assert np.prod(found[4:]) == pytest.approx(np.linalg.det(METRIC), rel=1e-14)


@pytest.mark.parametrize("last, regular", [(1.0, True), (0.0, False)])
def test_a_metric_is_regular_unless_a_pivot_is_rounding(last, regular):
    factors, _, inputs = factorized()
    root = ROOT * [1.0, 1.0, last]
    found = values(factors.graph, inputs, factors.regular, root @ root.T, U, V)
    assert bool(found.all()) is regular


def test_what_is_known_is_not_computed():
    factors, _, _ = factorized(lambda graph: {(1, 1): graph.constant(5.0), (2, 0): graph.constant(7.0)})
    assert factors.pivots[1].value == 5.0
    assert factors.lower[2][0].value == 7.0
