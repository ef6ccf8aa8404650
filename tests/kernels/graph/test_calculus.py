"""Derivatives and substitutions in graphs against SymPy, also of expressions that lose their digits as they stand."""

import numpy as np
import pytest
import sympy as sp

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel

TARGETS = {"numpy": NumpyTarget(), "numba": NumbaTarget()}

u, v = sp.symbols("u v", positive=True)
SMOOTH = [
    u * v - u / v + v**3,
    sp.exp(u * sp.sin(v)) + sp.log(u + v),
    sp.log(sp.exp(u) + sp.exp(v) + u),
    sp.sqrt(u) * sp.erfc(v) + sp.tanh(u * v),
    sp.loggamma(u) * sp.digamma(v) + u**v,
    sp.besseli(1, u) / sp.besseli(0, u) + sp.atan(v / u),
    sp.Max(u, v) * sp.Abs(u - 2 * v) + sp.Piecewise((u**2, u < v), (v, True)),
]


def lowered(expressions, symbols):
    graph = Graph()
    inputs = tuple(graph.input(f"input {i}") for i in range(len(symbols)))
    return graph, inputs, [graph.lower(e, dict(zip(symbols, inputs, strict=True))) for e in expressions]


def numbers(inputs, outputs, points, target="numpy"):
    graph = outputs[0].graph
    program = Program(tuple(inputs), (graph.constant(0.0), *outputs))
    run = Kernel(TARGETS[target], program, [("points", (len(inputs),))], [()] * len(outputs))
    return np.stack(run(points)[1:], axis=-1)


def test_backward_derivatives_are_the_forward_ones():
    graph, inputs, outputs = lowered(SMOOTH, (u, v))
    one, zero = graph.constant(1.0), graph.constant(0.0)
    coefficients = [graph.constant(c) for c in (1.0, -0.5, 2.0, 1.0, 0.25, 3.0, -1.0)]
    backward = graph.gradients(dict(zip(outputs, coefficients, strict=True)), inputs)
    forward = [
        graph.dot(coefficients, graph.tangents(outputs, {i: one if i is j else zero for i in inputs})) for j in inputs
    ]
    each = [graph.gradients({output: one}, inputs)[0] for output in outputs]
    ahead = graph.tangents(outputs, {inputs[0]: one})
    points = np.random.default_rng(4).uniform(0.3, 3.0, (20, 2))
    np.testing.assert_allclose(*(numbers(inputs, n, points) for n in (backward, forward)), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(*(numbers(inputs, n, points) for n in (each, ahead)), rtol=1e-12, atol=1e-12)


def test_backward_derivatives_hold_coefficients_fixed_and_may_be_nothing():
    graph, (a, b), (product,) = lowered([u * v], (u, v))
    other = graph.input("other")
    assert graph.gradients({product: a}, [b, other]) == [graph.mul(a, a), graph.constant(0.0)]
    # an output that is an input
    assert graph.gradients({a: b, product: graph.constant(1.0)}, [a]) == [graph.add(b, b)]
    assert graph.gradients({}, [a]) == [graph.constant(0.0)]


def test_substitution_is_that_of_sympy():
    graph, inputs, outputs = lowered(SMOOTH, (u, v))
    exchanged = graph.substitute(outputs, {inputs[0]: graph.lower(u * v + 1, {u: inputs[0], v: inputs[1]})})
    directly = [graph.lower(e.subs(u, u * v + 1), {u: inputs[0], v: inputs[1]}) for e in SMOOTH]
    points = np.random.default_rng(5).uniform(0.3, 1.5, (10, 2))
    np.testing.assert_allclose(*(numbers(inputs, n, points) for n in (exchanged, directly)), rtol=1e-12)
    swapped = graph.substitute(outputs, dict(zip(inputs, reversed(inputs), strict=True)))
    np.testing.assert_allclose(numbers(inputs, swapped, points), numbers(inputs, outputs, points[:, ::-1]), rtol=1e-13)
    assert graph.substitute(outputs, {graph.input("stranger"): inputs[0]}) == outputs


# -- expressions that would overflow or lose digits as they stand

s, t = sp.symbols("s t", real=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
HARD = [
    (sp.log(sp.exp(s) + sp.exp(t)), {s: 1000.0, t: 999.0}),
    (sp.log(sp.exp(s) + sp.exp(t)), {s: -1000.0, t: -1000.0}),
    (sp.log(sp.exp(s) + sp.exp(t) + 2 * sp.exp(s - t)), {s: 1001.0, t: -2.0}),
    (sp.log(1 + sp.exp(s)), {s: 800.0}),
    (sp.log(1 + sp.exp(s)), {s: -40.0}),
    (sp.log(u * sp.exp(s) + (1 - u) * sp.exp(t)), {u: 0.3, s: -1e4, t: -1.0001e4}),
    (sp.log(u * sp.exp(s) / v + (1 - u) * sp.exp(t)), {u: 0.3, v: 7.0, s: 1e4, t: 1.0001e4}),
    (sp.log(u * (sp.exp(s) + sp.exp(t))), {u: 3.0, s: 1e3, t: 998.0}),
    (sp.log((1 + sp.exp(s)) * (1 + sp.exp(t))), {s: 1e3, t: 998.0}),
    (sp.log(u**v + v**u), {u: 400.0, v: 401.0}),
    (sp.log(2**u + 3**u), {u: 1000.0}),
    (sp.log(sp.sqrt(sp.exp(s) + sp.exp(t))), {s: 1000.0, t: 999.0}),
    (sp.log(sp.exp(s) * sp.exp(t) / u), {s: 900.0, t: -100.0, u: 2.0}),
    (1 - sp.exp(-u), {u: 1e-12}),
    (sp.exp(s) - 1, {s: -1e-13}),
    (sp.log(1 - sp.exp(-u)), {u: 1e-12}),
    (sp.log(1 + u), {u: 1e-15}),
    (sp.log(1 - u), {u: 1e-15}),
    (sp.log(1 + u / v), {u: 1e-15, v: 3.0}),
    (sp.log(sp.gamma(u)), {u: 1e3}),
    (sp.log(3 * sp.gamma(u) * v), {u: 1e3, v: 2.0}),
    (sp.log(sp.gamma(u) ** 2 / sp.gamma(2 * u)), {u: 1e3}),
    (sp.log(sp.gamma(u) * sp.exp(s)), {u: 1e3, s: 900.0}),
    (sp.log(1 / sp.gamma(u)), {u: 1e3}),
    (sp.log(sp.binomial(u, v)), {u: 1e3, v: 400.0}),
    (sp.log(sp.beta(u, v)), {u: 1e3, v: 400.0}),
    (sp.log(sp.factorial(u)), {u: 1e3}),
    (sp.log(sp.factorial(n)), {n: 1e3}),
    (sp.log(sp.besseli(0, u)), {u: 1e4}),
    (sp.log(sp.besseli(0, s)), {s: -1e4}),
    (sp.log(2 * sp.pi * sp.besseli(0, u)), {u: 1e4}),
    (sp.log(sp.exp(s) / (2 * sp.pi * sp.besseli(0, u))), {s: 1e3, u: 1e3}),
    (sp.besseli(1, u) / sp.besseli(0, u), {u: 1e4}),
    (sp.besseli(1, s) / sp.besseli(0, s), {s: -1e4}),
    (sp.besseli(2, u) ** 2 / sp.besseli(0, u) ** 2, {u: 1e4}),
    (2 * sp.KroneckerDelta(n, 0) + 1, {n: 0.0}),
    (2 * sp.KroneckerDelta(n, 0) + 1, {n: 3.0}),
    (sp.log(u * sp.KroneckerDelta(n, 0) + (1 - u) * sp.exp(-v)), {u: 0.3, n: 0.0, v: 1e3}),
    (sp.log(u * sp.KroneckerDelta(n, 0) + (1 - u) * sp.exp(-v)), {u: 0.3, n: 2.0, v: 1e3}),
    (sp.zeta(3) * s + sp.Catalan - sp.GoldenRatio, {s: 2.0}),
    (sp.gamma(sp.Rational(1, 3)) * s + sp.besselj(0, 1), {s: 2.0}),
    (u / (1 + sp.exp(-s)) ** 2, {u: 3.0, s: -330.0}),
    (1 / (1 + sp.exp(s)), {s: 1e3}),
]


def exactly(expression, at):
    """The value of an expression with numbers for its symbols, by SymPy with 60 digits."""
    places = {x: int(value) if x.is_integer else sp.Float(value, 60) for x, value in at.items()}
    return float(sp.re(expression.subs(places).evalf(60)))


@pytest.mark.parametrize(("expression", "at"), HARD, ids=lambda value: str(value)[:60])
def test_hard_expressions_and_their_derivatives_keep_their_digits(expression, at):
    symbols = tuple(at)
    graph, inputs, (output,) = lowered([expression], symbols)
    moving = [i for i, x in enumerate(symbols) if not x.is_integer]
    tangents = [graph.tangents([output], {inputs[i]: graph.constant(1.0)})[0] for i in moving]
    found = numbers(inputs, [output, *tangents], list(at.values()))
    assert found[0] == pytest.approx(exactly(expression, at), rel=2e-14)
    for i, value in zip(moving, found[1:], strict=True):
        exact = exactly(expression.diff(symbols[i]), at)
        # differences of exponents of 1e4 have lost four digits; a ratio of Bessel functions that is nearly 1, eight
        loss = 1e-7 if expression.has(sp.besseli) and not expression.has(sp.log) else 1e-11
        assert value == pytest.approx(exact, rel=loss, abs=1e-300)


@pytest.mark.slow
def test_hard_expressions_are_the_same_compiled():
    symbols = tuple(sorted({x for _, at in HARD for x in at}, key=str))
    graph, inputs, outputs = lowered([e for e, _ in HARD], symbols)
    del graph
    points = np.array([[at.get(x, 1.0) for x in symbols] for _, at in HARD])
    compiled, plain = (numbers(inputs, outputs, points, target) for target in ("numba", "numpy"))
    np.testing.assert_allclose(np.diag(compiled), np.diag(plain), rtol=1e-13)


def test_derivative_of_the_logarithm_of_a_mixture_is_a_weight():
    """Where the other component is e^1000 times as likely, the weight of one is 0 and not NaN."""
    graph, inputs, (output,) = lowered([sp.log(u * sp.exp(s) + (1 - u) * sp.exp(t))], (u, s, t))
    slopes = graph.gradients({output: graph.constant(1.0)}, inputs)
    found = numbers(inputs, slopes, [[0.25, 0.0, -1000.0], [0.25, -1000.0, 0.0], [0.25, -2000.0, -2000.0]])
    np.testing.assert_allclose(found[:, 1:], [[1, 0], [0, 1], [0.25, 0.75]], rtol=1e-12)
    np.testing.assert_allclose(found[:, 0], [4, -4 / 3, 0], rtol=1e-12, atol=1e-12)
