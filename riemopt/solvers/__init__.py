"""Linear systems with a metric: raising an index."""

from riemopt.solvers.cholesky import Cholesky
from riemopt.solvers.conjugate_gradient import ConjugateGradient, LinearSolver, Product
from riemopt.solvers.solution import Solution, as_solution

__all__ = ["Cholesky", "ConjugateGradient", "LinearSolver", "Product", "Solution", "as_solution"]
