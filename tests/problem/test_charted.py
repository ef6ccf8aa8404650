"""Facts about problems seen in another chart by the laws of transformation."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import DomainError, ShapeError, UnsupportedError
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.problem import ChartedProblem, Problem

GAMMA = ro.models.Gamma()
SAMPLES = GAMMA.sample([20.0, 20.0], 100, rng=0)
a, b = sp.symbols("a b", positive=True)
POINT, VECTOR, OTHER = np.array([1.5, 0.7]), np.array([0.2, -0.1]), np.array([-0.3, 0.4])


@cache
def model(name: str) -> ro.StatisticalModel:
    if name == "in closed form":
        alpha, beta = GAMMA.parameters
        return GAMMA.reparametrize({alpha: a**2, beta: 1 / b}, parameters=(a, b))
    return GAMMA.mean_chart()


@cache
def likelihood(name: str | None = None) -> ro.LikelihoodProblem:
    return ro.Manifold(model(name) if name else GAMMA, backend="numpy").likelihood(SAMPLES)


def by_hand() -> ro.OperatorProblem:
    """The likelihood as products that a user might give."""
    known = likelihood()
    return ro.OperatorProblem(known.loss, known.gradient, known.lower_index, known.connection)


def seen(name: str = "in closed form", problem: Problem | None = None) -> ChartedProblem:
    return ChartedProblem(problem or likelihood(), model(name).chart)


PRIMITIVES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "loss": ("loss", (), {}),
    "gradient": ("gradient", (), {}),
    "natural gradient": ("natural_gradient", (), {}),
    "raise_index": ("raise_index", (OTHER,), {}),
    "lower_index": ("lower_index", (OTHER,), {}),
    **{f"connection of a = {k}": ("connection", (VECTOR,), {"a": k}) for k in (0.0, 1.0, -1.0)},
    **{f"acceleration of a = {k}": ("acceleration", (VECTOR,), {"a": k}) for k in (0.0, 1.0, -1.0)},
    **{f"exp of a = {k}": ("exp", (VECTOR,), {"a": k}) for k in (0.0, 1.0, -1.0)},
    "series": ("exp_series", (VECTOR, 2), {}),
    "transport": ("transport", (VECTOR, OTHER), {}),
    "flow": ("flow", (0.05,), {}),
}


INTEGRATED = ("exp", "transport", "flow")


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_the_laws_of_transformation_give_what_is_derived_in_the_chart(primitive: str) -> None:
    call, arguments, options = PRIMITIVES[primitive]
    derived = getattr(likelihood("in closed form"), call)(POINT, *arguments, **options)
    transformed = getattr(seen(), call)(POINT, *arguments, **options)
    # an integration is compared with another one, each to a relative tolerance of 1e-10
    np.testing.assert_allclose(transformed, derived, rtol=1e-8 if call in INTEGRATED else 1e-12)


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if PRIMITIVES[p][0] not in INTEGRATED])
def test_a_chart_found_by_newtons_method_transforms_too(primitive: str) -> None:
    call, arguments, options = PRIMITIVES[primitive]
    point = model("mean chart").chart.from_original([2.0, 4.0])
    given = [0.1 * x if np.ndim(x) else x for x in arguments]
    derived = getattr(likelihood("mean chart"), call)(point, *given, **options)
    transformed = getattr(seen("mean chart"), call)(point, *given, **options)
    np.testing.assert_allclose(transformed, derived, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if not p.endswith(("= 1.0", "= -1.0"))])
def test_products_given_by_hand_are_transformed_too(primitive: str) -> None:
    call, arguments, options = PRIMITIVES[primitive]
    options = {key: value for key, value in options.items() if value}
    ours = getattr(seen(problem=by_hand()), call)(POINT, *arguments, **options)
    theirs = getattr(likelihood("in closed form"), call)(POINT, *arguments, **options)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)


BY_PRODUCTS = ("gd", "ng", "mid", "geo", "geof", "geo-exact", "ng-exact", "rk4", "mid-exact")
CASES = [*((likelihood, key) for key in (*BY_PRODUCTS, "mirror", "mirror-dual")), *((by_hand, k) for k in BY_PRODUCTS)]


@pytest.mark.parametrize(("problem", "key"), CASES)
def test_integrators_move_as_in_the_chart_itself(problem: Any, key: str) -> None:
    exact = key.endswith("-exact")
    arguments = {"start": [1.2, 0.8], "step_size": 0.01 if key == "gd" else 0.2, "steps": 1 if exact else 3}
    ours = ro.minimize(seen(problem=problem()), key, **arguments)
    theirs = ro.minimize(likelihood("in closed form"), key, **arguments)
    assert ours.status is theirs.status is ro.Status.COMPLETED
    np.testing.assert_allclose(ours.points, theirs.points, rtol=1e-8)
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-8)


@pytest.mark.parametrize("key", ["geo-exact", "ng-exact"])
def test_exact_methods_integrated_in_two_charts_end_at_one_point(key: str) -> None:
    problem, chart = by_hand(), model("in closed form").chart
    start = np.array([1.2, 0.8])
    there = ro.minimize(ChartedProblem(problem, chart), key, start, 0.2, 2)
    here = ro.minimize(problem, key, chart.to_original(start), 0.2, 2)
    np.testing.assert_allclose(chart.to_original(there.points), here.points, rtol=1e-8)


# -- the domain


def test_a_point_is_inside_where_both_domains_say_so() -> None:
    small = Domain.of((a, b), extra=[a < 2])
    alpha, beta = GAMMA.parameters
    chart = Chart((alpha, beta), (a, b), (a**2, 1 / b), GAMMA.domain, small)
    problem = ChartedProblem(likelihood(), chart)
    inside = [problem.contains(point) for point in ([1.0, 1.0], [3.0, 1.0], [-1.0, 1.0], [np.nan, 1.0])]
    assert inside == [True, False, False, False]
    # (-1)² would be a shape, but -1 is no point of the chart
    assert np.isnan(problem.loss([-1.0, 1.0])) and np.isnan(problem.gradient([-1.0, 1.0])).all()
    with pytest.raises(DomainError, match=r"start.*a = 3.*a < 2"):
        problem.require_inside([[1.0, 1.0], [3.0, 1.0]], "start")


def test_a_point_whose_image_lies_outside_is_refused_in_the_original_coordinates() -> None:
    class Left(ro.OperatorProblem):
        def contains(self, theta: Any) -> bool:
            return bool(theta[0] < 1)

        def require_inside(self, points: Any, what: str) -> None:
            if np.any(points[..., 0] >= 1):
                raise DomainError(f"{what}: not left of 1")

    x, y = sp.symbols("x y", real=True)
    chart = Chart.of(Domain.of([x]), {x: 2 * y}, [y])
    problem = ChartedProblem(Left(loss=lambda x: x @ x, gradient=lambda x: 2 * x), chart)
    assert problem.contains([0.4]) and not problem.contains([0.6])
    with pytest.raises(DomainError, match="start in the original coordinates: not left of 1"):
        ro.minimize(problem, "gd", [0.6], 0.1, 1)


@pytest.mark.parametrize(("key", "h"), [("ng", 5.0), ("mid", 5.0), ("mid", 50.0), ("geo", 20.0)])
def test_trajectories_end_for_the_same_reason_as_in_the_chart_itself(key: str, h: float) -> None:
    ours = ro.minimize(seen(), key, [1.2, 0.8], h, 3)
    theirs = ro.minimize(likelihood("in closed form"), key, [1.2, 0.8], h, 3)
    assert ours.status is theirs.status is not ro.Status.COMPLETED


@pytest.mark.parametrize("key", ["ng", "mid", "geo", "geof", "geo-exact", "ng-exact"])
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"fisher_product": lambda x, v: np.array([1.0, -1.0]) * v}, ro.Status.SINGULAR_METRIC),
        ({"fisher_product": lambda x, v: v * np.inf}, ro.Status.NON_FINITE),
        ({"gradient": lambda x: x * np.nan}, ro.Status.NON_FINITE),
    ],
    ids=["indefinite", "infinite", "no gradient"],
)
def test_the_reason_for_an_end_is_that_of_the_original_problem(changed: Any, status: ro.Status, key: str) -> None:
    x, y, u, v = sp.symbols("x y u v", real=True)
    chart = Chart.of(Domain.of([x, y]), {x: u + v, y: u - v}, [u, v])
    functions = {
        "loss": lambda x: x @ x,
        "gradient": lambda x: 2 * x,
        "fisher_product": lambda x, v: v,
        "connection": lambda x, v: 0 * v,
    }
    problem = ChartedProblem(ro.OperatorProblem(**{**functions, **changed}), chart)
    assert ro.minimize(problem, key, [1.0, 0.5], 0.5, 3).status is status


def test_where_the_jacobian_is_singular_there_is_no_natural_gradient() -> None:
    x, y = sp.symbols("x y", real=True)
    chart = Chart((x,), (y,), (y**3,), Domain.of([x]), Domain.of([y]), validate=False)
    problem = ChartedProblem(ro.OperatorProblem(lambda x: x @ x, lambda x: 2 * x + 1, lambda x, v: v), chart)
    assert np.isnan(problem.natural_gradient([0.0])).all()
    assert ro.minimize(problem, "ng", [0.0], 0.5, 1).status is ro.Status.SINGULAR_METRIC


# -- what is offered, and to whom


def test_it_offers_what_the_transformed_primitives_allow() -> None:
    basic = {"loss", "gradient", "raise_index", "lower_index"}
    assert seen().offers == basic | {"connection", "exp", "transport", "flow"}
    without = ro.OperatorProblem(likelihood().loss, likelihood().gradient, likelihood().lower_index)
    assert seen(problem=without).offers == basic | {"flow"}
    only = ro.OperatorProblem(likelihood().loss, likelihood().gradient)
    assert seen(problem=only).offers == {"loss", "gradient"}

    class Unlowered(Problem):
        offers = frozenset({"loss", "gradient", "raise_index", "connection"})

    assert seen(problem=Unlowered()).offers == {"loss", "gradient", "raise_index", "flow"}
    with pytest.raises(
        UnsupportedError, match=r"'connection', which ChartedProblem does not offer; .* gd, ng, ng-exact, mid$"
    ):
        ro.minimize(seen(problem=Unlowered()), "geo", [1.0, 1.0], 0.5, 1)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="a problem of dimension 1 needs as many coordinates"):
        ChartedProblem(
            ro.Manifold(ro.models.Exponential(), backend="numpy").likelihood([1.0]), model("in closed form").chart
        )
    with pytest.raises(ShapeError, match=r"ChartedProblem takes one point at a time, of shape \(n,\), not \(3, 2\)"):
        seen().gradient(np.ones((3, 2)))
    with pytest.raises(ShapeError, match=r"the covector is an array of shape \(3,\), at a point of shape \(2,\)"):
        seen().raise_index(POINT, np.ones(3))
    with pytest.raises(ShapeError, match="must have length 2"):
        seen().loss(np.ones(3))
    elsewhere = ro.OperatorProblem(lambda x: 0.0, lambda x: x)
    elsewhere.arrays = sp
    with pytest.raises(UnsupportedError, match="ChartedProblem works on NumPy arrays, not those of sympy"):
        seen(problem=elsewhere)


def test_single_precision_is_computed_in_double() -> None:
    single = seen().gradient(POINT.astype(np.float32))
    assert single.dtype == np.float64
    assert seen(problem=by_hand()).exp(POINT.astype(np.float32), VECTOR).dtype == np.float64
