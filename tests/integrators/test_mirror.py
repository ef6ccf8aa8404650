"""Mirror descent on the Poisson model."""

import numpy as np
import pytest

import riemopt as ro

M, H = 9.0, 0.25


def test_without_a_mirror_it_is_gradient_descent(poisson):
    rule = ro.integrators.MirrorDescent(lambda x: x, lambda y: y)
    assert ro.minimize(poisson, rule, [M], H, 3).points == pytest.approx(ro.minimize(poisson, "gd", [M], H, 3).points)


def test_the_logarithm_as_mirror_is_an_exponentiated_gradient(poisson):
    rule = ro.integrators.MirrorDescent(np.log, np.exp)
    assert ro.minimize(poisson, rule, [M], H, 1).x[0] == pytest.approx(M * np.exp(-H * (1.0 - 4.0 / M)), rel=1e-13)
