"""One differential equation on arrays: solutions that are known, and reasons where there is none."""

import math

import numpy as np
import pytest

from riemopt.numerics.ode import MAXIMAL_STEPS, integrate
from riemopt.status import Status


@pytest.mark.parametrize("duration", [0.5, -2.0, 7.0])
def test_oscillator_turns_for_either_sign_of_the_duration(duration):
    status, end, reached = integrate(lambda y: np.array([y[1], -y[0]]), np.array([1.0, 0.0]), duration, 1e-12, 1e-14)
    assert status is Status.COMPLETED and reached == duration
    np.testing.assert_allclose(end, [math.cos(duration), -math.sin(duration)], atol=1e-11)


def test_solution_that_ends_early_says_when():
    status, end, reached = integrate(lambda y: y * y, np.array([1.0]), 2.0, 1e-10, 1e-12)
    assert status is Status.LEFT_DOMAIN and np.isnan(end).all() and reached == pytest.approx(1.0, abs=1e-6)


@pytest.mark.slow
def test_steps_are_no_longer_than_the_horizon_and_their_number_is_limited():
    assert integrate(lambda y: 0 * y, np.ones(1), 1.0, 1e-6, 1e-6, horizon=lambda y: 0.1)[0] is Status.COMPLETED
    short = 0.5 / MAXIMAL_STEPS
    assert integrate(lambda y: 0 * y, np.ones(1), 1.0, 1e-6, 1e-6, horizon=lambda y: short)[0] is Status.DIVERGED


def test_precision_of_the_end_is_that_of_the_start():
    assert integrate(lambda y: -y, np.ones(2, dtype=np.float32), 1.0, 1e-10, 1e-12)[1].dtype == np.float32
