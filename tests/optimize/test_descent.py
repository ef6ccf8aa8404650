"""The way down to an optimum, and why it ends."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.optimize.descent import FitStatus, descend, matrix_metric
from riemopt.problem import DenseMetric
from tests import catalogue


class Power(ro.Problem):
    """The loss x⁴/4 + slope·x with the metric of its curvature, 3x²."""

    def __init__(self, slope=0.0):
        self.slope = slope

    def loss(self, theta):
        return float(theta[0] ** 4 / 4 + self.slope * theta[0])

    def gradient(self, theta):
        return theta**3 + self.slope

    def metric(self, theta):
        return np.array([[3.0 * theta[0] ** 2]])

    def connection(self, theta, vector, a=0.0):
        return 3.0 * theta * vector**2


def test_a_descent_ends_at_the_optimum_and_never_climbs(poisson):
    told = []
    descent = descend(
        poisson, np.array([900.0]), tolerance=1e-12, max_steps=100, tell=lambda *given: told.append(given)
    )
    assert descent.status is FitStatus.CONVERGED and descent.norm <= 1e-12
    np.testing.assert_allclose(descent.points[-1], [4.0], rtol=1e-12)
    assert np.all(np.diff(descent.losses) <= 1e-12)
    assert [step for step, _ in told] == list(range(1, len(descent.points)))
    assert descent.evaluations.losses >= len(descent.points)


def test_too_few_steps_are_said_to_be(poisson):
    descent = descend(poisson, np.array([900.0]), tolerance=1e-12, max_steps=1)
    assert descent.status is FitStatus.STEP_LIMIT and not descent.status.success


def test_the_units_of_the_coordinates_do_not_matter():
    samples = [0.5, 2.0, 3.5]
    model = catalogue.model("gamma")
    alpha, beta = model.parameters
    moved = model.reparametrize({alpha: 1024 * alpha, beta: beta / 4096}, parameters=(alpha, beta))
    here, there = (ro.Manifold(m, backend="numpy").likelihood(samples) for m in (model, moved))
    ways = [
        descend(problem, start, tolerance=1e-10, max_steps=50)
        for problem, start in ((here, np.array([1.0, 1.0])), (there, np.array([1.0 / 1024, 4096.0])))
    ]
    np.testing.assert_allclose(ways[1].points * [1024, 1.0 / 4096], ways[0].points, rtol=1e-8)


@pytest.mark.parametrize(("slope", "status"), [(-8.0, FitStatus.CONVERGED), (np.nan, FitStatus.NON_FINITE)])
def test_the_reason_is_that_of_the_problem(slope, status):
    descent = descend(Power(slope), np.array([5.0]), tolerance=1e-9, max_steps=200)
    assert descent.status is status
    if status.success:
        np.testing.assert_allclose(descent.points[-1], [2.0], rtol=1e-9)


def test_a_metric_is_taken_by_its_matrix_where_it_has_one(poisson):
    metric = matrix_metric(poisson.at(np.array([2.0])).metric)
    assert isinstance(metric, DenseMetric)
    np.testing.assert_allclose(metric.dense(), [[0.5]], rtol=1e-14)
