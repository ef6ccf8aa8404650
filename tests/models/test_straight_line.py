"""Geodesics of the exponential and the mixture connection in closed form."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.models.straight_line import straight_line

u, v = sp.symbols("u v", real=True)


@pytest.mark.parametrize("a", [1.0, -1.0])
def test_the_end_is_a_straight_step_in_natural_or_mean_parameters(a):
    model = ro.models.Normal()
    chart = (model.natural_chart() if a > 0 else model.mean_chart()).chart
    line = straight_line(model, (u, v), a)
    start, velocity = np.array([0.5, 2.0]), np.array([0.25, -0.125])
    found = [float(e.subs(dict(zip(line.symbols, (*start, *velocity), strict=True)))) for e in line.end]
    coordinates = chart.from_original(start)
    step = np.linalg.solve(chart.jacobian(coordinates), velocity)
    np.testing.assert_allclose(found, chart.to_original(coordinates + step), rtol=1e-12)


def test_a_line_leaves_where_a_margin_is_no_longer_positive():
    line = straight_line(ro.models.Exponential(), (v,), 1.0)
    (rate, _), (margin,) = line.symbols, line.margins
    assert margin.subs({rate: 1.0, v: -0.5}) > 0 > margin.subs({rate: 1.0, v: -1.5})


def test_other_connections_and_families_have_none():
    assert straight_line(ro.models.Normal(), (u, v), 0.0) is None
    assert straight_line(ro.models.Weibull(), (u, v), 1.0) is None
