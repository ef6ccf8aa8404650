"""The mean negative log-likelihood of a model as a problem."""

import numpy as np
import pytest
import scipy.stats

import riemopt as ro
from riemopt.errors import DomainError
from riemopt.status import Status

SAMPLES = np.array([0.5, 1.0, 1.75, 4.0])
POINTS = np.array([[1.0, 1.0], [2.5, 0.75], [20.0, 20.0]])


@pytest.fixture(scope="module")
def problem(gamma):
    return gamma.numpy.likelihood(SAMPLES)


def test_the_loss_is_the_mean_of_scipys(problem):
    expected = [-scipy.stats.gamma(alpha, scale=1 / beta).logpdf(SAMPLES).mean() for alpha, beta in POINTS]
    np.testing.assert_allclose(problem.loss(POINTS), expected, rtol=1e-12)


def test_the_gradient_is_the_slope_of_the_loss(problem):
    step = 1e-6 * np.eye(2)
    slopes = [(problem.loss(POINTS + unit) - problem.loss(POINTS - unit)) / 2e-6 for unit in step]
    np.testing.assert_allclose(problem.gradient(POINTS), np.transpose(slopes), rtol=1e-7, atol=1e-8)


def test_the_metric_and_the_connection_are_those_of_the_manifold(problem, gamma):
    v = np.array([0.5, -0.25])
    np.testing.assert_allclose(problem.metric(POINTS), gamma.numpy.metric(POINTS), rtol=1e-13)
    np.testing.assert_allclose(problem.connection(POINTS, v), gamma.numpy.connection(POINTS, v), rtol=1e-13)
    np.testing.assert_allclose(problem.lower_index(POINTS, v), problem.metric(POINTS) @ v, rtol=1e-13)
    np.testing.assert_allclose(problem.raise_index(POINTS, problem.lower_index(POINTS, v)), [v] * 3, rtol=1e-10)


def test_a_point_outside_is_told_by_its_coordinate_and_its_loss_is_nan(problem):
    assert problem.contains([1.0, 1.0]) and not problem.contains([1.0, -1.0])
    assert np.isnan(problem.loss([1.0, -1.0]))
    with pytest.raises(DomainError, match=r"start: beta = -1\.0 is outside its domain beta > 0"):
        problem.require_inside(np.array([1.0, -1.0]), "start")


def test_an_integration_knows_why_it_has_no_end(problem):
    assert problem.reason("exp", np.array([1.0, 1.0]), np.array([-1e3, 0.0])) is not Status.COMPLETED


def test_rules_on_numpy_run_as_they_stand(problem):
    assert problem.compiled(ro.integrators.by_name("ng"), 1, False) == "backend='numpy' runs rules as they stand"


def test_a_rule_that_is_compiled_is_compiled_once(gamma):
    problem = gamma.numba.likelihood(SAMPLES)
    rules = [problem.compiled(ro.integrators.by_name("ng"), 1, False) for _ in range(2)]
    assert rules[0] is rules[1] and not isinstance(rules[0], str)
    said = problem.compiled(ro.integrators.MirrorDescent(np.log, np.exp), 1, False)
    assert said == "MirrorDescent() says that it is not to be traced"
