"""Facts about the polygammas and their remainders, against mpmath and against the laws they obey.

The digamma function is the polygamma of order 0.
"""

import math
from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from riemopt.kernels.functions.digamma import digamma
from riemopt.kernels.functions.polygamma import MEMBERS, source
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Target
from tests.kernels.functions.psi import BOUND, worst_relative_error

ORDERS = range(7)
WRITTEN = SimpleNamespace(digamma=digamma, **MEMBERS)

TEXT: dict[str, Callable[[float], float]] = {}
exec(source(), TEXT)

positive = st.floats(min_value=1e-6, max_value=1e8)


def function(functions: SimpleNamespace, order: int) -> Callable[[float], float]:
    return getattr(functions, f"polygamma_{order}" if order else "digamma")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.slow_for("4", "5")
def test_agrees_with_mpmath_from_1e_minus_6_to_1e8(target: SimpleNamespace, order: int) -> None:
    points = np.concatenate([np.geomspace(1e-6, 1e8, 700), np.linspace(0.05, 12, 240), [1.0, 2.0, 0.5, 100.0]])
    error, x = worst_relative_error(function(target, order), order, points)
    assert error < BOUND, x


@pytest.mark.parametrize("order", ORDERS)
def test_is_accurate_beyond_the_domain_promised_while_the_value_is_a_normal_double(
    target: SimpleNamespace, order: int
) -> None:
    points = np.concatenate([np.geomspace(1e-40, 1e-6, 60), np.geomspace(1e8, 1e40, 60)])
    error, x = worst_relative_error(function(target, order), order, points)
    assert error < BOUND, x


@pytest.mark.parametrize("order", ORDERS)
@given(x=positive)
def test_unit_steps_obey_the_recurrence(order: int, x: float) -> None:
    # psi_n(x+1) = psi_n(x) + (-1)^n n!/x^(n+1), DLMF 5.5.2 and 5.15.5
    f = function(WRITTEN, order)
    step = (-1) ** order * math.factorial(order) / x ** (order + 1)
    assert f(x + 1) == pytest.approx(f(x) + step, rel=0, abs=1e-14 * (abs(f(x)) + abs(step)))


@pytest.mark.parametrize("order", ORDERS)
@given(x=positive)
def test_doubling_obeys_the_multiplication_formula(order: int, x: float) -> None:
    # psi(2x) = (psi(x) + psi(x+1/2))/2 + log 2 and psi_n(2x) = (psi_n(x) + psi_n(x+1/2))/2^(n+1), DLMF 5.5.8, 5.15.7
    f = function(WRITTEN, order)
    halves = [f(x) / 2 ** (order + 1), f(x + 0.5) / 2 ** (order + 1), 0.0 if order else math.log(2)]
    assert f(2 * x) == pytest.approx(sum(halves), rel=0, abs=1e-14 * sum(map(abs, halves)))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("x", [0.0, -0.0, -5e-324, -0.5, -1.0, -7.25, -1e300, -math.inf, math.nan])
def test_outside_the_domain_the_value_is_nan(target: SimpleNamespace, order: int, x: float) -> None:
    assert math.isnan(function(target, order)(x))


@pytest.mark.parametrize("order", ORDERS[1:])
def test_polygamma_of_infinity_is_zero_with_the_sign_of_the_function(target: SimpleNamespace, order: int) -> None:
    value = function(target, order)(math.inf)
    assert value == 0.0
    assert math.copysign(1.0, value) == (-1) ** (order + 1)


@pytest.mark.parametrize("order", ORDERS)
def test_a_value_too_large_for_a_double_is_an_infinity_and_nothing_raises(target: SimpleNamespace, order: int) -> None:
    expected = (-1) ** (order + 1) * math.inf
    assert function(target, order)(5e-324) == expected
    if order:
        assert function(target, order)(1e-160) == expected


@pytest.mark.parametrize("order", ORDERS[1:])
def test_a_value_too_small_for_a_double_is_a_zero_and_nothing_raises(target: SimpleNamespace, order: int) -> None:
    x = 1.7e308
    assert function(target, order)(x) == pytest.approx(1 / x if order == 1 else 0.0, rel=1e-14, abs=0.0)


@cache
def remainder(order: int, x: float) -> mpmath.mpf:
    """psi_n less its two leading terms, at digits enough for what cancels."""
    with mpmath.workdps(40 + 2 * max(0, int(math.log10(x)))):
        x = mpmath.mpf(x)
        leading = mpmath.factorial(order - 1) / x**order + mpmath.factorial(order) / (2 * x ** (order + 1))
        return mpmath.psi(order, x) + (-1) ** order * leading


def worst_remainder_error(values: Iterable[float], order: int, points: Iterable[float]) -> tuple[float, float]:
    pairs = zip(map(float, values), map(float, points), strict=True)
    return max((float(abs(value / remainder(order, x) - 1)), x) for value, x in pairs)


PROMISED = np.concatenate([np.geomspace(1e-6, 1e8, 500), np.linspace(0.05, 12, 150), [1.0, 2.0, 0.5, 100.0]])


@pytest.mark.parametrize("order", ORDERS[1:])
@pytest.mark.slow_for("4", "5")
def test_remainder_agrees_with_mpmath_from_1e_minus_6_to_1e8(target: SimpleNamespace, order: int) -> None:
    f = getattr(target, f"polygamma_remainder_{order}")
    error, x = worst_remainder_error(map(f, PROMISED.tolist()), order, PROMISED)
    assert error < BOUND, x


@pytest.mark.parametrize("order", ORDERS[1:])
def test_remainder_is_accurate_while_it_is_a_normal_double(target: SimpleNamespace, order: int) -> None:
    f = getattr(target, f"polygamma_remainder_{order}")
    points = np.concatenate([np.geomspace(1e-40, 1e-6, 40), np.geomspace(1e8, 1e34, 40)])
    error, x = worst_remainder_error(map(f, points.tolist()), order, points)
    assert error < BOUND, x


@pytest.mark.parametrize("order", ORDERS[1:])
@pytest.mark.parametrize("backend", [NumpyTarget, NumbaTarget])
def test_remainder_agrees_with_mpmath_on_both_backends(backend: type[Target], order: int) -> None:
    graph = Graph()
    x = graph.input("x")
    program = Program((x,), (graph.call(f"polygamma_remainder_{order}", x),))
    points = np.concatenate([PROMISED, np.geomspace(1e-30, 1e30, 40)])
    values = backend().pointwise(program, [1], 0)(points[:, None], np.empty(0))[:, 0]
    error, worst = worst_remainder_error(values, order, points)
    assert error < BOUND, worst
    outside = np.array([[0.0], [-0.5], [-3.0], [-math.inf], [math.nan]])
    assert np.isnan(backend().pointwise(program, [1], 0)(outside, np.empty(0))).all()


@given(x=positive)
def test_unit_steps_of_the_remainder_obey_its_recurrence(x: float) -> None:
    # rho_1(x) - rho_1(x+1) = (1/x - 1/(x+1))^2/2, from DLMF 5.15.5
    step = 0.5 / (x * (x + 1)) ** 2
    rho = MEMBERS["polygamma_remainder_1"]
    assert rho(x) == pytest.approx(rho(x + 1) + step, rel=5e-15)


@pytest.mark.parametrize("order", ORDERS[1:])
@given(x=positive)
def test_leading_terms_and_remainder_make_the_polygamma(order: int, x: float) -> None:
    leading = math.factorial(order - 1) / x**order + math.factorial(order) / (2 * x ** (order + 1))
    whole = (-1) ** (order + 1) * leading + MEMBERS[f"polygamma_remainder_{order}"](x)
    assert whole == pytest.approx(function(WRITTEN, order)(x), rel=5e-15)


@pytest.mark.parametrize("order", ORDERS[1:])
def test_remainder_at_the_ends_of_its_domain_is_as_the_polygamma(target: SimpleNamespace, order: int) -> None:
    f, sign = getattr(target, f"polygamma_remainder_{order}"), (-1) ** (order + 1)
    for x in (math.inf, 1.7e308):
        assert f(x) == 0.0
        assert math.copysign(1.0, f(x)) == sign
    assert f(5e-324) == f(1e-160) == sign * math.inf
    assert all(math.isnan(f(x)) for x in (0.0, -0.0, -5e-324, -0.5, -7.25, -math.inf, math.nan))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("polygamma_1", 1.6449340668482264),  # π²/6, DLMF 5.4.12
        ("polygamma_2", -2.4041138063191885),  # -2 ζ(3), DLMF 5.15.2
        ("polygamma_3", 6.493939402266829),  # π⁴/15
        ("polygamma_4", -24.88626612344088),  # -24 ζ(5)
        ("polygamma_5", 122.0811674381339),  # 120 ζ(6)
        ("polygamma_6", -726.0114797149845),  # -720 ζ(7)
        ("polygamma_remainder_1", 0.14493406684822643),  # π²/6 - 3/2
        ("polygamma_remainder_2", -0.4041138063191886),  # 2 - 2 ζ(3)
        ("polygamma_remainder_3", 1.4939394022668293),  # π⁴/15 - 5
        ("polygamma_remainder_4", -6.886266123440879),  # 18 - 24 ζ(5)
        ("polygamma_remainder_5", 38.081167438133896),  # 120 ζ(6) - 84
        ("polygamma_remainder_6", -246.01147971498443),  # 480 - 720 ζ(7)
    ],
)
def test_value_at_one(name: str, value: float) -> None:
    assert MEMBERS[name](1.0) == value


def test_symmetric_sum_of_a_remainder_is_the_derivative_of_the_recurrence() -> None:
    a, b = sp.symbols("a b")
    for order in ORDERS[1:]:
        *outer, total = MEMBERS[f"polygamma_remainder_{order}"].constants["weights"]
        for power, weight in enumerate(reversed(outer), start=1):
            total = weight * (a ** (2 * power) + b ** (2 * power)) + a * b * total
        whole = total if order % 2 else 2 * (a + b) * total
        expected = sum((i + 1) * (order - i) * a ** (order - 1 - i) * b**i for i in range(order))
        assert sp.expand(whole - expected) == 0


@pytest.mark.parametrize("name", MEMBERS)
@given(x=positive)
def test_text_computes_the_same_bits_as_the_formula(name: str, x: float) -> None:
    assert TEXT[name](x) == MEMBERS[name](x)
