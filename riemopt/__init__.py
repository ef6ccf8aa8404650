"""riemopt: the geometry of statistical models, and natural gradients that do not care how a model is parametrized."""

from riemopt import errors, experiments, integrators, models
from riemopt.integrators import Integrator
from riemopt.linear_solvers import ConjugateGradient
from riemopt.manifold import Manifold
from riemopt.models import StatisticalModel
from riemopt.optimize import Trajectory, minimize
from riemopt.problem import LikelihoodProblem, OperatorProblem, Problem
from riemopt.status import Status

__all__ = [
    "ConjugateGradient",
    "Integrator",
    "LikelihoodProblem",
    "Manifold",
    "OperatorProblem",
    "Problem",
    "StatisticalModel",
    "Status",
    "Trajectory",
    "errors",
    "experiments",
    "integrators",
    "minimize",
    "models",
]
