"""The adaptive flow against integrations to 1e-13, SciPy's methods and itself; and what ends it."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

import riemopt as ro
from riemopt.errors import ArgumentError
from riemopt.integrators import AdaptiveFlow
from riemopt.numerics.tableaux import BOGACKI_SHAMPINE, DORMAND_PRINCE_853, TSITOURAS


class Counting(ro.Problem):
    """Another problem, which notes the points at which natural gradients are asked for."""

    def __init__(self, problem, offers=("loss", "gradient", "raise_index", "lower_index")):
        self.problem, self.points, self.offers = problem, [], frozenset(offers)
        self.loss, self.lower_index, self.contains = problem.loss, problem.lower_index, problem.contains

    def natural_gradient(self, theta):
        self.points.append(tuple(theta))
        return self.problem.natural_gradient(theta)


@pytest.fixture(scope="module")
def flows():
    """Problems and starts."""
    rng = np.random.default_rng(0)
    models = ro.models
    cases = {
        "gamma": (models.Gamma(), rng.gamma(20, 1 / 20, 500), [1.0, 1.0]),
        "normal": (models.Normal(), rng.normal(1, 2, 500), [0.0, 1.0]),
        "beta": (models.Beta(), rng.beta(3, 5, 500), [1.0, 1.0]),
    }
    return {
        name: (ro.Manifold(model, backend="numpy").likelihood(samples, rtol=1e-13), np.array(start))
        for name, (model, samples, start) in cases.items()
    }


def distance(problem, point, other):
    error = point - other
    return np.sqrt(error @ problem.lower_index(other, error))


def end(problem, start, time, tolerance, steps=1):
    trajectory = ro.minimize(problem, AdaptiveFlow(tolerance), start, time / steps, steps)
    assert trajectory.success
    return trajectory.x


@pytest.mark.parametrize("time", [0.7, 4.0])
@pytest.mark.parametrize("name", ["gamma", "normal", "beta"])
def test_the_end_is_about_as_far_from_the_flow_as_the_tolerance(flows, name, time):
    problem, start = flows[name]
    reference, tolerances = problem.flow(start, time), 10.0 ** -np.arange(2, 11, 2)
    parts = [distance(problem, end(problem, start, time, t), reference) / t for t in tolerances]
    # one sub-step is the least there is, and may be much better than a coarse tolerance asks for
    assert np.max(parts) < 10 and 1e-3 < np.median(parts) < 3


def test_two_charts_agree_to_the_tolerance(flows):
    problem, start = flows["gamma"]
    gamma, (shape, mean) = ro.models.Gamma(), sp.symbols("k m", positive=True)
    chart = gamma.reparametrize(dict(zip(gamma.parameters, (shape, shape / mean), strict=True)), [shape, mean])
    samples = np.random.default_rng(0).gamma(20, 1 / 20, 500)
    other = ro.Manifold(chart, backend="numpy").likelihood(samples)
    for tolerance in (1e-3, 1e-6, 1e-9):
        k, m = end(other, [start[0], start[0] / start[1]], 2.0, tolerance)
        assert distance(problem, np.array([k, k / m]), end(problem, start, 2.0, tolerance)) < 2 * tolerance


def test_steps_on_the_way_change_neither_the_end_nor_evaluate_twice(flows):
    problem, start = flows["gamma"]
    for tolerance in (1e-3, 1e-6, 1e-9):
        counting = Counting(problem)
        several = end(counting, start, 5.0, tolerance, steps=5)
        assert distance(problem, several, problem.flow(start, 5.0)) < 3 * tolerance
        assert len(set(counting.points)) == len(counting.points)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7])
@pytest.mark.parametrize("name", ["gamma", "normal"])
def test_no_more_evaluations_than_those_of_rk45(flows, name, tolerance):
    problem, start = flows[name]
    reference = problem.flow(start, 1.0)
    counting = Counting(problem)
    error = distance(problem, end(counting, start, 1.0, tolerance), reference)
    counts = []
    for rtol in 10.0 ** -np.arange(1, 10.0):
        result = solve_ivp(lambda _, x: -problem.natural_gradient(x), (0, 1), start, rtol=rtol, atol=rtol)
        if distance(problem, result.y[:, -1], reference) <= error:
            counts.append(result.nfev)
    assert len(counting.points) <= min(counts)


def plane(gradient, **functions):
    return ro.OperatorProblem(
        loss=lambda x: float(x @ x) / 2, gradient=gradient, fisher_product=functions.pop("product", lambda x, v: v)
    )


def test_a_flow_that_leaves_the_domain_ends_with_a_status():
    # the variance falls to 0 at the end of a finite time
    class Leaving(ro.Problem):
        offers = frozenset({"loss", "gradient", "raise_index", "lower_index"})

        def loss(self, x):
            return x[0]

        def gradient(self, x):
            return np.ones(1) if self.contains(x) else np.full(1, np.nan)

        def raise_index(self, x, c):
            return c

        def lower_index(self, x, v):
            return v

        def contains(self, x):
            return bool(x[0] > 0)

    trajectory = ro.minimize(Leaving(), AdaptiveFlow(1e-6), [1.0], step_size=0.4, steps=4)
    assert trajectory.status is ro.Status.LEFT_DOMAIN
    np.testing.assert_allclose(trajectory.points[:3, 0], [1.0, 0.6, 0.2])
    assert np.all(np.isnan(trajectory.points[3:]))


def test_attempts_that_fail_do_not_end_a_trajectory():
    # the flow x' = -10 x of a gradient that is not a number below 0, where long sub-steps look
    def gradient(x):
        return np.where(x > 0, 10 * x, np.nan)

    trajectory = ro.minimize(plane(gradient), AdaptiveFlow(1e-6), [1.0, 2.0], step_size=1.0, steps=2)
    assert trajectory.success
    np.testing.assert_allclose(trajectory.points[1], np.exp(-10) * np.array([1.0, 2.0]), atol=3e-6)


def test_a_number_that_is_not_to_be_had_ends_it():
    problem = plane(lambda x: np.where(x > 1, 1.0, np.nan))
    assert ro.minimize(problem, AdaptiveFlow(), [2.0, 2.0], 2.0, 2).status is ro.Status.NON_FINITE
    problem = plane(lambda x: np.ones(2), product=lambda x, v: np.where(x > 1, v, 0.0))
    assert ro.minimize(problem, AdaptiveFlow(), [2.0, 2.0], 2.0, 2).status is ro.Status.SINGULAR_METRIC


def test_a_flow_at_rest_stays():
    assert np.array_equal(end(plane(lambda x: x), np.zeros(2), 10.0, 1e-6), np.zeros(2))


def test_time_scales_of_any_size_are_met():
    for rate in (1e-3, 1.0, 1e4):
        problem = plane(lambda x, rate=rate: rate * x)
        point = end(problem, np.array([3.0, -4.0]), 2.0 / rate, 1e-7)
        np.testing.assert_allclose(point, np.exp(-2.0) * np.array([3.0, -4.0]), atol=3e-7)


def test_without_the_metric_the_tolerance_is_in_the_chart(flows):
    problem, start = flows["gamma"]
    bare = Counting(problem, offers=("loss", "gradient", "raise_index"))
    assert np.linalg.norm(end(bare, start, 1.0, 1e-6) - problem.flow(start, 1.0)) < 3e-6


@pytest.mark.parametrize(
    "tableau, order, exact", [(BOGACKI_SHAMPINE, 3, 2), (TSITOURAS, 5, 3), (DORMAND_PRINCE_853, 8, 5)]
)
def test_estimates_vanish_up_to_an_order(tableau, order, exact):
    assert tableau.order == order
    # added to the weights, what vanishes up to an order leaves the method of that order, and of no higher one
    for row in tableau.errors[: 2 if exact == 3 else 1]:
        weights = {j: tableau.weights.get(j, 0.0) + row.get(j, 0.0) for j in range(len(tableau.stages) + 1)}
        assert ro.integrators.Tableau(tableau.stages, weights).order == exact


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, np.inf, "1"])
def test_a_tolerance_is_positive(tolerance):
    with pytest.raises(ArgumentError, match="tolerance"):
        AdaptiveFlow(tolerance)


@pytest.mark.parametrize(("samples", "start"), [([1, 1], 0.5), ([1] * 19 + [0], 1e-6)])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-5])
def test_a_flow_that_ends_beside_the_edge_stays_inside(samples, start, tolerance):
    problem = ro.Manifold(ro.models.Bernoulli(), backend="numpy").likelihood(samples)
    found = ro.minimize(problem, ro.integrators.AdaptiveFlow(tolerance), [start], 30.0, 1)
    assert found.status is ro.Status.COMPLETED
    assert 0.0 < found.x[0] < 1.0


@pytest.mark.parametrize("gradient", [lambda x: 1e200 * x, lambda x: np.inf * x, lambda x: x - np.exp(-200 * x)])
def test_speeds_beyond_measure_end_with_a_status(gradient):
    problem = ro.OperatorProblem(lambda x: 0.0, gradient, lambda x, v: v)
    with np.errstate(all="ignore"):
        found = ro.minimize(problem, ro.integrators.AdaptiveFlow(10.0), [3.0], 20.0, 1)
    assert found.success == np.isfinite(found.x).all()
