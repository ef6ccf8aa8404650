"""The cases that tests draw from: models in their own and in other charts, points of each, and their manifolds.

Every model and every manifold is made once in a process, so that what is derived and compiled for one test serves all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import mpmath as mp
import numpy as np
import sympy as sp

import riemopt as ro

# -- models that a person might write

x, y, b, m_1, m_2 = sp.symbols("x y b m_1 m_2", real=True)
a, c, s, wait = sp.symbols("a c s wait", positive=True)
positive_b = sp.Symbol("b", positive=True)
count = sp.Symbol("count", integer=True, nonnegative=True)
HALF_LINE, LINE, COUNTS = sp.Interval.open(0, sp.oo), sp.S.Reals, sp.S.Naturals0
_LOG_2PI = sp.log(2 * sp.pi)
_DETERMINANT = a * c - b**2
_COVARIANCE = -(c * x**2 - 2 * b * x * y + a * y**2) / (2 * _DETERMINANT) - sp.log(_DETERMINANT) / 2 - _LOG_2PI
_PRECISION = -(a * x**2 + 2 * b * x * y + c * y**2) / 2 + sp.log(_DETERMINANT) / 2 - _LOG_2PI
_KNOWN = -((x - m_1) ** 2) - (y - m_2) ** 2 + (x - m_1) * (y - m_2) + sp.log(3) / 2 - _LOG_2PI
_ROUND = -((x - m_1) ** 2 + (y - m_2) ** 2) / (2 * s**2) - 2 * sp.log(s) - _LOG_2PI
_VARIANCE = -((x - b) ** 2) / (2 * s) - sp.log(s) / 2 - _LOG_2PI / 2
_POSITIVE = -((x - a) ** 2) / (2 * s**2) - sp.log(s) - _LOG_2PI / 2
_INDEPENDENT = sp.log(a) - a * wait + count * sp.log(s) - s - sp.loggamma(count + 1)

CUSTOM: dict[str, Callable[[], ro.StatisticalModel]] = {
    "zero-mean normal": lambda: _model(_COVARIANCE, (x, y), (LINE, LINE), (a, b, c), domain=[_DETERMINANT > 0]),
    "normal by precision": lambda: _model(_PRECISION, (x, y), (LINE, LINE), (a, b, c), domain=[_DETERMINANT > 0]),
    "known covariance": lambda: _model(_KNOWN, (x, y), (LINE, LINE), (m_1, m_2)),
    "round normal": lambda: _model(_ROUND, (x, y), (LINE, LINE), (m_1, m_2, s)),
    "normal by variance": lambda: _model(_VARIANCE, x, LINE, (b, s)),
    "positive mean": lambda: _model(_POSITIVE, x, LINE, (a, s)),
    "log counts": lambda: _model(count * b - sp.exp(b) - sp.loggamma(count + 1), count, COUNTS, (b,)),
    "log odds": lambda: _model(count * b - sp.log(1 + sp.exp(b)), count, sp.FiniteSet(0, 1), (b,)),
    "two waits": lambda: _model(_INDEPENDENT, (wait, count), (HALF_LINE, COUNTS), (a, s)),
}

# -- by their geodesics

KNOWN = [
    *("bernoulli", "binomial", "categorical", "cauchy", "exponential", "geometric", "gumbel", "inversegaussian"),
    *("logistic", "loglogistic", "lognormal", "multinomial", "normal", "pareto", "poisson", "rayleigh", "weibull"),
    *CUSTOM,
]
"""Models whose geodesics are closed forms."""

INTEGRATED = [
    *("beta", "betaprime", "dirichlet", "gamma", "inversegamma"),
    *("multivariatenormal", "nakagami", "studentt", "vonmises"),
]
"""Models whose geodesics are integrated, and whose metric is a closed form."""

BY_QUADRATURE = {
    "kumaraswamy": [2.0, 3.0],
    "negativebinomial": [3.0, 0.4],
    "normalmixture": [0.4, -1.0, 1.0, 2.0, 0.7],
}
"""Models whose metric is a sum or an integral at every point, and a point of each."""

GAMMA_CHARTS = {
    "gamma by scale": (a, 1 / positive_b),
    "gamma by cube": (a, positive_b**3),
    "gamma by squares": (a**2, positive_b**2),
    "gamma by mean": (positive_b, positive_b / a),
}
"""Other charts of the Gamma model; the last one mixes the coordinates."""

NAMES = [*KNOWN, *INTEGRATED, *BY_QUADRATURE, *GAMMA_CHARTS]
"""Every case."""


def _model(density: sp.Expr, observation, support, parameters, **more) -> ro.StatisticalModel:
    return ro.StatisticalModel(density, observation, support, parameters, **more)


@cache
def model(name: str) -> ro.StatisticalModel:
    """A model by its name in the lists above."""
    if name in GAMMA_CHARTS:
        gamma = model("gamma")
        substitution = dict(zip(gamma.parameters, GAMMA_CHARTS[name], strict=True))
        return gamma.reparametrize(substitution, parameters=(a, positive_b))
    return CUSTOM[name]() if name in CUSTOM else ro.models.family(name)


@cache
def manifold(name: str, closed_forms: bool = True, backend: str = "numpy") -> ro.Manifold:
    """Its manifold."""
    return ro.Manifold(model(name), backend=backend, closed_forms=closed_forms)


@cache
def moved(name: str) -> ro.Manifold:
    """The same in a chart that mixes the coordinates: unrolled from their bounds, and sheared."""
    original = model(name)
    lower, upper = original.domain.bounds
    n = original.dimension
    new = sp.symbols(f"w_1:{n + 1}", real=True)
    substitution = {}
    for i, p in enumerate(original.parameters):
        free = new[i] + (new[i - 1] / 4 if i else 0)
        low, high = (sp.nsimplify(bound) if np.isfinite(bound) else None for bound in (lower[i], upper[i]))
        if low is not None and high is not None:
            substitution[p] = low + (high - low) / (1 + sp.exp(-free))
        else:
            substitution[p] = free if low is None else low + sp.exp(free)
    return ro.Manifold(original.reparametrize(substitution, new), backend="numpy")


def points(name: str, count: int, rng: np.random.Generator, spread: float = 0.4) -> np.ndarray:
    """Points of the domain, shape (count, n), over a few units or a decade."""
    return model(name).domain.interior_points(count, rng, spread=spread)


def vectors(name: str, at: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    """A vector of a Riemannian length at each point."""
    v = rng.normal(size=at.shape)
    return length * v / manifold(name).norm(at, v)[..., None]


# -- with points

_POINTS = {
    "gamma": [[1.0, 1.0], [2.5, 0.75], [20.0, 20.0], [0.25, 5.0]],
    "normal": [[0.0, 1.0], [-1.5, 0.25], [3.0, 2.0]],
    "exponential": [[1.0], [0.125], [20.0]],
    "poisson": [[1.0], [0.125], [20.0]],
}
WITH_POINTS = [*_POINTS, "gamma by scale", "gamma by cube", "gamma by squares"]
"""What the fixture ``case`` takes in turn."""


@dataclass(frozen=True, eq=False)
class Case:
    """A model in one chart, with points to look at and both backends."""

    name: str
    points: np.ndarray

    @property
    def model(self) -> ro.StatisticalModel:
        return model(self.name)

    @property
    def numpy(self) -> ro.Manifold:
        return manifold(self.name)

    @property
    def numba(self) -> ro.Manifold:
        return manifold(self.name, backend="numba")

    def vectors(self, length: float, seed: int = 0) -> np.ndarray:
        """A vector of a given Riemannian length at each point."""
        vectors = np.random.default_rng(seed).normal(size=self.points.shape)
        norms = np.sqrt(np.einsum("...i,...ij,...j", vectors, self.numpy.metric(self.points), vectors))
        return length * vectors / norms[:, None]

    def mean(self, expression: sp.Expr, point: np.ndarray) -> float:
        """E[f(x)] by mpmath: an integral, or a sum over counts."""
        model = self.model
        (x,) = model.observation
        values = dict(zip(model.parameters, map(float, point), strict=True))
        # what does not depend on x is a number, and not computed anew at every x
        density, factor = (e.xreplace(values).evalf(20) for e in (model.log_density, expression))
        integrand = sp.lambdify(x, sp.exp(density) * factor, "mpmath")
        if model.support[0] == sp.S.Naturals0:
            return float(mp.nsum(lambda k: integrand(mp.mpf(k)), [0, 60]))
        pieces = [-mp.inf, values[model.parameters[0]], mp.inf] if model.support[0] == sp.S.Reals else [0, 1, 5, mp.inf]
        return float(mp.quad(integrand, pieces))

    @cached_property
    def bend(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """The second derivative of the chart at a point twice along a vector, ∂²θ[v, v], in original coordinates."""
        chart = self.model.chart
        hessians = [sp.hessian(e, chart.parameters) for e in chart.expressions]
        at = sp.lambdify(chart.parameters, hessians, "numpy")
        return lambda point, v: np.einsum("iab,a,b", np.array(at(*point), dtype=float), v, v)


@cache
def case(name: str) -> Case:
    """A model that has points, in its own chart or another."""
    family = name.partition(" ")[0]
    points = np.array(_POINTS[family])
    return Case(name, points if name == family else model(name).chart.from_original(points))
