"""What geodesics are tested on: the smooth families, models that a person might write, and a second chart of each."""

from collections.abc import Callable
from functools import cache

import numpy as np
import sympy as sp

import riemopt as ro

x, y, b, m_1, m_2 = sp.symbols("x y b m_1 m_2", real=True)
a, c, s, wait = sp.symbols("a c s wait", positive=True)
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


def _model(density: sp.Expr, observation, support, parameters, **more) -> ro.StatisticalModel:
    return ro.StatisticalModel(density, observation, support, parameters, **more)


@cache
def model(name: str) -> ro.StatisticalModel:
    """A model by its name in the lists above."""
    return CUSTOM[name]() if name in CUSTOM else ro.models.family(name)


@cache
def manifold(name: str, closed_forms: bool = True) -> ro.Manifold:
    """Its manifold, on the NumPy target."""
    return ro.Manifold(model(name), backend="numpy", closed_forms=closed_forms)


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
