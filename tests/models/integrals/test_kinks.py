"""Kinks of densities."""

import pytest
import sympy as sp

from riemopt.models.integrals.kinks import branch, kinks
from riemopt.models.integrals.results import NotFound

x, mu = sp.symbols("x mu", real=True)


def test_kinks_come_in_order():
    assert kinks([sp.Abs(2 * x - 1), sp.sign(x + 3), sp.Piecewise((1, x < 7), (2, True))], x) == [
        -3,
        sp.Rational(1, 2),
        7,
    ]


def test_a_kink_that_moves_is_not_to_be_had():
    with pytest.raises(NotFound, match="move with the parameters"):
        kinks([sp.Abs(x - mu)], x)


def test_between_kinks_there_are_no_cases():
    expression = sp.Abs(x - 1) + sp.Heaviside(x) + sp.Piecewise((x, x < 5), (0, True))
    assert sp.expand(branch(expression, x, sp.Integer(3))) == 2 * x
    assert sp.expand(branch(expression, x, sp.Integer(-3))) == 1
