"""Changes of coordinates, their inverses, and what they do to vectors and covectors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from riemopt.errors import ExpressionError, ModelError, ShapeError
from riemopt.models.chart import Chart, infer_symbols
from riemopt.models.domain import Domain

alpha, beta, sigma = sp.symbols("alpha beta sigma", positive=True)
a, b = sp.symbols("a b", positive=True)
mu, x, y = sp.symbols("mu x y", real=True)
p = sp.Symbol("p", positive=True)
three = sp.symbols("p:3", positive=True)
logits = sp.symbols("z:3", real=True)

GAMMA = Domain.of((alpha, beta))
NORMAL = Domain.of((mu, sigma))
PROBABILITY = Domain.of((p,), [p < 1])
SIMPLEX = Domain.of(three, [sum(three) < 1])

CLOSED = {
    "identity": Chart.of(GAMMA, {alpha: a, beta: b}, (a, b)),
    "beta = 1/b": Chart.of(GAMMA, {alpha: a, beta: 1 / b}, (a, b)),
    "beta = b**3": Chart.of(GAMMA, {alpha: a, beta: b**3}, (a, b)),
    "squares": Chart.of(GAMMA, {alpha: a**2, beta: b**2}, (a, b)),
    "the same name": Chart.of(GAMMA, {alpha: alpha**2, beta: 1 / beta}, (alpha, beta)),
    "exchanged": Chart.of(GAMMA, {alpha: 1 / b, beta: a}, (a, b)),
    "mean and variance": Chart.of(GAMMA, {alpha: a**2 / b, beta: a / b}, (a, b)),
    "logarithms": Chart.of(GAMMA, {alpha: sp.exp(x + y), beta: sp.exp(x - y)}, (x, y)),
    "shifted": Chart.of(GAMMA, {alpha: x + 1, beta: sp.sinh(b)}, (x, b)),
    "quadratic": Chart.of(GAMMA, {alpha: a + a**2, beta: b * a}, (a, b)),
    "natural": Chart.of(NORMAL, {mu: x / a, sigma: 1 / sp.sqrt(a)}, (x, a)),
    "logit": Chart.of(PROBABILITY, {p: 1 / (1 + sp.exp(-x))}, (x,)),
    "square root": Chart.of(PROBABILITY, {p: a**2}, (a,)),
    "tanh": Chart.of(PROBABILITY, {p: sp.tanh(a)}, (a,)),
    "one branch": Chart((mu,), (x,), ((x - 1) ** 2,), Domain.of((mu,)), Domain.of((x,), [x < 1])),
}
NUMERIC = {
    "quintic": Chart.of(GAMMA, {alpha: a**5 + a, beta: b**3 + b}, (a, b)),
    "softplus twice": Chart.of(GAMMA, {alpha: x + sp.exp(x), beta: sp.exp(y) / (1 + sp.exp(-y))}, (x, y)),
    "trigamma": Chart.of(GAMMA, {alpha: sp.polygamma(1, a), beta: b + a**2 * b**3}, (a, b)),
    "wave": Chart.of(NORMAL, {mu: x + sp.sin(x) / 2, sigma: a}, (x, a)),
    "softmax": Chart.of(
        SIMPLEX, {s: sp.exp(z) / (1 + sum(map(sp.exp, logits))) for s, z in zip(three, logits, strict=True)}, logits
    ),
}
CHARTS = CLOSED | NUMERIC
each_chart = pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
seeds = st.integers(0, 2**32 - 1)


# -- points


@each_chart
@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_going_to_the_original_coordinates_and_back_changes_nothing(chart: Chart, seed: int) -> None:
    points = chart.domain.interior_points(20, seed)
    images = chart.to_original(points)
    kept = chart.original_domain.contains(images)  # far out a saturating chart rounds onto the boundary
    back = chart.from_original(images[kept])
    # what rounding of the image leaves open in the point
    slack = np.abs(np.linalg.inv(chart.jacobian(points[kept]))) @ np.abs(images[kept])[..., None]
    tolerance = 1e-12 * np.abs(points[kept]) + 1e-13 * slack[..., 0] + 1e-13
    assert (np.abs(back - points[kept]) <= tolerance).all()


@each_chart
@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_going_from_the_original_coordinates_and_back_changes_nothing(chart: Chart, seed: int) -> None:
    targets = chart.original_domain.interior_points(20, seed)
    if chart is CLOSED["one branch"]:
        targets = np.abs(targets)
    points = chart.from_original(targets)
    assert chart.domain.contains(points).all()
    np.testing.assert_allclose(chart.to_original(points), targets, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("chart", CLOSED.values(), ids=CLOSED.keys())
def test_the_inverse_is_found_in_closed_form(chart: Chart) -> None:
    inverse = chart.inverse_expressions
    assert inverse is not None
    assert set().union(*(expression.free_symbols for expression in inverse)) <= set(chart.original_parameters)


@pytest.mark.parametrize(
    ("name", "inverse"),
    [
        ("beta = 1/b", (alpha, 1 / beta)),
        ("squares", (sp.sqrt(alpha), sp.sqrt(beta))),
        ("mean and variance", (alpha / beta, alpha / beta**2)),
        ("exchanged", (beta, 1 / alpha)),
        ("one branch", (1 - sp.sqrt(mu),)),
    ],
)
def test_the_closed_form_is_the_one_on_paper(name: str, inverse: tuple[sp.Expr, ...]) -> None:
    assert CLOSED[name].inverse_expressions == inverse


@pytest.mark.parametrize("chart", NUMERIC.values(), ids=NUMERIC.keys())
def test_where_there_is_no_closed_form_the_inverse_is_found_in_numbers(chart: Chart) -> None:
    assert chart.inverse_expressions is None


def test_points_and_original_points_keep_their_leading_axes() -> None:
    chart = NUMERIC["quintic"]
    points = GAMMA.interior_points(12).reshape(3, 1, 4, 2)
    assert chart.to_original(points).shape == (3, 1, 4, 2)
    assert chart.from_original(points).shape == (3, 1, 4, 2)
    assert chart.from_original([1.0, 1.0]).shape == (2,)
    assert chart.from_original(np.empty((0, 2))).shape == (0, 2)


def test_lists_and_integers_are_points_too() -> None:
    np.testing.assert_array_equal(CLOSED["beta = 1/b"].to_original([2, 4]), [2.0, 0.25])


@each_chart
def test_a_target_that_cannot_be_reached_is_nan_and_spoils_no_other(chart: Chart) -> None:
    target = chart.to_original(chart.domain.interior_points(1))[0]
    spoiled = np.tile(target, (4, 1))
    spoiled[0, 0] = np.nan
    spoiled[1, -1] = np.inf
    spoiled[3, 0] = -1.0 if chart is not NUMERIC["wave"] and chart is not CLOSED["natural"] else np.nan
    found = chart.from_original(spoiled)
    assert np.isnan(found[[0, 1, 3]]).all()
    np.testing.assert_allclose(chart.to_original(found[2]), target, rtol=1e-12)


def test_a_target_in_the_domain_but_outside_the_image_is_nan() -> None:
    chart = Chart.of(NORMAL, {mu: sp.exp(x), sigma: a}, (x, a))
    np.testing.assert_array_equal(chart.from_original([[-1.0, 1.0], [1.0, 1.0]]), [[np.nan, np.nan], [0.0, 1.0]])
    same = Chart((mu, sigma), (x, a), (x, a), NORMAL, Domain.of((x, a), [x > 0]))
    assert np.isnan(same.from_original([-1.0, 1.0])).all()


def test_a_point_on_a_closed_boundary_has_a_preimage() -> None:
    s, t = sp.symbols("s t", nonnegative=True)
    chart = Chart.of(Domain.of([s]), {s: 2 * t}, [t])
    np.testing.assert_array_equal(chart.from_original([[0.0], [3.0]]), [[0.0], [1.5]])


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
@pytest.mark.parametrize("name", ["squares", "beta = 1/b", "quadratic", "mean and variance", "quintic", "trigamma"])
def test_the_inverse_holds_for_small_and_large_coordinates(name: str, scale: float) -> None:
    targets = scale * GAMMA.interior_points(50)
    np.testing.assert_allclose(CHARTS[name].to_original(CHARTS[name].from_original(targets)), targets, rtol=1e-11)


@pytest.mark.parametrize("points", [1.0, [1.0], np.ones((4, 3))])
def test_a_wrong_last_axis_is_refused(points) -> None:
    chart = CLOSED["beta = 1/b"]
    for method in (chart.to_original, chart.from_original, chart.jacobian):
        with pytest.raises(ShapeError, match="must have length 2"):
            method(points)
    for move in (chart.push_forward, chart.pull_back_covectors, chart.second_derivative):
        with pytest.raises(ShapeError, match="must have length 2"):
            move([1.0, 1.0], points)


# -- vectors and covectors


@each_chart
@settings(deadline=None, max_examples=10)
@given(seed=seeds)
def test_pushing_forward_is_the_derivative_along_the_vector(chart: Chart, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = chart.domain.interior_points(10, rng, spread=0.5)
    scale = np.minimum(np.abs(points), 1.0)
    vectors = rng.normal(size=points.shape) * scale
    h = 1e-4
    far, near = (chart.to_original(points + k * vectors) - chart.to_original(points - k * vectors) for k in (2 * h, h))
    derivative = (8 * near - far) / (12 * h)
    size = np.abs(chart.to_original(points)) + np.abs(derivative)
    assert (np.abs(chart.push_forward(points, vectors) - derivative) <= 1e-8 * size.max()).all()


@each_chart
def test_a_covector_pulled_back_has_the_same_product_with_a_vector(chart: Chart) -> None:
    rng = np.random.default_rng(0)
    points = chart.domain.interior_points(10, spread=0.5)
    vectors, covectors = rng.normal(size=(2, *points.shape))
    here = (chart.pull_back_covectors(points, covectors) * vectors).sum(axis=-1)
    there = (covectors * chart.push_forward(points, vectors)).sum(axis=-1)
    size = (np.abs(covectors) * np.abs(chart.jacobian(points) * vectors[:, None]).sum(axis=-1)).sum(axis=-1)
    np.testing.assert_array_less(np.abs(here - there), 1e-13 * size)


@each_chart
def test_the_bend_is_the_derivative_of_vectors_pushed_forward_along_themselves(chart: Chart) -> None:
    rng = np.random.default_rng(0)
    points = chart.domain.interior_points(10, rng, spread=0.5)
    vectors = rng.normal(size=points.shape) * np.minimum(np.abs(points), 1.0)

    def change(h: float) -> np.ndarray:
        return chart.push_forward(points + h * vectors, vectors) - chart.push_forward(points - h * vectors, vectors)

    derivative = (8 * change(1e-4) - change(2e-4)) / 12e-4
    size = np.abs(chart.push_forward(points, vectors)) + np.abs(derivative)
    assert (np.abs(chart.second_derivative(points, vectors) - derivative) <= 1e-8 * size.max()).all()


def test_the_jacobian_has_original_coordinates_as_rows() -> None:
    chart = CLOSED["mean and variance"]
    assert chart.jacobian_matrix == sp.Matrix([[2 * a / b, -(a**2) / b**2], [1 / b, -a / b**2]])
    np.testing.assert_allclose(chart.jacobian([1.0, 2.0]), [[1.0, -0.25], [0.5, -0.25]])


def test_points_and_vectors_broadcast() -> None:
    chart = CLOSED["squares"]
    points, vectors = GAMMA.interior_points(3), GAMMA.interior_points(4)[:, None]
    pushed = chart.push_forward(points, vectors)
    assert pushed.shape == (4, 3, 2)
    np.testing.assert_allclose(pushed, 2 * points * vectors)
    assert chart.pull_back_covectors(points, [1.0, 1.0]).shape == (3, 2)
    np.testing.assert_allclose(chart.second_derivative(points, vectors), np.broadcast_to(2 * vectors**2, (4, 3, 2)))
    for move in (chart.push_forward, chart.second_derivative):
        with pytest.raises(ShapeError, match=r"shapes \(3, 2\) and \(4, 2\) do not broadcast"):
            move(np.ones((3, 2)), np.ones((4, 2)))


# -- charts of charts


def test_the_identity_leaves_points_as_they_are() -> None:
    chart = Chart.identity((alpha, beta), GAMMA)
    points = GAMMA.interior_points(5)
    np.testing.assert_array_equal(chart.to_original(points), points)
    np.testing.assert_array_equal(chart.from_original(points), points)
    np.testing.assert_array_equal(chart.push_forward(points, points), points)
    assert np.isnan(chart.from_original([-1.0, 1.0])).all()


def test_a_chart_of_a_chart_leads_to_the_root_coordinates() -> None:
    first = CLOSED["mean and variance"]
    second = Chart.of(first.domain, {a: sp.exp(x), b: sp.exp(y)}, (x, y))
    chart = Chart.identity((alpha, beta), GAMMA).then(first).then(second)
    assert (chart.original_parameters, chart.parameters) == ((alpha, beta), (x, y))
    assert chart.describe() == "alpha = exp(2*x)*exp(-y), beta = exp(x)*exp(-y)"
    points = chart.domain.interior_points(20)
    np.testing.assert_allclose(chart.to_original(points), first.to_original(second.to_original(points)), rtol=1e-12)
    np.testing.assert_allclose(chart.from_original(chart.to_original(points)), points, rtol=1e-12)
    pushed = first.push_forward(second.to_original(points), second.push_forward(points, points))
    np.testing.assert_allclose(chart.push_forward(points, points), pushed, rtol=1e-9)


def test_a_chart_of_a_chart_may_use_the_same_names() -> None:
    chart = CLOSED["the same name"].then(CLOSED["the same name"])
    assert chart.describe() == "alpha = alpha**4, beta = beta"


def test_charts_that_do_not_meet_are_refused() -> None:
    with pytest.raises(ModelError, match="are not the coordinates"):
        CLOSED["squares"].then(CLOSED["squares"])


@pytest.mark.parametrize("clone", [lambda chart: pickle.loads(pickle.dumps(chart)), copy.deepcopy])
def test_a_chart_survives_copying(clone) -> None:
    chart = CLOSED["mean and variance"]
    points = chart.from_original([[1.0, 2.0]])  # compiled, so that there is something that cannot be pickled
    assert clone(chart) == chart
    np.testing.assert_array_equal(clone(chart).from_original([[1.0, 2.0]]), points)


# -- what is no chart


@pytest.mark.parametrize(
    ("domain", "substitution", "parameters", "message"),
    [
        (GAMMA, {alpha: a}, (a, b), "no expression for the original parameter beta"),
        (GAMMA, {alpha: a, beta: b, mu: b}, (a, b), "mu is not one of the original parameters (alpha, beta)"),
        (GAMMA, {alpha: a, beta: b}, (a, b, x), "2 original parameters need as many coordinates, not 3: a, b, x"),
        (GAMMA, {alpha: a, beta: a}, (a,), "2 original parameters need as many coordinates, not 1: a"),
        (GAMMA, {alpha: a, beta: a**2}, (a, a), "parameter a is named twice"),
        (GAMMA, {alpha: a, beta: b + sigma}, (a, b), "beta = b + sigma: sigma is not one of the parameters (a, b)"),
        (GAMMA, {alpha: a, beta: sp.Symbol("b", real=True) ** 2 + 1}, (a, b), "b is not one of the parameters (a, b)"),
        (GAMMA, {alpha: a, beta: "1/b"}, (a, b), "beta = '1/b' is not a SymPy expression"),
        (GAMMA, {alpha: a, beta: a}, (a, b), "alpha = a, beta = a is not invertible: b appears nowhere"),
        (GAMMA, {alpha: a * b, beta: (a * b) ** 2}, (a, b), "its Jacobian determinant is zero everywhere"),
        (GAMMA, {alpha: (a - 1) ** 2, beta: b}, (a, b), "its Jacobian determinant changes sign at a, b = "),
        (GAMMA, {alpha: sp.sin(x), beta: b}, (x, b), "alpha = sin(x), beta = b is not invertible"),
        (GAMMA, {alpha: x**2, beta: b}, (x, b), "is not invertible"),
        (GAMMA, {alpha: a + b, beta: a * b}, (a, b), "its Jacobian determinant changes sign"),
        (NORMAL, {mu: x**3, sigma: a}, (x, a), "its Jacobian determinant vanishes at x, a = 0, "),
        (NORMAL, {mu: sp.sin(x / 10), sigma: a}, (x, a), "its Jacobian determinant changes sign"),
        (NORMAL, {mu: sp.tan(x), sigma: a}, (x, a), "two points have the same image at x, a = "),
        (NORMAL, {mu: x - 1 / x, sigma: a}, (x, a), "two points have the same image"),
        (GAMMA, {alpha: sp.exp(x) * sp.cos(y), beta: sp.exp(x) * sp.sin(y)}, (x, y), "two points have the same image"),
        (GAMMA, {alpha: -a, beta: b}, (a, b), "never holds"),
        (PROBABILITY, {p: 1 + a}, (a,), "never holds"),
    ],
)
def test_what_is_no_chart_is_refused(domain, substitution, parameters, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        Chart.of(domain, substitution, parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_inverse_of_a_fold_is_a_chart_on_one_side() -> None:
    fold = {alpha: (x - 1) ** 2, beta: b}
    for side, sign in ((x > 1, 1), (x < 1, -1)):
        domain = Domain.of((x, b), [side])
        chart = Chart((alpha, beta), (x, b), tuple(fold.values()), GAMMA, domain)
        np.testing.assert_allclose(chart.from_original([4.0, 1.0]), [1 + sign * 2.0, 1.0])


def test_a_domain_that_misses_the_original_one_is_refused() -> None:
    with pytest.raises(ModelError, match="no point of b > 0, x < 0 maps into the original domain"):
        Chart((alpha, beta), (x, b), (x, b**2), GAMMA, Domain.of((x, b), [x < 0]))


def test_the_parameters_of_the_domains_are_checked() -> None:
    with pytest.raises(ModelError, match="are not those of the chart"):
        Chart((alpha, beta), (a, b), (a, b), GAMMA, GAMMA)


@pytest.mark.parametrize("power", [2, 3, 100, sp.Rational(1, 3), -1, -2])
def test_powers_of_a_positive_coordinate_are_charts(power) -> None:
    chart = Chart.of(GAMMA, {alpha: a, beta: b**power}, (a, b))
    targets = GAMMA.interior_points(20)
    np.testing.assert_allclose(chart.to_original(chart.from_original(targets)), targets, rtol=1e-12)


# -- charts typed as text


@pytest.mark.parametrize(
    ("domain", "texts", "parameters", "described"),
    [
        (GAMMA, {"alpha": "a", "beta": "1/b"}, "a+ b+", "a > 0, b > 0"),
        (GAMMA, {"beta": "1/b"}, "alpha+ b+", "alpha > 0, b > 0"),
        (GAMMA, {"beta": "b**3"}, "alpha+ b+", "alpha > 0, b > 0"),
        (GAMMA, {"alpha": "a**2", "beta": "b**2"}, "a+ b+", "a > 0, b > 0"),
        (GAMMA, {"alpha": "exp(a)", "beta": "exp(b)"}, "a b", ""),
        (GAMMA, {"alpha": "a + 1"}, "a beta+", "beta > 0, a > -1"),
        (GAMMA, {"alpha": "2 - a"}, "a beta+", "beta > 0, a < 2"),
        (GAMMA, {"alpha": "m**2/v", "beta": "m/v"}, "m+ v+", "m > 0, v > 0"),
        (GAMMA, {"alpha": "a", "beta": "a/m"}, "a+ m+", "a > 0, m > 0"),
        (GAMMA, {"alpha": "alpha", "beta": "1/b"}, "alpha+ b+", "alpha > 0, b > 0"),
        (GAMMA, {"alpha": "alpha**2"}, "alpha+ beta+", "alpha > 0, beta > 0"),
        (GAMMA, {"alpha": "log(alpha)"}, "alpha+ beta+", "alpha > 0, beta > 0, log(alpha) > 0"),
        (GAMMA, {"alpha": "beta", "beta": "alpha"}, "beta+ alpha+", "beta > 0, alpha > 0"),
        (GAMMA, {"alpha": "m*beta"}, "m+ beta+", "m > 0, beta > 0"),
        (GAMMA, {"alpha": "exp(s + d)", "beta": "exp(s - d)"}, "s d", ""),
        (GAMMA, {}, "alpha+ beta+", "alpha > 0, beta > 0"),
        (NORMAL, {"mu": "m", "sigma": "exp(s)"}, "m s", ""),
        (NORMAL, {"mu": "m", "sigma": "sqrt(v)"}, "m v+", "v > 0"),
        (NORMAL, {"mu": "m*s", "sigma": "s"}, "m s+", "s > 0"),
        (NORMAL, {"mu": "t/q", "sigma": "1/sqrt(q)"}, "t q+", "q > 0"),
        (NORMAL, {"mu": "-t/(2*u)", "sigma": "sqrt(-1/(2*u))"}, "t u", "sqrt(2)*sqrt(-1/u)/2 > 0"),
        (PROBABILITY, {"p": "1/(1 + exp(-z))"}, "z", None),
        (PROBABILITY, {"p": "q**2"}, "q+", "q > 0, q**2 < 1"),
        (PROBABILITY, {"p": "1 - q"}, "q+", "q > 0, q < 1"),
    ],
)
def test_the_assumptions_of_typed_names_are_found_out(domain, texts, parameters: str, described: str | None) -> None:
    symbols, expressions = infer_symbols(domain.parameters, texts, domain)
    assert " ".join(f"{symbol}{'+' if symbol.is_positive else ''}" for symbol in symbols) == parameters
    assert all(symbol.is_real for symbol in symbols)
    chart = Chart.of(domain, dict(zip(domain.parameters, expressions, strict=True)), symbols)
    assert described in (None, chart.domain.describe())
    targets = domain.interior_points(30, rng=7)
    np.testing.assert_allclose(chart.to_original(chart.from_original(targets)), targets, rtol=1e-11)


def test_coordinates_left_out_keep_their_symbols() -> None:
    symbols, expressions = infer_symbols((alpha, beta), {"beta": "1/b"}, GAMMA)
    assert symbols[0] is alpha
    assert expressions == (alpha, 1 / b)


def test_a_chart_that_covers_only_a_part_is_taken_where_no_other_is_invertible() -> None:
    symbols, _ = infer_symbols((mu, sigma), {"mu": "m**2"}, NORMAL)
    assert symbols[0].is_positive


@pytest.mark.parametrize(
    ("domain", "texts", "error", "message"),
    [
        (GAMMA, {"beta": "(b - 1)**2"}, ModelError, "beta = (b - 1)**2 is not invertible: its Jacobian determinant"),
        (GAMMA, {"alpha": "a", "beta": "sin(b)"}, ModelError, "beta = sin(b) is not invertible"),
        (GAMMA, {"alpha": "a", "beta": "a"}, ModelError, "2 original parameters need as many coordinates, not 1: a"),
        (GAMMA, {"alpha": "a + b"}, ModelError, "2 original parameters need as many coordinates, not 3: a, b, beta"),
        (GAMMA, {"alpha": "1"}, ModelError, "2 original parameters need as many coordinates, not 1: beta"),
        (GAMMA, {"alpha": "a + b", "beta": "a*b"}, ModelError, "alpha = a + b, beta = a*b is not invertible"),
        (GAMMA, {"alpha": "a*b", "beta": "(a*b)**2"}, ModelError, "its Jacobian determinant is zero everywhere"),
        (GAMMA, {"alpha": "-a**2"}, ModelError, "never holds"),
        (GAMMA, {"gamma": "a"}, ModelError, "gamma is not one of the original parameters (alpha, beta)"),
        (GAMMA, {"beta": "sqr(b)"}, ExpressionError, "beta: 'sqr(b)', column 1: unknown function 'sqr'"),
        (GAMMA, {"beta": "__import__('os')"}, ExpressionError, "beta: \"__import__('os')\", column 12: a string"),
        (
            GAMMA,
            {"beta": "sqrt(-1)*b"},
            ExpressionError,
            "beta: 'sqrt(-1)*b', column 1: the value",
        ),
    ],
)
def test_a_typed_chart_that_is_none_is_refused_by_name(domain, texts, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        infer_symbols(domain.parameters, texts, domain)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_coordinate_may_be_called_like_a_function():
    old, new = sp.Symbol("rate", positive=True), sp.Symbol("gamma", positive=True)
    chart = Chart.of(Domain.of([old]), {old: sp.gamma(new + 2)}, [new])
    np.testing.assert_allclose(chart.from_original(chart.to_original([1.5])), [1.5], rtol=1e-12)


def test_points_that_are_no_array_of_numbers_are_refused():
    domain = Domain.of([sp.Symbol("rate", positive=True)])
    with pytest.raises(ShapeError, match="points is not an array of numbers"):
        domain.contains([[1.0], [2.0, 3.0]])
