"""One system of equations, in plain Python: the roots of the reference on arrays."""

import math

import numpy as np
import pytest

from riemopt.kernels.text.algorithms.newton import inverse_of, root
from riemopt.numerics import newton as reference
from riemopt.status import Status


@pytest.fixture(autouse=True)
def as_compiled():
    """A division of NumPy's numbers by zero is infinite, as in compiled text."""
    with np.errstate(all="ignore"):
        yield


def equations(y, xi):
    """exp(y_0) + exp(y_1) = ξ_0 and y_0 - 2 y_1 + y_0³ = ξ_1."""
    u, v = np.exp(y)
    residual = (u + v - xi[0], y[0] - 2 * y[1] + y[0] ** 3 - xi[1])
    return residual, ((u, v), (1 + 3 * y[0] ** 2, -2.0))


def answer(y, xi):
    """θ = exp(y)."""
    theta = tuple(math.exp(value) for value in y)
    return theta, theta, (1.0, 1.0)


@pytest.mark.parametrize("theta", [(2.0, 3.0), (0.01, 50.0), (30.0, 0.2)])
def test_root_and_its_derivative_are_those_of_the_reference(theta):
    y = [math.log(value) for value in theta]
    xi = (sum(theta), y[0] - 2 * y[1] + y[0] ** 3)
    status, values = root(lambda: (0.5, 0.0), equations, answer, 2, xi)
    assert status == 0 and values[:2] == pytest.approx(theta, rel=1e-13)

    def on_arrays(points, targets):
        residuals, slopes = zip(*(equations(*pair) for pair in zip(points, targets, strict=True)), strict=True)
        return np.array(residuals), np.array(slopes)

    found = reference.newton(on_arrays, np.array([xi]), np.array([0.5, 0.0]))
    assert np.exp(found[0]) == pytest.approx(values[:2], rel=1e-13)
    slopes = np.array(theta)[:, None] * np.linalg.inv(equations(y, xi)[1])
    np.testing.assert_allclose(np.reshape(values[2:], (2, 2)), slopes, rtol=1e-12)


def test_what_has_no_root_is_nan_with_a_status():
    def square(y, xi):
        return (y[0] ** 2 - xi[0],), ((2 * y[0],),)

    status, values = root(lambda: (np.float64(1.0),), square, lambda y, xi: (y, (1.0,), (1.0,)), 1, (-1.0,))
    assert status == Status.LEFT_DOMAIN and len(values) == 2 and all(map(math.isnan, values))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_inverse_is_that_of_numpy_whatever_the_pivots(n):
    matrix = np.random.default_rng(n).normal(size=(n, n))
    matrix[0, 0] = 0.0 if n > 1 else 2.0
    found = inverse_of(tuple(map(tuple, matrix)), n)
    np.testing.assert_allclose(found, np.linalg.inv(matrix), rtol=1e-12, atol=1e-13)
