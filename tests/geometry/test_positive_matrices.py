"""The space of positive definite matrices against matrix functions of SciPy."""

import numpy as np
import pytest
import scipy.linalg

from riemopt.geometry.positive_matrices import PositiveMatrices


def lower_triangle(matrix):
    return matrix[np.tril_indices(len(matrix))]


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_exp_of_positive_matrices_is_that_of_matrix_functions(order):
    space, rng = PositiveMatrices(order), np.random.default_rng(order)
    for _ in range(20):
        root = rng.normal(size=(order, order + 2))
        u = lower_triangle(root @ root.T)
        w = rng.normal(size=space.dimension)
        w = w * rng.uniform(0.0, 5.0) / np.sqrt(w @ space.metric(u) @ w)
        p, v = space._matrix(u), space._matrix(w)
        expected = p @ scipy.linalg.expm(np.linalg.solve(p, v))
        found = space._matrix(space.exp(u, w))
        size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        assert np.all(np.abs(found - expected) <= 1e-11 * np.linalg.cond(p) * size)
