"""What every problem has: errors for what it does not offer, and what follows from what it does."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import DomainError, UnsupportedError
from riemopt.problem.evaluations import Evaluations
from riemopt.problem.protocol import INTEGRATED, PRIMITIVES, CompiledRule
from riemopt.status import Status

THETA, V = np.array([1.0, 2.0]), np.array([3.0, -1.0])


class Bare(ro.Problem):
    """A problem that offers nothing."""


class HalfPlane(ro.Problem):
    """The metric δ/y², with a gradient of ones."""

    offers = frozenset({"gradient", "raise_index", "lower_index", "connection"})

    def gradient(self, theta):
        return np.ones(2)

    def raise_index(self, theta, covector):
        return covector * theta[1] ** 2

    def lower_index(self, theta, vector):
        return vector / theta[1] ** 2

    def connection(self, theta, vector, a=0.0):
        x, y = vector
        return np.array([-2 * x * y, x * x - y * y]) / theta[1] ** 3


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_a_primitive_that_is_not_offered_is_named(primitive):
    arguments = {"loss": (), "gradient": (), "transport": (V, V), "exp_series": (V, 3), "flow": (1.0,)}
    with pytest.raises(UnsupportedError, match=f"Bare does not offer '{primitive}'"):
        getattr(Bare(), primitive)(THETA, *arguments.get(primitive, (V,)))


def test_what_follows_from_the_primitives():
    problem = HalfPlane()
    np.testing.assert_array_equal(problem.metric(THETA), np.eye(2) / 4)
    np.testing.assert_array_equal(problem.natural_gradient(THETA), [4.0, 4.0])
    # ẍ = 2ẋẏ/y, ÿ = (ẏ² - ẋ²)/y
    np.testing.assert_allclose(problem.acceleration(THETA, V), [-3.0, -4.0], rtol=1e-15)
    np.testing.assert_array_equal(problem.exp_series(THETA, V, order=1), THETA + V)
    np.testing.assert_allclose(problem.exp_series(THETA, V, order=2), THETA + V + np.array([-1.5, -2.0]), rtol=1e-15)


def test_points_that_are_not_finite_lie_nowhere():
    problem = HalfPlane()
    assert problem.contains(THETA) and not problem.contains(np.array([np.nan, 1.0]))
    problem.require_inside(THETA, "start")
    with pytest.raises(DomainError, match="start is not finite"):
        problem.require_inside(np.array([1.0, np.inf]), "start")


def test_why_a_number_is_not_to_be_had():
    problem = HalfPlane()
    for primitive in INTEGRATED:
        assert problem.reason(primitive, THETA, V) is Status.LEFT_DOMAIN
    assert problem.reason("raise_index", THETA, V) is Status.SINGULAR_METRIC
    assert problem.reason("natural_gradient", THETA) is Status.SINGULAR_METRIC
    assert problem.reason("loss", THETA) is Status.NON_FINITE
    with np.errstate(all="ignore"):
        assert problem.reason("acceleration", np.array([1.0, 0.0]), V) is Status.NON_FINITE


def test_without_a_compiler_steps_are_taken_one_by_one():
    rule = ro.integrators.by_name("ng")
    assert HalfPlane().compiled(rule, 1, False) == "HalfPlane takes the steps of a rule one by one"
    assert HalfPlane().trajectories(rule, THETA[None], np.ones(1), 1, True, None) is None


def test_a_compiled_rule_counts_what_its_steps_ask_for():
    rule = CompiledRule(lambda *given: given, Evaluations(solves=1), Evaluations(losses=1), Evaluations(gradients=2))
    found = rule.evaluations(np.array([0, 3]))
    assert [counts.tolist() for counts in (found.solves, found.losses, found.gradients)] == [[0, 1], [1, 4], [0, 6]]
