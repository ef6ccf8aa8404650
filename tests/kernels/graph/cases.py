"""Expressions of two positive symbols that use every function of SymPy with a compiled form, and how they are run."""

import numpy as np
import sympy as sp

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
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
