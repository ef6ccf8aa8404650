"""The catalogue: densities with their usual parameters and a sampler. Their geometry is derived, not typed in.

A parameter has its usual letter; where that is λ, which Python keeps for itself, it has a word.
"""

from riemopt.models.families.catalogue import family, names
from riemopt.models.families.counts import Bernoulli, Binomial, Categorical, Geometric, NegativeBinomial, Poisson
from riemopt.models.families.half_line import (
    BetaPrime,
    Exponential,
    Gamma,
    InverseGamma,
    InverseGaussian,
    LogLogistic,
    LogNormal,
    Nakagami,
    Pareto,
    Rayleigh,
    Weibull,
)
from riemopt.models.families.real_line import Cauchy, Gumbel, Logistic, Normal, NormalMixture, StudentT, VonMises
from riemopt.models.families.several import Dirichlet, Multinomial, MultivariateNormal
from riemopt.models.families.unit_interval import Beta, Kumaraswamy

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
