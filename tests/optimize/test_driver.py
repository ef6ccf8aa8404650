"""The driver: what it remembers, counts, hands to hooks, and how it ends."""

import itertools
import logging
import threading
from collections import Counter

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError

START = np.array([0.5, -1.0, 2.0])


class Curved(ro.OperatorProblem):
    """A convex problem with a curved metric, whose functions are counted."""

    def __init__(self, **options):
        self.calls = Counter()
        functions = {
            "loss": lambda x: float(np.sum(np.exp(x) - x)),
            "gradient": lambda x: np.exp(x) - 1.0,
            "fisher_product": lambda x, v: np.exp(x) * v,
            "connection": lambda x, v: 0.5 * np.exp(x) * v**2,
        }
        super().__init__(**{name: self._counted(name, f) for name, f in functions.items()}, **options)

    def _counted(self, name, function):
        def call(*arguments):
            self.calls[name] += 1
            return function(*arguments)

        return call


# -- what is computed at a point is computed once


@pytest.mark.parametrize("tolerance", [None, 1e-12])
@pytest.mark.parametrize(
    ("key", "gradients", "solves", "products"),
    [("gd", 5, 0, 0), ("ng", 5, 5, 0), ("mid", 10, 10, 0), ("geo", 5, 10, 5), ("geof", 5, 6, 5)],
)
def test_evaluations_are_those_of_the_rule_and_nothing_is_asked_for_twice(key, gradients, solves, products, tolerance):
    problem = Curved()
    trajectory = ro.minimize(problem, key, START, 0.1, 5, tolerance=tolerance)
    found = trajectory.evaluations
    if tolerance is not None:
        # the gradient and a solve at the last point; and at every one a solve, where the rule has no use for it
        gradients, solves = gradients + 1, solves + {"gd": 6, "geof": 5}.get(key, 1)
    assert (found.losses, found.gradients, found.solves, found.products) == (6, gradients, solves, products)
    assert problem.calls["loss"] == 6 and problem.calls["gradient"] == gradients
    assert problem.calls["connection"] == products


def test_evaluations_of_a_batch_are_those_of_its_members():
    problem = Curved()
    batch = ro.minimize(problem, "mid", [START, START + 0.1], [[0.1], [0.2], [0.3]], 4)
    assert batch.evaluations.gradients.shape == (3, 2)
    alone = ro.minimize(problem, "mid", START, 0.1, 4).evaluations
    assert batch.evaluations.solves[0, 0] == alone.solves == 8
    assert isinstance(alone.solves, int)


def test_a_rule_that_changes_what_it_was_given_harms_nobody():
    class InPlace(ro.Integrator):
        def step(self, problem, theta, h, memory):
            gradient = problem.gradient(theta)
            gradient *= 0.0
            theta -= h * problem.natural_gradient(theta)
            return theta, memory

    plain = ro.minimize(Curved(), "ng", START, 0.1, 5)
    np.testing.assert_array_equal(ro.minimize(Curved(), InPlace(), START, 0.1, 5).points, plain.points)


# -- hooks


def test_a_callback_sees_every_state_and_can_end_the_run():
    states = []

    def callback(state):
        states.append(state)
        if state.iteration == 3:
            raise StopIteration

    trajectory = ro.minimize(Curved(), "geo", START, 0.1, 10, callback=callback)
    whole = ro.minimize(Curved(), "geo", START, 0.1, 10)
    assert [state.iteration for state in states] == [0, 1, 2, 3]
    assert trajectory.status is ro.Status.STOPPED and trajectory.success
    np.testing.assert_array_equal(trajectory.points[:4], whole.points[:4])
    np.testing.assert_array_equal(trajectory.points[4:], np.broadcast_to(whole.points[3], (7, 3)))
    np.testing.assert_array_equal([state.loss for state in states], whole.losses[:4])
    assert all(after.seconds >= before.seconds for before, after in itertools.pairwise(states))


def test_progress_is_told():
    told = []
    ro.minimize(Curved(), "ng", START, 0.1, 3, progress=lambda *what: told.append(what))
    assert [(done, total) for done, total, _ in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert told[0][2].startswith("step 0: loss ")


@pytest.mark.parametrize("option", ["callback", "checkpoint"])
def test_hooks_of_one_trajectory_are_refused_for_a_batch(option, tmp_path):
    value = {"callback": print, "checkpoint": tmp_path / "run.ckpt"}[option]
    with pytest.raises(ArgumentError, match="for one trajectory, not for a batch"):
        ro.minimize(Curved(), "ng", [START, START], 0.1, 3, **{option: value})


# -- compiled or not, and why


class Branches(ro.Integrator):
    def step(self, problem, theta, h, memory):
        v = problem.natural_gradient(theta)
        if v[0] > 0:
            h = h / 2
        return theta - h * v, memory


def test_a_trajectory_says_whether_its_rule_was_compiled_and_why_not(gamma, caplog):
    compiled, plain = gamma.numba.likelihood([0.5, 1.0]), gamma.numpy.likelihood([0.5, 1.0])
    settings = {"start": [1.0, 1.0], "step_size": 0.1, "steps": 2}
    with caplog.at_level(logging.INFO, logger="riemopt"):
        fast = ro.minimize(compiled, "geo", **settings)
        slow = ro.minimize(compiled, Branches(), **settings)
    assert fast.compiled and fast.obstacle == ""
    assert not slow.compiled
    assert "if v[0] > 0:" in slow.obstacle and __file__ in slow.obstacle and "truth value" in slow.obstacle
    assert [record.levelno for record in caplog.records] == [logging.INFO] * 2
    assert "GeodesicCorrection() is compiled" in caplog.text and slow.obstacle in caplog.text
    assert "backend='numpy'" in ro.minimize(plain, "geo", **settings).obstacle
    assert "OperatorProblem" in ro.minimize(ro.OperatorProblem(sum, lambda x: x), "gd", [1.0], 0.1, 1).obstacle
    assert "callback=" in ro.minimize(compiled, "geo", **settings, callback=lambda state: None).obstacle
    assert "AdaptiveFlow" in ro.minimize(compiled, "ng-adaptive", **settings).obstacle


@pytest.mark.parametrize("error", [TypeError, ValueError, IndexError, AttributeError, KeyError])
def test_an_error_of_a_rule_is_raised_as_it_is(gamma, error):
    class Wrong(ro.Integrator):
        def step(self, problem, theta, h, memory):
            raise error("a mistake of its author")

    for backend in (gamma.numba, gamma.numpy):
        with pytest.raises(error, match="a mistake of its author") as caught:
            ro.minimize(backend.likelihood([0.5, 1.0]), Wrong(), [1.0, 1.0], 0.1, 2)
        assert type(caught.value) is error


def test_a_type_error_selects_no_slow_path(gamma):
    class Wrong(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return theta - h * problem.natural_gradient(theta, "more"), memory

    with pytest.raises(TypeError):
        ro.minimize(gamma.numba.likelihood([0.5, 1.0]), Wrong(), [1.0, 1.0], 0.1, 2)


class Filled(ro.Integrator):
    """Writes into an array of numbers."""

    def step(self, problem, theta, h, memory):
        v, moved = problem.natural_gradient(theta), np.zeros(2)
        moved[0] = theta[0] - h * v[0]
        moved[1] = theta[1] - h * v[1]
        return moved, memory


class Scaled(ro.Integrator):
    """Asks the problem for the number of samples."""

    def step(self, problem, theta, h, memory):
        return theta - h / problem.count * problem.gradient(theta), memory


class Locked(ro.Integrator):
    """Cannot be copied."""

    def __init__(self):
        self.lock = threading.Lock()

    def step(self, problem, theta, h, memory):
        return theta - h * problem.natural_gradient(theta), memory


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (Filled(), "moved[0] = theta[0] - h * v[0]"),
        (Scaled(), "the number of samples is not known"),
        (Locked(), "cannot be copied"),
    ],
    ids=["filled", "scaled", "locked"],
)
def test_what_only_numbers_can_do_runs_as_it_stands(gamma, rule, why):
    settings = {"start": [1.0, 1.0], "step_size": 0.1, "steps": 3}
    compiled, plain = (
        ro.minimize(case.likelihood([0.5, 1.0]), rule, **settings) for case in (gamma.numba, gamma.numpy)
    )
    assert not compiled.compiled and why in compiled.obstacle
    np.testing.assert_allclose(compiled.points, plain.points, rtol=1e-12)
