"""Integrals over other variables."""

import sympy as sp

from riemopt.models.integrals.integral import Integral

w, a = sp.symbols("w a", positive=True)


def test_a_substitution_does_not_change_the_integral():
    integral = Integral((w,), -w, w, sp.S.Zero, sp.oo)
    moved = integral.substitute(lambda z: 2 * z, sp.S.Zero, sp.oo)
    (value,) = moved.values
    assert sp.integrate(value * sp.exp(moved.weight), (moved.w, 0, sp.oo)) == 1


def test_a_falling_map_has_a_positive_slope_in_the_weight():
    integral = Integral((sp.S.One,), sp.S.Zero, w, sp.S.Zero, sp.S.One)
    moved = integral.substitute(lambda z: sp.exp(-z), sp.S.Zero, sp.oo)
    assert sp.expand_log(moved.weight) == -moved.w


def test_parameters_beside_the_variable_are_the_difficulty():
    assert Integral((), -w / a, w, sp.S.Zero, sp.oo).difficulty > Integral((), a - w, w, sp.S.Zero, sp.oo).difficulty
