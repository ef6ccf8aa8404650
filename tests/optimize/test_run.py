"""Runs: which options keep a rule from a compiled kernel, and which do not go together."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError
from riemopt.optimize.run import Run


def run(poisson, **options):
    return Run(poisson, ro.integrators.by_name("ng"), steps=3, keep_all=True, tolerance=None, **options)


def test_options_that_a_kernel_does_not_know_are_named(poisson):
    assert run(poisson).obstacle == ""
    options = {"damping": ro.LevenbergMarquardt(), "progress": True}
    assert run(poisson, **options).obstacle == "with damping=, progress= steps are taken one by one"


@pytest.mark.parametrize(
    ("options", "batch", "message"),
    [
        ({"correction_below": 1.0}, (), "give damping=, too"),
        ({"warm_start": 1.5}, (), "warm_start must be between 0 and 1, not 1.5"),
        ({"callback": print}, (2,), "are for one trajectory"),
        ({"checkpoint": "file"}, (2,), "are for one trajectory"),
    ],
)
def test_what_does_not_go_together_is_refused(poisson, options, batch, message):
    with pytest.raises(ArgumentError, match=message):
        run(poisson, **options).require_sense(batch)


def test_trajectories_are_taken_one_by_one(poisson):
    points, losses, status, evaluations = run(poisson).one_by_one(np.array([[9.0], [2.0]]), np.array([0.5, 1.0]))
    np.testing.assert_allclose(points[..., 0], [[9.0, 6.5, 5.25, 4.625], [2.0, 4.0, 4.0, 4.0]], rtol=1e-14)
    np.testing.assert_array_equal(losses, poisson.loss(points))
    assert status.tolist() == [0, 0]
    # at a point where a run stays nothing is asked again
    assert evaluations.losses.tolist() == [4, 2]
