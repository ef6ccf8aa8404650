"""Other people's optimizers on the Poisson model, where ∂L = 1 - 4/m."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError

M = 9.0


class Counting:
    """A step that is as long as the number of steps before."""

    count = 0

    def __call__(self, theta, gradient):
        self.count += 1
        return theta - self.count


def test_the_step_size_scales_a_step(poisson):
    rule = ro.integrators.OptimizerStep(lambda theta, gradient: theta - gradient)
    points = [ro.minimize(poisson, rule, [M], h, 1).x[0] for h in (1.0, 0.25)]
    assert points == pytest.approx([M - (1.0 - 4.0 / M), M - 0.25 * (1.0 - 4.0 / M)], rel=1e-13)


def test_every_trajectory_has_a_state_of_its_own(poisson):
    step = Counting()
    rule = ro.integrators.OptimizerStep(step)
    batch = ro.minimize(poisson, rule, [[M], [M + 1.0]], 1.0, 3)
    np.testing.assert_array_equal(batch.points[..., 0], [[9.0, 8.0, 6.0, 3.0], [10.0, 9.0, 7.0, 4.0]])
    assert step.count == 0


def test_a_maker_is_given_the_problem_and_the_step_size(poisson):
    def make(problem, h):
        return lambda theta, gradient: theta - h * problem.natural_gradient(theta)

    rule = ro.integrators.OptimizerStep(make=make)
    np.testing.assert_allclose(
        ro.minimize(poisson, rule, [M], 0.25, 3).points, ro.minimize(poisson, "ng", [M], 0.25, 3).points, rtol=1e-13
    )


def test_its_name_is_that_of_what_it_was_given():
    assert repr(ro.integrators.OptimizerStep(Counting())) == "OptimizerStep(Counting)"
    assert repr(ro.integrators.OptimizerStep(Counting(), name="steady")) == "OptimizerStep(steady)"


@pytest.mark.parametrize("given", [{}, {"step": Counting(), "make": Counting()}, {"step": 1.0}])
def test_it_takes_one_callable(given):
    with pytest.raises(ArgumentError, match="an optimizer is step"):
        ro.integrators.OptimizerStep(**given)
