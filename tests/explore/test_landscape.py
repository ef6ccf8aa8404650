"""Windows hold what is worth looking at; unit vectors have length one."""

import numpy as np
import pytest

from riemopt.explore.landscape import Plane, loss_curve, spread_over, unit_vectors
from riemopt.models import family


def test_positive_coordinates_are_logarithmic_others_linear():
    assert Plane(family("normal").domain, (0, 1)).scales == ["linear", "log"]
    assert Plane(family("bernoulli").domain, (0,)).scales == ["linear"]


def test_a_window_holds_the_start_and_the_path_and_leaves_out_what_ran_away():
    plane = Plane(family("gamma").domain, (0, 1))
    points = np.array([[[1.0, 1.0], [2.0, 3.0], [1e6, 5.0]]])
    ((a, b), (c, d)) = plane.window(points, np.array([[1.0, 0.0, 50.0]]), np.array([1.0, 1.0]))
    assert 0 < a < 1 and 2 < b < 100 and 0 < c < 1 and 3 < d < 100


def test_a_window_stays_inside_a_bounded_domain():
    plane = Plane(family("bernoulli").domain, (0,))
    ((low, high),) = plane.window(np.array([[[0.01], [0.99]]]), np.array([[1.0, 0.5]]), np.array([0.01]))
    assert 0.0 < low < 0.01 and 0.99 < high < 1.0


def test_unit_vectors_have_length_one_in_the_plane_and_lie_in_it():
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(4, 3, 3))
    metrics = roots @ roots.swapaxes(-1, -2) + np.eye(3)
    vectors = unit_vectors(metrics, (0, 2), 9)
    assert (vectors[..., 1] == 0.0).all()
    np.testing.assert_allclose(np.einsum("mki,mij,mkj->mk", vectors, metrics, vectors), 1.0, rtol=1e-12)


def test_centres_lie_in_the_domain_and_in_the_window():
    plane = Plane(family("categorical").domain, (0, 1))
    centres = spread_over(plane, [[0.1, 0.99], [0.1, 0.99]], np.array([0.2, 0.2]), 5)
    assert 5 < len(centres) < 25 and plane.domain.contains(centres).all()


def test_the_loss_over_one_coordinate_is_lowest_at_the_estimate(gamma):
    from riemopt.manifold import Manifold

    model = family("exponential")
    samples = model.sample([4.0], 1000, rng=0)
    problem = Manifold(model, backend="numpy").likelihood(samples)
    x, y = loss_curve(Plane(model.domain, (0,)), [[1.0, 10.0]], np.array([2.0]), problem)
    assert x[np.argmin(y)] == pytest.approx(1 / samples.mean(), rel=0.03)
