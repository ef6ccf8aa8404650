"""Integrals over intervals."""

import sympy as sp

from riemopt.models.integrals.integral import Integral
from riemopt.models.integrals.intervals import over_interval

x = sp.Symbol("x", real=True)
s = sp.Symbol("s", positive=True)


def test_the_variance_of_the_laplace_density_is_found_on_both_sides_of_its_kink():
    (found,) = over_interval(Integral((x**2,), -sp.Abs(x) / s - sp.log(2 * s), x, -sp.oo, sp.oo))
    assert sp.simplify(found - 2 * s**2) == 0


def test_a_finite_interval_may_begin_anywhere():
    (found,) = over_interval(Integral((x,), sp.S.Zero, x, sp.Integer(2), sp.Integer(4)))
    assert sp.simplify(found) == 6
