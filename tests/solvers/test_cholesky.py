"""Cholesky's factorization in units of the matrix's own diagonal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.solvers import Cholesky

EXPONENTS = st.lists(st.integers(-60, 60), min_size=1, max_size=6)


def matrix_in_units(exponents, seed):
    """A well-conditioned matrix, the same where coordinates have units that are powers of ten, and the units."""
    n = len(exponents)
    q = np.random.default_rng(seed).normal(size=(n, n))
    units = 10.0 ** np.array(exponents, dtype=float)
    plain = q @ q.T + n * np.eye(n)
    return plain, plain * np.outer(units, units), units


@given(EXPONENTS, st.integers(0, 100))
def test_units_of_coordinates_do_not_spoil_a_solution(exponents, seed):
    plain, matrix, units = matrix_in_units(exponents, seed)
    right = np.arange(1.0, len(units) + 1.0)
    expected = np.linalg.solve(plain, right)
    solution = Cholesky(matrix).solve(units * right)
    assert solution.status is ro.Status.CONVERGED
    np.testing.assert_allclose(solution.x * units, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("matrix", "status"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], ro.Status.SINGULAR_METRIC),
        ([[1.0, np.nan], [np.nan, 1.0]], ro.Status.NON_FINITE),
        ([[-1.0, 0.0], [0.0, 1.0]], ro.Status.SINGULAR_METRIC),
    ],
)
def test_a_matrix_that_is_no_metric_gives_nan_and_says_why(matrix, status):
    solution = Cholesky(np.array(matrix)).solve(np.ones(2))
    assert solution.status is status and np.isnan(solution.x).all()


def test_what_is_added_is_in_units_of_the_diagonal():
    matrix = np.diag([4.0, 9.0])
    np.testing.assert_allclose(Cholesky(matrix, np.array([1.0, 0.0])).solve(np.ones(2)).x, [1 / 8, 1 / 9], rtol=1e-14)


def test_spectrum_is_that_of_the_scaled_matrix():
    _, matrix, _ = matrix_in_units([0, 5, -5], 1)
    values, directions = Cholesky(matrix).spectrum
    scale = np.sqrt(np.diagonal(matrix))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix / np.outer(scale, scale)), rtol=1e-12)
    gram = directions.T @ matrix @ directions
    np.testing.assert_allclose(gram, np.diag(values), atol=1e-12)
