"""The damping rule on its own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro

POSITIVE = st.floats(1e-6, 1e6)


def test_defaults_are_those_of_hessian_free_optimization():
    rule = ro.LevenbergMarquardt()
    assert (rule.initial, rule.increase, rule.decrease, rule.low, rule.high) == (45.0, 3 / 2, 2 / 3, 0.25, 0.75)


@given(POSITIVE, st.floats())
def test_damping_grows_with_failure_and_shrinks_with_success(damping, ratio):
    following = ro.LevenbergMarquardt().next(damping, ratio)
    if math.isnan(ratio) or ratio < 0.25:
        assert following == 1.5 * damping
    else:
        assert following == (damping if ratio <= 0.75 else damping * (2 / 3))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("initial", 0.0), ("initial", math.inf), ("initial", math.nan), ("increase", 1.0)],
        *[("decrease", 0.0), ("decrease", 1.5), ("low", 0.8), ("high", math.nan)],
    ],
)
def test_a_damping_rule_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(ro.errors.ArgumentError, match=name):
        ro.LevenbergMarquardt(**{name: value})
