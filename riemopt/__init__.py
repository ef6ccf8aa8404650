"""riemopt: the geometry of statistical models, and natural gradients that do not care how a model is parametrized."""

from riemopt import autodiff, errors, experiments, integrators, models
from riemopt.explore.notebook import explore
from riemopt.integrators import Integrator
from riemopt.manifold import LikelihoodProblem, Manifold
from riemopt.models import ConditionalModel, ExponentialFamily, StatisticalModel
from riemopt.optimize import Backtracking, LevenbergMarquardt, Trajectory, fit, minimize
from riemopt.problem import Metric, OperatorProblem, Problem
from riemopt.solvers import ConjugateGradient
from riemopt.status import Status

__all__ = [
    "Backtracking",
    "ConditionalModel",
    "ConjugateGradient",
    "ExponentialFamily",
    "Integrator",
    "LevenbergMarquardt",
    "LikelihoodProblem",
    "Manifold",
    "Metric",
    "OperatorProblem",
    "Problem",
    "StatisticalModel",
    "Status",
    "Trajectory",
    "autodiff",
    "errors",
    "experiments",
    "explore",
    "fit",
    "integrators",
    "minimize",
    "models",
]
