"""Fewer divisions and special functions: the same values by less work."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.formulas.equations import geodesic
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import nodes_of
from riemopt.kernels.graph.polygamma import PolygammaRemainder
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.simplification import simplify, simplify_program
from riemopt.kernels.text.expressions import source

X, Y, Z = SYMBOLS = sp.symbols("x y z", positive=True)


def programs(expressions):
    """Before and after."""
    graph = Graph()
    inputs = {symbol: graph.input(symbol.name) for symbol in SYMBOLS}
    outputs = [graph.lower(sp.sympify(e), inputs) for e in expressions]
    return [Program(tuple(inputs.values()), tuple(o)) for o in (outputs, simplify(graph, outputs))]


def count(program, op):
    return sum(node.op == op for node in nodes_of(program.outputs))


def values(program, x):
    names = {
        "sqrt": math.sqrt,
        "polygamma_1": lambda x: float(sp.polygamma(1, x)),
        "polygamma_2": lambda x: float(sp.polygamma(2, x)),
    }
    names["polygamma_remainder_1"] = lambda x: float(PolygammaRemainder(1, x, 2).evalf(17))
    exec(source(program, "f"), names)
    return names["f"](*x)


monomials = st.tuples(*[st.integers(-3, 3)] * 3).map(lambda e: X ** e[0] * Y ** e[1] * (Y + Z) ** e[2])
fractions = st.tuples(st.integers(-9, 9), monomials, monomials).map(lambda t: t[0] * t[1] / (t[2] + X + 1))


@given(st.lists(st.one_of(monomials, fractions), min_size=1, max_size=6), st.tuples(*[st.floats(0.1, 9.0)] * 3))
def test_values_are_the_same_by_no_more_divisions(expressions, x):
    before, after = programs(expressions)
    np.testing.assert_allclose(values(after, x), values(before, x), rtol=1e-13)
    assert count(after, "div") <= count(before, "div")


def test_powers_share_the_reciprocal_of_their_base():
    before, after = programs([Y / X, Z / X**2, (Y + 1) / (3 * X**3 * Z), 1 / Z])
    assert (count(before, "div"), count(after, "div")) == (4, 2)


def test_lonely_divisions_stay():
    # the last two have three factors
    for expressions in ([Y / (X + 1), Z / (X * (Y + 2))], [1 / (X * Y * (Y + Z)), 1 / (X * Y * (Y + Z) ** 2)]):
        before, after = programs(expressions)
        assert before.outputs == after.outputs


@given(st.lists(st.one_of(monomials, fractions), min_size=1, max_size=4), st.tuples(*[st.floats(-12.0, 12.0)] * 3))
def test_range_is_that_of_the_formulas(expressions, exponents):
    # the powers of three factors, up to the third, stay far inside the range of doubles
    x = tuple(10.0**e for e in exponents)
    before, after = programs(expressions)
    np.testing.assert_allclose(values(after, x), values(before, x), rtol=1e-12)


def test_polygamma_comes_from_its_remainder():
    before, after = programs([sp.polygamma(1, X) * Y, PolygammaRemainder(1, X, 2) + Z, sp.polygamma(2, X)])
    assert (count(before, "polygamma_1"), count(after, "polygamma_1"), count(after, "polygamma_2")) == (1, 0, 1)
    np.testing.assert_allclose(values(after, (0.3, 2.0, 1.0)), values(before, (0.3, 2.0, 1.0)), rtol=1e-14)
    assert values(after, (0.3, 2.0, 1.0))[0] == pytest.approx(2.0 * float(sp.polygamma(1, 0.3)), rel=1e-14)


def test_geodesics_of_the_gamma_model_take_five_divisions():
    # a guard against losing what makes them fast: as derived they take 18
    field = simplify_program(geodesic(ro.Manifold(ro.models.Gamma())._formulas).field)
    assert count(field, "div") <= 5
    assert count(field, "polygamma_1") == 0
