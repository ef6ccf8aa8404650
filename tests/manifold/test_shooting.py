"""Newton's method along a way to a target, on maps whose inverse is known."""

import numpy as np
import sympy as sp

from riemopt.manifold.shooting import shoot
from riemopt.models.domain import Domain
from riemopt.status import Status

A, B = sp.symbols("a b", positive=True)
DOMAIN = Domain.of((A, B))
X = np.array([[1.0, 2.0], [0.5, 3.0]])


def exponentials(x, v, rtol, atol):
    """x exp(v/x), the geodesics of the metric (da/a)² + (db/b)², and its derivative."""
    end = x * np.exp(v / x)
    return end, np.einsum("bi,ij->bij", end / x, np.eye(2))


def norm(x, v):
    return np.sqrt(np.sum((v / x) ** 2, axis=-1))


def test_velocities_to_near_and_far_targets_are_found():
    y = np.array([[1.5, 1.0], [1e6, 1e-6]])
    v, info = shoot(exponentials, norm, DOMAIN, X, y, 1e-12, 1e-14)
    np.testing.assert_allclose(v, X * np.log(y / X), rtol=1e-10)
    assert not info.status.any()
    assert (info.error <= 1e-8 * norm(X, v)).all()


def test_a_target_outside_is_not_looked_for():
    v, info = shoot(exponentials, norm, DOMAIN, X, np.array([[1.5, 1.0], [1.0, -1.0]]), 1e-12, 1e-14)
    assert np.isfinite(v[0]).all()
    assert np.isnan(v[1]).all()
    assert info.status.tolist() == [0, int(Status.LEFT_DOMAIN)]


def test_a_target_that_no_geodesic_reaches_is_given_up():
    def bounded(x, v, rtol, atol):
        """No end is farther than 1 in either coordinate."""
        return x + np.tanh(v), np.einsum("bi,ij->bij", 1.0 / np.cosh(np.clip(v, -300.0, 300.0)) ** 2, np.eye(2))

    def length(x, v):
        return np.sqrt(np.sum(v**2, axis=-1))

    v, info = shoot(bounded, length, DOMAIN, X, X + np.array([0.5, 9.0]), 1e-12, 1e-14)
    assert np.isnan(v).all()
    assert (info.status == int(Status.DIVERGED)).all()
