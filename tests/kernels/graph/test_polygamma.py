"""Polygammas and their remainders in a graph: for SymPy, of high order, differentiated."""

import math

import mpmath
import numpy as np
import pytest
import scipy.special
import sympy as sp

from riemopt.errors import ModelError
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS
from riemopt.kernels.graph.polygamma import PolygammaRemainder, leading_terms
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel
from tests.kernels.graph.cases import TARGETS, compiled, x


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


def remainder(order: int, at: float) -> mpmath.mpf:
    """psi_n less its two leading terms, at digits enough for what cancels."""
    with mpmath.workdps(40 + 2 * max(0, int(math.log10(at)))):
        point = mpmath.mpf(at)
        leading = mpmath.factorial(order - 1) / point**order + mpmath.factorial(order) / (2 * point ** (order + 1))
        return mpmath.psi(order, point) + (-1) ** order * leading


@pytest.mark.parametrize("order", POLYGAMMA_ORDERS[:-1])
def test_derivative_of_a_remainder_is_the_next_one(order: int) -> None:
    graph = Graph()
    x = graph.input("x")
    (slope,) = graph.tangents([graph.call(f"polygamma_remainder_{order}", x)], {x: graph.constant(1.0)})
    assert slope is graph.call(f"polygamma_remainder_{order + 1}", x)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("order", POLYGAMMA_ORDERS)
def test_symbolic_remainder_has_the_values_the_derivative_and_the_form_of_a_polygamma(order: int, count: int) -> None:
    x = sp.Symbol("x", positive=True)
    e = PolygammaRemainder(order, x, count)
    assert sp.polygamma(order, x) == sp.expand(e.rewrite(sp.polygamma) + leading_terms(order, x, count))
    assert e.diff(x) == PolygammaRemainder(order + 1, x, count)
    graph = Graph()
    node = graph.input("x")
    run = NumpyTarget().pointwise(Program((node,), (graph.lower(e, {x: node}),)), [1], 0)
    for point in (0.003, 1.0, 37.5, 1e6):
        second = (-1) ** order * mpmath.factorial(order) / (2 * mpmath.mpf(point) ** (order + 1))
        expected = remainder(order, point) - (second if count == 1 else 0)
        assert float(e.evalf(subs={x: point})) == pytest.approx(float(expected), rel=1e-15)
        assert run(np.array([[point]]), np.empty(0))[0, 0] == pytest.approx(float(expected), rel=2e-15)
