"""Tracing: array notation on nodes means what it means on numbers."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.special

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.memory import flatten
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.tracing import TracedArray, TracingError
from riemopt.kernels.targets.numpy import NumpyTarget

A = np.array([0.7, -1.3, 2.5])
B = np.array([1.1, 0.4, -0.6])


def traced_value(rule):
    """What a rule of two vectors and a number gives when it is traced and the trace is run."""
    graph = Graph()
    a = TracedArray.of(graph, [graph.input(f"a {i}") for i in range(3)])
    b = TracedArray.of(graph, [graph.input(f"b {i}") for i in range(3)])
    h = TracedArray.scalar(graph.input("h"))
    leaves, (_, shape) = flatten(rule(a.copy(), b.copy(), h))
    outputs = tuple(leaf if hasattr(leaf, "op") else graph.constant(leaf) for leaf in leaves)
    program = Program((*a.nodes, *b.nodes, h.nodes[()]), outputs)
    values = NumpyTarget().pointwise(program, [7], 0)(np.array([[*A, *B, 0.5]]), np.array([]))[0]
    return values.reshape(shape)


def in_place(a, b, h):
    a += h * b
    a[0] = 3.0
    a[1:] *= 2
    return a


RULES = {
    "arithmetic": lambda a, b, h: -a + 2 * b - h * a / (3 + b**2),
    "powers": lambda a, b, h: np.square(a) + np.power(np.abs(b), 1.5) + np.reciprocal(a) + np.abs(a) ** 0.5,
    "functions": lambda a, b, h: np.exp(a) * np.sin(b) + np.log1p(np.abs(a)) + np.arctan2(a, b) + np.log10(a**2),
    "inner product": lambda a, b, h: a @ b + np.dot(a, b) + np.inner(a, b) + np.vdot(a, b) + a.dot(b),
    "matrix": lambda a, b, h: np.outer(a, b) @ b + np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]) @ a,
    "vector times matrix": lambda a, b, h: a @ np.arange(9.0).reshape(3, 3),
    "norm": lambda a, b, h: a / np.linalg.norm(a),
    "clipping": lambda a, b, h: np.where(np.linalg.norm(a) > h, a * h / np.linalg.norm(a), a),
    "clip": lambda a, b, h: np.clip(a, -1.0, h) + np.maximum(a, b) - np.minimum(a, 0.0),
    "logic": lambda a, b, h: np.where((a > b) & ~(a > 2) | (b == a), a, b),
    "reductions": lambda a, b, h: np.sum(a) + a.mean() + a.max() - b.min() + np.prod(b) + np.add.reduce(a),
    "stacking": lambda a, b, h: np.concatenate([a, np.stack([a, b]).ravel(), np.zeros_like(a)]),
    "indexing": lambda a, b, h: a[::-1] + b[[2, 0, 1]] + np.stack([a[0], b[1], h]),
    "numbers around it": lambda a, b, h: 1.0 + a * np.float64(2.0) + np.ones(3) * b,
    "in place": in_place,
    "iteration": lambda a, b, h: sum(x * y for x, y in zip(a, b, strict=True)),
    "shapes": lambda a, b, h: np.reshape(np.stack([a, b]), (3, 2)).T.sum(axis=1) * len(a) * np.ndim(a) * a.size,
}


@pytest.mark.parametrize("name", RULES)
def test_trace_computes_what_the_rule_computes(name):
    rule = RULES[name]
    np.testing.assert_allclose(traced_value(rule), rule(A.copy(), B.copy(), 0.5), rtol=1e-14, atol=1e-15)


REFUSED = {
    "branch": lambda a, b, h: a if a[0] > 0 else b,
    "float": lambda a, b, h: float(a[0]) * b,
    "asarray": lambda a, b, h: np.asarray(a),
    "solve": lambda a, b, h: np.linalg.solve(np.outer(a, a), b),
    "sort": lambda a, b, h: np.sort(a),
    "index": lambda a, b, h: np.arange(3)[a[0]],
    "into numbers": lambda a, b, h: np.add(a, b, out=np.zeros(3)),
    "complex": lambda a, b, h: a * 1j,
    "integers": lambda a, b, h: a.astype(int),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_numbers_is_refused(name):
    with pytest.raises(TracingError):
        traced_value(REFUSED[name])


UNTRACED = {
    "a branch": lambda x: 1.0 if x[0] > 0 else 2.0,
    "a conversion": lambda x: math.exp(x[0]),
    "an index": lambda x: np.eye(3)[x[0].astype(int)],
    "a mask": lambda x: x[x > 0],
    "a method": lambda x: x.flatten(),
    "a method of numbers": lambda x: x[0].is_integer(),
    "an option": lambda x: np.sum(x, keepdims=True),
    "an option of a method": lambda x: x.max(initial=0.0),
    "a function of NumPy": lambda x: np.linalg.solve(np.eye(3), x),
    "a special function": lambda x: scipy.special.j0(x),
    "a function that takes arrays": lambda x: scipy.linalg.solve(np.eye(3), x),
    "a random number": lambda x: np.random.default_rng(0).normal(x),
    "a text": lambda x: f"{x[0]:.3f}",
    "rounding": lambda x: round(x[0]),
    "membership": lambda x: 1.0 in x,
    "an order": lambda x: sorted(x),
}


@pytest.mark.parametrize("what", UNTRACED)
def test_what_arrays_of_numbers_do_and_traced_ones_do_not_is_a_tracing_error(what):
    UNTRACED[what](np.array([1.0, 2.0, 3.0]))
    graph = Graph()
    with pytest.raises(TracingError):
        UNTRACED[what](TracedArray.of(graph, [graph.input(f"x {i}") for i in range(3)]))


WRONG = {
    "no such attribute": (lambda x: x.no_such_attribute, AttributeError),
    "no such entry": (lambda x: x[7], IndexError),
    "shapes that do not fit": (lambda x: np.concatenate([x, np.eye(2)]), ValueError),
    "nothing": (lambda x: x + None, TypeError),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_on_numbers_too_is_the_same_error(what):
    function, error = WRONG[what]
    graph = Graph()
    for x in (np.ones(3), TracedArray.of(graph, [graph.input(f"x {i}") for i in range(3)])):
        with pytest.raises(error) as caught:
            function(x)
        assert not isinstance(caught.value, TracingError)
