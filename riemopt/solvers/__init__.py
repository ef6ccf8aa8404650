"""Linear systems with a metric: raising an index."""

from riemopt.solvers.conjugate_gradient import ConjugateGradient, LinearSolver

__all__ = ["ConjugateGradient", "LinearSolver"]
