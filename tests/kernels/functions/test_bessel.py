"""Facts about the scaled Bessel functions, against mpmath and against the laws they obey."""

import math
from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riemopt.kernels.functions import bessel

BESSEL_BOUND = 1.5e-15  # the docstring promises less
BESSEL_ORDERS = range(9)


@cache
def scaled_bessel_i(n: int, x: float) -> mpmath.mpf:
    """Computed once for all targets."""
    with mpmath.workdps(35):
        return mpmath.besseli(n, mpmath.mpf(x)) * mpmath.exp(-abs(mpmath.mpf(x)))


def worst_bessel_error(f: Callable[[float, float], float], n: int, points: Iterable[float]) -> tuple[float, float]:
    """The largest relative error of f as exp(-|x|) I_n over the points, against mpmath at 35 digits, and its place."""
    with mpmath.workdps(35):
        return max((float(abs(f(float(n), x) / scaled_bessel_i(n, x) - 1)), x) for x in map(float, points))


@pytest.mark.parametrize("n", BESSEL_ORDERS)
@pytest.mark.slow_for("4", "5", "6", "7")
def test_bessel_agrees_with_mpmath_from_1e_minus_12_to_1e6(target: SimpleNamespace, n: int) -> None:
    points = np.concatenate([np.geomspace(1e-12, 1e6, 300), np.linspace(0.1, 60, 200)])
    error, x = worst_bessel_error(target.scaled_bessel_i, n, [*points, *-points[::7]])
    assert error < BESSEL_BOUND, x


@pytest.mark.parametrize("n", BESSEL_ORDERS)
@pytest.mark.parametrize("change", [4.0, 25.0, 32.0])
def test_bessel_is_accurate_on_both_sides_of_its_changes_of_formula(
    target: SimpleNamespace, n: int, change: float
) -> None:
    steps = np.geomspace(2.0**-48, 0.5, 12)
    points = [math.nextafter(change, 0), change, *(change + steps), *(change - steps)]
    error, x = worst_bessel_error(target.scaled_bessel_i, n, points)
    assert error < BESSEL_BOUND, x


@pytest.mark.parametrize("n", [20, 100, 500])
def test_bessel_of_a_large_order_is_accurate_where_it_is_a_normal_double(target: SimpleNamespace, n: int) -> None:
    points = [x for x in np.geomspace(1e-3, 1e6, 100) if scaled_bessel_i(n, float(x)) > 1e-290]
    error, x = worst_bessel_error(target.scaled_bessel_i, n, points)
    assert error < 3e-14, x


@pytest.mark.parametrize("n", BESSEL_ORDERS[1:])
@given(x=st.floats(min_value=1e-6, max_value=1e6))
def test_bessel_obeys_the_recurrence(n: int, x: float) -> None:
    # I_(n-1)(x) - I_(n+1)(x) = (2n/x) I_n(x), DLMF 10.29.1
    below, here, above = (bessel.scaled_bessel_i(float(m), x) for m in (n - 1, n, n + 1))
    assert above + 2 * n / x * here == pytest.approx(below, rel=5e-15)


@given(x=st.floats(min_value=-50, max_value=50))
def test_bessel_generates_the_exponential(x: float) -> None:
    # I_0(x) + 2 (I_1(x) + I_2(x) + ...) = exp(x), DLMF 10.35.5
    total = bessel.scaled_bessel_i(0.0, x) + 2 * sum(bessel.scaled_bessel_i(float(n), x) for n in range(1, 120))
    assert total == pytest.approx(math.exp(x - abs(x)), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("x", [5e-324, 1e-3, 3.0, 12.0, 80.0, 1e9, math.inf])
def test_bessel_of_an_odd_order_is_odd_and_of_an_even_order_even(target: SimpleNamespace, x: float) -> None:
    for n in BESSEL_ORDERS:
        assert target.scaled_bessel_i(float(n), -x) == (-1) ** n * target.scaled_bessel_i(float(n), x)


def test_bessel_at_zero_is_one_for_the_order_zero_and_zero_for_the_others(target: SimpleNamespace) -> None:
    assert [target.scaled_bessel_i(float(n), 0.0) for n in BESSEL_ORDERS] == [1.0] + 8 * [0.0]


def test_bessel_far_out_is_that_of_a_normal_density(target: SimpleNamespace) -> None:
    for n in (0.0, 3.0):
        assert target.scaled_bessel_i(n, 1e300) == pytest.approx(1 / math.sqrt(2 * math.pi) * 1e-150, rel=1e-15)
        assert target.scaled_bessel_i(n, math.inf) == 0.0


@pytest.mark.parametrize(
    ("n", "x"), [(-1.0, 1.0), (0.5, 1.0), (math.nan, 1.0), (math.inf, 1.0), (0.0, math.nan), (2.0, math.nan)]
)
def test_bessel_of_no_order_or_of_nan_is_nan(target: SimpleNamespace, n: float, x: float) -> None:
    assert math.isnan(target.scaled_bessel_i(n, x))
