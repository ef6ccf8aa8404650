"""What a compiled trajectory asks for is what the same rule asks for as it stands."""

import numpy as np
import pytest

import riemopt as ro
from tests.marks import slow

KEYS = ["gd", "ng", "mid", "geo", "geof", "heun", "geo3", slow("geo-exact"), "ng-exact", slow("mid-exact")]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.slow_for("mid-exact", "mid", "heun", "gd", "geof", "geo3", "ng-exact")
def test_a_traced_rule_counts_as_it_does_step_by_step(key, gamma):
    settings = {"start": [2.0, 1.5], "step_size": 0.1, "steps": 4}
    compiled = ro.minimize(gamma.numba.likelihood([0.5, 1.0, 2.0]), key, **settings)
    plain = ro.minimize(gamma.numpy.likelihood([0.5, 1.0, 2.0]), key, **settings)
    assert compiled.compiled and not plain.compiled
    assert compiled.evaluations == plain.evaluations


def test_what_is_asked_for_twice_counts_once(gamma):
    class Wasteful(ro.Integrator):
        def step(self, problem, theta, h, memory):
            v = problem.natural_gradient(theta) + 0.0 * problem.gradient(theta)
            return theta - h * v, memory

    for problem in (gamma.numba.likelihood([0.5, 1.0]), gamma.numpy.likelihood([0.5, 1.0])):
        found = ro.minimize(problem, Wasteful(), [1.0, 1.0], 0.1, 3).evaluations
        assert found.solves == 3 and found.losses == 4
        assert found.gradients in (3, 6)  # a kernel of its own gives the natural gradient without the gradient


@pytest.mark.parametrize("keep", ["all", "last"])
@pytest.mark.slow_for("all")
def test_a_trajectory_that_ends_early_counts_the_steps_it_took(keep, gamma):
    problem = gamma.numba.likelihood([0.5, 1.0, 2.0])
    settings = {"step_size": 0.5, "steps": 60, "tolerance": 1e-3, "keep": keep}
    starts = np.array([[2.0, 1.5], [1.0, 1.0], [0.05, 9.0]])
    found = ro.minimize(problem, "ng", starts, **settings).evaluations
    for i, start in enumerate(starts):
        alone = ro.minimize(problem, "ng", start, **{**settings, "keep": "all"})
        steps = len(np.unique(alone.points[np.isfinite(alone.losses)], axis=0)) - 1
        assert found.losses[i] - steps == (1 if alone.success else 2)  # where it failed it looked, too
