"""Damped Newton iterations on arrays."""

import numpy as np
import pytest

from riemopt.numerics.newton import inverses, newton


def cubic(y, xi):
    """y³ + y = ξ."""
    return y**3 + y - xi, (3 * y**2 + 1)[..., None]


def test_roots_are_found_for_every_target_at_once():
    roots = np.linspace(-30.0, 30.0, 13)[:, None]
    np.testing.assert_allclose(newton(cubic, roots**3 + roots, np.array([0.7])), roots, rtol=1e-14, atol=1e-14)


def test_coupled_equations_are_solved_from_afar():
    def system(y, xi):
        u, v = np.exp(y[:, 0]), np.exp(y[:, 1])
        slopes = np.stack([np.stack([u, v], axis=-1), np.stack([u * v, u * v], axis=-1)], axis=-2)
        return np.stack([u + v, u * v], axis=-1) - xi, slopes

    found = np.exp(newton(system, np.array([[5.0, 6.0], [1001.0, 1000.0]]), np.array([1.0, 0.0])))
    np.testing.assert_allclose(found, [[3.0, 2.0], [1000.0, 1.0]], rtol=1e-12)


def test_what_has_no_root_is_nan_and_the_others_are_not():
    def square(y, xi):
        return y**2 - xi, (2 * y)[..., None]

    found = newton(square, np.array([[4.0], [-1.0], [np.nan]]), np.array([1.0]))
    assert found[0] == pytest.approx(2.0, rel=1e-15) and np.isnan(found[1:]).all()


def test_singular_matrices_have_no_inverse():
    matrices = np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]], [[np.nan, 0.0], [0.0, 1.0]]])
    found = inverses(matrices)
    np.testing.assert_array_equal(found[0], [[0.5, 0.0], [0.0, 0.25]])
    assert np.isnan(found[1:]).all()
