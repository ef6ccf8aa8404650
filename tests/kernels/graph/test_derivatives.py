"""Derivatives of nodes are those of the expressions."""

import numpy as np
import pytest
import sympy as sp

from riemopt.errors import ModelError
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Peak
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel
from tests.kernels.graph.cases import EXPRESSIONS, x, y

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


def test_gradient_of_a_sum_is_the_tangents_along_the_axes():
    graph = Graph()
    inputs = graph.input("a"), graph.input("b")
    one = graph.constant(1.0)
    output = graph.lower(x**3 / y + sp.log(x), dict(zip((x, y), inputs, strict=True)))
    outputs = [*graph.gradients({output: one}, inputs), *(graph.tangents([output], {i: one})[0] for i in inputs)]
    kernel = Kernel(NumpyTarget(), Program(inputs, (one, *outputs)), [("points", (2,))], [()] * 4)
    _, *values = kernel(np.random.default_rng(0).uniform(0.3, 3.0, (10, 2)))
    np.testing.assert_allclose(values[:2], values[2:], rtol=1e-13)


def test_inputs_that_are_not_mentioned_are_held_fixed():
    graph = Graph()
    a, b = graph.input("a"), graph.input("b")
    assert graph.tangents([graph.mul(a, b)], {a: graph.constant(1.0)}) == [b]
    assert graph.tangents([b], {a: graph.constant(1.0)}) == [graph.constant(0.0)]


def test_what_has_no_known_derivative_is_named():
    graph, inner = Graph(), Graph()
    u, p = inner.input("y"), inner.input("p")
    _, (value,) = graph.use(Peak(Program((u, p), (inner.mul(u, p),))), [graph.input("a")])
    with pytest.raises(ModelError, match="no derivative is known for the compiled part 'peak'"):
        graph.tangents([value], {graph.input("a"): graph.constant(1.0)})
