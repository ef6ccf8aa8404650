"""What a solver gives back stands for its solution."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.solvers import Solution, as_solution


def test_numpy_takes_a_solution_for_its_x():
    solution = Solution(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(np.eye(2) @ np.asarray(solution), [1.0, 2.0])
    copied = np.array(solution)
    copied[0] = 5.0
    assert solution.x[0] == 1.0


def test_an_array_counts_as_a_solution_that_converged():
    x = np.array([1.0])
    assert as_solution(x).x is x and as_solution(x).status is ro.Status.CONVERGED
    solution = Solution(x, ro.Status.DIVERGED)
    assert as_solution(solution) is solution and not solution.success


@pytest.mark.parametrize("returns", [lambda x: x, lambda x: Solution(x, iterations=3)])
def test_a_users_solver_may_return_either(returns):
    problem = ro.OperatorProblem(
        loss=lambda x: x @ x / 2,
        gradient=lambda x: x,
        fisher_product=lambda x, v: 2.0 * v,
        solver=lambda product, right: returns(right / product(np.ones_like(right))),
    )
    np.testing.assert_array_equal(problem.raise_index([1.0, 1.0], [1.0, 3.0]), [0.5, 1.5])
