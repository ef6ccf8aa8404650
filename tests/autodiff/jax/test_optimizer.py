"""Optimizers of optax move as they do by themselves, and their memory can be written to a checkpoint."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError

SCALE = np.array([1.0, 3.0, 0.1])
START = [1.0, -1.0, 2.0]
TRANSFORMS = {
    "adam": optax.adam(0.1),
    "momentum": optax.sgd(optax.cosine_decay_schedule(0.1, 20), momentum=0.9),
    "chained": optax.chain(optax.clip_by_global_norm(1.0), optax.add_decayed_weights(1e-2), optax.scale(-0.2)),
}


def problem():
    return ro.OperatorProblem(loss=lambda x: float(x @ (SCALE * x) / 2), gradient=lambda x: SCALE * x)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_steps_are_those_of_optax(name):
    transform, theta = TRANSFORMS[name], jnp.asarray(START)
    state, expected = transform.init(theta), [np.asarray(theta)]
    for _ in range(6):
        update, state = transform.update(jnp.asarray(SCALE) * theta, state, theta)
        theta = theta + update
        expected.append(np.asarray(theta))
    rule = ro.autodiff.jax.OptimizerStep(transform, name=name)
    trajectory = ro.minimize(problem(), rule, START, step_size=1.0, steps=6)
    np.testing.assert_allclose(trajectory.points, expected, rtol=1e-5)
    assert isinstance(trajectory.points, np.ndarray) and repr(rule) == f"OptimizerStep({name})"
    half = ro.minimize(problem(), rule, START, step_size=0.5, steps=1).points
    np.testing.assert_allclose(half[1] - half[0], 0.5 * (expected[1] - expected[0]), rtol=1e-5)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_run_goes_on_from_a_checkpoint_with_the_same_numbers(name, tmp_path):
    rule = ro.autodiff.jax.OptimizerStep(TRANSFORMS[name])
    whole = ro.minimize(problem(), rule, START, 1.0, 7)
    ro.minimize(problem(), rule, START, 1.0, 3, checkpoint=tmp_path / "run")
    resumed = ro.minimize(problem(), rule, START, 1.0, 7, checkpoint=tmp_path / "run")
    np.testing.assert_array_equal(resumed.points, whole.points)


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(ArgumentError, match="init and update"):
        ro.autodiff.jax.OptimizerStep(optax.adam)
