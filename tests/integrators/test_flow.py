"""The flow of the Poisson model, m(t) = 4 + (m - 4) e⁻ᵗ."""

import numpy as np
import pytest

import riemopt as ro


@pytest.mark.parametrize("h", [0.01, 0.5, 3.0])
def test_every_step_follows_the_flow_for_its_time(poisson, h):
    points = ro.minimize(poisson, "ng-exact", [9.0], h, 4).points[:, 0]
    np.testing.assert_allclose(points, 4.0 + 5.0 * np.exp(-h * np.arange(5.0)), rtol=1e-7)


def test_a_step_back_in_time_returns(poisson):
    there = ro.integrators.ExactFlow().step(poisson, np.array([9.0]), 0.5, None)[0]
    back = ro.integrators.ExactFlow().step(poisson, there, -0.5, None)[0]
    assert back[0] == pytest.approx(9.0, rel=1e-7)
