"""Changes of coordinates, their inverses, and what they do to vectors and covectors."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from riemopt.errors import ExpressionError, ModelError, ShapeError
from riemopt.models.chart import Chart, infer_symbols
from riemopt.models.domain import Domain

alpha, beta, sigma = sp.symbols("alpha beta sigma", positive=True)
a, b = sp.symbols("a b", positive=True)
mu, x, y = sp.symbols("mu x y", real=True)
p = sp.Symbol("p", positive=True)

GAMMA = Domain.of((alpha, beta))
NORMAL = Domain.of((mu, sigma))
PROBABILITY = Domain.of((p,), [p < 1])
SIMPLEX_SYMBOLS = sp.symbols("p:3", positive=True)
SIMPLEX = Domain.of(SIMPLEX_SYMBOLS, [sum(SIMPLEX_SYMBOLS) < 1])
LOGITS = sp.symbols("z:3", real=True)
PARTITION = 1 + sum(map(sp.exp, LOGITS))

CLOSED = {
    "identity": Chart.of(GAMMA, {alpha: a, beta: b}, (a, b)),
    "beta = 1/b": Chart.of(GAMMA, {alpha: a, beta: 1 / b}, (a, b)),
    "beta = b**3": Chart.of(GAMMA, {alpha: a, beta: b**3}, (a, b)),
    "squares": Chart.of(GAMMA, {alpha: a**2, beta: b**2}, (a, b)),
    "exchanged": Chart.of(GAMMA, {alpha: 1 / b, beta: a}, (a, b)),
    "mean and variance": Chart.of(GAMMA, {alpha: a**2 / b, beta: a / b}, (a, b)),
    "logarithms": Chart.of(GAMMA, {alpha: sp.exp(x + y), beta: sp.exp(x - y)}, (x, y)),
    "shifted": Chart.of(GAMMA, {alpha: x + 1, beta: sp.sinh(b)}, (x, b)),
    "quadratic": Chart.of(GAMMA, {alpha: a + a**2, beta: b * a}, (a, b)),
    "right branch of two": Chart.of(GAMMA, {alpha: (x - 1) ** 2, beta: b}, (x, b)).then(
        Chart.of(Domain.of((x, b), [x > 1]), {x: 1 + a, b: b}, (a, b))
    ),
    "natural": Chart.of(NORMAL, {mu: -x / (2 * y), sigma: 1 / sp.sqrt(-2 * y)}, (x, y))
    if False
    else Chart.of(NORMAL, {mu: x / a, sigma: 1 / sp.sqrt(a)}, (x, a)),
    "logit": Chart.of(PROBABILITY, {p: 1 / (1 + sp.exp(-x))}, (x,)),
    "square root": Chart.of(PROBABILITY, {p: a**2}, (a,)),
}
