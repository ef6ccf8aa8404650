"""Entries that are computed side by side: each as if it were alone, bit by bit."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.target import Kernel
from tests.marks import slow


@pytest.fixture(scope="module")
def gamma():
    return ro.Manifold(ro.models.Gamma())


def alone(function, *arrays):
    return np.array([function(*entries) for entries in zip(*arrays, strict=True)])


def test_tensors_of_a_batch_are_those_of_its_points(gamma):
    points = np.random.default_rng(0).uniform(0.1, 5.0, (21, 2))
    points[3] = -1.0
    points[17] = np.nan
    np.testing.assert_array_equal(gamma.metric(points), alone(gamma.metric, points))
    assert (
        np.isnan(gamma.metric(points)[[3, 17]]).all() and np.isfinite(np.delete(gamma.metric(points), [3, 17], 0)).all()
    )


@pytest.mark.parametrize("count", [1, 7, 8, 9, 300])
def test_geodesics_of_a_batch_are_those_of_its_members(gamma, count):
    # long ones and short ones, some that go nowhere and some that leave the domain: lanes are vacated at any time
    rng = np.random.default_rng(count)
    points = rng.uniform(0.1, 5.0, (count, 2))
    vectors = rng.normal(size=(count, 2)) * 10.0 ** rng.uniform(-4, 1, (count, 1))
    vectors[::5] = 0.0
    points[4::7] = -1.0
    ends = gamma.exp(points, vectors)
    np.testing.assert_array_equal(ends, alone(gamma.exp, points, vectors))
    inside = (points > 0).all(axis=1)
    # nothing was computed where nothing moves
    still = inside & (vectors == 0).all(axis=1)
    np.testing.assert_allclose(ends[still], points[still], rtol=1e-15)
    assert np.isnan(ends[~inside]).all()


@pytest.mark.slow
def test_geodesics_that_leave_the_domain_say_when_whoever_is_beside_them():
    # mu = 1 - t reaches 0 in the chart of means of the Poisson model, a parabola in its own
    manifold = ro.Manifold(ro.models.Poisson(), closed_forms=False)
    points, vectors = np.full((40, 1), 1.0), np.linspace(-3.0, 3.0, 40)[:, None]
    _, info = manifold.geodesic(points, vectors, [1.0], full_output=True)
    leaves = vectors[:, 0] <= -2.0
    assert (info.status[leaves] == ro.Status.LEFT_DOMAIN).all() and (info.status[~leaves] == ro.Status.COMPLETED).all()
    np.testing.assert_allclose(info.exit_time[leaves], -2.0 / vectors[leaves, 0], rtol=1e-6)


@pytest.mark.parametrize("integrator", ["geo", "geo-exact", slow("ng-exact")])
@pytest.mark.parametrize("keep", ["all", "last"])
@pytest.mark.slow_for("last-geo-exact", "all-geo-exact", "all-ng-exact", "last-ng-exact")
def test_trajectories_of_a_batch_are_those_of_their_starts(gamma, integrator, keep):
    problem = gamma.likelihood(ro.models.Gamma().sample([20.0, 20.0], 200))
    rng = np.random.default_rng(1)
    starts, h = rng.uniform(0.3, 30.0, (19, 2)), rng.choice([0.1, 0.5, 30.0], 19)
    settings = {"steps": 6, "keep": keep, "tolerance": 0.3}
    batch = ro.minimize(problem, integrator, start=starts, step_size=h, **settings)
    single = [
        ro.minimize(problem, integrator, start=x, step_size=s, **settings) for x, s in zip(starts, h, strict=True)
    ]
    assert len(set(batch.status)) > 1
    np.testing.assert_array_equal(batch.points, [t.points for t in single])
    np.testing.assert_array_equal(batch.losses, [t.losses for t in single])
    assert list(batch.status) == [t.status for t in single]


def test_difference_of_equal_squares_is_nothing():
    # contracted to one instruction it would be what rounding one of the squares has left, and have no root
    x, y = sp.symbols("x y", positive=True)
    graph = Graph()
    inputs = {x: graph.input("x"), y: graph.input("y")}
    outputs = [graph.constant(0.0), graph.lower(sp.sqrt(x**2 - y**2), inputs)]
    kernel = Kernel(NumbaTarget(), Program(tuple(inputs.values()), tuple(outputs)), [("points", (2,))], [()])
    points = np.repeat(np.random.default_rng(0).uniform(0.0, 9.0, 100), 2).reshape(-1, 2)
    np.testing.assert_array_equal(kernel(points)[1], 0.0)
