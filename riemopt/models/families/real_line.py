"""One observation of the real line: densities of the catalogue."""

from __future__ import annotations

import numpy as np
import sympy as sp

from riemopt.models.families.parts import HALF_LOG_2PI
from riemopt.models.statistical import StatisticalModel

__all__ = ["Cauchy", "Gumbel", "Logistic", "Normal", "NormalMixture", "StudentT", "VonMises"]


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
        -((x - mu) ** 2) / (2 * sigma**2) - sp.log(sigma) - HALF_LOG_2PI,
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
        sp.log(first + second) - HALF_LOG_2PI,
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
