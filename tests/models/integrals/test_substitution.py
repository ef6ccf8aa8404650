"""Variables in which a weight has few parameters."""

import sympy as sp

from riemopt.models.integrals.integral import Integral
from riemopt.models.integrals.substitution import standard_form, to_half_line, to_standard_range

x, mu = sp.symbols("x mu", real=True)
w, k, s = sp.symbols("w k s", positive=True)


def moving(integral):
    return integral.expanded_weight.as_independent(integral.w, as_Add=True)[1].free_symbols - {integral.w}


def test_location_and_scale_of_a_normal_density_vanish():
    integral = Integral((sp.S.One,), -((x - mu) ** 2) / (2 * s**2), x, -sp.oo, sp.oo)
    assert not moving(standard_form(integral))


def test_shape_and_scale_of_a_weibull_density_vanish():
    weight = (k - 1) * sp.log(w) - (w / s) ** k
    assert not moving(standard_form(Integral((sp.S.One,), weight, w, sp.S.Zero, sp.oo)))


def test_intervals_begin_at_zero():
    for low, high, ends in ((2, 5, (0, 1)), (2, sp.oo, (0, sp.oo)), (-sp.oo, 2, (0, sp.oo))):
        integral = Integral((x,), -(x**2), x, sp.sympify(low), sp.sympify(high))
        assert to_standard_range(integral).ends == ends


def test_odds_run_over_the_half_line():
    odds = to_half_line(Integral((sp.S.One,), (k - 1) * sp.log(w) + sp.log(1 - w), w, sp.S.Zero, sp.S.One))
    assert odds.ends == (0, sp.oo)
    total = sp.integrate(sp.exp(odds.weight.subs(k, 2)), (odds.w, 0, sp.oo))
    assert sp.simplify(total - sp.Rational(1, 6)) == 0
