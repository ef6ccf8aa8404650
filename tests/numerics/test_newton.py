"""Newton's method with damping on many systems at once."""

import numpy as np

from riemopt.numerics.newton import inverses, iterate, newton


def cubic(y, targets):
    return y**3 + y - targets, (3.0 * y**2 + 1.0)[..., None]


def test_roots_are_found_to_rounding_from_one_start():
    targets = np.array([[-1e6], [-2.0], [0.0], [10.0], [1e9]])
    roots = newton(cubic, targets, np.array([1.0]))
    np.testing.assert_allclose(roots**3 + roots, targets, rtol=1e-14, atol=1e-15)


def test_every_target_may_have_a_start_of_its_own():
    def square(y, targets):
        return y**2 - targets, (2.0 * y)[..., None]

    points, converged = iterate(square, np.full((2, 1), 4.0), np.array([[1.0], [-5.0]]))
    np.testing.assert_allclose(points, [[2.0], [-2.0]], rtol=1e-15)
    assert converged.all()


def test_where_there_is_no_root_the_result_is_nan():
    def exponential(y, targets):
        return np.exp(y) - targets, np.exp(y)[..., None]

    assert np.isnan(newton(exponential, np.array([[-1.0], [np.nan]]), np.array([0.0]))).all()


def test_singular_matrices_have_no_inverse():
    found = inverses(np.array([np.eye(2), np.ones((2, 2)), np.full((2, 2), np.inf)]))
    np.testing.assert_array_equal(found[0], np.eye(2))
    assert np.isnan(found[1:]).all()


def test_coupled_equations_are_solved_from_afar():
    def system(y, xi):
        u, v = np.exp(y[:, 0]), np.exp(y[:, 1])
        slopes = np.stack([np.stack([u, v], axis=-1), np.stack([u * v, u * v], axis=-1)], axis=-2)
        return np.stack([u + v, u * v], axis=-1) - xi, slopes

    found = np.exp(newton(system, np.array([[5.0, 6.0], [1001.0, 1000.0]]), np.array([1.0, 0.0])))
    np.testing.assert_allclose(found, [[3.0, 2.0], [1000.0, 1.0]], rtol=1e-12)
