"""The catalogue: densities with their usual parameters and a sampler. Their geometry is derived, not typed in."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from riemopt.errors import UnknownNameError
from riemopt.models.statistical import StatisticalModel

__all__ = ["Exponential", "Gamma", "Normal", "Poisson", "family", "names"]

_HALF_LINE = sp.Interval.open(0, sp.oo)


def Gamma() -> StatisticalModel:
    """The Gamma distribution with shape α > 0 and rate β > 0.

    p(x) = β^α x^(α-1) exp(-βx) / Γ(α) for x > 0. https://dlmf.nist.gov/5.9.E1 gives its normalization.

    Examples
    --------
    >>> Gamma()
    Gamma(alpha, beta): alpha > 0, beta > 0
    """
    alpha, beta, x = sp.symbols("alpha beta x", positive=True)
    return StatisticalModel(
        alpha * sp.log(beta) + (alpha - 1) * sp.log(x) - beta * x - sp.loggamma(alpha),
        observation=x,
        support=_HALF_LINE,
        parameters=(alpha, beta),
        name="Gamma",
        sampler=lambda point, size, rng: rng.gamma(point[0], 1 / point[1], size),
    )


def Normal() -> StatisticalModel:
    """The normal distribution with mean μ and standard deviation σ > 0.

    p(x) = exp(-(x - μ)²/(2σ²)) / (σ √(2π)). https://en.wikipedia.org/wiki/Normal_distribution

    Examples
    --------
    >>> Normal()
    Normal(mu, sigma): sigma > 0
    """
    mu, x = sp.symbols("mu x", real=True)
    sigma = sp.Symbol("sigma", positive=True)
    return StatisticalModel(
        -((x - mu) ** 2) / (2 * sigma**2) - sp.log(sigma) - sp.log(2 * sp.pi) / 2,
        observation=x,
        support=sp.S.Reals,
        parameters=(mu, sigma),
        name="Normal",
        sampler=lambda point, size, rng: rng.normal(point[0], point[1], size),
    )


def Exponential() -> StatisticalModel:
    """The exponential distribution with rate λ > 0, the parameter ``rate``.

    p(x) = λ exp(-λx) for x ≥ 0. https://en.wikipedia.org/wiki/Exponential_distribution

    Examples
    --------
    >>> Exponential()
    Exponential(rate): rate > 0
    """
    rate = sp.Symbol("rate", positive=True)
    x = sp.Symbol("x", nonnegative=True)
    return StatisticalModel(
        sp.log(rate) - rate * x,
        observation=x,
        support=sp.Interval(0, sp.oo),
        parameters=(rate,),
        name="Exponential",
        sampler=lambda point, size, rng: rng.exponential(1 / point[0], size),
    )


def Poisson() -> StatisticalModel:
    """The Poisson distribution with mean λ > 0, the parameter ``mean``.

    p(k) = λ^k exp(-λ) / k! for k = 0, 1, 2, ... https://en.wikipedia.org/wiki/Poisson_distribution

    Examples
    --------
    >>> Poisson()
    Poisson(mean): mean > 0
    """
    mean = sp.Symbol("mean", positive=True)
    k = sp.Symbol("k", integer=True, nonnegative=True)
    return StatisticalModel(
        k * sp.log(mean) - mean - sp.loggamma(k + 1),
        observation=k,
        support=sp.S.Naturals0,
        parameters=(mean,),
        name="Poisson",
        sampler=lambda point, size, rng: rng.poisson(point[0], size).astype(float),
    )


_FAMILIES: dict[str, Callable[[], StatisticalModel]] = {
    function.__name__.lower(): function for function in (Gamma, Normal, Exponential, Poisson)
}


def names() -> tuple[str, ...]:
    """The families that :func:`riemopt.models.family` knows, in alphabetical order.

    Examples
    --------
    >>> names()
    ('exponential', 'gamma', 'normal', 'poisson')
    """
    return tuple(sorted(_FAMILIES))


def family(name: str) -> StatisticalModel:
    """A model of the catalogue by its name, in any case.

    Raises
    ------
    UnknownNameError
        If there is no such family; the nearest names are suggested.

    Examples
    --------
    >>> family("gamma")
    Gamma(alpha, beta): alpha > 0, beta > 0
    """
    try:
        return _FAMILIES[name.lower()]()
    except KeyError:
        raise UnknownNameError("family", name, _FAMILIES) from None
