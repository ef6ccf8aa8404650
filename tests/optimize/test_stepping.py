"""Damped and searched steps, with any rule on any problem."""

import dataclasses
import itertools

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError


def rosenbrock():
    """Least squares with residuals (10 (y - x²), 1 - x): the Gauss-Newton metric and its connection."""

    def residuals(p):
        return np.array([10.0 * (p[1] - p[0] ** 2), 1.0 - p[0]])

    def jacobian(p):
        return np.array([[-20.0 * p[0], 10.0], [-1.0, 0.0]])

    return ro.OperatorProblem(
        loss=lambda p: residuals(p) @ residuals(p) / 2,
        gradient=lambda p: jacobian(p).T @ residuals(p),
        fisher_product=lambda p, v: jacobian(p).T @ (jacobian(p) @ v),
        connection=lambda p, v: jacobian(p).T @ np.array([-20.0 * v[0] ** 2, 0.0]),
    )


@pytest.mark.parametrize("key", ["gd", "ng", "mid", "geo", "geof", "heun"])
@pytest.mark.parametrize("by", ["identity", "diagonal"])
def test_a_damped_run_never_climbs_and_arrives_with_a_gauss_newton_step(key, by):
    damping = ro.LevenbergMarquardt(initial=1.0, by=by)
    trajectory = ro.minimize(
        rosenbrock(), key, [-1.2, 1.0], 1.0, 200, damping=damping, line_search=ro.Backtracking(factor=0.5)
    )
    assert trajectory.success
    assert np.all(np.diff(trajectory.losses) <= 0.0)
    if key in ("ng", "geo", "geof"):
        np.testing.assert_allclose(trajectory.x, [1.0, 1.0], rtol=1e-6)


def test_a_step_is_the_one_of_the_damped_metric():
    problem, start, strength = rosenbrock(), np.array([-1.2, 1.0]), 3.0
    here = problem.at(start)
    wanted = start - here.metric.damped(strength).solve(here.gradient)
    damping = ro.LevenbergMarquardt(initial=strength)
    np.testing.assert_allclose(ro.minimize(problem, "ng", start, 1.0, 1, damping=damping).x, wanted, rtol=1e-12)


def test_corrections_are_left_out_while_the_damping_is_strong():
    settings = {"start": [-1.2, 1.0], "step_size": 1.0, "steps": 3, "damping": ro.LevenbergMarquardt(initial=10.0)}
    plain = ro.minimize(rosenbrock(), "ng", **settings)
    for key in ("geo", "geof", "mid"):
        without = ro.minimize(rosenbrock(), key, **settings, correction_below=1e-6)
        np.testing.assert_allclose(without.points, plain.points, rtol=1e-12)
    assert np.abs(ro.minimize(rosenbrock(), "geo", **settings).points - plain.points).max() > 1e-3


def test_a_line_search_without_a_damping_ends_where_no_step_lowers_the_loss():
    uphill = ro.OperatorProblem(lambda x: x @ x, lambda x: -2.0 * x, lambda x, v: v)
    trajectory = ro.minimize(uphill, "ng", [1.0], 0.1, 5, line_search=ro.Backtracking())
    assert trajectory.status is ro.Status.STALLED
    np.testing.assert_array_equal(trajectory.points, np.ones((6, 1)))


def test_a_refused_step_counts_and_raises_the_damping():
    states = []
    damping = ro.LevenbergMarquardt(initial=1e-6, increase=10.0)
    ro.minimize(rosenbrock(), "ng", [-1.2, 1.0], 1.0, 4, damping=damping, callback=states.append)
    first, second = states[:2]
    np.testing.assert_array_equal(first.theta, second.theta)
    assert second.damping == pytest.approx(10.0 * first.damping) and second.iteration == 1


def test_geof_remembers_the_step_actually_taken():
    states = []
    ro.minimize(
        rosenbrock(),
        "geof",
        [-1.2, 1.0],
        1.0,
        6,
        damping=ro.LevenbergMarquardt(initial=1.0),
        line_search=ro.Backtracking(factor=0.5),
        callback=states.append,
    )
    for before, after in itertools.pairwise(states[1:]):
        np.testing.assert_allclose(after.memory, after.theta - before.theta, rtol=1e-9, atol=1e-12)


def test_warm_starts_save_products_and_change_nothing_else():
    rng = np.random.default_rng(0)
    q = rng.normal(size=(30, 30))
    matrix, calls = q @ q.T + np.eye(30), []

    def product(x, v):
        calls.append(1)
        return matrix @ v

    problem = ro.OperatorProblem(lambda x: x @ matrix @ x / 2, lambda x: matrix @ x, product)
    settings = {"start": rng.normal(size=30), "step_size": 0.05, "steps": 5}
    counts, ends = [], []
    for warm in (0.0, 0.95):
        calls.clear()
        solver = ro.ConjugateGradient(tolerance=1e-8)
        ends.append(ro.minimize(problem, "ng", **settings, solver=solver, warm_start=warm).x)
        counts.append(len(calls))
    np.testing.assert_allclose(*ends, rtol=1e-5)
    assert counts[1] < counts[0]


def test_options_that_make_no_sense_are_refused():
    for options, message in (
        ({"correction_below": 1.0}, "give damping="),
        ({"warm_start": 2.0}, "warm_start must be between 0 and 1"),
    ):
        with pytest.raises(ArgumentError, match=message):
            ro.minimize(rosenbrock(), "geo", [-1.2, 1.0], 1.0, 1, **options)
    with pytest.raises(ArgumentError, match="by must be"):
        dataclasses.replace(ro.LevenbergMarquardt(), by="size")
