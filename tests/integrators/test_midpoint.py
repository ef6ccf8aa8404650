"""Midpoint steps of the Poisson model, along straight lines in m and along those in √m, its geodesics."""

import numpy as np
import pytest

import riemopt as ro

M, H = 9.0, 0.25


def test_a_step_takes_the_velocity_of_its_middle(poisson):
    middle = M + H / 2 * (4.0 - M)
    assert ro.minimize(poisson, "mid", [M], H, 1).x[0] == pytest.approx(M + H * (4.0 - middle), rel=1e-13)


def test_along_geodesics_it_is_the_midpoint_step_in_the_root(poisson):
    def velocity(root):  # d√m = (4 - m)/(2√m)
        return (4.0 / root - root) / 2

    root = np.sqrt(M)
    end = root + H * velocity(root + H / 2 * velocity(root))
    assert ro.minimize(poisson, "mid-exact", [M], H, 1).x[0] == pytest.approx(end**2, rel=1e-9)
