"""A run is its state: written down, it goes on as if it had not been interrupted."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError
from riemopt.optimize import State
from riemopt.optimize.checkpoint import Checkpoint

START = np.array([0.5, -1.0, 2.0])


def curved():
    return ro.OperatorProblem(
        loss=lambda x: float(np.sum(np.exp(x) - x)),
        gradient=lambda x: np.exp(x) - 1.0,
        fisher_product=lambda x, v: np.exp(x) * v,
        connection=lambda x, v: 0.5 * np.exp(x) * v**2,
    )


class Recorded:
    def arrays(self):
        return {"points": np.eye(2)}


class Adam(ro.Integrator):
    """Carries a dictionary of arrays and numbers."""

    def init(self, problem, theta, h):
        return {"m": np.zeros_like(theta), "v": [np.zeros_like(theta), 0], "powers": (1.0, 1.0)}

    def step(self, problem, theta, h, memory):
        g = problem.gradient(theta)
        m, (v, count), (p, q) = 0.9 * memory["m"] + 0.1 * g, memory["v"], memory["powers"]
        v, p, q = 0.99 * v + 0.01 * g**2, 0.9 * p, 0.99 * q
        move = m / (1 - p) / (np.sqrt(v / (1 - q)) + 1e-8)
        return theta - h * move, {"m": m, "v": [v, count + 1], "powers": (p, q)}


@pytest.mark.parametrize("rule", ["geo", "geof", Adam()], ids=str)
@pytest.mark.parametrize("keep", ["all", "last"])
@pytest.mark.parametrize("damped", [False, True])
def test_an_interrupted_run_goes_on_to_the_same_end(rule, keep, damped, tmp_path):
    options = {"damping": ro.LevenbergMarquardt(initial=1.0), "line_search": ro.Backtracking()} if damped else {}
    settings = {"start": START, "step_size": 0.2, "steps": 9, "keep": keep, **options}
    whole = ro.minimize(curved(), rule, **settings)

    def interrupted(state):
        if state.iteration == 4:
            raise KeyboardInterrupt

    file = tmp_path / "run.ckpt"
    with pytest.raises(KeyboardInterrupt):
        ro.minimize(curved(), rule, **settings, checkpoint=file, callback=interrupted)
    iterations = []
    resumed = ro.minimize(
        curved(), rule, **settings, checkpoint=file, callback=lambda state: iterations.append(state.iteration)
    )
    assert iterations == [4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(resumed.points, whole.points)
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    again = ro.minimize(curved(), rule, **settings, checkpoint=file)
    np.testing.assert_array_equal(again.points, whole.points)
    # what was asked for before counts, and nothing is asked for again but the loss where a run goes on
    assert whole.evaluations.gradients <= resumed.evaluations.gradients <= whole.evaluations.gradients + 1
    assert again.evaluations.gradients == resumed.evaluations.gradients
    assert again.evaluations.losses == resumed.evaluations.losses + 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.ckpt"]


def test_a_run_can_be_given_more_steps(tmp_path):
    file = tmp_path / "run.ckpt"
    ro.minimize(curved(), "geof", START, 0.2, 4, checkpoint=file)
    longer = ro.minimize(curved(), "geof", START, 0.2, 9, checkpoint=file)
    np.testing.assert_array_equal(longer.points, ro.minimize(curved(), "geof", START, 0.2, 9).points)


def test_a_state_is_read_as_it_was_written(tmp_path):
    memory = {"a": np.float32([1.5]), "b": (None, [1, 2.5, True]), "c": np.eye(2)}
    state = State(np.array([1.0, np.pi]), 0.1 + 0.2, memory, 1e-3, np.ones(2), (np.arange(2.0),), None, 7, 3, 1.25)
    file = Checkpoint(tmp_path / "state", {"what": 1})
    file.write(state, Recorded())
    file.flush()
    found, recorded = Checkpoint(tmp_path / "state", {"what": 1}).read(state.theta)
    np.testing.assert_array_equal(recorded["points"], np.eye(2))
    assert (found.loss, found.damping, found.iteration, found.key, found.seconds) == (0.1 + 0.2, 1e-3, 7, 3, 1.25)
    np.testing.assert_array_equal(found.theta, state.theta)
    assert found.memory["b"] == (None, [1, 2.5, True]) and found.memory["a"].dtype == np.float32
    np.testing.assert_array_equal(found.warm_starts[0], [0.0, 1.0])


def test_a_file_of_another_run_or_of_nobody_is_refused(tmp_path):
    file = tmp_path / "run.ckpt"
    ro.minimize(curved(), "geo", START, 0.2, 2, checkpoint=file)
    kept = file.read_bytes()
    for settings, different in (
        ({"integrator": "ng", "start": START, "step_size": 0.2}, "integrator"),
        ({"integrator": "geo", "start": START + 1.0, "step_size": 0.2}, "start"),
        ({"integrator": "geo", "start": START, "step_size": 0.1}, "step_size"),
    ):
        with pytest.raises(ArgumentError, match=f"another run, of other .*{different}"):
            ro.minimize(curved(), **settings, steps=3, checkpoint=file)
    assert file.read_bytes() == kept
    file.write_bytes(b"something else")
    with pytest.raises(ArgumentError, match="cannot be read"):
        ro.minimize(curved(), "geo", START, 0.2, 3, checkpoint=file)
    assert file.read_bytes() == b"something else"


def test_a_memory_that_is_not_arrays_and_numbers_is_refused_in_words(tmp_path):
    with pytest.raises(ArgumentError, match="in its memory cannot be written to a checkpoint"):
        ro.minimize(curved(), "ng-adaptive", START, 0.2, 3, checkpoint=tmp_path / "run.ckpt")
