"""Matrices as lists of nodes."""

import numpy as np

from riemopt.formulas.matrices import full, lower_triangle, matrix_vector
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import values


def test_a_symmetric_matrix_is_known_from_its_lower_triangle():
    triangle = lower_triangle(3, lambda i, j: f"{i}{j}")
    assert triangle == ["00", "10", "11", "20", "21", "22"]
    assert full(3, triangle) == ["00", "10", "20", "10", "11", "21", "20", "21", "22"]


def test_product_of_a_matrix_and_a_vector():
    graph = Graph()
    matrix, vector = ([graph.input(f"{name}{i}") for i in range(count)] for name, count in (("m", 9), ("v", 3)))
    m, v = np.random.default_rng(0).normal(size=(3, 3)), np.array([1.0, -2.0, 0.5])
    found = values(graph, [*matrix, *vector], matrix_vector(graph, matrix, vector), m, v)
    np.testing.assert_allclose(found, m @ v, rtol=1e-15)
