"""SymPy expressions from syntax trees, within bounds."""

import pytest
import sympy as sp

from riemopt.errors import ExpressionError
from riemopt.symbolic.builder import Builder
from riemopt.symbolic.source import Source

x = sp.Symbol("x", positive=True)


def build(text):
    source = Source(text)
    return Builder(source, {"x": x}).build(source.tree())


def test_decimals_are_exact():
    assert build("0.1 + 0.2") == sp.Rational(3, 10)


def test_an_undeclared_name_is_refused_with_those_that_are_declared():
    with pytest.raises(ExpressionError, match="unknown symbol 'y': declared: x"):
        build("x + y")


@pytest.mark.parametrize("text", ["2**2000", "x**101", "gamma(171)", "(x + 1)**21", "x**(1/1001)"])
def test_what_sympy_would_write_out_is_refused(text):
    with pytest.raises(ExpressionError):
        build(text)
