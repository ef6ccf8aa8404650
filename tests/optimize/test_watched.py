"""The problem as a driver sees it."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.optimize.watched import WatchedProblem, is_finite
from riemopt.problem import DenseMetric
from riemopt.problem.evaluations import Evaluations
from riemopt.status import Status


class Flat(ro.Problem):
    """The loss Σ log x with the metric x² δ: it ends at 0, and no number is to be had there."""

    offers = frozenset({"loss", "gradient", "raise_index", "lower_index"})

    def loss(self, theta):
        return float(np.sum(np.log(theta)))

    def gradient(self, theta):
        return 1.0 / theta

    def raise_index(self, theta, covector):
        return covector / theta**2

    def lower_index(self, theta, vector):
        return theta**2 * vector

    def contains(self, theta):
        return bool(np.all(theta >= 0))


@pytest.fixture(autouse=True)
def silence():
    """As in the driver."""
    with np.errstate(all="ignore"):
        yield


def test_finite_are_numbers_and_arrays_without_nan_and_infinity():
    assert is_finite(1.0) and is_finite(np.ones(3))
    for bad in (np.nan, np.inf, -np.inf):
        assert not is_finite(bad) and not is_finite(np.array([1.0, bad]))


def test_what_is_asked_for_again_at_a_point_is_counted_once():
    watched = WatchedProblem(Flat())
    for _ in range(3):
        watched.loss(np.array([1.0, 2.0]))
        watched.natural_gradient(np.array([1.0, 2.0]))
        watched.gradient(np.array([1.0, 2.0]))
    assert watched.evaluations == Evaluations(losses=1, gradients=1, solves=1)
    watched.loss(np.array([1.0, 3.0]))
    assert watched.evaluations.losses == 2


def test_what_a_rule_gets_is_its_own():
    watched, theta = WatchedProblem(Flat()), np.array([1.0, 2.0])
    watched.gradient(theta)[:] = 0.0
    np.testing.assert_array_equal(watched.gradient(theta), [1.0, 0.5])


def test_why_a_number_was_not_to_be_had_is_noted_once():
    watched = WatchedProblem(Flat())
    watched.gradient(np.array([1.0, 1.0]))
    assert not watched.failed and watched.status is Status.COMPLETED
    watched.gradient(np.array([0.0, 1.0]))
    watched.raise_index(np.array([0.0, 1.0]), np.ones(2))
    assert watched.failed and watched.status is Status.NON_FINITE
    watched.forgive()
    assert not watched.failed
    watched.raise_index(np.array([0.0, 1.0]), np.ones(2))
    assert watched.status is Status.SINGULAR_METRIC


def test_a_rule_that_recovers_is_told_the_last_reason():
    watched = WatchedProblem(Flat(), recovers=True)
    watched.raise_index(np.array([0.0, 1.0]), np.ones(2))
    watched.gradient(np.array([0.0, 1.0]))
    assert watched.status is Status.NON_FINITE


def test_solves_of_a_step_are_damped_if_the_driver_says_so():
    watched, theta = WatchedProblem(Flat(), prepare=lambda metric: DenseMetric(metric.dense())), np.array([1.0, 2.0])
    watched.begin_step((3.0, "identity"))
    np.testing.assert_allclose(watched.natural_gradient(theta), [1.0 / 4.0, 0.5 / 7.0], rtol=1e-14)
    watched.begin_step(None)
    np.testing.assert_allclose(watched.natural_gradient(theta), [1.0, 0.5 / 4.0], rtol=1e-14)
