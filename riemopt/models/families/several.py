"""Several observations: densities of the catalogue."""

from __future__ import annotations

import numpy as np
import sympy as sp

from riemopt.models.families.parts import HALF_LOG_2PI, UNIT, as_integer, count_symbol, inside, log_factorial, with_last
from riemopt.models.statistical import StatisticalModel

__all__ = ["Dirichlet", "Multinomial", "MultivariateNormal"]


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
    n, c = as_integer("trials", trials, least=1), as_integer("categories", categories, least=2)
    p = sp.symbols(f"p_1:{c}", positive=True)
    k = [count_symbol(f"k_{i}") for i in range(1, c + 1)]
    rest = sp.log(1 - sp.Add(*p))
    ways = log_factorial(n) - sp.Add(*(sp.loggamma(count + 1) for count in k))
    return StatisticalModel(
        ways + sp.Add(*(count * (sp.log(q) - rest) for count, q in zip(k[:-1], p, strict=True))) + n * rest,
        observation=k,
        support=(sp.Range(n + 1),) * c,
        constraints=[sp.Eq(sp.Add(*k), n)],
        parameters=p,
        name="Multinomial",
        domain=[sp.Add(*p) < 1],
        sampler=lambda point, size, rng: rng.multinomial(n, with_last(point), size).astype(float),
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
    c = as_integer("categories", categories, least=2)
    alpha = sp.symbols(f"alpha_1:{c + 1}", positive=True)
    x = sp.symbols(f"x_1:{c + 1}", positive=True)
    constant = sp.loggamma(sp.Add(*alpha)) - sp.Add(*map(sp.loggamma, alpha))
    return StatisticalModel(
        constant + sp.Add(*((a - 1) * sp.log(part) for a, part in zip(alpha, x, strict=True))),
        observation=x,
        support=(UNIT,) * c,
        constraints=[sp.Eq(sp.Add(*x), 1)],
        parameters=alpha,
        name="Dirichlet",
        sampler=lambda point, size, rng: inside(UNIT, rng.dirichlet(point, size)),
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
    d = as_integer("dimension", dimension, least=1)
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
        -quadratic / 2 - sp.log(minors[-1]) / 2 - d * HALF_LOG_2PI,
        observation=x,
        support=(sp.S.Reals,) * d,
        parameters=(*mu, *triangle.values()),
        name="MultivariateNormal",
        domain=[minor > 0 for minor in minors[1:]],
        sampler=lambda point, size, rng: _draw_normal(point, size, rng, d),
        check=False,
    )


def _draw_normal(point: np.ndarray, size: int, rng: np.random.Generator, d: int) -> np.ndarray:
    """Normal vectors from the means and the lower triangle of the covariance matrix."""
    covariance = np.zeros((d, d))
    covariance[np.tril_indices(d)] = point[d:]
    root = np.linalg.cholesky(covariance)  # reads the lower triangle only
    return point[:d] + rng.normal(size=(size, d)) @ root.T
