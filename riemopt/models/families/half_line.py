"""One positive observation: densities of the catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError
from riemopt.models.families.parts import HALF_LINE, HALF_LOG_2PI, inside, log_beta
from riemopt.models.statistical import StatisticalModel

__all__ = [
    "BetaPrime",
    "Exponential",
    "Gamma",
    "InverseGamma",
    "InverseGaussian",
    "LogLogistic",
    "LogNormal",
    "Nakagami",
    "Pareto",
    "Rayleigh",
    "Weibull",
]


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
        check=False,
    )


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
        support=HALF_LINE,
        parameters=(alpha, beta),
        name="Gamma",
        sampler=lambda point, size, rng: inside(HALF_LINE, rng.gamma(point[0], 1 / point[1], size)),
        check=False,
    )


def InverseGamma() -> StatisticalModel:
    """The distribution of 1/y where y is Gamma distributed with shape α > 0 and rate β > 0.

    p(x) = β^α x^(-α-1) exp(-β/x) / Γ(α) for x > 0. https://en.wikipedia.org/wiki/Inverse-gamma_distribution

    Examples
    --------
    >>> InverseGamma()
    InverseGamma(alpha, beta): alpha > 0, beta > 0
    """
    alpha, beta, x = sp.symbols("alpha beta x", positive=True)
    return StatisticalModel(
        alpha * sp.log(beta) - (alpha + 1) * sp.log(x) - beta / x - sp.loggamma(alpha),
        observation=x,
        support=HALF_LINE,
        parameters=(alpha, beta),
        name="InverseGamma",
        sampler=lambda point, size, rng: point[1] / inside(HALF_LINE, rng.gamma(point[0], 1.0, size)),
        check=False,
    )


def InverseGaussian() -> StatisticalModel:
    """The inverse Gaussian distribution with mean μ > 0 and shape λ > 0, the parameter ``shape``.

    p(x) = √(λ/(2πx³)) exp(-λ(x - μ)²/(2μ²x)) for x > 0. https://en.wikipedia.org/wiki/Inverse_Gaussian_distribution

    Examples
    --------
    >>> InverseGaussian()
    InverseGaussian(mu, shape): mu > 0, shape > 0
    """
    mu, shape, x = sp.symbols("mu shape x", positive=True)
    return StatisticalModel(
        sp.log(shape) / 2 - HALF_LOG_2PI - sp.log(x) * 3 / 2 - shape * (x - mu) ** 2 / (2 * mu**2 * x),
        observation=x,
        support=HALF_LINE,
        parameters=(mu, shape),
        name="InverseGaussian",
        sampler=lambda point, size, rng: inside(HALF_LINE, rng.wald(point[0], point[1], size)),
        check=False,
    )


def LogNormal() -> StatisticalModel:
    """The distribution of exp(y) where y is normal with mean μ and standard deviation σ > 0.

    p(x) = exp(-(log x - μ)²/(2σ²)) / (x σ √(2π)) for x > 0. https://en.wikipedia.org/wiki/Log-normal_distribution

    Examples
    --------
    >>> LogNormal()
    LogNormal(mu, sigma): sigma > 0
    """
    mu = sp.Symbol("mu", real=True)
    sigma, x = sp.symbols("sigma x", positive=True)
    return StatisticalModel(
        -((sp.log(x) - mu) ** 2) / (2 * sigma**2) - sp.log(x) - sp.log(sigma) - HALF_LOG_2PI,
        observation=x,
        support=HALF_LINE,
        parameters=(mu, sigma),
        name="LogNormal",
        sampler=lambda point, size, rng: rng.lognormal(point[0], point[1], size),
        check=False,
    )


def LogLogistic() -> StatisticalModel:
    """The log-logistic distribution with scale α > 0, its median, and shape β > 0.

    p(x) = (β/x) (x/α)^β / (1 + (x/α)^β)² for x > 0. https://en.wikipedia.org/wiki/Log-logistic_distribution

    Examples
    --------
    >>> LogLogistic()
    LogLogistic(alpha, beta): alpha > 0, beta > 0
    """
    alpha, beta, x = sp.symbols("alpha beta x", positive=True)
    z = beta * (sp.log(x) - sp.log(alpha))
    return StatisticalModel(
        sp.log(beta) - sp.log(x) - z - 2 * sp.log(1 + sp.exp(-z)),
        observation=x,
        support=HALF_LINE,
        parameters=(alpha, beta),
        name="LogLogistic",
        sampler=lambda point, size, rng: point[0] * np.exp(rng.logistic(0.0, 1 / point[1], size)),
        check=False,
    )


def Weibull() -> StatisticalModel:
    """The Weibull distribution with shape k > 0 and scale λ > 0, the parameter ``scale``.

    p(x) = (k/λ) (x/λ)^(k-1) exp(-(x/λ)^k) for x > 0. https://en.wikipedia.org/wiki/Weibull_distribution

    Examples
    --------
    >>> Weibull()
    Weibull(k, scale): k > 0, scale > 0
    """
    k, scale, x = sp.symbols("k scale x", positive=True)
    return StatisticalModel(
        sp.log(k / scale) + (k - 1) * sp.log(x / scale) - (x / scale) ** k,
        observation=x,
        support=HALF_LINE,
        parameters=(k, scale),
        name="Weibull",
        sampler=lambda point, size, rng: inside(HALF_LINE, point[1] * rng.weibull(point[0], size)),
        check=False,
    )


def Rayleigh() -> StatisticalModel:
    """The Rayleigh distribution with scale σ > 0: the length of a normal vector of the plane.

    p(x) = (x/σ²) exp(-x²/(2σ²)) for x > 0. https://en.wikipedia.org/wiki/Rayleigh_distribution

    Examples
    --------
    >>> Rayleigh()
    Rayleigh(sigma): sigma > 0
    """
    sigma, x = sp.symbols("sigma x", positive=True)
    return StatisticalModel(
        sp.log(x) - 2 * sp.log(sigma) - x**2 / (2 * sigma**2),
        observation=x,
        support=HALF_LINE,
        parameters=(sigma,),
        name="Rayleigh",
        sampler=lambda point, size, rng: rng.rayleigh(point[0], size),
        check=False,
    )


def Nakagami() -> StatisticalModel:
    """The Nakagami distribution with shape m > 0 and spread Ω > 0, the mean of x².

    p(x) = 2 m^m x^(2m-1) exp(-mx²/Ω) / (Γ(m) Ω^m) for x > 0, a density for m < 1/2 as well.
    https://en.wikipedia.org/wiki/Nakagami_distribution

    Examples
    --------
    >>> Nakagami()
    Nakagami(m, Omega): m > 0, Omega > 0
    """
    m, omega, x = sp.symbols("m Omega x", positive=True)
    constant = sp.log(2) + m * sp.log(m) - sp.loggamma(m) - m * sp.log(omega)
    return StatisticalModel(
        constant + (2 * m - 1) * sp.log(x) - m * x**2 / omega,
        observation=x,
        support=HALF_LINE,
        parameters=(m, omega),
        name="Nakagami",
        sampler=lambda point, size, rng: inside(HALF_LINE, np.sqrt(rng.gamma(point[0], point[1] / point[0], size))),
        check=False,
    )


def BetaPrime() -> StatisticalModel:
    """The distribution of y/(1 - y) where y is Beta distributed with shapes α > 0 and β > 0.

    p(x) = x^(α-1) (1 + x)^(-α-β) / B(α, β) for x > 0, with B the beta function (https://dlmf.nist.gov/5.12.E3).
    https://en.wikipedia.org/wiki/Beta_prime_distribution

    Examples
    --------
    >>> BetaPrime()
    BetaPrime(alpha, beta): alpha > 0, beta > 0
    """
    alpha, beta, x = sp.symbols("alpha beta x", positive=True)

    def sample(point: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        above, below = (inside(HALF_LINE, rng.gamma(shape, 1.0, size)) for shape in point)
        return above / below

    return StatisticalModel(
        (alpha - 1) * sp.log(x) - (alpha + beta) * sp.log(1 + x) - log_beta(alpha, beta),
        observation=x,
        support=HALF_LINE,
        parameters=(alpha, beta),
        name="BetaPrime",
        sampler=sample,
        check=False,
    )


def Pareto(minimum: Any = 1) -> StatisticalModel:
    """The Pareto distribution with shape α > 0 and a given minimum.

    p(x) = α m^α / x^(α+1) for x ≥ m. https://en.wikipedia.org/wiki/Pareto_distribution

    Parameters
    ----------
    minimum : float or sympy.Expr, optional
        m, a positive number. It is no parameter of the model, because the support depends on it.

    Raises
    ------
    ArgumentError
        If the minimum is not a positive number.

    Examples
    --------
    >>> Pareto()
    Pareto(alpha): alpha > 0
    """
    least = sp.nan if isinstance(minimum, str) else sp.sympify(minimum)
    if not (least.is_number and least.is_positive and least.is_finite):
        raise ArgumentError(f"minimum must be a positive number, not {minimum!r}")
    alpha, x = sp.symbols("alpha x", positive=True)
    return StatisticalModel(
        sp.log(alpha) + alpha * sp.log(least) - (alpha + 1) * sp.log(x),
        observation=x,
        support=sp.Interval(least, sp.oo),
        parameters=(alpha,),
        name="Pareto",
        sampler=lambda point, size, rng: float(least) * (1.0 + rng.pareto(point[0], size)),
        check=False,
    )
