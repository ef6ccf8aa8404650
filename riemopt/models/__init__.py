"""What is modelled: densities in, SymPy expressions out."""

from riemopt.models.families import Exponential, Gamma, Normal, Poisson, family, names
from riemopt.models.statistical import StatisticalModel

__all__ = ["Exponential", "Gamma", "Normal", "Poisson", "StatisticalModel", "family", "names"]
