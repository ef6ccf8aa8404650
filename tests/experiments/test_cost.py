"""Facts about what accuracy costs: hand counts where the flow is known in closed form, and honest gaps elsewhere."""

import csv
from typing import Any

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError
from riemopt.experiments import Cost, CostResult, Subject, cost_of_accuracy

MEAN, START, TIME = 4.0, 1.0, 1.0
WANTED = (1e-1, 1e-2, 1e-3)


class Poisson(ro.Problem):
    """By hand: in the rate λ the natural gradient is λ - 4, and the flow 4 - 3 exp(-t)."""

    offers = frozenset({"loss", "gradient", "raise_index", "lower_index", "connection", "exp", "flow"})

    def loss(self, theta: Any) -> Any:
        return float((theta - MEAN * np.log(theta))[0])

    def gradient(self, theta: Any) -> Any:
        return 1 - MEAN / theta

    def raise_index(self, theta: Any, covector: Any) -> Any:
        return theta * covector

    def lower_index(self, theta: Any, vector: Any) -> Any:
        return vector / theta

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        return -(vector**2) / (2 * theta**2)

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        return (np.sqrt(theta) + vector / (2 * np.sqrt(theta))) ** 2

    def flow(self, theta: Any, time: Any) -> Any:
        return MEAN + (theta - MEAN) * np.exp(-time)

    def contains(self, theta: Any) -> bool:
        return bool(theta[0] > 0)


def poisson(integrators: Any, wanted: Any = WANTED, **options: Any) -> CostResult:
    return cost_of_accuracy(
        Poisson(), wanted=wanted, integrators=integrators, **{"start": [START], "time": TIME} | options
    )


def by_hand(factor: Any, wanted: float) -> int:
    """The steps of a method that multiplies λ - 4 by a factor of h; lengths are those of 2√λ."""
    flow = MEAN + (START - MEAN) * np.exp(-TIME)
    for k in range(1, 10_000):
        reached = MEAN + (START - MEAN) * factor(TIME / k) ** k
        if abs(2 * np.sqrt(reached) - 2 * np.sqrt(flow)) <= wanted:
            return k
    raise AssertionError


def test_the_natural_gradient_takes_the_steps_of_its_formula_and_one_solve_each() -> None:
    result = poisson(["ng"])
    steps = [by_hand(lambda h: 1 - h, wanted) for wanted in WANTED]
    np.testing.assert_array_equal(result.steps["Poisson"]["ng"], steps)
    np.testing.assert_array_equal(result.solves["Poisson"]["ng"], steps)


def test_the_midpoint_takes_the_steps_of_its_formula_and_two_solves_each() -> None:
    result = poisson(["mid"])
    steps = np.array([by_hand(lambda h: 1 - h + h**2 / 2, wanted) for wanted in WANTED])
    np.testing.assert_array_equal(result.steps["Poisson"]["mid"], steps)
    np.testing.assert_array_equal(result.solves["Poisson"]["mid"], 2 * steps)


@pytest.mark.slow
def test_what_counts_ends_within_the_distance_and_twice_as_many_steps_do() -> None:
    for costs in poisson(["ng", "geo", "rk4", "ng-exact", "ng-adaptive"]).costs["Poisson"].values():
        assert all(cost.achieved <= wanted for cost, wanted in zip(costs, WANTED, strict=True))


def test_a_correction_costs_connections_too() -> None:
    for cost in poisson(["geo"]).costs["Poisson"]["geo"]:
        assert (cost.solves, cost.gradients, cost.connections) == (2 * cost.steps, cost.steps, cost.steps)


def test_a_step_along_a_geodesic_in_closed_form_costs_one_solve() -> None:
    result = cost_of_accuracy(
        ro.models.Poisson(),
        [3, 4, 5],
        start=[START],
        wanted=[0.1],
        integrators=["mirror", "mirror-dual", "geo-exact"],
        backend="numpy",
    )
    for (cost,) in result.costs["Poisson"].values():
        assert cost.solves == cost.steps == cost.gradients and cost.connections == 0


@pytest.mark.slow
def test_a_geodesic_that_is_integrated_costs_the_solves_of_its_integration() -> None:
    gamma = ro.models.Gamma()
    samples = gamma.sample([20.0, 20.0], 100, rng=0)
    result = cost_of_accuracy(
        gamma, samples, start=[2.0, 1.0], wanted=[0.3], integrators=["geo-exact"], backend="numpy"
    )
    (cost,) = result.costs["Gamma"]["geo-exact"]
    assert cost.solves > 10 * cost.steps and cost.connections == cost.solves - cost.steps


def test_an_adaptive_flow_takes_one_step_of_many_solves() -> None:
    (costs,) = poisson(["ng-adaptive"]).costs["Poisson"].values()
    assert all(cost.steps == 1.0 and cost.solves == cost.gradients > 1 for cost in costs)
    assert costs[0].solves < costs[-1].solves < 20


@pytest.mark.parametrize("key", ["ng", "mid", "geo"])
@pytest.mark.slow_for("geo")
def test_extrapolated_numbers_agree_with_measured_ones(key: str) -> None:
    options: Any = {"integrators": [key], "wanted": [1e-5 if key == "mid" else 1e-3]}
    (measured,) = poisson(**options).costs["Poisson"][key]
    (guessed,) = poisson(**options, most_steps=int(measured.steps) // 4).costs["Poisson"][key]
    assert guessed.extrapolated and not measured.extrapolated
    assert np.isnan(guessed.achieved) and guessed.text.startswith("~")
    np.testing.assert_allclose(guessed[:4], measured[:4], rtol=0.01)


def test_a_method_that_goes_elsewhere_has_no_cost() -> None:
    (cost,) = poisson(["gd"], wanted=[1e-3], most_steps=64).costs["Poisson"]["gd"]
    assert np.isnan(cost[:5]).all() and not cost.extrapolated
    assert cost.text == "–"


def test_steps_that_leave_the_domain_do_not_count() -> None:
    (cost,) = poisson(["ng"], start=[20.0], time=3.0, wanted=[100.0]).costs["Poisson"]["ng"]
    assert cost.steps == 3  # one or two of them end below 0


def test_a_single_pass_through_zero_does_not_count() -> None:
    class Dipping(ro.Integrator):
        """The midpoint method, but for a lucky step size."""

        needs = ("gradient", "raise_index", "flow")
        traceable = False

        def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> Any:
            if h == TIME / 2:
                return problem.flow(theta, h), memory
            return theta - h * problem.natural_gradient(theta), memory

    (cost,) = poisson({"dipping": Dipping()}, wanted=[1e-2]).costs["Poisson"]["dipping"]
    assert cost.steps == by_hand(lambda h: 1 - h, 1e-2) > 2


@pytest.mark.slow
def test_several_subjects_are_studied_at_once_and_the_fewest_solves_are_marked(tmp_path: Any) -> None:
    subjects = [Subject.of(Poisson(), start=[start], name=f"from {start}") for start in (1.0, 9.0)]
    result = cost_of_accuracy(subjects, wanted=[1e-4, 1e-1], integrators=["ng", "gd", "rk4"], most_steps=64)
    assert list(result.subjects) == ["from 1.0", "from 9.0"] and result.wanted == (1e-1, 1e-4)
    for rows in result.costs.values():
        assert rows["ng"][1].extrapolated and np.isnan(rows["gd"][1].solves)
    text = str(result.table())
    rk4 = [line.split() for line in text.splitlines() if line.startswith("rk4")]
    assert all(row[2] == f"{result.solves[name]['rk4'][1]:.0f}*" for row, name in zip(rk4, result.costs, strict=True))
    assert "from 9.0 to the time 1" in text

    files = result.save(tmp_path / "new")
    assert [file.name for file in files] == ["cost.png", "cost.svg", "costs.csv"]
    assert all(file.stat().st_size > 100 for file in files)
    with open(files[-1], encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 2 and set(rows[0]) == {"subject", "integrator", "wanted", *Cost._fields}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"wanted": []}, "wanted must be finite"),
        ({"wanted": [0.0]}, "wanted must be finite"),
        ({"most_steps": 2}, "most_steps must be"),
        ({"start": None}, "needs a start"),
    ],
)
def test_what_makes_no_sense_is_refused(options: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        poisson(["ng"], **options)


def test_a_problem_without_a_flow_or_lengths_is_refused() -> None:
    functions: Any = {"loss": lambda x: x @ x, "gradient": lambda x: 2 * x}
    with pytest.raises(ArgumentError, match="without the metric's product"):
        cost_of_accuracy(ro.OperatorProblem(**functions), start=[1.0])

    class WithoutSolves(ro.Problem):
        offers = frozenset({"gradient", "lower_index"})

        def gradient(self, theta: Any) -> Any:
            return theta

    with pytest.raises(ArgumentError, match="without a natural gradient flow"):
        cost_of_accuracy(WithoutSolves(), start=[1.0], integrators=["gd"])


def test_a_flow_that_ends_early_is_told() -> None:
    class Ending(Poisson):
        def flow(self, theta: Any, time: Any) -> Any:
            return np.nan * theta

    with pytest.raises(ArgumentError, match="Ending: the natural gradient flow does not reach the time 1"):
        cost_of_accuracy(Ending(), start=[START], integrators=["ng"])
