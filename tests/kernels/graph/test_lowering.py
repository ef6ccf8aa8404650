"""Lowering: what the text computes is what the expression says."""

import math

import mpmath
import numpy as np
import pytest
import scipy.special
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from riemopt.errors import ModelError
from riemopt.kernels.graph.lowering import FUNCTIONS, Graph, Program
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel

x, y = sp.symbols("x y", positive=True)
TARGETS = [NumpyTarget(), NumbaTarget()]


def compiled(expressions, symbols, target):
    graph = Graph()
    inputs = tuple(graph.input(f"input {i}") for i in range(len(symbols)))
    environment = dict(zip(symbols, inputs, strict=True))
    nodes = [graph.lower(sp.sympify(e), environment) for e in expressions]
    program = Program(inputs, (graph.constant(0.0), *nodes))
    kernel = Kernel(target, program, [("points", (len(symbols),))], [()] * len(nodes))
    return lambda points: np.stack(kernel(points)[1:], axis=-1)


EXPRESSIONS = [
    x + y - 3,
    -x - y,
    2 * x / (3 * y**2),
    sp.Rational(1, 3) * x,
    x**5 / y**3,
    sp.sqrt(x) * y ** sp.Rational(-3, 2),
    x**y,
    x**0.3,
    sp.exp(-x) + sp.exp(x - y),
    sp.log(x) * sp.log(x / y),
    sp.sin(x) + sp.cos(y) + sp.tan(x / 9),
    sp.asin(x / 100) + sp.acos(y / 100) + sp.atan(x),
    sp.sinh(x) - sp.cosh(y) + sp.tanh(x),
    sp.asinh(x) + sp.acosh(1 + y) + sp.atanh(x / 100),
    sp.erf(x) + sp.erfc(y),
    sp.gamma(x) + sp.loggamma(y),
    sp.log(sp.gamma(x)),
    sp.digamma(x) + sp.polygamma(1, y) - sp.polygamma(4, x),
    sp.factorial(x) + sp.beta(x, y),
    sp.Abs(x - y) + sp.sign(x - y) + sp.floor(y),
    sp.Max(x, y, 2) - sp.Min(x, y, 1),
    sp.Piecewise((x, x < y), (y**2, x < 2 * y), (sp.Integer(7), True)),
    sp.Piecewise((1, sp.And(x < y, y < 3)), (2, sp.Or(x >= 5, y >= 5)), (3, True)),
    sp.pi * x + sp.E + sp.EulerGamma,
]
POINTS = np.random.default_rng(0).uniform(0.2, 8.0, (50, 2))


@pytest.fixture(scope="module")
def thirty_digits():
    """The values of the expressions at the points by SymPy, once for all targets."""
    places = [{x: sp.Float(float(a), 30), y: sp.Float(float(b), 30)} for a, b in POINTS]
    return [[float(expression.subs(place).evalf(30)) for expression in EXPRESSIONS] for place in places]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_text_agrees_with_sympy_evaluated_at_thirty_digits(target, thirty_digits):
    values = compiled(EXPRESSIONS, (x, y), target)(POINTS)
    for row, exact_row in zip(values, thirty_digits, strict=True):
        for value, exact, expression in zip(row, exact_row, EXPRESSIONS, strict=True):
            assert value == pytest.approx(exact, rel=1e-12, abs=1e-12), expression


def test_targets_agree_to_rounding():
    values = [compiled(EXPRESSIONS, (x, y), target)(POINTS) for target in TARGETS]
    np.testing.assert_allclose(*values, rtol=1e-13, atol=1e-13)


def test_every_function_of_the_table_is_bound_by_both_targets():
    graph = Graph()
    inputs = tuple(graph.input(f"input {i}") for i in range(3))
    calls = [
        graph.call(name, *inputs[:count]) for name, count in FUNCTIONS.items() if name not in ("select", "isfinite")
    ]
    calls.append(graph.call("select", graph.operate("lt", inputs[0], inputs[1]), inputs[1], inputs[2]))
    calls.append(graph.call("select", graph.call("isfinite", inputs[0]), inputs[1], inputs[2]))
    program = Program(inputs, (graph.constant(0.0), *calls))
    point = np.array([[0.7, 1.3, 2.5], [0.4, 0.2, 0.1]])
    results = [
        np.stack(Kernel(target, program, [("points", (3,))], [()] * len(calls))(point), axis=-1) for target in TARGETS
    ]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-13)


def test_nan_goes_through_minimum_maximum_and_sign():
    graph = Graph()
    a, b = graph.input("a"), graph.input("b")
    outputs = (graph.call("minimum", a, b), graph.call("maximum", a, b), graph.call("sign", a))
    program = Program((a, b), (graph.constant(0.0), *outputs))
    points = [[np.nan, 1.0], [1.0, np.nan]]
    for target in TARGETS:
        low, high, sign = Kernel(target, program, [("points", (2,))], [(), (), ()])(points)[1:]
        assert np.isnan(low).all() and np.isnan(high).all()
        assert np.isnan(sign[0]) and sign[1] == 1.0


def test_equal_subexpressions_are_computed_once():
    graph = Graph()
    a = graph.input("a")
    first = graph.lower(sp.digamma(x**2) + 1, {x: a})
    second = graph.lower(3 * sp.digamma(x**2), {x: a})
    assert Program((a,), (first, second)).source("f").count("digamma") == 1


def test_text_holds_no_name_that_a_user_chose():
    evil = sp.Symbol("__import__('os').system('true')", positive=True)
    graph = Graph()
    text = Program((a := graph.input("0"),), (graph.lower(evil**2 + sp.log(evil), {evil: a}),)).source("f")
    assert "import" not in text and "os" not in text


def test_function_without_a_compiled_form_is_named():
    with pytest.raises(ModelError, match="besselj"):
        Graph().lower(sp.besselj(0, x), {x: Graph().input("x")})


def test_unknown_symbol_is_named():
    with pytest.raises(ModelError, match="the symbol y"):
        Graph().lower(x + y, {x: Graph().input("x")})


DIFFERENTIABLE = [e for e in EXPRESSIONS if not e.has(sp.Abs, sp.sign, sp.floor, sp.Max, sp.Min, sp.Piecewise)]


@pytest.mark.parametrize("expression", DIFFERENTIABLE, ids=str)
def test_tangents_agree_with_symbolic_derivatives(expression):
    graph = Graph()
    inputs = tuple(graph.input(f"input {i}") for i in range(4))
    output = graph.lower(expression, {x: inputs[0], y: inputs[1]})
    (tangent,) = graph.tangents([output], {inputs[0]: inputs[2], inputs[1]: inputs[3]})
    run = Kernel(NumpyTarget(), Program(inputs, (graph.constant(0.0), tangent)), [("points", (4,))], [()])
    points = np.random.default_rng(1).uniform(0.3, 5.0, (10, 4))
    for value, (a, b, da, db) in zip(run(points)[1], points, strict=True):
        at = {x: sp.Float(float(a), 30), y: sp.Float(float(b), 30)}
        exact = expression.diff(x).subs(at).evalf(30) * float(da) + expression.diff(y).subs(at).evalf(30) * float(db)
        assert value == pytest.approx(float(exact), rel=1e-11, abs=1e-12)


@given(st.integers(-32, 32), st.floats(0.1, 10.0))
def test_integer_powers_are_products(n, base):
    graph = Graph()
    a = graph.input("a")
    program = Program((a,), (graph.power(a, graph.constant(n)),))
    assert "**" not in program.source("f")
    (value,) = NumpyTarget().pointwise(program, [1], 0)(np.array([[base]]), np.array([]))[0]
    assert value == pytest.approx(base**n, rel=1e-13)


def test_constants_fold_and_identities_vanish():
    graph = Graph()
    a, zero, one = graph.input("a"), graph.constant(0.0), graph.constant(1.0)
    assert graph.add(a, zero) is a and graph.mul(a, one) is a and graph.div(a, one) is a
    assert graph.mul(a, zero) is zero and graph.sub(a, a) is zero
    assert graph.neg(graph.neg(a)) is a
    assert graph.add(graph.constant(2.0), graph.constant(3.0)).value == 5.0
    assert graph.call("sqrt", graph.constant(9.0)).value == 3.0


def test_special_functions_refuse_what_lies_outside_their_domain_on_both_targets():
    for target in TARGETS:
        values = compiled([sp.digamma(x), sp.polygamma(1, x)], (x,), target)([[-0.5], [0.0]])
        assert np.isnan(values).all()
    assert not math.isnan(scipy.special.digamma(-0.5))


@pytest.mark.parametrize("order", [7, 8, 12, 20])
def test_polygammas_of_high_order_are_exact_to_rounding(order):
    points = np.geomspace(1e-3, 1e3, 30)
    expected = [float(mpmath.psi(order, mpmath.mpf(point))) for point in points]
    for target in TARGETS:
        found = compiled([sp.polygamma(order, x)], (x,), target)(points[:, None])[:, 0]
        np.testing.assert_allclose(found, expected, rtol=2e-14)


@pytest.mark.parametrize(("name", "leading"), [("polygamma_5", 0), ("polygamma_remainder_5", 2)])
def test_derivatives_of_polygammas_go_on_for_ever(name, leading):
    graph = Graph()
    point = graph.input("x")
    nodes = [graph.call(name, point)]
    for _ in range(5):
        nodes += graph.tangents(nodes[-1:], {point: graph.constant(1.0)})
    kernel = Kernel(NumpyTarget(), Program((point,), (graph.constant(0.0), *nodes)), [("points", (1,))], [()] * 6)
    for order, found in enumerate(kernel([1.7])[1:], start=5):
        terms = [sp.factorial(order - 1) / x**order, sp.factorial(order) / (2 * x ** (order + 1))][:leading]
        expected = sp.polygamma(order, x) - (-1) ** (order + 1) * sum(terms)
        assert float(found) == pytest.approx(float(expected.subs(x, sp.Rational(17, 10)).evalf(30)), rel=1e-11)


def test_polygammas_of_high_order_are_not_to_be_had_of_what_is_not_positive():
    assert np.isnan(compiled([sp.polygamma(7, x)], (x,), NumpyTarget())([[-0.5], [0.0]])).all()
    with pytest.raises(ModelError, match="up to order 40, not 41"):
        compiled([sp.polygamma(41, x)], (x,), NumpyTarget())
