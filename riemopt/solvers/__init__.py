"""Linear systems with a metric: raising an index."""

from riemopt.solvers.cholesky import Cholesky
from riemopt.solvers.conjugate_gradient import ConjugateGradient, Eager, Ended, LinearSolver, Machine, Product
from riemopt.solvers.solution import Solution, as_solution

__all__ = [
    "Cholesky",
    "ConjugateGradient",
    "Eager",
    "Ended",
    "LinearSolver",
    "Machine",
    "Product",
    "Solution",
    "as_solution",
]
