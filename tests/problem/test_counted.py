"""Facts about problems that count what is asked of them."""

from typing import Any

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import DomainError, UnsupportedError
from riemopt.problem import PRIMITIVES, ChartedProblem, CountedProblem, Problem

GAMMA = ro.models.Gamma()
PROBLEM = ro.Manifold(GAMMA, backend="numpy").likelihood(GAMMA.sample([20.0, 20.0], 100, rng=0))
POINT, VECTOR, OTHER = np.array([2.0, 1.5]), np.array([0.2, -0.1]), np.array([-0.3, 0.4])
STEPS = 5


@pytest.mark.parametrize(
    ("key", "gradients", "solves", "connections"),
    [
        ("gd", STEPS, 0, 0),
        ("ng", STEPS, STEPS, 0),
        ("mid", 2 * STEPS, 2 * STEPS, 0),
        ("geo", STEPS, 2 * STEPS, STEPS),
        ("geof", STEPS + 1, STEPS + 1, STEPS),  # one more for the step before the first
    ],
)
def test_an_integrator_costs_what_its_rule_says(key: str, gradients: int, solves: int, connections: int) -> None:
    problem = CountedProblem(PROBLEM)
    assert ro.minimize(problem, key, [1.0, 1.0], 0.1, STEPS).success
    expected = {"loss": STEPS + 1, "gradient": gradients, "raise_index": solves, "connection": connections}
    assert dict(problem.calls) == {name: count for name, count in expected.items() if count}


@pytest.mark.parametrize(("key", "source"), [("geo-exact", "connection"), ("ng-exact", "gradient")])
def test_exact_integrations_count_every_solve_on_the_way(key: str, source: str) -> None:
    problem = CountedProblem(PROBLEM)
    assert ro.minimize(problem, key, [1.0, 1.0], 0.1, 1).success
    assert problem.calls["raise_index"] > 12  # a step of the method of order 8 has as many stages
    coarse = CountedProblem(PROBLEM, rtol=1e-3)
    ro.minimize(coarse, key, [1.0, 1.0], 0.1, 1)
    assert 1 < coarse.calls["raise_index"] < problem.calls["raise_index"]
    assert 1 < coarse.calls[source] < problem.calls[source]


@pytest.mark.parametrize(
    ("model", "key", "expected"),
    [
        (ro.models.Normal(), "geo-exact", {"exp": STEPS}),
        (ro.models.Normal(), "mirror", {"exp": STEPS}),
        (ro.models.Normal(), "mid-exact", {"exp": 2 * STEPS, "transport": 2 * STEPS}),
        (GAMMA, "mirror-dual", {"exp": STEPS}),
    ],
)
def test_geodesics_in_closed_form_cost_no_solve(model: Any, key: str, expected: dict[str, int]) -> None:
    own = ro.Manifold(model, backend="numpy").likelihood(model.sample([2.0, 1.0], 100, rng=0))
    problem = CountedProblem(own)
    end = ro.minimize(problem, key, [2.0, 2.0], 0.1, STEPS).x
    evaluations = 2 * STEPS if key == "mid-exact" else STEPS
    expected |= {"loss": STEPS + 1, "gradient": evaluations, "raise_index": evaluations}
    assert problem.calls == expected
    np.testing.assert_array_equal(end, ro.minimize(own, key, [2.0, 2.0], 0.1, STEPS).x)


def test_what_is_no_closed_form_is_said_to_be_none() -> None:
    assert not PROBLEM.has_closed_form("exp") and not PROBLEM.has_closed_form("transport")
    assert PROBLEM.has_closed_form("exp", 1.0) and not PROBLEM.has_closed_form("exp", 0.5)
    assert not PROBLEM.has_closed_form("flow") and not PROBLEM.has_closed_form("exp_series")
    assert not ChartedProblem(PROBLEM, GAMMA.chart).has_closed_form("exp", 1.0)


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("loss", (), {"loss": 1}),
        ("gradient", (), {"gradient": 1}),
        ("natural_gradient", (), {"gradient": 1, "raise_index": 1}),
        ("raise_index", (OTHER,), {"raise_index": 1}),
        ("lower_index", (OTHER,), {"lower_index": 1}),
        ("connection", (VECTOR, 1.0), {"connection": 1}),
        ("connection", (VECTOR,), {"connection": 1}),
        ("acceleration", (VECTOR, -1.0), {"connection": 1, "raise_index": 1}),
        ("exp_series", (VECTOR, 1), {}),
        ("exp_series", (VECTOR, 2), {"connection": 1, "raise_index": 1}),
        ("exp_series", (VECTOR, 4), {"connection": 3, "raise_index": 3}),
    ],
)
def test_a_primitive_is_counted_and_its_value_unchanged(call: str, arguments: Any, expected: dict[str, int]) -> None:
    problem = CountedProblem(PROBLEM)
    np.testing.assert_array_equal(getattr(problem, call)(POINT, *arguments), getattr(PROBLEM, call)(POINT, *arguments))
    assert +problem.calls == expected


@pytest.mark.parametrize(
    ("call", "arguments"),
    [("exp", (VECTOR,)), ("exp", (VECTOR, -1.0)), ("transport", (VECTOR, OTHER)), ("flow", (0.3,))],
)
def test_an_integration_gives_what_the_problem_gives(call: str, arguments: Any) -> None:
    ours, theirs = (getattr(problem, call)(POINT, *arguments) for problem in (CountedProblem(PROBLEM), PROBLEM))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)


@pytest.mark.parametrize("key", ro.integrators.names())
def test_counting_changes_no_trajectory(key: str) -> None:
    arguments = {"start": [[1.0, 1.0], [2.0, 1.0]], "step_size": 0.1, "steps": 2, "tolerance": 1e-9}
    counted, plain = (ro.minimize(problem, key, **arguments) for problem in (CountedProblem(PROBLEM), PROBLEM))
    np.testing.assert_array_equal(counted.status, plain.status)
    np.testing.assert_allclose(counted.points, plain.points, rtol=1e-8 if key.endswith("exact") else 1e-12)


def test_in_another_chart_a_connection_costs_a_product_with_the_metric_too() -> None:
    problem = CountedProblem(PROBLEM)
    ro.minimize(ChartedProblem(problem, GAMMA.chart), "geo", [1.0, 1.0], 0.1, STEPS)
    assert problem.calls.pop("loss") == STEPS + 1
    assert problem.calls.pop("raise_index") == 2 * STEPS
    assert problem.calls == dict.fromkeys(("gradient", "connection", "lower_index"), STEPS)


def test_counts_can_be_cleared() -> None:
    problem = CountedProblem(PROBLEM)
    problem.gradient(POINT)
    problem.calls.clear()
    assert problem.calls["gradient"] == 0


def test_finding_out_why_a_trajectory_ended_is_not_counted() -> None:
    functions = {"loss": lambda x: x @ x, "gradient": lambda x: 2 * x, "fisher_product": lambda x, v: -v}
    problem = CountedProblem(ro.OperatorProblem(**functions))
    assert ro.minimize(problem, "ng", [1.0, 1.0], 0.1, 3).status is ro.Status.SINGULAR_METRIC
    assert problem.calls == {"loss": 1, "gradient": 1, "raise_index": 1}


def test_the_domain_is_that_of_the_problem() -> None:
    problem = CountedProblem(PROBLEM)
    assert problem.contains(POINT) and not problem.contains(-POINT)
    with pytest.raises(DomainError, match=r"start.*alpha = -1"):
        ro.minimize(problem, "ng", [-1.0, 1.0], 0.1, 1)
    assert ro.minimize(problem, "ng", [100.0, 1.0], 5.0, 1).status is ro.Status.LEFT_DOMAIN


def test_it_offers_what_the_problem_does_and_what_can_be_integrated() -> None:
    assert CountedProblem(PROBLEM).offers == frozenset(PRIMITIVES)

    class Closed(Problem):
        """Without a connection, but with an exponential map: there is nothing to be counted on its way."""

        offers = frozenset({"loss", "gradient", "raise_index", "exp"})

    assert CountedProblem(Closed()).offers == {"loss", "gradient", "raise_index", "flow"}
    elsewhere = Closed()
    elsewhere.arrays = np.ma
    with pytest.raises(UnsupportedError, match=r"CountedProblem works on NumPy arrays, not those of numpy\.ma"):
        CountedProblem(elsewhere)


def test_it_computes_in_the_precision_and_dimension_of_the_problem() -> None:
    problem = CountedProblem(PROBLEM)
    assert (problem.dimension, problem.dtype) == (2, np.float64)
    assert problem.exp(POINT.astype(np.float32), VECTOR).dtype == np.float64
    assert CountedProblem(ro.OperatorProblem(lambda x: 0.0, lambda x: x)).dtype is None
