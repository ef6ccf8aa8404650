"""Changes of coordinates, their inverses, and what they do to vectors and covectors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from riemopt.errors import ModelError, ShapeError
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from tests.models.chart.cases import CHARTS, CLOSED, GAMMA, NUMERIC, a, alpha, b, beta, x, y

each_chart = pytest.mark.parametrize("chart", CHARTS, indirect=True)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def chart(request: pytest.FixtureRequest) -> Chart:
    return CHARTS[request.param]


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


@pytest.mark.parametrize("points", [1.0, [1.0], np.ones((4, 3))])
def test_a_wrong_last_axis_is_refused(points) -> None:
    chart = CLOSED["beta = 1/b"]
    for method in (chart.to_original, chart.from_original, chart.jacobian):
        with pytest.raises(ShapeError, match="must have length 2"):
            method(points)
    for move in (chart.push_forward, chart.pull_back_covectors, chart.second_derivative):
        with pytest.raises(ShapeError, match="must have length 2"):
            move([1.0, 1.0], points)


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
def test_the_second_derivative_is_the_change_of_vectors_pushed_forward_along_themselves(chart: Chart) -> None:
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


def test_the_inverse_of_a_fold_is_a_chart_on_one_side() -> None:
    fold = {alpha: (x - 1) ** 2, beta: b}
    for side, sign in ((x > 1, 1), (x < 1, -1)):
        domain = Domain.of((x, b), [side])
        chart = Chart((alpha, beta), (x, b), tuple(fold.values()), GAMMA, domain)
        np.testing.assert_allclose(chart.from_original([4.0, 1.0]), [1 + sign * 2.0, 1.0])


def test_the_parameters_of_the_domains_are_checked() -> None:
    with pytest.raises(ModelError, match="are not those of the chart"):
        Chart((alpha, beta), (a, b), (a, b), GAMMA, GAMMA)


@pytest.mark.parametrize("power", [2, 3, 100, sp.Rational(1, 3), -1, -2])
def test_powers_of_a_positive_coordinate_are_charts(power) -> None:
    chart = Chart.of(GAMMA, {alpha: a, beta: b**power}, (a, b))
    targets = GAMMA.interior_points(20)
    np.testing.assert_allclose(chart.to_original(chart.from_original(targets)), targets, rtol=1e-12)


def test_coordinate_may_be_called_like_a_function():
    old, new = sp.Symbol("rate", positive=True), sp.Symbol("gamma", positive=True)
    chart = Chart.of(Domain.of([old]), {old: sp.gamma(new + 2)}, [new])
    np.testing.assert_allclose(chart.from_original(chart.to_original([1.5])), [1.5], rtol=1e-12)


def test_points_that_are_no_array_of_numbers_are_refused():
    domain = Domain.of([sp.Symbol("rate", positive=True)])
    with pytest.raises(ShapeError, match="points is not an array of numbers"):
        domain.contains([[1.0], [2.0, 3.0]])
