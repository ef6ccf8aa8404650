"""Driving as networks want it: a metric that looks elsewhere each time, iterates walked back, runs that survive."""

import errno
import gc
import signal
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path

import numpy as np
import pytest

import riemopt as ro
from riemopt.autodiff.network import NetworkPoint
from riemopt.errors import ArgumentError
from riemopt.optimize.progress import told
from riemopt.optimize.state import State
from riemopt.problem import CountedProblem
from riemopt.status import Status

START = np.array([1.5, -1.0, 2.0, 0.5])
SCALES = np.array([1.0, 10.0, 0.3, 30.0])


class Turning(ro.OperatorProblem):
    """A quartic bowl whose metric is scaled by another number in every iteration."""

    def __init__(self, factor=1.0, **options):
        self.factor = factor
        super().__init__(
            loss=lambda x: float(np.sum(SCALES * (x**2 / 2 + x**4 / 4))),
            gradient=lambda x: SCALES * (x + x**3),
            fisher_product=lambda x, v: self.factor * SCALES * (1 + 3 * x**2) * v + 0.1 * v.sum(),
            connection=lambda x, v: self.factor * SCALES * 3 * x * v**2,
            **options,
        )

    def seen_at(self, iteration, key=0):
        return Turning(1.0 + iteration, solver=self.solver)


def test_each_iteration_solves_with_the_metric_it_sees():
    theta = START
    for k, found in enumerate(ro.minimize(Turning(), "ng", START, 0.5, 4).points[1:]):
        theta = theta - 0.5 * Turning(1.0 + k).natural_gradient(theta)
        np.testing.assert_allclose(found, theta, rtol=1e-9)


def test_loss_and_gradient_stay_what_they_are_when_the_metric_is_another():
    counted = CountedProblem(Turning())
    trajectory = ro.minimize(counted, "geo", START, 0.2, 5)
    assert counted.calls["gradient"] == 5 and counted.calls["loss"] == 6
    assert trajectory.evaluations.gradients == 5


KEPT = (1, 2, 3)


def iterates(matrix, b):
    """Conjugate gradients by the textbook, all iterates."""
    x, r = np.zeros_like(b), b.copy()
    p, found = r.copy(), []
    for _ in range(4):
        length = (r @ r) / (p @ matrix @ p)
        x, fresh = x + length * p, r - length * (matrix @ p)
        p, r = fresh + (fresh @ fresh) / (r @ r) * p, fresh
        found.append(x)
    return found


@pytest.mark.parametrize("key", ["ng", "geo", "geof"])
def test_earlier_iterates_are_taken_as_long_as_the_loss_falls(key):
    problem = Turning()
    solver = ro.ConjugateGradient(max_iterations=4, tolerance=0.0, keep=lambda i: i in KEPT)
    search = ro.Backtracking(max_reductions=0, fraction=1e-9)
    trajectory = ro.minimize(problem, key, START, 1.0, 1, solver=solver, line_search=search)
    here = problem.at(START)
    matrix = here.metric.dense()
    v = iterates(matrix, -here.gradient)
    covector = problem.connection(START, v[-1])
    ends = {
        "ng": v,
        "geo": [a + 0.5 * b for a, b in zip(v, iterates(matrix, -covector), strict=True)],
        "geof": iterates(matrix, -here.gradient - 0.5 * covector),
    }[key]
    losses = [problem.loss(START + end) for end in ends]
    best = 3
    while best > 0 and losses[best - 1] < losses[best]:
        best -= 1
    assert trajectory.losses[1] == pytest.approx(losses[best], rel=1e-9)
    # and nothing but losses was asked for on the way back
    assert trajectory.evaluations.gradients == 1
    assert trajectory.evaluations.solves == (1 if key == "ng" else 2)


def test_walking_back_helps_where_the_last_iterate_overshoots():
    solver = {keep: ro.ConjugateGradient(max_iterations=4, keep=keep) for keep in (None, lambda i: True)}
    losses = [
        ro.minimize(Turning(0.2), "ng", START, 1.0, 1, solver=s, line_search=ro.Backtracking()).losses[-1]
        for s in solver.values()
    ]
    assert losses[1] <= losses[0]


@pytest.mark.parametrize("alpha", [1e-3, 0.2, 1e3])
def test_a_long_correction_shortens_a_step_or_is_left_out(alpha):
    problem = Turning()
    here = problem.at(START)
    v = -here.natural_gradient
    a = here.acceleration(v)
    ratio = 2.0 * here.metric.norm(a) / here.metric.norm(v)
    settings = {"line_search": ro.Backtracking(max_reductions=0, fraction=1e-12), "longest_correction": alpha}
    found = ro.minimize(problem, "geo", START, 1.0, 1, **settings).x
    if ratio <= alpha:
        expected = START + v + 0.5 * a
    elif ratio <= 2.0 * alpha:
        expected = START + (alpha / ratio) * v + 0.5 * (alpha / ratio) ** 2 * a
    else:
        expected = START + v
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_a_step_without_its_correction_does_not_lower_the_damping():
    settings = {"damping": ro.LevenbergMarquardt(initial=1.0), "line_search": ro.Backtracking()}
    strengths = []

    def watch(state):
        strengths.append(state.damping)

    ro.minimize(Turning(), "geo", START, 0.1, 3, longest_correction=1e-9, callback=watch, **settings)
    assert min(strengths) == 1.0


@pytest.mark.parametrize(("value", "message"), [(-1.0, "positive"), (0.5, "searched steps")])
def test_what_controls_corrections_needs_steps_that_are_searched(value, message):
    with pytest.raises(ArgumentError, match=message):
        ro.minimize(Turning(), "geo", START, 1.0, 1, longest_correction=value)


def test_an_interruption_leaves_what_there_is():
    class Slow(ro.Integrator):
        def step(self, problem, theta, h, memory):
            if problem.loss(theta) < 30.0:
                raise KeyboardInterrupt
            return theta - h * problem.natural_gradient(theta), memory

    trajectory = ro.minimize(Turning(), Slow(), START, 0.3, 50)
    assert trajectory.status is Status.STOPPED and trajectory.success
    losses = trajectory.losses[np.argmin(trajectory.losses)]
    assert losses < 30.0 and np.all(trajectory.losses > 0.0)
    with pytest.raises(KeyboardInterrupt):  # of many, none is left out without a word
        ro.minimize(Turning(), Slow(), np.stack([START, START]), 0.3, 50)


def test_points_of_many_coordinates_are_kept_at_the_end_only():
    problem = ro.OperatorProblem(loss=lambda x: float(x @ x / 2), gradient=lambda x: x)
    assert ro.minimize(problem, "gd", np.ones(10_001), 0.1, 2).points.shape == (1, 10_001)
    assert ro.minimize(problem, "gd", np.ones(10), 0.1, 2).points.shape == (3, 10)


def test_progress_tells_what_a_long_run_is_watched_for():
    heard = []
    state = State(np.ones(1), 0.5, damping=30.0, iteration=7, seconds=41.2, rate=0.64, solver_iterations=24)
    with told(lambda done, total, where: heard.append(where), 9) as tell:
        tell(state)
        tell(state.but(rate=0.0))
    assert heard == [
        "step 7: loss 0.5, damping 30, 24 solver iterations, rate 0.64, 41 s",
        "step 7: loss 0.5, damping 30, 24 solver iterations, refused, 41 s",
    ]


# -- runs that survive


def test_a_full_disk_is_said_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    file, written = tmp_path / "run.ckpt", []
    write = Path.write_bytes

    def full(path, data):
        written.append(path)
        if len(written) > 1:
            write(path, bytes(data)[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr("riemopt.optimize.checkpoint._INTERVAL", 0.0)
    monkeypatch.setattr("riemopt.optimize.checkpoint._SHARE", 0.0)
    monkeypatch.setattr(Path, "write_bytes", full)
    message = r"cannot be written: .*No space left on device; iteration 0 is still there"
    with pytest.raises(ArgumentError, match=message):
        ro.minimize(Turning(), "geo", START, 0.2, 5, checkpoint=file)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["run.ckpt"]
    whole = ro.minimize(Turning(), "geo", START, 0.2, 5)
    np.testing.assert_array_equal(ro.minimize(Turning(), "geo", START, 0.2, 5, checkpoint=file).points, whole.points)


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_truncated_checkpoint_is_refused_and_not_overwritten(cut, tmp_path):
    file = tmp_path / "run.ckpt"
    ro.minimize(Turning(), "geo", START, 0.2, 2, checkpoint=file)
    content = file.read_bytes()[:cut]
    file.write_bytes(content)
    with pytest.raises(ArgumentError, match="cannot be read"):
        ro.minimize(Turning(), "geo", START, 0.2, 5, checkpoint=file)
    assert file.read_bytes() == content


PROGRAM = """
    import sys, time
    import numpy as np
    import riemopt as ro
    from riemopt.autodiff import feedforward

    rng = np.random.default_rng(0)
    sizes = [(4, 3), (2, 4)]
    parameters = [(rng.normal(size=size).astype("f4"), np.zeros(size[0], "f4")) for size in sizes]
    inputs = rng.normal(size=(50, 3)).astype("f4")
    targets = rng.integers(0, 2, (50, 2))
    net = feedforward.NetworkProblem(parameters, inputs, targets, output="bernoulli", metric_cases=20)

    def callback(state):
        print(state.iteration, flush=True)
        time.sleep(float(sys.argv[2]))

    trajectory = ro.minimize(
        net, sys.argv[3], start=net.start, step_size=1.0, steps=12, damping=ro.LevenbergMarquardt(5.0),
        line_search=ro.Backtracking(), keep="all", checkpoint=sys.argv[1] or None, callback=callback,
    )
    print(trajectory.losses.tobytes().hex())
"""


@pytest.mark.slow
@pytest.mark.parametrize("key", ["geo", "geof"])
def test_a_run_that_was_killed_goes_on_to_the_same_losses_bit_for_bit(key, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))

    def started(checkpoint, pause):
        command = [sys.executable, str(program), str(checkpoint), str(pause), key]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    never = started("", 0.0).communicate()[0].split()[-1]
    killed = started(tmp_path / "run.ckpt", 0.3)
    for line in killed.stdout:
        if int(line) == 5:
            killed.send_signal(signal.SIGKILL)
            break
    killed.communicate()
    out = started(tmp_path / "run.ckpt", 0.0).communicate()[0].split()
    assert 0 < int(out[0]) <= 5 and out[-1] == never


def test_what_is_held_at_a_point_goes_with_it(monkeypatch):
    made = weakref.WeakSet()
    begin = NetworkPoint.__init__

    def counted(self, *arguments):
        made.add(self)
        begin(self, *arguments)

    monkeypatch.setattr(NetworkPoint, "__init__", counted)
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(3, 2)), np.zeros(3)), (rng.normal(size=(1, 3)), np.zeros(1))]
    inputs, targets = rng.normal(size=(8, 2)), rng.integers(0, 2, size=(8, 1))
    net = ro.autodiff.feedforward.NetworkProblem(layers, inputs, targets, "bernoulli", metric_cases=4)
    most = []
    gc.collect()
    gc.disable()  # nothing is left to the collector of circles
    try:
        for key in ("ng", "mid", "geo", "geof"):
            options = {"damping": ro.LevenbergMarquardt(1.0), "line_search": ro.Backtracking()}
            ro.minimize(net, key, net.start, 1.0, 6, callback=lambda state: most.append(len(made)), **options)
    finally:
        gc.enable()
    assert 1 <= max(most) <= 4
