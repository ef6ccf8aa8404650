"""Arc lengths along one coordinate, and the coordinate as a function of them."""

import math

import pytest
import sympy as sp

from riemopt.geometry.arc_length import arc_length, image_of_interval, inverse_on_interval

x, s = sp.symbols("x s", real=True)
p = sp.Symbol("p", positive=True)
METRICS = {
    "constant": (sp.Integer(4), x, -math.inf, math.inf),
    "two bounds": (1 / (p * (1 - p)), p, 0.0, 1.0),
    "a half-line": (1 / p**2, p, 0.0, math.inf),
    "a root outside": (1 / (p * (1 + p)), p, 0.0, math.inf),
    "an exponential": (sp.exp(2 * x), x, -math.inf, math.inf),
}


@pytest.mark.parametrize("name", METRICS)
def test_the_slope_of_the_length_is_the_root_of_the_metric(name):
    metric, symbol, low, high = METRICS[name]
    arc = arc_length(metric, symbol, low, high)
    for value in (0.25, 0.75):
        at = {symbol: value}
        assert float(arc.length.diff(symbol).subs(at)) == pytest.approx(float(sp.sqrt(metric).subs(at)), rel=1e-12)
        back = arc.inverse.subs(arc.symbol, arc.length.subs(at))
        assert float(back) == pytest.approx(value, rel=1e-12)


def test_a_length_that_is_no_closed_form_is_none():
    assert arc_length(sp.polygamma(1, p), p, 0.0, math.inf) is None


def test_the_image_of_an_interval_has_the_lower_end_first():
    assert image_of_interval(sp.exp(-x), x, -math.inf, 0.0) == (1.0, math.inf)


def test_an_inverse_is_that_of_the_branch_in_the_interval():
    assert inverse_on_interval(x**2, x, s, -math.inf, 0.0) == -sp.sqrt(s)
