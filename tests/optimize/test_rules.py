"""Rules of users that are traced, and rules that must not be: the same trajectory either way."""

import subprocess
import sys

import numpy as np
import pytest

import riemopt as ro
from riemopt.formulas.trajectory import trajectory_program

STARTS = np.array([[1.0, 1.0], [2.0, 1.5]])


class CountsOnItself(ro.Integrator):
    """Shortens its steps from the fourth one on, by a count that is not in its memory."""

    def init(self, problem, theta, h):
        self.count = 0

    def step(self, problem, theta, h, memory):
        self.count += 1
        factor = 1.0 if self.count < 4 else 0.1
        return theta - factor * h * problem.natural_gradient(theta), memory


class DrawsItsMemory(ro.Integrator):
    """Starts from a random memory."""

    def __init__(self):
        self.generator = np.random.default_rng(0)

    def init(self, problem, theta, h):
        return self.generator.uniform()

    def step(self, problem, theta, h, memory):
        return theta - h * memory * problem.natural_gradient(theta), memory


class RemembersATruth(ro.Integrator):
    """Halves its steps once a coordinate has been above 3."""

    def init(self, problem, theta, h):
        return False

    def step(self, problem, theta, h, memory):
        seen = np.logical_or(memory, theta[1] > 3)
        return theta - np.where(seen, h / 2, h) * problem.natural_gradient(theta), seen


class LooksAhead(ro.Integrator):
    """Takes a bold step where it lowers the loss, else a timid one; the bold one may lie outside the domain."""

    def step(self, problem, theta, h, memory):
        v = -problem.natural_gradient(theta)
        bold, timid = theta + 40 * h * v, theta + h * v
        return np.where(problem.loss(bold) < problem.loss(timid), bold, timid), memory


@pytest.mark.parametrize("rule", [CountsOnItself, DrawsItsMemory, RemembersATruth, LooksAhead])
@pytest.mark.slow_for("RemembersATruth", "LooksAhead")
def test_a_rule_does_the_same_on_both_targets(rule):
    gamma = ro.models.Gamma()
    samples = gamma.sample([20.0, 20.0], 500)
    results = []
    for backend in ("numpy", "numba"):
        problem = ro.Manifold(gamma, backend=backend).likelihood(samples)
        results.append(ro.minimize(problem, rule(), start=STARTS, step_size=0.3, steps=8))
    assert np.array_equal(results[0].status, results[1].status)
    np.testing.assert_allclose(results[0].points, results[1].points, rtol=1e-11)


def test_rules_of_a_kind_that_can_be_traced_are():
    problem = ro.Manifold(ro.models.Gamma()).likelihood([0.5, 1.0, 2.0])
    arguments = (STARTS, np.full(2, 0.1), 3, True, None)
    assert problem.trajectories(RemembersATruth(), *arguments) is not None
    assert problem.trajectories(LooksAhead(), *arguments) is not None
    assert problem.trajectories(CountsOnItself(), *arguments) is None
    assert problem.trajectories(DrawsItsMemory(), *arguments) is None


@pytest.mark.parametrize("key", ro.integrators.names())
def test_integrators_that_say_so_can_be_traced(key):
    rule = ro.integrators.by_name(key)
    formulas = ro.Manifold(ro.models.Gamma(), backend="numpy").likelihood([0.5, 1.0, 2.0]).formulas
    if rule.traceable:
        assert trajectory_program(formulas, rule, converges=False).stepped
    else:
        with pytest.raises(TypeError):
            trajectory_program(formulas, rule, converges=False)


FORKING = """
import multiprocessing
import numpy as np
import riemopt as ro

def metric():
    return ro.Manifold(ro.models.Gamma()).metric(np.full((1000, 2), 2.0))

if __name__ == "__main__":
    here = metric()
    # forking takes along the pool of threads without its threads
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    with multiprocessing.get_context(method).Pool(1) as pool:
        print(np.array_equal(pool.apply_async(metric).get(timeout=60), here))
"""


@pytest.mark.slow
def test_kernels_run_in_the_children_of_a_process_that_has_run_some(tmp_path):
    script = tmp_path / "forking.py"
    script.write_text(FORKING)
    result = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "True", result.stderr
