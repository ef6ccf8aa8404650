"""Isometries as changes of coordinates."""

import sympy as sp

import riemopt as ro
from riemopt.geometry.isometry import Isometry
from riemopt.geometry.spaces import HalfSpace

mu, sigma = ro.models.Normal().parameters
u, v = sp.symbols("u v", real=True)
HALF_PLANE = Isometry((HalfSpace(2, 2**0.5),), (u, v), (mu / sp.sqrt(2), sigma), (sp.sqrt(2) * u, v))


def test_the_metric_decides_whether_coordinates_are_an_isometry():
    model = ro.models.Normal()
    metric = sp.diag(1 / sigma**2, 2 / sigma**2)
    assert HALF_PLANE.agrees(model.domain, metric)
    assert not HALF_PLANE.agrees(model.domain, sp.diag(1 / sigma**2, 3 / sigma**2))


def test_another_chart_has_the_isometry_in_its_coordinates():
    s = sp.Symbol("s", real=True)
    chart = ro.models.Normal().reparametrize({sigma: sp.exp(s)}, (mu, s)).chart
    found = HALF_PLANE.in_chart(chart)
    assert found.forward == (mu / sp.sqrt(2), sp.exp(s))
    assert found.backward == (sp.sqrt(2) * u, sp.log(v))
