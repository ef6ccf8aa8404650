"""Metrics of every kind do the same as their matrix."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.errors import ArgumentError, ShapeError, UnsupportedError
from riemopt.problem import DenseMetric, DiagonalMetric, OperatorMetric

SEEDS = st.integers(0, 2**32 - 1)


@cache
def likelihood():
    return ro.Manifold(ro.models.Gamma(), backend="numpy").likelihood([0.5, 1.0, 2.0])


def metrics(seed):
    """Metrics of every kind, each with its matrix."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    q = rng.normal(size=(n, n))
    matrix = q @ q.T + 0.1 * np.eye(n)
    entries = rng.uniform(0.1, 10.0, n)
    gamma = likelihood()
    theta = rng.uniform(0.5, 4.0, 2)
    return [
        (DenseMetric(matrix), matrix),
        (DiagonalMetric(entries), np.diag(entries)),
        (OperatorMetric(lambda v: matrix @ v, n), matrix),
        (gamma.at(theta).metric, gamma.metric(theta)),
    ]


@given(SEEDS)
def test_every_kind_does_what_its_matrix_does(seed):
    for metric, matrix in metrics(seed):
        u, v = np.random.default_rng(seed + 1).normal(size=(2, metric.dimension))
        np.testing.assert_allclose(metric.product(v), matrix @ v, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(metric.solve(matrix @ v), v, rtol=1e-7, atol=1e-9)
        assert metric.inner(u, v) == pytest.approx(u @ matrix @ v, rel=1e-11, abs=1e-11)
        assert metric.norm(v) == pytest.approx(np.sqrt(v @ matrix @ v), rel=1e-11)
        np.testing.assert_allclose(metric.diagonal(), np.diagonal(matrix), rtol=1e-12)
        np.testing.assert_allclose(metric.dense(), matrix, rtol=1e-12, atol=1e-12)


@given(SEEDS, st.floats(0.0, 1e3), st.sampled_from(["identity", "diagonal", "array"]))
def test_a_damped_metric_is_the_metric_of_the_damped_matrix(seed, strength, by):
    for metric, matrix in metrics(seed):
        n = metric.dimension
        array = np.arange(1.0, n + 1.0)
        wanted = {"identity": np.eye(n), "diagonal": np.diag(np.diagonal(matrix)), "array": np.diag(array)}[by]
        damped = metric.damped(strength, by=array if by == "array" else by)
        assert isinstance(damped, ro.Metric)
        total = matrix + strength * wanted
        np.testing.assert_allclose(damped.dense(), total, rtol=1e-11, atol=1e-11)
        v = np.random.default_rng(seed).normal(size=n)
        np.testing.assert_allclose(damped.solve(total @ v), v, rtol=1e-6, atol=1e-8)
        twice = damped.damped(0.5)
        np.testing.assert_allclose(twice.product(v), total @ v + 0.5 * v, rtol=1e-10, atol=1e-10)


def test_a_matrix_that_is_no_metric_gives_nan():
    solution = DenseMetric([[1.0, 2.0], [2.0, 1.0]]).solution([1.0, 1.0])
    assert solution.status is ro.Status.SINGULAR_METRIC and np.isnan(solution.x).all()
    assert DiagonalMetric([1.0, 0.0]).solution(np.ones(2)).status is ro.Status.SINGULAR_METRIC


def test_products_alone_are_turned_into_a_matrix_only_where_that_is_small():
    large = OperatorMetric(lambda v: 2.0 * v, 100_000)
    for method in (large.dense, large.diagonal, lambda: large.damped(1.0, by="diagonal")):
        with pytest.raises(UnsupportedError, match="known by its products only"):
            method()
    np.testing.assert_array_equal(large.damped(2.0).product(np.ones(3)), [4.0, 4.0, 4.0])


def test_a_solver_of_ones_own_gets_the_start_only_if_there_is_one():
    seen = []

    def solver(product, right, **options):
        seen.append(options)
        return right

    metric = OperatorMetric(lambda v: v, 2, solver)
    metric.solve(np.ones(2))
    metric.solve(np.ones(2), start=np.zeros(2))
    assert [sorted(options) for options in seen] == [[], ["start"]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"strength": -1.0}, ArgumentError, "at least 0, not -1"),
        ({"strength": np.nan}, ArgumentError, "at least 0"),
        ({"strength": 1.0, "by": "size"}, ArgumentError, "by must be 'identity', 'diagonal' or an array"),
        ({"strength": 1.0, "by": np.ones(3)}, ShapeError, r"shape \(3,\)"),
    ],
)
def test_dampings_that_make_no_sense_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        DenseMetric(np.eye(2)).damped(**arguments)
