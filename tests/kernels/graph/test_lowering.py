"""Lowering: what the text computes is what the expression says."""

import numpy as np
import pytest
import sympy as sp

from riemopt.errors import ModelError
from riemopt.kernels.graph.graph import Graph
from tests.kernels.graph.cases import EXPRESSIONS, POINTS, TARGETS, compiled, x, y


@pytest.fixture(scope="module")
def thirty_digits():
    """The values of the expressions at the points by SymPy, once for all targets."""
    places = [{x: sp.Float(float(a), 30), y: sp.Float(float(b), 30)} for a, b in POINTS]
    return [[float(expression.subs(place).evalf(30)) for expression in EXPRESSIONS] for place in places]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@pytest.mark.slow_for("numba")
def test_text_agrees_with_sympy_evaluated_at_thirty_digits(target, thirty_digits):
    values = compiled(EXPRESSIONS, (x, y), target)(POINTS)
    for row, exact_row in zip(values, thirty_digits, strict=True):
        for value, exact, expression in zip(row, exact_row, EXPRESSIONS, strict=True):
            assert value == pytest.approx(exact, rel=1e-12, abs=1e-12), expression


def test_targets_agree_to_rounding():
    values = [compiled(EXPRESSIONS, (x, y), target)(POINTS) for target in TARGETS]
    np.testing.assert_allclose(*values, rtol=1e-13, atol=1e-13)


def test_function_without_a_compiled_form_is_named():
    with pytest.raises(ModelError, match="besselj"):
        Graph().lower(sp.besselj(0, x), {x: Graph().input("x")})


def test_unknown_symbol_is_named():
    with pytest.raises(ModelError, match="the symbol y"):
        Graph().lower(x + y, {x: Graph().input("x")})
