"""Slopes: what a power law gives, and what noise may not give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riemopt.experiments.convergence import Convergence

STEP_SIZES = 1.0 / np.array(sorted(first * 2**k for first in (4, 5, 6, 7) for k in range(6)))


def curve(distances, noise=1e-15):
    return Convergence(STEP_SIZES, np.asarray(distances), np.full(len(STEP_SIZES), noise))


@given(st.floats(1.0, 8.0), st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
def test_a_power_law_has_its_power_for_a_slope(power, size, correction):
    found = curve(10.0**size * STEP_SIZES**power * (1.0 + 0.3 * correction * STEP_SIZES))
    assert found.slope == pytest.approx(power, abs=0.03)
    assert found.uncertainty < 0.2


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_noise_does_not_change_the_slope(seed, power):
    noise = 1e-12 * np.random.default_rng(seed).uniform(0.0, 1.0, len(STEP_SIZES))
    found = curve(STEP_SIZES**power + noise, noise=1e-12)
    assert found.slope == pytest.approx(power, abs=0.1)
    assert found.distances[found.fitted].min() > 30e-12


def test_what_is_noise_everywhere_has_no_slope():
    found = curve(np.random.default_rng(0).uniform(0.0, 1e-14, len(STEP_SIZES)))
    assert found.is_noise
    assert found.slope == np.inf
    assert not found.fitted.any()
    assert np.isnan(found.range).all()


def test_two_points_above_the_noise_are_no_slope():
    distances = np.full(len(STEP_SIZES), 1e-15)
    distances[:2] = 1e-3, 1e-4
    found = curve(distances)
    assert np.isnan(found.slope)
    assert not found.is_noise


def test_runs_that_failed_are_left_out():
    distances = STEP_SIZES**2
    distances[:10] = np.nan
    found = curve(distances)
    assert found.slope == pytest.approx(2.0, abs=1e-9)
    assert not found.usable[:10].any()
    assert not curve(np.full(len(STEP_SIZES), np.nan)).is_noise


def test_coarse_steps_where_another_law_holds_are_left_out():
    distances = np.where(STEP_SIZES > 0.02, 1e-3, 1e-3 * (STEP_SIZES / 0.02) ** 3)
    found = curve(distances)
    assert found.slope == pytest.approx(3.0, abs=0.1)
    assert found.range[1] < 0.025


def test_a_curve_that_is_no_power_yet_admits_it():
    found = curve(np.abs(STEP_SIZES**2 - STEP_SIZES / 150.0))
    assert found.uncertainty > 0.1
