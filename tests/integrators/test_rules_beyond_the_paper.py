"""Integrators beyond the paper: what they are equal to, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate._ivp.rk import rk_step

import riemopt as ro
from riemopt.errors import ArgumentError, UnknownNameError, UnsupportedError
from tests.marks import slow

START = np.array([2.0, 1.5])
SETTINGS = {"start": START, "step_size": 0.25, "steps": 6}


@pytest.fixture(scope="module")
def gamma():
    return ro.models.Gamma()


@pytest.fixture(scope="module")
def samples(gamma):
    return gamma.sample([4.0, 3.0], 500, rng=0)


@pytest.fixture(scope="module")
def problem(gamma, samples):
    return ro.Manifold(gamma, backend="numpy").likelihood(samples, rtol=1e-12)


@pytest.mark.parametrize("backend", ["numpy", slow("numba")])
@pytest.mark.parametrize(("order", "key"), [(1, "ng"), (2, "geo"), (3, "geo3"), (5, "geo5")])
def test_series_of_low_order_are_the_methods_of_the_paper(gamma, samples, backend, order, key):
    problem = ro.Manifold(gamma, backend=backend).likelihood(samples)
    series = ro.minimize(problem, ro.integrators.GeodesicSeries(order), **SETTINGS)
    np.testing.assert_allclose(series.points, ro.minimize(problem, key, **SETTINGS).points, rtol=1e-13)


@pytest.mark.parametrize("name", ["Gamma", "Normal", "Weibull", slow("StudentT")])
def test_a_series_is_the_taylor_series_of_the_exponential_map(name):
    model = getattr(ro.models, name)()
    start = model.domain.interior_points(1, rng=1)[0]
    problem = ro.Manifold(model, backend="numpy").likelihood(model.sample(start, 20, rng=0), rtol=1e-12)
    vector = 0.1 * np.ones(len(start)) / np.sqrt(np.diag(problem.metric(start)))
    for order in (2, 3, 4):
        errors = [
            np.abs(problem.exp_series(start, h * vector, order) - problem.exp(start, h * vector)).max()
            for h in (1.0, 0.5)
        ]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order + 1, abs=0.5)


def test_a_long_series_reaches_the_exponential_map(problem):
    vector = np.array([0.05, 0.1])
    np.testing.assert_allclose(problem.exp_series(START, vector, 9), problem.exp(START, vector), rtol=1e-11)


def test_a_step_of_a_tableau_is_that_of_scipy(problem):
    stages = np.zeros((6, 6))
    tableau = ro.integrators.RungeKutta("dopri5").tableau
    for i, row in enumerate(tableau.stages, start=1):
        stages[i, list(row)] = list(row.values())

    def flow(t, theta):
        return -problem.natural_gradient(theta)

    weights = np.array([tableau.weights.get(i, 0.0) for i in range(6)])
    kept = np.empty((7, 2))
    expected, _ = rk_step(flow, 0.0, START, flow(0.0, START), 0.25, stages, weights, stages.sum(axis=1), kept)
    ours = ro.minimize(problem, "dopri5", START, 0.25, 1).x
    np.testing.assert_allclose(ours, expected, rtol=1e-14)


def test_a_tableau_of_ones_own_is_the_method_that_it_describes(problem):
    midpoint = ro.integrators.Tableau(stages=[[1 / 2]], weights=[0, 1], order=2)
    own = ro.minimize(problem, ro.integrators.RungeKutta(midpoint), **SETTINGS)
    np.testing.assert_allclose(own.points, ro.minimize(problem, "mid", **SETTINGS).points, rtol=1e-14)


@pytest.mark.parametrize(("a", "charts"), [(-1.0, ("natural", "mean")), (1.0, ("mean", "natural"))])
@pytest.mark.slow_for("-1.0-charts0")
def test_straight_steps_of_an_a_connection_are_mirror_descent(gamma, samples, a, charts):
    """∇Φ of the log-partition takes natural to mean parameters; that of its dual takes them back."""
    here, there = (getattr(gamma, f"{chart}_chart")() for chart in charts)

    def mirror(point):
        return there.chart.from_original(here.chart.to_original(point))

    def inverse(point):
        return here.chart.from_original(there.chart.to_original(point))

    problem = ro.Manifold(here, backend="numpy").likelihood(samples)
    settings = {**SETTINGS, "start": here.chart.from_original(START)}
    textbook = ro.minimize(problem, ro.integrators.MirrorDescent(mirror, inverse), **settings)
    assert textbook.success
    np.testing.assert_allclose(
        ro.minimize(problem, ro.integrators.RiemannianEuler(a=a), **settings).points, textbook.points, rtol=1e-9
    )
    own = ro.minimize(ro.Manifold(gamma).likelihood(samples), ro.integrators.RiemannianEuler(a=a), **SETTINGS)
    np.testing.assert_allclose(own.points, here.chart.to_original(textbook.points), rtol=1e-9)


def test_in_flat_coordinates_the_riemannian_midpoint_is_the_midpoint():
    problem = ro.OperatorProblem(
        loss=lambda x: np.cosh(x).sum(),
        gradient=np.sinh,
        fisher_product=lambda x, v: np.array([2.0, 0.5]) * v,
        connection=lambda x, v: np.zeros_like(v),
    )
    exact, plain = (ro.minimize(problem, key, [1.0, -0.5], 0.1, 5).points for key in ("mid-exact", "mid"))
    np.testing.assert_allclose(exact, plain, rtol=1e-9)


class Momentum:
    """Heavy ball: its velocity is a state."""

    velocity = 0.0

    def __call__(self, theta, gradient):
        self.velocity = 0.5 * self.velocity - gradient
        return theta + self.velocity


def test_an_optimizer_keeps_its_state_to_one_trajectory(problem):
    rule = ro.integrators.OptimizerStep(Momentum())
    starts = np.array([START, START, [3.0, 2.0]])
    batch = ro.minimize(problem, rule, starts, step_size=0.1, steps=5)
    assert np.array_equal(batch.points[0], batch.points[1])
    np.testing.assert_array_equal(ro.minimize(problem, rule, START, 0.1, 5).points, batch.points[0])


def test_an_optimizer_that_follows_the_gradient_is_gradient_descent(problem):
    plain = ro.integrators.OptimizerStep(lambda theta, gradient: theta - gradient)
    made = ro.integrators.OptimizerStep(make=lambda problem, h: lambda theta, gradient: theta - h * gradient)
    expected = ro.minimize(problem, "gd", START, 0.05, 5).points
    for rule in (plain, made):
        np.testing.assert_allclose(ro.minimize(problem, rule, START, 0.05, 5).points, expected, rtol=1e-13)


def test_a_step_in_place_is_a_step_like_any_other(problem):
    def in_place(theta, gradient):
        theta -= gradient
        return theta

    expected = ro.minimize(problem, "gd", START, 0.05, 5).points
    np.testing.assert_allclose(
        ro.minimize(problem, ro.integrators.OptimizerStep(in_place), START, 0.05, 5).points, expected, rtol=1e-13
    )


def test_a_line_search_may_look_outside_the_domain(problem):
    def backtracking(problem, h):
        def step(theta, gradient):
            length = 64.0
            while not np.isfinite(problem.gradient(theta - length * gradient)).all():
                length /= 4.0
            return theta - length * gradient

        return step

    assert ro.minimize(problem, ro.integrators.OptimizerStep(make=backtracking), START, 1.0, 3).success


def test_an_optimizer_is_not_traced(gamma, samples):
    calls = []

    def step(theta, gradient):
        calls.append(type(theta))
        return theta - gradient

    ro.minimize(ro.Manifold(gamma).likelihood(samples), ro.integrators.OptimizerStep(step), START, 0.05, 3)
    assert calls == [np.ndarray] * 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ro.integrators.GeodesicSeries(0), "order must be a whole number of at least 1, not 0"),
        (lambda: ro.integrators.GeodesicSeries(2.5), "order must be a whole number of at least 1, not 2.5"),
        (lambda: ro.integrators.RungeKutta("rk"), "unknown tableau 'rk'"),
        (lambda: ro.integrators.RungeKutta([[1.0]]), "a tableau is a key or a riemopt.integrators.Tableau, not list"),
        (lambda: ro.integrators.RungeKutta(ro.integrators.Tableau([], [0.5])), "must add up to 1"),
        (lambda: ro.integrators.OptimizerStep(), "one of them"),
        (lambda: ro.integrators.OptimizerStep(3.0), "one of them"),
        (lambda: ro.integrators.OptimizerStep(Momentum(), make=Momentum), "one of them"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises((ArgumentError, UnknownNameError), match=message):
        make()


@pytest.mark.parametrize("call", [{"order": 2}, 2])
def test_why_a_series_is_not_to_be_had_is_found_however_it_is_called(call):
    class Series(ro.Integrator):
        def step(self, problem, theta, h, memory):
            if isinstance(call, dict):
                return problem.exp_series(theta, -h * theta, **call), memory
            return problem.exp_series(theta, -h * theta, call), memory

    problem = ro.OperatorProblem(lambda x: 0.0, lambda x: x, lambda x, v: -v, lambda x, v: v)
    assert ro.minimize(problem, Series(), [1.0], 0.5, 1).status is ro.Status.SINGULAR_METRIC


def test_series_of_high_order_need_more_than_products():
    problem = ro.OperatorProblem(lambda x: 0.0, lambda x: x, lambda x, v: v, lambda x, v: 0 * v)
    assert ro.minimize(problem, ro.integrators.GeodesicSeries(2), [1.0], 0.5, 1).success
    with pytest.raises(UnsupportedError, match="'exp_series'"):
        ro.minimize(problem, "geo3", [1.0], 0.5, 1)


def test_all_keys_have_orders_and_their_primitives():
    for key in ro.integrators.names():
        rule = ro.integrators.by_name(key)
        assert len(rule.orders) == 3, key
        assert set(rule.needs) <= set(ro.Problem.__dict__), key
