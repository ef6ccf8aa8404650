"""Charts of many kinds: with an inverse in closed form, and without one."""

from collections import ChainMap
from collections.abc import Mapping
from functools import cache

import sympy as sp

from riemopt.models.chart import Chart
from riemopt.models.domain import Domain

alpha, beta, sigma = sp.symbols("alpha beta sigma", positive=True)
a, b = sp.symbols("a b", positive=True)
mu, x, y = sp.symbols("mu x y", real=True)
p = sp.Symbol("p", positive=True)
three = sp.symbols("p:3", positive=True)
logits = sp.symbols("z:3", real=True)

GAMMA = Domain.of((alpha, beta))
NORMAL = Domain.of((mu, sigma))
PROBABILITY = Domain.of((p,), [p < 1])
SIMPLEX = Domain.of(three, [sum(three) < 1])


class Charts(Mapping):
    """Charts by name, each made when it is first asked for."""

    def __init__(self, makers):
        self._makers = {name: cache(make) for name, make in makers.items()}

    def __getitem__(self, name):
        return self._makers[name]()

    def __iter__(self):
        return iter(self._makers)

    def __len__(self):
        return len(self._makers)


CLOSED = Charts(
    {
        "identity": lambda: Chart.of(GAMMA, {alpha: a, beta: b}, (a, b)),
        "beta = 1/b": lambda: Chart.of(GAMMA, {alpha: a, beta: 1 / b}, (a, b)),
        "beta = b**3": lambda: Chart.of(GAMMA, {alpha: a, beta: b**3}, (a, b)),
        "squares": lambda: Chart.of(GAMMA, {alpha: a**2, beta: b**2}, (a, b)),
        "the same name": lambda: Chart.of(GAMMA, {alpha: alpha**2, beta: 1 / beta}, (alpha, beta)),
        "exchanged": lambda: Chart.of(GAMMA, {alpha: 1 / b, beta: a}, (a, b)),
        "mean and variance": lambda: Chart.of(GAMMA, {alpha: a**2 / b, beta: a / b}, (a, b)),
        "logarithms": lambda: Chart.of(GAMMA, {alpha: sp.exp(x + y), beta: sp.exp(x - y)}, (x, y)),
        "shifted": lambda: Chart.of(GAMMA, {alpha: x + 1, beta: sp.sinh(b)}, (x, b)),
        "quadratic": lambda: Chart.of(GAMMA, {alpha: a + a**2, beta: b * a}, (a, b)),
        "natural": lambda: Chart.of(NORMAL, {mu: x / a, sigma: 1 / sp.sqrt(a)}, (x, a)),
        "logit": lambda: Chart.of(PROBABILITY, {p: 1 / (1 + sp.exp(-x))}, (x,)),
        "square root": lambda: Chart.of(PROBABILITY, {p: a**2}, (a,)),
        "tanh": lambda: Chart.of(PROBABILITY, {p: sp.tanh(a)}, (a,)),
        "one branch": lambda: Chart((mu,), (x,), ((x - 1) ** 2,), Domain.of((mu,)), Domain.of((x,), [x < 1])),
    }
)
NUMERIC = Charts(
    {
        "quintic": lambda: Chart.of(GAMMA, {alpha: a**5 + a, beta: b**3 + b}, (a, b)),
        "softplus twice": lambda: Chart.of(GAMMA, {alpha: x + sp.exp(x), beta: sp.exp(y) / (1 + sp.exp(-y))}, (x, y)),
        "trigamma": lambda: Chart.of(GAMMA, {alpha: sp.polygamma(1, a), beta: b + a**2 * b**3}, (a, b)),
        "wave": lambda: Chart.of(NORMAL, {mu: x + sp.sin(x) / 2, sigma: a}, (x, a)),
        "softmax": lambda: Chart.of(
            SIMPLEX, {s: sp.exp(z) / (1 + sum(map(sp.exp, logits))) for s, z in zip(three, logits, strict=True)}, logits
        ),
    }
)
CHARTS = ChainMap(NUMERIC, CLOSED)
