"""Steps in the ways of the published code, against the same written out with matrices."""

import itertools
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import riemopt as ro

DECAY = 0.3
ROOT = Path(__file__).parents[2]
CASES, PART = 30, 10
LINEAR = "gaussian"


def network(output="bernoulli"):
    rng = np.random.default_rng(7)
    inputs = rng.normal(size=(CASES, 3))
    targets = (rng.random((CASES, 2)) < 0.5) * 1.0
    parameters = [(rng.normal(size=(4, 3)), np.zeros(4)), (rng.normal(size=(2, 4)), np.zeros(2))]
    return ro.autodiff.feedforward.NetworkProblem(
        parameters, inputs, targets, output=output, weight_decay=DECAY, metric_cases=PART
    )


class WrittenOut:
    """The published steps, with matrices, from networks of all cases and of each part that know no decay."""

    def __init__(self, net, threshold, strength):
        self.net, self.threshold = net, threshold
        pairs = net.unflatten(net.start)
        self.parts = [
            ro.autodiff.feedforward.NetworkProblem(pairs, net.inputs[rows], net.targets[rows], output=net.output.name)
            for rows in [slice(k, k + PART) for k in range(0, CASES, PART)] + [slice(0, CASES)]
        ]
        self.theta, self.strength = net.start, strength
        self.starts, self.step = [0.0 * net.start] * 2, 0.0 * net.start

    def loss(self, theta, part=-1):
        z_loss = self.parts[part].loss(theta)
        if self.net.output.name == LINEAR:  # the squares themselves, without what belongs to a density
            z_loss = 2.0 * (z_loss - math.log(2.0 * math.pi))
        return z_loss + 0.5 * DECAY * theta @ theta

    def gradient(self, theta):
        return self.parts[-1].gradient(theta) + DECAY * theta

    def solve(self, metric, theta, right, start):
        """Iterates of conjugate gradients: those at 5, 7, 9, 11, 15, ... and the last one."""
        matrix = metric + self.strength * np.eye(len(right))
        scale = (self.parts[-1]._squares(theta) + self.strength + DECAY) ** 0.75
        x = 0.95 * start
        residual = right - matrix @ x
        direction = residual / scale
        quadratics, kept = {}, {}
        for i in range(1, 51):
            image = matrix @ direction
            if direction @ image <= 0.0:
                break
            before = residual @ (residual / scale)
            x = x + before / (direction @ image) * direction
            residual = residual - before / (direction @ image) * image
            direction = residual / scale + residual @ (residual / scale) / before * direction
            quadratics[i] = 0.5 * x @ matrix @ x - right @ x
            if i in [math.ceil(5.0 * 1.3**j) for j in range(20)]:
                kept[i] = x
            back = max(10, i // 10)
            earlier = quadratics.get(i - back, 0.0)
            if earlier < 0.0 and (quadratics[i] - earlier) / quadratics[i] < 5e-4 * back:
                break
        kept[i] = x
        return [kept[i] for i in sorted(kept, reverse=True)]

    def searched(self, ends, predicted_slope, metric, velocities, rate, part):
        """Back over the iterates, damping, and search."""
        losses = [self.loss(end(1.0)) for end in ends]
        chosen = next((k for k in range(len(ends) - 1) if not losses[k + 1] < losses[k]), len(ends) - 1)
        end, v = ends[chosen], velocities[chosen]
        slope = predicted_slope @ v
        predicted = slope + 0.5 * v @ metric @ v
        ratio = (self.loss(end(1.0), part) - self.loss(self.theta, part)) / predicted if predicted < 0.0 else -1.0
        self.strength *= 3 / 2 if ratio < 0.25 else 2 / 3 if ratio > 0.75 else 1.0
        for _ in range(61):
            if self.loss(end(rate)) <= self.loss(self.theta) + 1e-2 * rate * slope:
                return end, rate, v
            rate *= 0.8
        return end, 0.0, v

    def metric(self, theta, part):
        return self.parts[part].at(theta).metric.dense()

    def ng(self, part, h=1.0, at=None, rate=1.0, correction=0.0):
        at = self.theta if at is None else at
        metric, gradient, theta = self.metric(at, part), self.gradient(at), self.theta
        iterates = self.solve(metric, at, -gradient - correction, self.starts[0])
        self.starts[0] = iterates[0]
        ends = [lambda t, v=v: theta + t * h * v for v in iterates]
        return self.searched(ends, gradient, metric, [h * v for v in iterates], rate, part)

    def geo(self, part):
        theta, metric, gradient = self.theta, self.metric(self.theta, part), self.gradient(self.theta)
        first = self.solve(metric, theta, -gradient, self.starts[0])
        second = self.solve(metric, theta, self.parts[part].connection(theta, first[0]), self.starts[1])
        self.starts = [first[0], second[0]]
        pairs = list(itertools.zip_longest(first, second))
        pairs = [(v if v is not None else first[-1], a if a is not None else second[-1]) for v, a in pairs]
        ends = [lambda t, v=v, a=a: theta + t * v - 0.5 * t**2 * a for v, a in pairs]
        return self.searched(ends, gradient, metric, [v for v, _ in pairs], 1.0, part)

    def take(self, key, iteration):
        part, start = iteration % (CASES // PART), self.theta
        if self.strength >= self.threshold and key != "geof":
            key = "ng"
        if key == "geo":
            end, rate, v = self.geo(part)
        elif key == "mid":
            end, rate, _ = self.ng(part, 0.5)
            end, rate, v = self.ng(part, 1.0, end(rate), rate or 1.0)
        else:
            corrects = key == "geof" and self.strength < self.threshold
            correction = 0.5 * self.parts[part].connection(start, self.step) if corrects else 0.0
            end, rate, v = self.ng(part, correction=correction)
        self.step = rate * v
        self.theta = end(rate) if rate else start


FAR, NEAR, CLOSE = (45.0, 8), (1.0, 4), (0.1, 4)
"""The damping at first and the number of steps: all taken and whole; some refused; shortened, with more damping."""


@pytest.mark.parametrize(
    ("output", "damping"),
    [("bernoulli", FAR), ("bernoulli", NEAR), ("bernoulli", CLOSE), (LINEAR, FAR), (LINEAR, NEAR)],
)
@pytest.mark.parametrize("key", ["ng", "mid", "geo", "geof"])
def test_faithful_steps_are_the_published_ones_written_out(key, output, damping):
    (strength, steps), net, threshold = damping, network(output), 30.0
    written = WrittenOut(net, threshold, strength)
    points = [net.start]
    for k in range(steps):
        written.take(key, k)
        points.append(written.theta)
    states = []
    settings = {"start": net.start, "step_size": 1.0, "steps": steps, "correction_below": threshold}
    strengths = ro.LevenbergMarquardt(initial=strength)
    run = ro.minimize(net, key, damping=strengths, faithful=True, callback=states.append, **settings)
    assert np.allclose(run.points, points, rtol=1e-6, atol=1e-6)
    rates = {state.rate for state in states[1:]}
    assert (rates != {1.0}) == (damping is CLOSE or (damping is NEAR and key == "mid"))
    assert (states[-1].damping > strength) == (damping is CLOSE)
    mended = {"solver": ro.ConjugateGradient(max_iterations=50), "line_search": ro.Backtracking()}
    usual = ro.minimize(net, key, damping=strengths, **mended, **settings)
    assert not np.allclose(usual.points, points, rtol=1e-4, atol=1e-4)


def test_a_run_ends_where_no_step_lowers_the_loss():
    layers = [(np.zeros((1, 1)), np.zeros(1))]
    inputs, targets = np.ones((4, 1)), np.array([[0.0], [1.0], [0.0], [1.0]])
    net = ro.autodiff.feedforward.NetworkProblem(layers, inputs, targets, "bernoulli", weight_decay=0.1)
    run = ro.minimize(net, "mid", net.start, 1.0, 140, faithful=True)
    assert run.success or run.status is ro.Status.STALLED
    assert run.loss == pytest.approx(np.log(2.0))


def test_a_run_goes_on_from_its_checkpoint_in_another_process(tmp_path):
    file = tmp_path / "run.ckpt"
    settings = {"start": network().start, "step_size": 1.0, "faithful": True}
    ro.minimize(network(), "geo", steps=2, checkpoint=file, **settings)
    code = (
        "import sys; from tests.optimize.test_published import network, ro; net = network();"
        "run = ro.minimize(net, 'geo', net.start, 1.0, 3, faithful=True, checkpoint=sys.argv[1]); print(run.loss.hex())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, file], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert told.returncode == 0, told.stderr
    assert float.fromhex(told.stdout) == ro.minimize(network(), "geo", steps=3, **settings).loss


def test_the_published_ways_are_refused_where_they_mean_nothing():
    net = network()
    settings = {"start": net.start, "step_size": 1.0, "steps": 1, "faithful": True}
    with pytest.raises(ro.errors.ArgumentError, match="published rules"):
        ro.minimize(net, "rk4", **settings)
    with pytest.raises(ro.errors.ArgumentError, match="no way of the published code"):
        ro.minimize(net, "geo", longest_correction=0.75, **settings)
    gamma = ro.models.Gamma()
    problem = ro.Manifold(gamma, backend="numpy").likelihood([1.0, 2.0])
    with pytest.raises(ro.errors.ArgumentError, match="for networks"):
        ro.minimize(problem, "geo", start=[1.0, 1.0], step_size=1.0, steps=1, faithful=True)
