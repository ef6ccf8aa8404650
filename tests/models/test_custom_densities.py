"""Densities that are in no catalogue, as a user would write them: their geometry against mpmath.

    python -m tests.models.test_custom_densities [NAME]...

prints `STORED`: for each point the lower triangle of g by rows, and for each κ that of ∂_κ g. See `reference`.
"""

import json
import sys
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.models import expectation as expectations
from riemopt.models.exact import NotFound
from tests.models import reference
from tests.models.reference import ClosedForm, Family, Finite, Interval, Pieces

x, mu, skew = sp.symbols("x mu skew", real=True)
t, s, a, b, k, rate, shape = sp.symbols("t s a b k rate shape", positive=True)
p = sp.Symbol("p", positive=True)
nu = sp.Symbol("nu", real=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
m = sp.Symbol("m", integer=True, positive=True)
HALF_LINE, UNIT, LINE, CIRCLE = (
    sp.Interval.open(0, sp.oo), sp.Interval.open(0, 1), sp.S.Reals, sp.Interval(-sp.pi, sp.pi)
)  # fmt: skip
z = (x - mu) / s
HALF_LOG_2PI = sp.log(2 * sp.pi) / 2
MEMBERS = 6


def conway_maxwell():
    total = sp.Add(*(rate**j / sp.factorial(j) ** nu for j in range(MEMBERS)))
    return n * sp.log(rate) - nu * sp.log(sp.factorial(n)) - sp.log(total)


GAMMA = shape * sp.log(rate) - sp.loggamma(shape) + (shape - 1) * sp.log(t) - rate * t
MODELS = {
    "exponentiated Weibull": dict(
        log_density=sp.log(a * k / s)
        + (k - 1) * sp.log(t / s)
        - (t / s) ** k
        + (a - 1) * sp.log(1 - sp.exp(-((t / s) ** k))),
        observation=t,
        support=HALF_LINE,
        parameters=(a, k, s),
    ),
    "hyperbolic secant": dict(
        log_density=-sp.log(2 * s * sp.cosh(sp.pi * z / 2)), observation=x, support=LINE, parameters=(mu, s)
    ),
    "generalized normal": dict(
        log_density=sp.log(b / (2 * s * sp.gamma(1 / b))) - sp.Abs(z) ** b,
        observation=x,
        support=LINE,
        parameters=(mu, s, b),
    ),
    "skew normal": dict(
        log_density=-(z**2) / 2 - sp.log(s) - HALF_LOG_2PI + sp.log(sp.erfc(-skew * z / sp.sqrt(2))),
        observation=x,
        support=LINE,
        parameters=(mu, s, skew),
    ),
    "zero-inflated Poisson": dict(
        log_density=sp.log(p * sp.KroneckerDelta(n, 0) + (1 - p) * rate**n * sp.exp(-rate) / sp.factorial(n)),
        observation=n,
        support=sp.S.Naturals0,
        parameters=(p, rate),
        domain=[p < 1],
    ),
    "logarithmic": dict(
        log_density=m * sp.log(p) - sp.log(m) - sp.log(-sp.log(1 - p)),
        observation=m,
        support=sp.S.Naturals,
        parameters=(p,),
        domain=[p < 1],
    ),
    "Conway-Maxwell-Poisson": dict(
        log_density=conway_maxwell(), observation=n, support=sp.Range(0, MEMBERS), parameters=(rate, nu)
    ),
    "Gompertz": dict(
        log_density=sp.log(a * b) + a + b * t - a * sp.exp(b * t),
        observation=t,
        support=HALF_LINE,
        parameters=(a, b),
    ),
    "logit-normal": dict(
        log_density=-((sp.log(t / (1 - t)) - mu) ** 2) / (2 * s**2) - sp.log(s) - HALF_LOG_2PI - sp.log(t * (1 - t)),
        observation=t,
        support=UNIT,
        parameters=(mu, s),
    ),
    "wrapped Cauchy": dict(
        log_density=sp.log((1 - p**2) / (2 * sp.pi * (1 + p**2 - 2 * p * sp.cos(x - mu)))),
        observation=x,
        support=CIRCLE,
        parameters=(mu, p),
        domain=[p < 1],
    ),
    "tilted": dict(
        log_density=sp.log(1 + mu * x) - sp.log(2),
        observation=x,
        support=sp.Interval(-1, 1),
        parameters=(mu,),
        domain=[mu < 1, mu > -1],
    ),
    "gamma and normal": dict(
        log_density=GAMMA - (x - b * t) ** 2 / (2 * s**2) - sp.log(s) - HALF_LOG_2PI,
        observation=(t, x),
        support=(HALF_LINE, LINE),
        parameters=(shape, rate, b, s),
    ),
    "gamma and Poisson": dict(
        log_density=GAMMA + n * sp.log(b * t) - b * t - sp.log(sp.factorial(n)),
        observation=(t, n),
        support=(HALF_LINE, sp.S.Naturals0),
        parameters=(shape, rate, b),
    ),
    "two components of counts": dict(
        log_density=sp.log(p * rate**n * sp.exp(-rate) + (1 - p) * a**n * sp.exp(-a)) - sp.log(sp.factorial(n)),
        observation=n,
        support=sp.S.Naturals0,
        parameters=(p, rate, a),
        domain=[p < 1],
    ),
}


# -- the same densities, as mpmath has them


def exponentiated_weibull(t, a, k, s):
    u = sp.exp(-((t / s) ** k))
    return a * k / s * (t / s) ** (k - 1) * u * (1 - u) ** (a - 1)


def hyperbolic_secant(x, mu, s):
    return 1 / (2 * s * sp.cosh(sp.pi * (x - mu) / (2 * s)))


def skew_normal(x, mu, s, skew):
    u = (x - mu) / s
    return sp.exp(-(u**2) / 2) / (sp.sqrt(2 * sp.pi) * s) * sp.erfc(-skew * u / sp.sqrt(2))


def zero_inflated(n, p, rate):
    return sp.Piecewise(
        (p + (1 - p) * sp.exp(-rate), n < 1), ((1 - p) * rate**n * sp.exp(-rate) / sp.gamma(n + 1), True)
    )


def two_counts(n, p, rate, a):
    return (p * rate**n * sp.exp(-rate) + (1 - p) * a**n * sp.exp(-a)) / sp.gamma(n + 1)


def conway(n, rate, nu):
    total = sp.Add(*(rate**j / sp.gamma(j + 1) ** nu for j in range(MEMBERS)))
    return rate**n / sp.gamma(n + 1) ** nu / total


def gompertz(t, a, b):
    return a * b * sp.exp(a + b * t - a * sp.exp(b * t))


def logit_normal(t, mu, s):
    u = sp.log(t / (1 - t))
    return sp.exp(-(((u - mu) / s) ** 2) / 2) / (sp.sqrt(2 * sp.pi) * s * t * (1 - t))


def wrapped_cauchy(x, mu, p):
    return (1 - p**2) / (2 * sp.pi * (1 + p**2 - 2 * p * sp.cos(x - mu)))


def tilted(x, mu):
    return (1 + mu * x) / 2


def with_slopes(metric):
    """A metric, a function of mpmath numbers that returns rows, and its numerical derivatives at 40 digits."""

    def tensors(*point):
        size = len(point)

        def entry(i, j):
            return lambda *at: metric(*at)[i][j]

        slopes = []
        for kappa in range(size):
            order = tuple(int(i == kappa) for i in range(size))
            slopes.append(mp.matrix(size, size))
            for i in range(size):
                for j in range(size):
                    slopes[-1][i, j] = mp.diff(entry(i, j), point, order)
        return mp.matrix(metric(*point)), *slopes

    return tensors


def generalized_normal(mu, s, b):
    """u = |z|^b is a Gamma variable of shape 1/b; |∂_μ| = b u^(1 - 1/b)/s, ∂_s = (b u - 1)/s, ∂_b = c - u log(u)/b."""
    k = 1 / b
    square = k * (k + 1) * (mp.psi(1, k + 2) + mp.psi(0, k + 2) ** 2) - (k * mp.psi(0, k + 1)) ** 2
    mixed = -k / s * (mp.psi(0, k + 1) + 1)
    return [
        [b**2 / s**2 * mp.gamma(2 - k) / mp.gamma(k), 0, 0],
        [0, b / s**2, mixed],
        [0, mixed, k**2 * square],
    ]


def logarithmic(p):
    """The variance over p²: p is the exponential of the natural parameter."""
    log = mp.log(1 - p)
    return [[-(p**2 + p * log) / ((1 - p) * log * p) ** 2]]


def gamma_and_normal(shape, rate, b, s):
    second = shape * (shape + 1) / rate**2
    return [
        [mp.psi(1, shape), -1 / rate, 0, 0],
        [-1 / rate, shape / rate**2, 0, 0],
        [0, 0, second / s**2, 0],
        [0, 0, 0, 2 / s**2],
    ]


def gamma_and_poisson(shape, rate, b):
    return [[mp.psi(1, shape), -1 / rate, 0], [-1 / rate, shape / rate**2, 0], [0, 0, shape / (rate * b)]]


_LINE = Interval(lambda u, mu, s, *_: mu + s * mp.sinh(u), lambda u, mu, s, *_: s * mp.cosh(u))
_HALF_LINE = Interval(lambda u, *_: mp.exp(u), lambda u, *_: mp.exp(u))
_UNIT = Interval(lambda u, *_: 1 / (1 + mp.exp(-u)), lambda u, *_: 1 / (2 + mp.exp(u) + mp.exp(-u)))
_CIRCLE = Pieces(lambda mu, *_: [-mp.pi, *(place for place in (mu - 1, mu, mu + 1) if abs(place) < mp.pi), mp.pi])

# where t is small, 1 - exp(-t^k) is smaller
_WITH_DIGITS = Interval(_HALF_LINE.x, _HALF_LINE.slope, lambda point: 160)
# SymPy writes erfc(-u) as 2 - erfc(u)
_NEAR = Interval(lambda u, mu, s, *_: mu + s * u, lambda u, mu, s, *_: s, lambda point: 300)
_COUNTS = Finite([(i,) for i in range(520)])
REFERENCES = {
    "exponentiated Weibull": Family(
        exponentiated_weibull, _WITH_DIGITS, [(1.0, 1.0, 1.0), (0.3, 2.5, 7.0), (5.0, 0.4, 0.1)]
    ),
    "hyperbolic secant": Family(hyperbolic_secant, _LINE, [(0.0, 1.0), (-30.0, 0.1), (5.0, 40.0)]),
    "generalized normal": ClosedForm(
        with_slopes(generalized_normal), [(0.0, 1.0, 2.0), (3.0, 0.1, 1.0), (-1.0, 5.0, 6.0), (2.0, 1.0, 0.8)]
    ),
    "skew normal": Family(skew_normal, _NEAR, [(0.0, 1.0, 1.0), (2.0, 0.1, -3.0), (-10.0, 5.0, 0.2)]),
    "zero-inflated Poisson": Family(zero_inflated, _COUNTS, [(0.5, 1.0), (0.03, 20.0), (0.9, 0.2), (0.3, 200.0)]),
    "logarithmic": ClosedForm(with_slopes(logarithmic), [(0.5,), (0.01,), (0.9,)]),
    "Conway-Maxwell-Poisson": Family(
        conway, Finite([(i,) for i in range(MEMBERS)]), [(1.0, 1.0), (4.0, 0.3), (0.2, -0.5)]
    ),
    "Gompertz": Family(gompertz, _HALF_LINE, [(1.0, 1.0), (0.01, 2.0), (30.0, 0.1)]),
    "logit-normal": Family(logit_normal, _UNIT, [(0.0, 1.0), (1.5, 0.3), (-2.0, 4.0)]),
    "wrapped Cauchy": Family(wrapped_cauchy, _CIRCLE, [(0.0, 0.5), (2.0, 0.95), (-3.0, 0.05)]),
    "tilted": Family(tilted, Pieces(lambda mu: [-1, 0, 1]), [(0.1,), (-0.9,), (0.999,)]),
    "gamma and normal": ClosedForm(
        with_slopes(gamma_and_normal), [(2.5, 0.5, 3.0, 0.7), (1.0, 1.0, 0.1, 1.0), (0.3, 4.0, 2.0, 5.0)]
    ),
    "gamma and Poisson": ClosedForm(
        with_slopes(gamma_and_poisson), [(2.5, 0.5, 3.0), (1.0, 1.0, 0.1), (0.3, 4.0, 2.0)]
    ),
    "two components of counts": Family(two_counts, _COUNTS, [(0.5, 1.0, 8.0), (0.1, 30.0, 2.0), (0.7, 0.5, 0.9)]),
}
STORED = {}


def main(names):
    for name in names or REFERENCES:
        rows = [REFERENCES[name].reference(point) for point in REFERENCES[name].points]
        print(
            f"    {json.dumps(name)}: [",
            *(f"        {json.dumps(row)}," for row in rows),
            "    ],",
            sep="\n",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
