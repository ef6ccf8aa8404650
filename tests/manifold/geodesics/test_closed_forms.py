"""Geodesics in closed form: which models have them, and that they are those of the stepper."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.geometry.closed_forms import isometry
from riemopt.geometry.positive_matrices import PositiveMatrices
from riemopt.geometry.spaces import Flat, HalfSpace, Simplex
from tests.catalogue import KNOWN, manifold, model, points, vectors
from tests.marks import slow

NAMES = {
    Flat: "bernoulli binomial exponential geometric pareto poisson rayleigh",
    HalfSpace: "cauchy gumbel inversegaussian logistic loglogistic lognormal normal weibull",
    Simplex: "categorical multinomial",
}
SPACES = {name: [space] for space, names in NAMES.items() for name in names.split()} | {
    "zero-mean normal": [PositiveMatrices],
    "normal by precision": [PositiveMatrices],
    "known covariance": [Flat],
    "round normal": [HalfSpace],
    "normal by variance": [HalfSpace],
    "positive mean": [HalfSpace],
    "log counts": [Flat],
    "log odds": [Flat],
    "two waits": [Flat, Flat],
}


ONE_OF_A_KIND = ("exponential", "normal", "categorical", "two waits")
"""A model for each kind of space but that of positive matrices, which takes longer."""


@pytest.mark.parametrize("name", [n if n in ONE_OF_A_KIND else slow(n) for n in KNOWN])
@pytest.mark.slow_for("zero-mean normal", "normal", "two waits")
def test_closed_forms_agree_with_the_stepper(name):
    known, integrated = manifold(name), manifold(name, closed_forms=False)
    rng = np.random.default_rng(0)
    at = points(name, 6, rng)
    # the edge of a simplex is where the metric is singular, and the integration slow
    for length in (1e-3, 0.2) if SPACES[name] == [Simplex] else (1e-3, 0.3, 1.5):
        v, w = (vectors(name, at, size, rng) for size in (length, 1.0))
        times = [-1.0, -0.25, 0.5, 1.0]
        curves, info = known.geodesic(at, v, times, full_output=True)
        expected, found = integrated.geodesic(at, v, times, full_output=True)
        np.testing.assert_array_equal(np.isnan(expected), np.isnan(curves))
        there = np.isfinite(expected).all(axis=-1)
        gap = np.where(there[..., None], curves - expected, 0.0)
        size = known.norm(np.where(there[..., None], curves, at[:, None]), gap)
        assert size.max() <= 1e-9
        inside = np.abs(found.exit_time) < 1.0
        np.testing.assert_allclose(info.exit_time[inside], found.exit_time[inside], rtol=0, atol=1e-6)
        ends = known.exp(at, v)
        stays = np.isfinite(integrated.exp(at, v)).all(axis=-1)
        at, v, w, ends = at[stays], v[stays], w[stays], ends[stays]
        assert known.norm(ends, known.transport(at, v, w) - integrated.transport(at, v, w)).max(initial=0.0) <= 1e-9
        assert known.norm(at, known.log(at, ends) - integrated.log(at, ends)).max(initial=0.0) <= 1e-9
        at = points(name, 6, rng)


def test_a_chart_of_a_known_model_is_known_too():
    normal = ro.models.Normal()
    m, t = sp.symbols("m t", real=True)
    chart = normal.reparametrize(dict(zip(normal.parameters, (m * sp.exp(t), sp.exp(t)), strict=True)), (m, t))
    assert [type(space) for space in isometry(chart).spaces] == [HalfSpace]
    there, here = ro.Manifold(chart, backend="numpy"), ro.Manifold(normal, backend="numpy")
    end = chart.chart.to_original(there.exp([0.3, -0.5], [2.0, -1.0]))
    v = chart.chart.push_forward([0.3, -0.5], [2.0, -1.0])
    np.testing.assert_allclose(end, here.exp(chart.chart.to_original([0.3, -0.5]), v), rtol=1e-14)


@pytest.mark.parametrize(
    "name", ["normal", "bernoulli", *map(slow, ("categorical", "zero-mean normal", "inversegaussian"))]
)
@pytest.mark.slow
def test_targets_agree_on_closed_forms(name):
    compiled, reference = manifold(name, backend="numba"), manifold(name)
    rng = np.random.default_rng(1)
    at = points(name, 8, rng)
    v, w = (vectors(name, at, size, rng) for size in (0.2, 1.0))
    np.testing.assert_allclose(compiled.exp(at, v), reference.exp(at, v), rtol=1e-13, atol=1e-14)
    ends = reference.exp(at, v)
    np.testing.assert_allclose(compiled.log(at, ends), reference.log(at, ends), rtol=1e-12, atol=1e-13)
    carried = compiled.transport(at, v, w), reference.transport(at, v, w)
    np.testing.assert_allclose(*carried, rtol=1e-12, atol=1e-13)


def test_exact_steps_take_the_closed_form():
    """Riemannian Euler on a normal model: the same step by the half-plane and by integration."""
    samples = np.random.default_rng(0).normal(1.0, 2.0, 50)
    ends = [
        ro.minimize(
            ro.Manifold(ro.models.Normal(), backend="numpy", closed_forms=closed).likelihood(samples),
            "geo-exact",
            start=[-1.0, 0.5],
            step_size=0.5,
            steps=3,
        ).points
        for closed in (True, False)
    ]
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-9)


def test_geodesics_that_leave_say_when():
    """The root of the mean of a Poisson distribution moves at constant speed; a great circle meets the edge."""
    poisson, categorical = manifold("poisson"), manifold("categorical")
    curve, info = poisson.geodesic([[4.0], [1.0], [-1.0]], [[-4.0], [1.0], [1.0]], [-1.0, 1.0], full_output=True)
    np.testing.assert_allclose(info.exit_time, [2.0, np.inf, np.nan], rtol=1e-15)
    np.testing.assert_allclose(info.entry_time, [-np.inf, -2.0, np.nan], rtol=1e-15)
    np.testing.assert_array_equal(info.status, [ro.Status.COMPLETED, ro.Status.COMPLETED, ro.Status.LEFT_DOMAIN])
    np.testing.assert_allclose(curve[:, 1, 0], [1.0, 2.25, np.nan], rtol=1e-15)
    third = np.full(2, 1 / 3)
    _, info = categorical.geodesic(third, [-1 / 3, 0.0], [10.0], full_output=True)
    roots, speed = np.sqrt(1 / 3), np.sqrt(2 * (1 / 3) ** 2 / (4 / 3))
    assert info.status is ro.Status.LEFT_DOMAIN
    assert info.exit_time == pytest.approx(np.arctan2(roots, (1 / 6) / roots / speed) / speed, rel=1e-14)
    assert "outside the domain" in info.message
    inside = poisson.geodesic([4.0], [-4.0], [1.0], full_output=True)[1]
    assert inside.message == "inside the domain"


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.slow_for("numba")
def test_integrated_geodesics_that_leave_say_when(backend):
    """The same by integration: as exactly as the edge can be told apart from the inside."""
    by_mean = ro.Manifold(model("poisson"), backend=backend, closed_forms=False)
    curves, info = by_mean.geodesic([[4.0], [1.0]], [[-4.0], [1.0]], [-5.0, 0.5, 5.0], full_output=True)
    np.testing.assert_allclose(info.exit_time, [2.0, np.inf], rtol=1e-6)
    np.testing.assert_allclose(info.entry_time, [-np.inf, -2.0], rtol=1e-6)
    assert np.isnan(curves[0, 2]).all() and np.isnan(curves[1, 0]).all() and np.isfinite(curves[:, 1]).all()
    # here the edge is 1, and 1 - p has lost half of its digits where the geodesic touches it
    geometric = ro.Manifold(model("geometric"), backend=backend, closed_forms=False)
    _, info = geometric.geodesic([0.5], [0.5], [0.0, 9.0], full_output=True)
    exact = manifold("geometric").geodesic([0.5], [0.5], [0.0, 9.0], full_output=True)[1]
    assert info.status is ro.Status.LEFT_DOMAIN
    assert info.exit_time == pytest.approx(exact.exit_time, abs=1e-6)


def test_who_stands_still_never_leaves():
    for family in (ro.models.Poisson(), ro.models.Normal(), ro.models.Categorical(3)):
        points = family.domain.interior_points(1, np.random.default_rng(0))[0]
        _, info = ro.Manifold(family, backend="numpy").geodesic(points, 0.0 * points, [-1.0, 1.0], full_output=True)
        assert info.status == ro.Status.COMPLETED and (info.entry_time, info.exit_time) == (-np.inf, np.inf)
