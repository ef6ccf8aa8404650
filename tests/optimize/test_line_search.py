"""The line search on its own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro


def test_defaults_are_those_of_hessian_free_optimization():
    search = ro.Backtracking()
    assert (search.rate, search.factor, search.fraction, search.max_reductions) == (1.0, 0.8, 1e-2, 60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("rate", 0.0), ("factor", 1.0), ("factor", math.nan)],
        *[("fraction", 0.0), ("max_reductions", -1), ("max_reductions", 1.5)],
    ],
)
def test_a_line_search_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(ro.errors.ArgumentError, match=name):
        ro.Backtracking(**{name: value})


@given(st.floats(0.1, 1e3), st.floats(0.1, 0.8))
def test_the_first_rate_at_which_a_parabola_falls_enough(bend, factor):
    def along(rate):
        return -rate + bend * rate**2

    rate, loss = ro.Backtracking(factor=factor, fraction=0.25)(along, loss=0.0, slope=-1.0)
    assert loss == along(rate) <= -0.25 * rate
    assert rate == 1.0 or along(rate / factor) > -0.25 * rate / factor


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_not_low_enough(bad):
    assert ro.Backtracking(factor=0.5)(lambda t: bad if t > 0.3 else -t, 0.0, -1.0) == (0.25, -0.25)


def test_a_search_that_finds_nothing_stays():
    tried = []
    assert ro.Backtracking(max_reductions=3)(lambda t: tried.append(t) or 1.0, 1.0, -1.0) == (0.0, 1.0)
    assert len(tried) == 4
