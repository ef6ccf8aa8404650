"""Logarithms, taken where their arguments are no numbers or have lost their digits."""

import math

import mpmath
import pytest
import sympy as sp

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.logarithms import Logarithms
from riemopt.kernels.graph.nodes import nodes_of
from tests.kernels.graph.cases import TARGETS, compiled

s, t = sp.symbols("s t", real=True)
u, v = sp.symbols("u v", positive=True)


def value(expression, at):
    """The value on all targets, which agree."""
    symbols = tuple(at)
    found = [float(compiled([expression], symbols, target)([list(at.values())])[0, 0]) for target in TARGETS]
    assert found[0] == pytest.approx(found[1], rel=1e-13)
    return found[0]


def test_logarithm_of_a_sum_of_exponentials_does_not_overflow():
    assert value(sp.log(sp.exp(s) + sp.exp(t)), {s: 1000.0, t: 1000.0}) == pytest.approx(1000 + math.log(2), rel=1e-15)
    assert value(sp.log(3 * sp.exp(s) + 1), {s: -1000.0}) == 0.0


def test_logarithm_of_a_signed_sum_does_not_overflow():
    found = value(sp.log(sp.exp(s) - sp.exp(t)), {s: 1000.0, t: 999.0})
    assert found == pytest.approx(1000 + math.log1p(-math.exp(-1)), rel=1e-14)


def test_logarithms_of_factorials_are_log_gammas():
    assert value(sp.log(sp.binomial(u, v)), {u: 3000.0, v: 1000.0}) == pytest.approx(
        float(mpmath.log(mpmath.binomial(3000, 1000))), rel=1e-13
    )
    assert value(sp.log(sp.gamma(u) * v), {u: 500.0, v: 2.0}) == pytest.approx(
        math.lgamma(500.0) + math.log(2.0), rel=1e-14
    )


def test_logarithm_of_a_bessel_function_does_not_overflow():
    expected = float(mpmath.log(mpmath.besseli(1, 2000)))
    assert value(sp.log(sp.besseli(1, u)), {u: 2000.0}) == pytest.approx(expected, rel=1e-14)


def test_logarithm_near_one_keeps_its_digits():
    assert value(sp.log(1 + u), {u: 1e-18}) == 1e-18


def test_powers_in_an_exponent_take_the_logarithm_of_their_base():
    graph = Graph()
    nodes = {s: graph.input("s"), u: graph.input("u")}
    found = Logarithms(graph, lambda e: graph.lower(e, nodes)).total([s, (s, u)])
    assert [node.op for node in nodes_of([found])] == ["input", "input", "constant", "log", "mul", "add"] or (
        found is graph.add(nodes[s], graph.mul(nodes[s], graph.call("log", nodes[u])))
    )
