"""Facts about the elementary scalar functions, against mpmath."""

import importlib.util
import math
from types import FunctionType, ModuleType

import mpmath
import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riemopt.kernels.functions import scalar

numbers = st.floats(min_value=-1e3, max_value=1e3)
BOUND = 5e-16


def compiled_copy() -> ModuleType:
    """A copy of the module of its own, each of whose functions is rebound to its compiled version, as a target does."""
    spec = importlib.util.spec_from_file_location("scalar_compiled", scalar.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in list(vars(module).items()):
        if isinstance(value, FunctionType):
            setattr(module, name, numba.njit(error_model="numpy")(value))
    return module


TARGETS = {"python": scalar, "numba": compiled_copy()}
target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@target
@given(a=numbers, b=numbers)
def test_logaddexp_is_the_logarithm_of_the_sum_of_exponentials(target: ModuleType, a: float, b: float) -> None:
    with mpmath.workdps(40):
        expected = mpmath.log(mpmath.exp(mpmath.mpf(a)) + mpmath.exp(mpmath.mpf(b)))
        # relative to the terms: the sum of max(a, b) and of at most log 2 may cancel
        assert abs(target.logaddexp(a, b) - expected) <= BOUND * (max(abs(a), abs(b)) + 1)


@target
@given(a=numbers)
def test_logaddexp_of_nothing_added_is_the_number(target: ModuleType, a: float) -> None:
    assert target.logaddexp(a, -math.inf) == a
    assert target.logaddexp(-math.inf, a) == a
    assert target.logaddexp(a, a - 800.0) == a


@target
def test_logaddexp_of_infinities_and_of_what_overflows(target: ModuleType) -> None:
    big = 1.7e308
    assert target.logaddexp(-math.inf, -math.inf) == -math.inf
    assert target.logaddexp(big, -big) == big
    assert target.logaddexp(-big, -big) == -big
    for other in (0.0, -math.inf, math.inf, big):
        assert target.logaddexp(math.inf, other) == target.logaddexp(other, math.inf) == math.inf
    for other in (0.0, -math.inf, math.inf, math.nan):
        assert math.isnan(target.logaddexp(math.nan, other))
        assert math.isnan(target.logaddexp(other, math.nan))


@target
@given(x=st.floats(min_value=-700, max_value=700))
def test_expit_is_the_logistic_function(target: ModuleType, x: float) -> None:
    with mpmath.workdps(40):
        expected = 1 / (1 + mpmath.exp(-mpmath.mpf(x)))
        assert abs(target.expit(x) / expected - 1) <= BOUND


@target
def test_expit_far_out_is_zero_or_one(target: ModuleType) -> None:
    assert target.expit(1e308) == target.expit(math.inf) == 1.0
    assert target.expit(-1e308) == target.expit(-math.inf) == 0.0
    assert target.expit(0.0) == 0.5
    assert math.isnan(target.expit(math.nan))
