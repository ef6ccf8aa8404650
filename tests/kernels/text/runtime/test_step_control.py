"""Step control: what Hairer, Nørsett and Wanner write of it."""

import math

import pytest

from riemopt.kernels.text.runtime.step_control import add_pairs, ended, error_norm, first_guess, first_step, resize


def test_step_of_an_error_that_is_just_good_enough_becomes_a_little_shorter():
    assert resize(1.0) == 0.75
    # the eighth root of the error, within bounds
    assert resize(2.0**8) == pytest.approx(0.375) and resize(2.0**-8) == pytest.approx(1.5)
    assert resize(1e30) == 0.333 and resize(1e-30) == 6.0


def test_error_is_nothing_where_both_estimates_are():
    assert error_norm((1e-200, 0.0), 0.1, 2.0) == pytest.approx(0.0)
    # without the third-order estimate it is h |e_5|, for four steps
    assert error_norm((2.0 * 0.09, 0.0), 0.1, 2.0) == pytest.approx(4 * 0.1 * 0.3)


def test_first_steps_are_finite_whatever_the_start():
    assert first_guess(2.0, 2.0, 2.0) == 0.01
    assert first_guess(0.0, 1.0, 1.0) == first_guess(1.0, math.inf, 1.0) == 1e-6
    assert first_step(0.01, 1e-40, 1e-40, 1.0) == pytest.approx(1e-5)
    assert first_step(0.01, 1.0, 1e-30, 1.0) == pytest.approx(0.01 ** (1 / 8))
    assert first_step(0.01, math.nan, 0.0, 1.0) == 0.01


def test_solutions_end_when_their_outcome_is_a_status():
    assert ended(0.0) and ended(2.0) and not ended(-1.0)
    assert add_pairs((1.0, 2.0), (3.0, 4.0)) == (4.0, 6.0)
