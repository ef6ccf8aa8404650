"""The distance from primitives: against the manifold's own, and where there are no geodesics."""

from __future__ import annotations

import numpy as np
import pytest

import riemopt as ro
from riemopt.experiments.distance import fisher_rao, straight_length


@pytest.fixture(scope="module")
def gamma():
    return ro.Manifold(ro.models.Gamma(), backend="numpy")


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-7, 1e-11])
@pytest.mark.slow_for("1.0")
def test_distances_are_those_of_the_manifold(gamma, size):
    problem = gamma.likelihood([1.0, 2.0])
    point = np.array([2.0, 3.0])
    target = gamma.exp(point, size * np.array([0.8, 0.5]))
    assert fisher_rao(problem, point, target) == pytest.approx(size * gamma.norm(point, [0.8, 0.5]), rel=1e-3)
    if size > 1e-6:
        assert fisher_rao(problem, point, target) == pytest.approx(gamma.distance(point, target), rel=1e-8)


def test_equal_points_have_no_distance(gamma):
    assert fisher_rao(gamma.likelihood([1.0, 2.0]), np.array([2.0, 3.0]), np.array([2.0, 3.0])) == 0.0


def test_what_is_not_a_point_has_no_distance(gamma):
    problem = gamma.likelihood([1.0, 2.0])
    assert np.isnan(fisher_rao(problem, np.array([2.0, 3.0]), np.array([np.nan, 3.0])))
    assert np.isnan(fisher_rao(problem, np.array([2.0, 3.0]), np.array([2.0, -3.0])))


def test_without_geodesics_the_straight_line_is_measured():
    # the arc length of 1/x is a logarithm
    problem = ro.OperatorProblem(loss=lambda x: 0.0, gradient=lambda x: 0 * x, fisher_product=lambda x, v: v / x**2)
    point, target = np.array([1.0]), np.array([1.5])
    assert straight_length(problem, point, target) == pytest.approx(np.log(1.5), rel=1e-9)
    assert fisher_rao(problem, point, target) == straight_length(problem, point, target)
