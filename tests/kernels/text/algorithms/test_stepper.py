"""The stepper with a method of its own, in plain Python."""

import math

import numpy as np
import pytest

from riemopt.kernels.text.algorithms import stepper
from riemopt.numerics.ode import MAXIMAL_STEPS
from riemopt.status import Status


def solve(field, y, duration, tolerance=1e-8, limit=None):
    """By Heun's method; its error is measured by Euler's, and is larger than that of order eight."""

    def trial(y, k0, d, h, p, rtol, atol):
        middle = tuple(a + d * k for a, k in zip(y, k0, strict=True))
        status, k1 = field(middle, p)
        end = tuple(a + d / 2 * (u + v) for a, u, v in zip(y, k0, k1, strict=True))
        error = max(abs(d / 2 * (v - u)) for u, v in zip(k0, k1, strict=True)) ** 2 / tolerance + 1e-30
        return status, end, error

    def square_sum(v, y, rtol, atol):
        return sum(a * a for a in v) / tolerance**2

    def change_sum(v, u, y, rtol, atol):
        return sum((a - b) ** 2 for a, b in zip(v, u, strict=True)) / tolerance**2

    def choose(condition, a, b):
        return a if condition else b

    def first_stage(y, d, k0):
        return tuple(a + d * k for a, k in zip(y, k0, strict=True))

    def begin(*state):
        return stepper.begin(field, square_sum, change_sum, first_stage, 1.0, float(len(y)), *state)

    def advance(*state):
        return stepper.advance(field, limit, limit is not None, trial, choose, *state)

    def end(*state):
        return stepper.end(choose, len(y), *state)

    return stepper.solution(begin, advance, end, y, (), duration, tolerance, tolerance)


def circle(y, p):
    return 0.0, (y[1], -y[0])


@pytest.mark.parametrize("duration", [0.0, 1.0, -2.0])
def test_oscillator_turns_for_either_sign_of_the_duration(duration):
    # a division of NumPy's numbers by zero is infinite, as in compiled text
    with np.errstate(all="ignore"):
        status, (*end, reached) = solve(circle, (1.0, 0.0), np.float64(duration))
    assert status == 0 and reached == duration
    assert end == pytest.approx([math.cos(duration), -math.sin(duration)], abs=1e-4)


def test_field_that_refuses_tells_its_own_reason_and_when():
    def falling(y, p):
        return (0.0 if y[0] > 0 else float(Status.SINGULAR_METRIC)), (-1.0,)

    status, (end, reached) = solve(falling, (1.0,), 2.0)
    assert status == Status.SINGULAR_METRIC and math.isnan(end) and reached == pytest.approx(1.0, abs=1e-6)


def test_start_that_is_refused_is_no_solution():
    status, (end, reached) = solve(lambda y, p: (float(Status.LEFT_DOMAIN), (math.nan,)), (1.0,), 1.0)
    assert status == Status.LEFT_DOMAIN and math.isnan(end) and reached == 0.0


def test_steps_are_limited_in_number_and_by_the_approach_to_an_edge():
    steps = 0

    def limit(y, p):
        nonlocal steps
        steps += 1
        return 20.0, 0.0

    def constant(y, p):
        return 0.0, (1.0,)

    assert solve(constant, (0.0,), 1.0, limit=limit) == (0.0, (pytest.approx(1.0), 1.0))
    assert 20 <= steps <= 40
    status, _ = solve(constant, (0.0,), 1.0, limit=lambda y, p: (2.0 * MAXIMAL_STEPS, 0.0))
    assert status == Status.DIVERGED
