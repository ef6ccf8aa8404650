"""Runge–Kutta steps of the flow ṁ = 4 - m of the Poisson model: polynomials in h."""

import math

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.integrators.runge_kutta import moved

M, H = 9.0, 0.25


@pytest.mark.parametrize(("key", "order"), [("heun", 2), ("rk4", 4)])
def test_as_many_stages_as_orders_give_the_exponential_series_cut_off(poisson, key, order):
    factor = sum((-H) ** k / math.factorial(k) for k in range(order + 1))
    assert ro.minimize(poisson, key, [M], H, 1).x[0] == pytest.approx(4.0 + (M - 4.0) * factor, rel=1e-13)


@pytest.mark.parametrize("key", ["heun", "rk4", "rk5", "dopri5", "dop853"])
def test_the_error_is_of_the_order_of_the_tableau(poisson, key):
    rule = ro.integrators.by_name(key)
    (end,), _ = rule.step(poisson, np.array([M]), H, None)
    assert rule.orders.flow == rule.orders.invariance
    assert abs(end - 4.0 - (M - 4.0) * np.exp(-H)) < (M - 4.0) * H ** (rule.orders.flow + 1)


def test_a_tableau_of_ones_own_is_taken(poisson):
    ralston = ro.integrators.Tableau(stages=[[2 / 3]], weights=[1 / 4, 3 / 4], order=2)
    own = ro.minimize(poisson, ro.integrators.RungeKutta(ralston), [M], H, 1).x
    # on a linear flow all methods with two stages and order 2 are the same
    np.testing.assert_allclose(own, ro.minimize(poisson, "heun", [M], H, 1).x, rtol=1e-14)


def test_a_stage_is_the_point_moved_by_those_before():
    theta, velocities = np.array([1.0]), [np.array([2.0]), np.array([-4.0])]
    assert moved(theta, 0.5, {}, velocities) is theta
    assert moved(theta, 0.5, {0: 0.25, 1: 0.75}, velocities)[0] == 1.0 + 0.5 * (0.25 * 2.0 - 0.75 * 4.0)


def test_what_is_no_tableau_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'rk5' or 'rk4'"):
        ro.integrators.RungeKutta("rk3")
    with pytest.raises(ArgumentError, match="not int"):
        ro.integrators.RungeKutta(4)
