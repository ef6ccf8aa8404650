"""The state of a run: whoever has it can go on where the run was."""

import dataclasses
import math

import numpy as np
import pytest

import riemopt as ro
from riemopt.optimize.driver import drive
from riemopt.optimize.state import State
from riemopt.optimize.stepping import FixedStep
from riemopt.optimize.watched import WatchedProblem


def test_a_new_state_knows_its_point_only():
    state = State(np.ones(2))
    assert math.isnan(state.loss) and state.iteration == 0 and state.damping == 0.0 and state.seconds == 0.0
    assert state.memory is state.units is state.stopping is None and state.warm_starts == ()


def test_a_state_is_not_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        State(np.ones(2)).iteration = 1


@pytest.mark.parametrize("key", ["ng", "geof", "mid"])
def test_two_halves_of_a_run_are_the_run(poisson, key):
    def driven(state, steps):
        watched, rule = WatchedProblem(poisson), ro.integrators.by_name(key)
        return drive(watched, FixedStep(rule, 0.1), state, steps=steps)[0]

    whole = driven(State(np.array([9.0])), 6)
    half = driven(State(np.array([9.0])), 3)
    again = driven(half, 6)
    assert half.iteration == 3 and again.iteration == whole.iteration == 6
    np.testing.assert_array_equal(again.theta, whole.theta)
