"""The catalogue: densities with their usual parameters and a sampler. Their geometry is derived, not typed in.

A parameter has its usual letter; where that is λ, which Python keeps for itself, it has a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.models.statistical import StatisticalModel

__all__ = [
    "Bernoulli",
    "Beta",
    "BetaPrime",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Dirichlet",
    "Exponential",
    "Gamma",
    "Geometric",
    "Gumbel",
    "InverseGamma",
    "InverseGaussian",
    "Kumaraswamy",
    "LogLogistic",
    "LogNormal",
    "Logistic",
    "Multinomial",
    "MultivariateNormal",
    "Nakagami",
    "NegativeBinomial",
    "Normal",
    "NormalMixture",
    "Pareto",
    "Poisson",
    "Rayleigh",
    "StudentT",
    "VonMises",
    "Weibull",
    "family",
    "names",
]

_HALF_LINE = sp.Interval.open(0, sp.oo)
_UNIT = sp.Interval.open(0, 1)
_HALF_LOG_2PI = sp.log(2 * sp.pi) / 2


# -- one observation of the real line


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
        -((x - mu) ** 2) / (2 * sigma**2) - sp.log(sigma) - _HALF_LOG_2PI,
        observation=x,
        support=sp.S.Reals,
        parameters=(mu, sigma),
        name="Normal",
        sampler=lambda point, size, rng: rng.normal(point[0], point[1], size),
        check=False,
    )


def NormalMixture() -> StatisticalModel:
    """The mixture of two normal distributions with weights w and 1 - w, means μ₁ and μ₂, and deviations σ₁, σ₂ > 0.

    p(x) = w N(x; μ₁, σ₁) + (1 - w) N(x; μ₂, σ₂) with 0 < w < 1, the parameter ``weight``, and N the normal density.
    Where both components are the same, the Fisher metric is singular. https://en.wikipedia.org/wiki/Mixture_distribution

    Examples
    --------
    >>> NormalMixture()
    NormalMixture(weight, mu_1, sigma_1, mu_2, sigma_2): weight > 0, sigma_1 > 0, sigma_2 > 0, weight < 1
    """
    mu_1, mu_2, x = sp.symbols("mu_1 mu_2 x", real=True)
    weight, sigma_1, sigma_2 = sp.symbols("weight sigma_1 sigma_2", positive=True)
    first = weight * sp.exp(-((x - mu_1) ** 2) / (2 * sigma_1**2)) / sigma_1
    second = (1 - weight) * sp.exp(-((x - mu_2) ** 2) / (2 * sigma_2**2)) / sigma_2

    def sample(point: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        w, *components = point
        mean, deviation = np.where(rng.random(size) < w, *np.reshape(components, (2, 2, 1)))
        return rng.normal(mean, deviation)

    return StatisticalModel(
        sp.log(first + second) - _HALF_LOG_2PI,
        observation=x,
        support=sp.S.Reals,
        parameters=(weight, mu_1, sigma_1, mu_2, sigma_2),
        name="NormalMixture",
        domain=[weight < 1],
        sampler=sample,
        check=False,
    )


def StudentT() -> StatisticalModel:
    """Student's t distribution with ν > 0 degrees of freedom, location μ and scale σ > 0.

    p(x) = Γ((ν + 1)/2) / (Γ(ν/2) √(πν) σ) (1 + ((x - μ)/σ)²/ν)^(-(ν + 1)/2).
    https://en.wikipedia.org/wiki/Student%27s_t-distribution#Location-scale_t_distribution

    Examples
    --------
    >>> StudentT()
    StudentT(nu, mu, sigma): nu > 0, sigma > 0
    """
    mu, x = sp.symbols("mu x", real=True)
    nu, sigma = sp.symbols("nu sigma", positive=True)
    tail = (nu + 1) / 2 * sp.log(1 + ((x - mu) / sigma) ** 2 / nu)
    return StatisticalModel(
        sp.loggamma((nu + 1) / 2) - sp.loggamma(nu / 2) - sp.log(sp.pi * nu) / 2 - sp.log(sigma) - tail,
        observation=x,
        support=sp.S.Reals,
        parameters=(nu, mu, sigma),
        name="StudentT",
        sampler=lambda point, size, rng: point[1] + point[2] * rng.standard_t(point[0], size),
        check=False,
    )


def Cauchy() -> StatisticalModel:
    """The Cauchy distribution with location μ and scale γ > 0.

    p(x) = 1 / (πγ (1 + ((x - μ)/γ)²)). https://en.wikipedia.org/wiki/Cauchy_distribution

    Examples
    --------
    >>> Cauchy()
    Cauchy(mu, gamma): gamma > 0
    """
    mu, x = sp.symbols("mu x", real=True)
    gamma = sp.Symbol("gamma", positive=True)
    return StatisticalModel(
        -sp.log(sp.pi * gamma) - sp.log(1 + ((x - mu) / gamma) ** 2),
        observation=x,
        support=sp.S.Reals,
        parameters=(mu, gamma),
        name="Cauchy",
        sampler=lambda point, size, rng: point[0] + point[1] * rng.standard_cauchy(size),
        check=False,
    )


def Logistic() -> StatisticalModel:
    """The logistic distribution with mean μ and scale s > 0.

    p(x) = exp(-z) / (s (1 + exp(-z))²) with z = (x - μ)/s. https://en.wikipedia.org/wiki/Logistic_distribution

    Examples
    --------
    >>> Logistic()
    Logistic(mu, s): s > 0
    """
    mu, x = sp.symbols("mu x", real=True)
    s = sp.Symbol("s", positive=True)
    z = (x - mu) / s
    return StatisticalModel(
        -z - 2 * sp.log(1 + sp.exp(-z)) - sp.log(s),
        observation=x,
        support=sp.S.Reals,
        parameters=(mu, s),
        name="Logistic",
        sampler=lambda point, size, rng: rng.logistic(point[0], point[1], size),
        check=False,
    )


def Gumbel() -> StatisticalModel:
    """The Gumbel distribution of maxima with mode μ and scale β > 0.

    p(x) = exp(-z - exp(-z)) / β with z = (x - μ)/β. https://en.wikipedia.org/wiki/Gumbel_distribution

    Examples
    --------
    >>> Gumbel()
    Gumbel(mu, beta): beta > 0
    """
    mu, x = sp.symbols("mu x", real=True)
    beta = sp.Symbol("beta", positive=True)
    z = (x - mu) / beta
    return StatisticalModel(
        -z - sp.exp(-z) - sp.log(beta),
        observation=x,
        support=sp.S.Reals,
        parameters=(mu, beta),
        name="Gumbel",
        sampler=lambda point, size, rng: rng.gumbel(point[0], point[1], size),
        check=False,
    )


def VonMises() -> StatisticalModel:
    """The von Mises distribution of angles with mean direction μ and concentration κ > 0.

    p(x) = exp(κ cos(x - μ)) / (2π I₀(κ)) for -π ≤ x ≤ π, with I₀ the modified Bessel function
    (https://dlmf.nist.gov/10.32.E1). https://en.wikipedia.org/wiki/Von_Mises_distribution

    Examples
    --------
    >>> VonMises()
    VonMises(mu, kappa): kappa > 0
    """
    mu, x = sp.symbols("mu x", real=True)
    kappa = sp.Symbol("kappa", positive=True)
    cosine = sp.cos(x) * sp.cos(mu) + sp.sin(x) * sp.sin(mu)
    return StatisticalModel(
        kappa * cosine - sp.log(2 * sp.pi) - sp.log(sp.besseli(0, kappa)),
        observation=x,
        support=sp.Interval(-sp.pi, sp.pi),
        parameters=(mu, kappa),
        name="VonMises",
        sampler=lambda point, size, rng: rng.vonmises(point[0], point[1], size),
        check=False,
    )


# -- one positive observation


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
        support=_HALF_LINE,
        parameters=(alpha, beta),
        name="Gamma",
        sampler=lambda point, size, rng: _within(_HALF_LINE, rng.gamma(point[0], 1 / point[1], size)),
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
        support=_HALF_LINE,
        parameters=(alpha, beta),
        name="InverseGamma",
        sampler=lambda point, size, rng: point[1] / _within(_HALF_LINE, rng.gamma(point[0], 1.0, size)),
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
        sp.log(shape) / 2 - _HALF_LOG_2PI - sp.log(x) * 3 / 2 - shape * (x - mu) ** 2 / (2 * mu**2 * x),
        observation=x,
        support=_HALF_LINE,
        parameters=(mu, shape),
        name="InverseGaussian",
        sampler=lambda point, size, rng: _within(_HALF_LINE, rng.wald(point[0], point[1], size)),
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
        -((sp.log(x) - mu) ** 2) / (2 * sigma**2) - sp.log(x) - sp.log(sigma) - _HALF_LOG_2PI,
        observation=x,
        support=_HALF_LINE,
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
        support=_HALF_LINE,
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
        support=_HALF_LINE,
        parameters=(k, scale),
        name="Weibull",
        sampler=lambda point, size, rng: _within(_HALF_LINE, point[1] * rng.weibull(point[0], size)),
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
        support=_HALF_LINE,
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
        support=_HALF_LINE,
        parameters=(m, omega),
        name="Nakagami",
        sampler=lambda point, size, rng: _within(_HALF_LINE, np.sqrt(rng.gamma(point[0], point[1] / point[0], size))),
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
        above, below = (_within(_HALF_LINE, rng.gamma(shape, 1.0, size)) for shape in point)
        return above / below

    return StatisticalModel(
        (alpha - 1) * sp.log(x) - (alpha + beta) * sp.log(1 + x) - _log_beta(alpha, beta),
        observation=x,
        support=_HALF_LINE,
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


# -- one observation between 0 and 1


def Beta() -> StatisticalModel:
    """The Beta distribution with shapes α > 0 and β > 0.

    p(x) = x^(α-1) (1 - x)^(β-1) / B(α, β) for 0 < x < 1, with B the beta function (https://dlmf.nist.gov/5.12.E1).
    https://en.wikipedia.org/wiki/Beta_distribution

    Examples
    --------
    >>> Beta()
    Beta(alpha, beta): alpha > 0, beta > 0
    """
    alpha, beta, x = sp.symbols("alpha beta x", positive=True)
    return StatisticalModel(
        (alpha - 1) * sp.log(x) + (beta - 1) * sp.log(1 - x) - _log_beta(alpha, beta),
        observation=x,
        support=_UNIT,
        parameters=(alpha, beta),
        name="Beta",
        sampler=lambda point, size, rng: _within(_UNIT, rng.beta(point[0], point[1], size)),
        check=False,
    )


def Kumaraswamy() -> StatisticalModel:
    """The Kumaraswamy distribution with shapes a > 0 and b > 0.

    p(x) = a b x^(a-1) (1 - x^a)^(b-1) for 0 < x < 1. https://en.wikipedia.org/wiki/Kumaraswamy_distribution

    Examples
    --------
    >>> Kumaraswamy()
    Kumaraswamy(a, b): a > 0, b > 0
    """
    a, b, x = sp.symbols("a b x", positive=True)

    def sample(point: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        power = -np.expm1(-rng.exponential(1 / point[1], size))
        return _within(_UNIT, power ** (1 / point[0]))

    return StatisticalModel(
        sp.log(a) + sp.log(b) + (a - 1) * sp.log(x) + (b - 1) * sp.log(1 - x**a),
        observation=x,
        support=_UNIT,
        parameters=(a, b),
        name="Kumaraswamy",
        sampler=sample,
        check=False,
    )


# -- one count


def Bernoulli() -> StatisticalModel:
    """The Bernoulli distribution: 1 with probability p and 0 with probability 1 - p, for 0 < p < 1.

    p(x) = p^x (1 - p)^(1-x) for x = 0, 1. https://en.wikipedia.org/wiki/Bernoulli_distribution

    Examples
    --------
    >>> Bernoulli()
    Bernoulli(p): p > 0, p < 1
    """
    p, x = sp.Symbol("p", positive=True), _count("x")
    return StatisticalModel(
        x * sp.log(p) + (1 - x) * sp.log(1 - p),
        observation=x,
        support=sp.Range(2),
        parameters=(p,),
        name="Bernoulli",
        domain=[p < 1],
        sampler=lambda point, size, rng: rng.binomial(1, point[0], size).astype(float),
        check=False,
    )


def Binomial(trials: int = 10) -> StatisticalModel:
    """The binomial distribution: how many of n trials succeed, each with probability 0 < p < 1.

    p(k) = n! / (k! (n - k)!) p^k (1 - p)^(n-k) for k = 0, ..., n. https://en.wikipedia.org/wiki/Binomial_distribution

    Parameters
    ----------
    trials : int, optional
        n, at least 1.

    Raises
    ------
    ArgumentError
        If there is no such number of trials.

    Examples
    --------
    >>> Binomial(trials=3)
    Binomial(p): p > 0, p < 1
    """
    n = _integer("trials", trials, least=1)
    p, k = sp.Symbol("p", positive=True), _count("k")
    ways = _log_factorial(n) - sp.loggamma(k + 1) - sp.loggamma(n - k + 1)
    return StatisticalModel(
        ways + k * sp.log(p) + (n - k) * sp.log(1 - p),
        observation=k,
        support=sp.Range(n + 1),
        parameters=(p,),
        name="Binomial",
        domain=[p < 1],
        sampler=lambda point, size, rng: rng.binomial(n, point[0], size).astype(float),
        check=False,
    )


def Geometric() -> StatisticalModel:
    """The geometric distribution: the number of trials up to the first success, each with probability 0 < p < 1.

    p(k) = p (1 - p)^(k-1) for k = 1, 2, 3, ... https://en.wikipedia.org/wiki/Geometric_distribution

    Examples
    --------
    >>> Geometric()
    Geometric(p): p > 0, p < 1
    """
    p, k = sp.symbols("p k", positive=True)
    return StatisticalModel(
        sp.log(p) + (k - 1) * sp.log(1 - p),
        observation=k,
        support=sp.S.Naturals,
        parameters=(p,),
        name="Geometric",
        domain=[p < 1],
        sampler=lambda point, size, rng: rng.geometric(point[0], size).astype(float),
        check=False,
    )


def NegativeBinomial() -> StatisticalModel:
    """The negative binomial distribution: failures before the r-th success of trials with success probability p.

    p(k) = Γ(k + r) / (k! Γ(r)) p^r (1 - p)^k for k = 0, 1, 2, ..., with any real r > 0 and 0 < p < 1.
    https://en.wikipedia.org/wiki/Negative_binomial_distribution

    Examples
    --------
    >>> NegativeBinomial()
    NegativeBinomial(r, p): r > 0, p > 0, p < 1
    """
    r, p = sp.symbols("r p", positive=True)
    k = _count("k")
    ways = sp.loggamma(k + r) - sp.loggamma(r) - sp.loggamma(k + 1)
    return StatisticalModel(
        ways + r * sp.log(p) + k * sp.log(1 - p),
        observation=k,
        support=sp.S.Naturals0,
        parameters=(r, p),
        name="NegativeBinomial",
        domain=[p < 1],
        sampler=lambda point, size, rng: rng.negative_binomial(point[0], point[1], size).astype(float),
        check=False,
    )


def Poisson() -> StatisticalModel:
    """The Poisson distribution with mean λ > 0, the parameter ``mean``.

    p(k) = λ^k exp(-λ) / k! for k = 0, 1, 2, ... https://en.wikipedia.org/wiki/Poisson_distribution

    Examples
    --------
    >>> Poisson()
    Poisson(mean): mean > 0
    """
    mean, k = sp.Symbol("mean", positive=True), _count("k")
    return StatisticalModel(
        k * sp.log(mean) - mean - sp.loggamma(k + 1),
        observation=k,
        support=sp.S.Naturals0,
        parameters=(mean,),
        name="Poisson",
        sampler=lambda point, size, rng: rng.poisson(point[0], size).astype(float),
        check=False,
    )


def Categorical(categories: int = 3) -> StatisticalModel:
    """The categorical distribution: one of the numbers 0, ..., c - 1.

    p(x) = p_(x+1), where the parameters p_1, ..., p_(c-1) are the probabilities of 0, ..., c - 2, and that of c - 1 is
    what they leave: p_c = 1 - p_1 - ... - p_(c-1) > 0. https://en.wikipedia.org/wiki/Categorical_distribution

    Parameters
    ----------
    categories : int, optional
        c, at least 2.

    Raises
    ------
    ArgumentError
        If there is no such number of categories.

    Examples
    --------
    >>> Categorical(categories=3)
    Categorical(p_1, p_2): p_1 > 0, p_2 > 0, p_1 + p_2 < 1
    """
    c = _integer("categories", categories, least=2)
    p, x = sp.symbols(f"p_1:{c}", positive=True), _count("x")
    rest = sp.log(1 - sp.Add(*p))
    chosen = [sp.Piecewise((1, sp.Eq(x, i)), (0, True)) for i in range(c - 1)]
    return StatisticalModel(
        sp.Add(*(indicator * (sp.log(q) - rest) for indicator, q in zip(chosen, p, strict=True))) + rest,
        observation=x,
        support=sp.Range(c),
        parameters=p,
        name="Categorical",
        domain=[sp.Add(*p) < 1],
        sampler=lambda point, size, rng: rng.choice(c, size, p=_completed(point)).astype(float),
        check=False,
    )


# -- several observations


def Multinomial(trials: int = 10, categories: int = 3) -> StatisticalModel:
    """The multinomial distribution: how often each of c categories comes up in n trials.

    p(k) = n! / (k_1! ... k_c!) p_1^k_1 ... p_c^k_c for counts with the sum n. The parameters are p_1, ..., p_(c-1), and
    p_c = 1 - p_1 - ... - p_(c-1) > 0. https://en.wikipedia.org/wiki/Multinomial_distribution

    Parameters
    ----------
    trials : int, optional
        n, at least 1.
    categories : int, optional
        c, at least 2.

    Raises
    ------
    ArgumentError
        If there is no such number of trials or categories.

    Examples
    --------
    >>> Multinomial(trials=4, categories=3)
    Multinomial(p_1, p_2): p_1 > 0, p_2 > 0, p_1 + p_2 < 1
    """
    n, c = _integer("trials", trials, least=1), _integer("categories", categories, least=2)
    p = sp.symbols(f"p_1:{c}", positive=True)
    k = [_count(f"k_{i}") for i in range(1, c + 1)]
    rest = sp.log(1 - sp.Add(*p))
    ways = _log_factorial(n) - sp.Add(*(sp.loggamma(count + 1) for count in k))
    return StatisticalModel(
        ways + sp.Add(*(count * (sp.log(q) - rest) for count, q in zip(k[:-1], p, strict=True))) + n * rest,
        observation=k,
        support=(sp.Range(n + 1),) * c,
        constraints=[sp.Eq(sp.Add(*k), n)],
        parameters=p,
        name="Multinomial",
        domain=[sp.Add(*p) < 1],
        sampler=lambda point, size, rng: rng.multinomial(n, _completed(point), size).astype(float),
        check=False,
    )


def Dirichlet(categories: int = 3) -> StatisticalModel:
    """The Dirichlet distribution of proportions with concentrations α_1, ..., α_c > 0.

    p(x) = Γ(α_1 + ... + α_c) / (Γ(α_1) ... Γ(α_c)) x_1^(α_1-1) ... x_c^(α_c-1) for positive x with the sum 1, a density
    in x_1, ..., x_(c-1). https://en.wikipedia.org/wiki/Dirichlet_distribution

    Parameters
    ----------
    categories : int, optional
        c, at least 2.

    Raises
    ------
    ArgumentError
        If there is no such number of categories.

    Examples
    --------
    >>> Dirichlet(categories=3)
    Dirichlet(alpha_1, alpha_2, alpha_3): alpha_1 > 0, alpha_2 > 0, alpha_3 > 0
    """
    c = _integer("categories", categories, least=2)
    alpha = sp.symbols(f"alpha_1:{c + 1}", positive=True)
    x = sp.symbols(f"x_1:{c + 1}", positive=True)
    constant = sp.loggamma(sp.Add(*alpha)) - sp.Add(*map(sp.loggamma, alpha))
    return StatisticalModel(
        constant + sp.Add(*((a - 1) * sp.log(part) for a, part in zip(alpha, x, strict=True))),
        observation=x,
        support=(_UNIT,) * c,
        constraints=[sp.Eq(sp.Add(*x), 1)],
        parameters=alpha,
        name="Dirichlet",
        sampler=lambda point, size, rng: _within(_UNIT, rng.dirichlet(point, size)),
        check=False,
    )


def MultivariateNormal(dimension: int = 2) -> StatisticalModel:
    """The normal distribution of d observations with mean vector μ and covariance matrix Σ.

    p(x) = exp(-(x - μ)ᵀ Σ⁻¹ (x - μ)/2) / √((2π)^d det Σ) with Σ positive definite. The parameters are the entries of μ
    and then the lower triangle of Σ, row by row. https://en.wikipedia.org/wiki/Multivariate_normal_distribution

    Parameters
    ----------
    dimension : int, optional
        d, at least 1.

    Raises
    ------
    ArgumentError
        If there is no such dimension.

    Examples
    --------
    >>> MultivariateNormal(dimension=2)
    MultivariateNormal(mu_1, mu_2, sigma_11, sigma_21, sigma_22):
        sigma_11 > 0, sigma_22 > 0, sigma_11*sigma_22 - sigma_21**2 > 0
    """
    d = _integer("dimension", dimension, least=1)
    gap = "_" if d > 9 else ""
    mu, x = sp.symbols(f"mu_1:{d + 1}", real=True), sp.symbols(f"x_1:{d + 1}", real=True)
    triangle = {
        (i, j): sp.Symbol(f"sigma_{i + 1}{gap}{j + 1}", **{"positive" if i == j else "real": True})
        for i in range(d)
        for j in range(i + 1)
    }
    covariance = sp.Matrix(d, d, lambda i, j: triangle[max(i, j), min(i, j)])
    centred = sp.Matrix(x) - sp.Matrix(mu)
    minors = [covariance[:size, :size].det(method="berkowitz") for size in range(1, d + 1)]
    quadratic = (centred.T * covariance.adjugate(method="berkowitz") * centred)[0] / minors[-1]
    return StatisticalModel(
        -quadratic / 2 - sp.log(minors[-1]) / 2 - d * _HALF_LOG_2PI,
        observation=x,
        support=(sp.S.Reals,) * d,
        parameters=(*mu, *triangle.values()),
        name="MultivariateNormal",
        domain=[minor > 0 for minor in minors[1:]],
        sampler=lambda point, size, rng: _draw_normal(point, size, rng, d),
        check=False,
    )


def _draw_normal(point: np.ndarray, size: int, rng: np.random.Generator, d: int) -> np.ndarray:
    covariance = np.zeros((d, d))
    covariance[np.tril_indices(d)] = point[d:]
    root = np.linalg.cholesky(covariance)  # reads the lower triangle only
    return point[:d] + rng.normal(size=(size, d)) @ root.T


# -- parts


def _count(name: str) -> sp.Symbol:
    # not declared an integer: SymPy would turn loggamma(k + 1) into log(gamma(k + 1)), which overflows for k > 170
    return sp.Symbol(name, nonnegative=True)


def _log_factorial(n: int) -> sp.Expr:
    """log n!, as a floating-point number where n! is too large for one."""
    return sp.log(sp.factorial(n)) if n <= 20 else sp.Float(math.lgamma(n + 1))


def _log_beta(alpha: sp.Expr, beta: sp.Expr) -> sp.Expr:
    return sp.loggamma(alpha) + sp.loggamma(beta) - sp.loggamma(alpha + beta)


def _completed(point: np.ndarray) -> np.ndarray:
    """Probabilities with the one that is left."""
    return np.append(point, 1.0 - point.sum())


def _within(interval: sp.Interval, values: np.ndarray) -> np.ndarray:
    """Draws that were rounded to an end of an open interval, moved to the nearest normal number inside."""
    low, high = float(interval.start), float(interval.end)
    return np.clip(values, np.nextafter(low, high) if low else np.finfo(float).tiny, np.nextafter(high, low))


def _integer(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer, sp.Integer)) or value < least:
        raise ArgumentError(f"{name} must be an integer of at least {least}, not {value!r}")
    return int(value)


_FAMILIES: dict[str, Callable[[], StatisticalModel]] = {
    name.lower(): globals()[name] for name in __all__ if name not in ("family", "names")
}


def names() -> tuple[str, ...]:
    """The families that :func:`riemopt.models.family` knows, in alphabetical order.

    Examples
    --------
    >>> names()[:4]
    ('bernoulli', 'beta', 'betaprime', 'binomial')
    """
    return tuple(sorted(_FAMILIES))


def family(name: str) -> StatisticalModel:
    """A model of the catalogue by its name, in any case.

    Parameters
    ----------
    name : str
        One of :func:`riemopt.models.names`. Numbers that a family wants, as of trials, have their defaults.

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
