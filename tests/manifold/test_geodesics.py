"""Geodesics on batches of points, in closed form and integrated."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.numerics.ode import RTOL
from riemopt.status import Status

CLOSED = ro.Manifold(ro.models.Normal(), backend="numpy")._geodesics
INTEGRATED = ro.Manifold(ro.models.Normal(), backend="numpy", closed_forms=False)._geodesics
X, V, W = np.array([[0.3, 2.0], [1.0, 0.5]]), np.array([[0.1, -0.2], [0.3, 0.1]]), np.array([[1.0, 0.5], [0.2, -0.4]])


@pytest.mark.parametrize(
    "quantity",
    [
        lambda geodesics: geodesics.exp(X, V, RTOL, None),
        lambda geodesics: geodesics.transport(X, V, W, RTOL, None),
        lambda geodesics: geodesics.log(X, X + V, RTOL, None)[0],
        lambda geodesics: geodesics.curves(X, V, np.array([0.5, -1.0, 0.0]), RTOL, None)[0],
    ],
    ids=["exp", "transport", "log", "curves"],
)
def test_closed_forms_are_what_integration_gives(quantity):
    np.testing.assert_allclose(quantity(CLOSED), quantity(INTEGRATED), rtol=1e-7)


@pytest.mark.parametrize("geodesics", [CLOSED, INTEGRATED], ids=["closed form", "integrated"])
def test_a_point_outside_has_no_geodesic(geodesics):
    curves, info = geodesics.curves(X * [1.0, -1.0], V, np.array([0.0, 0.5]), RTOL, None)
    assert np.isnan(curves).all()
    assert (info.status == int(Status.LEFT_DOMAIN)).all()
    velocities, found = geodesics.log(X, X * [1.0, -1.0], RTOL, None)
    assert np.isnan(velocities).all()
    assert (found.status == int(Status.LEFT_DOMAIN)).all()


def test_the_derivative_of_exp_is_that_of_its_ends():
    end, slope = INTEGRATED._exp_and_slope(X, V, 1e-12, 1e-14)
    h = 1e-5
    for k, unit in enumerate(np.eye(2)):
        ahead, behind = (INTEGRATED.exp(X, V + sign * h * unit, 1e-12, 1e-14) for sign in (1.0, -1.0))
        np.testing.assert_allclose(slope[..., k], (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(end, INTEGRATED.exp(X, V, 1e-12, 1e-14), rtol=1e-10)
