"""Facts about the scalar special functions, against mpmath and against the laws they obey."""

import importlib.util
import math
from collections.abc import Callable, Iterable
from functools import cache
from types import FunctionType, ModuleType

import mpmath
import numba
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from riemopt.kernels.functions import scalar, special
from riemopt.kernels.graph.lowering import Graph, Program
from riemopt.kernels.graph.remainder import PolygammaRemainder, leading_terms
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Target

ORDERS = range(7)
ROOT = 1.4616321449683622  # of digamma, rounded to a double
BRANCH = 4.0  # where digamma changes its formula
BOUND = 2e-15  # every docstring promises less than this

TARGETS = ["python", "numba"]

positive = st.floats(min_value=1e-6, max_value=1e8)


def function(module: ModuleType, order: int) -> Callable[[float], float]:
    return getattr(module, f"polygamma_{order}" if order else "digamma")


def compiled_copy() -> ModuleType:
    """A copy of the module of its own, each of whose functions is rebound to its compiled version, as a target does."""
    spec = importlib.util.spec_from_file_location("special_compiled", special.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in list(vars(module).items()):
        if isinstance(value, FunctionType):
            setattr(module, name, numba.njit(error_model="numpy")(value))
    return module


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest) -> ModuleType:
    return special if request.param == "python" else compiled_copy()


@cache
def psi(order: int, x: float) -> mpmath.mpf:
    """psi_order by mpmath at 35 digits, once for all targets."""
    with mpmath.workdps(35):
        return mpmath.psi(order, mpmath.mpf(x))


def worst_relative_error(f: Callable[[float], float], order: int, points: Iterable[float]) -> tuple[float, float]:
    """The largest relative error of f as psi_order over the points, against mpmath at 35 digits, and where it is."""
    with mpmath.workdps(35):
        return max((float(abs(f(x) / psi(order, x) - 1)), x) for x in map(float, points))


@pytest.mark.parametrize("order", ORDERS)
def test_agrees_with_mpmath_from_1e_minus_6_to_1e8(target: ModuleType, order: int) -> None:
    points = np.concatenate([np.geomspace(1e-6, 1e8, 700), np.linspace(0.05, 12, 240), [1.0, 2.0, 0.5, 100.0]])
    error, x = worst_relative_error(function(target, order), order, points)
    assert error < BOUND, x


def test_digamma_keeps_its_relative_accuracy_at_its_root(target: ModuleType) -> None:
    steps = np.geomspace(2.0**-52, 0.5, 150)
    points = [ROOT, *(ROOT + steps), *(ROOT - steps)]
    error, x = worst_relative_error(target.digamma, 0, points)
    assert error < BOUND, x


def test_digamma_is_accurate_on_both_sides_of_its_change_of_formula(target: ModuleType) -> None:
    steps = np.geomspace(2.0**-50, 0.5, 80)
    points = [math.nextafter(BRANCH, 0), BRANCH, *(BRANCH + steps), *(BRANCH - steps)]
    error, x = worst_relative_error(target.digamma, 0, points)
    assert error < BOUND, x


@pytest.mark.parametrize("order", ORDERS)
def test_is_accurate_beyond_the_domain_promised_while_the_value_is_a_normal_double(
    target: ModuleType, order: int
) -> None:
    points = np.concatenate([np.geomspace(1e-40, 1e-6, 60), np.geomspace(1e8, 1e40, 60)])
    error, x = worst_relative_error(function(target, order), order, points)
    assert error < BOUND, x


@pytest.mark.parametrize("order", ORDERS)
@given(x=positive)
def test_unit_steps_obey_the_recurrence(order: int, x: float) -> None:
    # psi_n(x+1) = psi_n(x) + (-1)^n n!/x^(n+1), DLMF 5.5.2 and 5.15.5
    f = function(special, order)
    step = (-1) ** order * math.factorial(order) / x ** (order + 1)
    assert f(x + 1) == pytest.approx(f(x) + step, rel=0, abs=1e-14 * (abs(f(x)) + abs(step)))


@pytest.mark.parametrize("order", ORDERS)
@given(x=positive)
def test_doubling_obeys_the_multiplication_formula(order: int, x: float) -> None:
    # psi(2x) = (psi(x) + psi(x+1/2))/2 + log 2 and psi_n(2x) = (psi_n(x) + psi_n(x+1/2))/2^(n+1), DLMF 5.5.8, 5.15.7
    f = function(special, order)
    halves = [f(x) / 2 ** (order + 1), f(x + 0.5) / 2 ** (order + 1), 0.0 if order else math.log(2)]
    assert f(2 * x) == pytest.approx(sum(halves), rel=0, abs=1e-14 * sum(map(abs, halves)))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("x", [0.0, -0.0, -5e-324, -0.5, -1.0, -7.25, -1e300, -math.inf, math.nan])
def test_outside_the_domain_the_value_is_nan(target: ModuleType, order: int, x: float) -> None:
    assert math.isnan(function(target, order)(x))


def test_digamma_of_infinity_is_infinity(target: ModuleType) -> None:
    assert target.digamma(math.inf) == math.inf


@pytest.mark.parametrize("order", ORDERS[1:])
def test_polygamma_of_infinity_is_zero_with_the_sign_of_the_function(target: ModuleType, order: int) -> None:
    value = function(target, order)(math.inf)
    assert value == 0.0
    assert math.copysign(1.0, value) == (-1) ** (order + 1)


@pytest.mark.parametrize("order", ORDERS)
def test_a_value_too_large_for_a_double_is_an_infinity_and_nothing_raises(target: ModuleType, order: int) -> None:
    expected = (-1) ** (order + 1) * math.inf
    assert function(target, order)(5e-324) == expected
    if order:
        assert function(target, order)(1e-160) == expected


@pytest.mark.parametrize("order", ORDERS[1:])
def test_a_value_too_small_for_a_double_is_a_zero_and_nothing_raises(target: ModuleType, order: int) -> None:
    x = 1.7e308
    assert function(target, order)(x) == pytest.approx(1 / x if order == 1 else 0.0, rel=1e-14, abs=0.0)


def test_digamma_of_the_largest_doubles_is_the_logarithm(target: ModuleType) -> None:
    for x in (1e155, 1e300, 1.7e308):
        assert target.digamma(x) == pytest.approx(math.log(x), rel=1e-15)


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
def test_remainder_agrees_with_mpmath_from_1e_minus_6_to_1e8(target: ModuleType, order: int) -> None:
    f = getattr(target, f"polygamma_remainder_{order}")
    error, x = worst_remainder_error(map(f, PROMISED.tolist()), order, PROMISED)
    assert error < BOUND, x


@pytest.mark.parametrize("order", ORDERS[1:])
def test_remainder_is_accurate_while_it_is_a_normal_double(target: ModuleType, order: int) -> None:
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
    assert special.polygamma_remainder_1(x) == pytest.approx(special.polygamma_remainder_1(x + 1) + step, rel=5e-15)


@pytest.mark.parametrize("order", ORDERS[1:])
@given(x=positive)
def test_leading_terms_and_remainder_make_the_polygamma(order: int, x: float) -> None:
    leading = math.factorial(order - 1) / x**order + math.factorial(order) / (2 * x ** (order + 1))
    whole = (-1) ** (order + 1) * leading + getattr(special, f"polygamma_remainder_{order}")(x)
    assert whole == pytest.approx(function(special, order)(x), rel=5e-15)


@pytest.mark.parametrize("order", ORDERS[1:])
def test_remainder_at_the_ends_of_its_domain_is_as_the_polygamma(target: ModuleType, order: int) -> None:
    f, sign = getattr(target, f"polygamma_remainder_{order}"), (-1) ** (order + 1)
    for x in (math.inf, 1.7e308):
        assert f(x) == 0.0
        assert math.copysign(1.0, f(x)) == sign
    assert f(5e-324) == f(1e-160) == sign * math.inf
    assert all(math.isnan(f(x)) for x in (0.0, -0.0, -5e-324, -0.5, -7.25, -math.inf, math.nan))


@pytest.mark.parametrize("order", ORDERS[1:6])
def test_derivative_of_a_remainder_is_the_next_one(order: int) -> None:
    graph = Graph()
    x = graph.input("x")
    (slope,) = graph.tangents([graph.call(f"polygamma_remainder_{order}", x)], {x: graph.constant(1.0)})
    assert slope is graph.call(f"polygamma_remainder_{order + 1}", x)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("order", ORDERS[1:])
def test_symbolic_remainder_has_the_values_the_derivative_and_the_form_of_a_polygamma(order: int, count: int) -> None:
    x = sp.Symbol("x", positive=True)
    e = PolygammaRemainder(order, x, count)
    assert sp.polygamma(order, x) == sp.expand(e.rewrite(sp.polygamma) + leading_terms(order, x, count))
    assert e.diff(x) == PolygammaRemainder(order + 1, x, count)
    graph = Graph()
    node = graph.input("x")
    run = NumpyTarget().pointwise(Program((node,), (graph.lower(e, {x: node}),)), [1], 0)
    for point in (0.003, 1.0, 37.5, 1e6):
        second = (-1) ** order * mpmath.factorial(order) / (2 * mpmath.mpf(point) ** (order + 1))
        expected = remainder(order, point) - (second if count == 1 else 0)
        assert float(e.evalf(subs={x: point})) == pytest.approx(float(expected), rel=1e-15)
        assert run(np.array([[point]]), np.empty(0))[0, 0] == pytest.approx(float(expected), rel=BOUND)


BESSEL_BOUND = 1.5e-15  # the docstring promises less
BESSEL_ORDERS = range(9)


@cache
def scaled_bessel_i(n: int, x: float) -> mpmath.mpf:
    with mpmath.workdps(35):
        return mpmath.besseli(n, mpmath.mpf(x)) * mpmath.exp(-abs(mpmath.mpf(x)))


def worst_bessel_error(f: Callable[[float, float], float], n: int, points: Iterable[float]) -> tuple[float, float]:
    """The largest relative error of f as exp(-|x|) I_n over the points, against mpmath at 35 digits, and its place."""
    with mpmath.workdps(35):
        return max((float(abs(f(float(n), x) / scaled_bessel_i(n, x) - 1)), x) for x in map(float, points))


@pytest.mark.parametrize("n", BESSEL_ORDERS)
def test_bessel_agrees_with_mpmath_from_1e_minus_12_to_1e6(target: ModuleType, n: int) -> None:
    points = np.concatenate([np.geomspace(1e-12, 1e6, 300), np.linspace(0.1, 60, 200)])
    error, x = worst_bessel_error(target.scaled_bessel_i, n, [*points, *-points[::7]])
    assert error < BESSEL_BOUND, x


@pytest.mark.parametrize("n", BESSEL_ORDERS)
@pytest.mark.parametrize("change", [4.0, 25.0, 32.0])
def test_bessel_is_accurate_on_both_sides_of_its_changes_of_formula(target: ModuleType, n: int, change: float) -> None:
    steps = np.geomspace(2.0**-48, 0.5, 12)
    points = [math.nextafter(change, 0), change, *(change + steps), *(change - steps)]
    error, x = worst_bessel_error(target.scaled_bessel_i, n, points)
    assert error < BESSEL_BOUND, x


@pytest.mark.parametrize("n", [20, 100, 500])
def test_bessel_of_a_large_order_is_accurate_where_it_is_a_normal_double(target: ModuleType, n: int) -> None:
    points = [x for x in np.geomspace(1e-3, 1e6, 100) if scaled_bessel_i(n, float(x)) > 1e-290]
    error, x = worst_bessel_error(target.scaled_bessel_i, n, points)
    assert error < 3e-14, x


@pytest.mark.parametrize("n", BESSEL_ORDERS[1:])
@given(x=st.floats(min_value=1e-6, max_value=1e6))
def test_bessel_obeys_the_recurrence(n: int, x: float) -> None:
    # I_(n-1)(x) - I_(n+1)(x) = (2n/x) I_n(x), DLMF 10.29.1
    below, here, above = (special.scaled_bessel_i(float(m), x) for m in (n - 1, n, n + 1))
    assert above + 2 * n / x * here == pytest.approx(below, rel=5e-15)


@given(x=st.floats(min_value=-50, max_value=50))
def test_bessel_generates_the_exponential(x: float) -> None:
    # I_0(x) + 2 (I_1(x) + I_2(x) + ...) = exp(x), DLMF 10.35.5
    total = special.scaled_bessel_i(0.0, x) + 2 * sum(special.scaled_bessel_i(float(n), x) for n in range(1, 120))
    assert total == pytest.approx(math.exp(x - abs(x)), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("x", [5e-324, 1e-3, 3.0, 12.0, 80.0, 1e9, math.inf])
def test_bessel_of_an_odd_order_is_odd_and_of_an_even_order_even(target: ModuleType, x: float) -> None:
    for n in BESSEL_ORDERS:
        assert target.scaled_bessel_i(float(n), -x) == (-1) ** n * target.scaled_bessel_i(float(n), x)


def test_bessel_at_zero_is_one_for_the_order_zero_and_zero_for_the_others(target: ModuleType) -> None:
    assert [target.scaled_bessel_i(float(n), 0.0) for n in BESSEL_ORDERS] == [1.0] + 8 * [0.0]


def test_bessel_far_out_is_that_of_a_normal_density(target: ModuleType) -> None:
    for n in (0.0, 3.0):
        assert target.scaled_bessel_i(n, 1e300) == pytest.approx(1 / math.sqrt(2 * math.pi) * 1e-150, rel=1e-15)
        assert target.scaled_bessel_i(n, math.inf) == 0.0


@pytest.mark.parametrize(
    ("n", "x"), [(-1.0, 1.0), (0.5, 1.0), (math.nan, 1.0), (math.inf, 1.0), (0.0, math.nan), (2.0, math.nan)]
)
def test_bessel_of_no_order_or_of_nan_is_nan(target: ModuleType, n: float, x: float) -> None:
    assert math.isnan(target.scaled_bessel_i(n, x))


def test_the_module_holds_nothing_but_its_functions_and_what_targets_rebind() -> None:
    # Any other global would have to be frozen into compiled code.
    held = {name: value for name, value in vars(special).items() if name.isidentifier() and name[:2] != "__"}
    assert math.isnan(held.pop("nan"))
    for name in ("exp", "log", "sqrt"):
        assert held.pop(name) is getattr(math, name)
    for name in ("every", "select"):
        assert held.pop(name) is getattr(scalar, name)
    assert all(isinstance(value, FunctionType) for value in held.values())
    assert sorted(special.__all__) == sorted(name for name in held if not name.startswith("_"))
