"""One observation between 0 and 1: densities of the catalogue."""

from __future__ import annotations

import numpy as np
import sympy as sp

from riemopt.models.families.parts import UNIT, inside, log_beta
from riemopt.models.statistical import StatisticalModel

__all__ = ["Beta", "Kumaraswamy"]


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
        (alpha - 1) * sp.log(x) + (beta - 1) * sp.log(1 - x) - log_beta(alpha, beta),
        observation=x,
        support=UNIT,
        parameters=(alpha, beta),
        name="Beta",
        sampler=lambda point, size, rng: inside(UNIT, rng.beta(point[0], point[1], size)),
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
        return inside(UNIT, power ** (1 / point[0]))

    return StatisticalModel(
        sp.log(a) + sp.log(b) + (a - 1) * sp.log(x) + (b - 1) * sp.log(1 - x**a),
        observation=x,
        support=UNIT,
        parameters=(a, b),
        name="Kumaraswamy",
        sampler=sample,
        check=False,
    )
