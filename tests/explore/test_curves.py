"""Curves of steps pass through the iterates, and are what their methods follow."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.explore.curves import SUBSTEPS, path_curve, step_parts
from riemopt.integrators import by_name


@pytest.fixture(scope="module")
def problem(gamma, gamma_samples):
    return gamma.numpy.likelihood(gamma_samples)


@pytest.mark.parametrize("key", ["ng", "mid", "geo", "geof", "geo3", "ng-exact", "geo-exact"])
def test_a_curve_passes_through_all_iterates(problem, key):
    trajectory = ro.minimize(problem, key, start=[4.0, 2.0], step_size=0.2, steps=3)
    curve = path_curve(problem, by_name(key), trajectory.points, 0.2)
    assert curve.shape == (3 * SUBSTEPS + 1, 2)
    np.testing.assert_array_equal(curve[::SUBSTEPS], trajectory.points)


@pytest.mark.parametrize("key", ["geo", "geo3", "ng-exact", "geo-exact"])
def test_a_curve_arrives_where_the_step_does(problem, key):
    """The last piece of a step is no longer than the others."""
    trajectory = ro.minimize(problem, key, start=[4.0, 2.0], step_size=0.2, steps=2)
    lengths = np.linalg.norm(np.diff(path_curve(problem, by_name(key), trajectory.points, 0.2), axis=0), axis=1)
    assert lengths[SUBSTEPS - 1] == pytest.approx(lengths[SUBSTEPS - 2], rel=0.3)


def test_a_path_of_a_single_point_is_that_point(problem):
    np.testing.assert_array_equal(path_curve(problem, by_name("ng"), np.ones((1, 2)), 0.5), np.ones((1, 2)))


def test_the_parts_of_a_step_agree_to_first_order(problem):
    parts = step_parts(problem, np.array([4.0, 2.0]), 1e-3)
    np.testing.assert_allclose(parts["straight"], parts["geodesic"], atol=1e-5)
    np.testing.assert_allclose(parts["correction"][-1], parts["geodesic"][-1], atol=1e-8)
