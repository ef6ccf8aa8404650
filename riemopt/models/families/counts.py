"""One count, or one of several categories: densities of the catalogue."""

from __future__ import annotations

import sympy as sp

from riemopt.models.families.parts import as_integer, count_symbol, log_factorial, with_last
from riemopt.models.statistical import StatisticalModel

__all__ = ["Bernoulli", "Binomial", "Categorical", "Geometric", "NegativeBinomial", "Poisson"]


def Bernoulli() -> StatisticalModel:
    """The Bernoulli distribution: 1 with probability p and 0 with probability 1 - p, for 0 < p < 1.

    p(x) = p^x (1 - p)^(1-x) for x = 0, 1. https://en.wikipedia.org/wiki/Bernoulli_distribution

    Examples
    --------
    >>> Bernoulli()
    Bernoulli(p): p > 0, p < 1
    """
    p, x = sp.Symbol("p", positive=True), count_symbol("x")
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
    n = as_integer("trials", trials, least=1)
    p, k = sp.Symbol("p", positive=True), count_symbol("k")
    ways = log_factorial(n) - sp.loggamma(k + 1) - sp.loggamma(n - k + 1)
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
    k = count_symbol("k")
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
    mean, k = sp.Symbol("mean", positive=True), count_symbol("k")
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
    c = as_integer("categories", categories, least=2)
    p, x = sp.symbols(f"p_1:{c}", positive=True), count_symbol("x")
    rest = sp.log(1 - sp.Add(*p))
    chosen = [sp.Piecewise((1, sp.Eq(x, i)), (0, True)) for i in range(c - 1)]
    return StatisticalModel(
        sp.Add(*(indicator * (sp.log(q) - rest) for indicator, q in zip(chosen, p, strict=True))) + rest,
        observation=x,
        support=sp.Range(c),
        parameters=p,
        name="Categorical",
        domain=[sp.Add(*p) < 1],
        sampler=lambda point, size, rng: rng.choice(c, size, p=with_last(point)).astype(float),
        check=False,
    )
