"""Products and iterations of a network with millions of weights: ``python -m benchmarks.networks``.

The autoencoder of MNIST's sizes, 784-1000-500-250-30 and back, on 1,000 cases in single precision: what a connection
product costs beside a Fisher product, a Fisher product inside a solve beside one by itself, an iteration of each
integrator beside one of the natural gradient, all with as many iterations of the solver; and how much a driver adds to
what its products and solves take. In JAX and in PyTorch, beside kfac_jax and curvlinops where these are installed.
"""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import riemopt as ro
from benchmarks.machine import description
from benchmarks.measure import in_process, memory, side_by_side
from benchmarks.records import Bound, Cell, Record, Table, command

LAYERS = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
CASES = 1000
QUICK = (20, 30, 10, 30, 20)
ITERATIONS = 20
"""Of the solver, in each solve: training takes 24 on average, and at most 50."""


def parts(layers: Sequence[int], cases: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Weights and biases of a sparsely initialised network, and images that are random numbers."""
    rng = np.random.default_rng(0)
    weights = []
    for before, after in itertools.pairwise(layers):
        matrix = np.zeros((after, before), np.float32)
        for row in matrix:
            row[rng.choice(before, min(15, before), replace=False)] = rng.normal(size=min(15, before))
        weights.append((matrix, np.zeros(after, np.float32)))
    return weights, rng.random((cases, layers[0])).astype(np.float32)


def in_jax(layers: Sequence[int], cases: int) -> Any:
    """The network in JAX."""
    import jax

    parameters, images = parts(layers, cases)
    code = len(parameters) // 2 - 1

    def network(parameters: Any, x: Any) -> Any:
        for k, (weights, biases) in enumerate(parameters):
            x = x @ weights.T + biases
            x = x if k in (code, len(parameters) - 1) else jax.nn.sigmoid(x)
        return x

    return ro.autodiff.jax.NetworkProblem(network, parameters, images, images, output="bernoulli")


def in_torch(layers: Sequence[int], cases: int) -> Any:
    """The network in PyTorch."""
    return ro.autodiff.torch.NetworkProblem(module(layers, cases), *pair(layers, cases), output="bernoulli")


def module(layers: Sequence[int], cases: int) -> Any:
    """The same as a module."""
    import torch

    parameters, _ = parts(layers, cases)
    code = len(parameters) // 2 - 1
    modules: list[Any] = []
    for k, (weights, biases) in enumerate(parameters):
        layer = torch.nn.Linear(weights.shape[1], weights.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights))
            layer.bias.copy_(torch.from_numpy(biases))
        modules += [layer] if k in (code, len(parameters) - 1) else [layer, torch.nn.Sigmoid()]
    return torch.nn.Sequential(*modules)


def pair(layers: Sequence[int], cases: int) -> tuple[Any, Any]:
    """Inputs and targets as tensors."""
    import torch

    images = torch.from_numpy(parts(layers, cases)[1])
    return images, images


FRAMEWORKS: dict[str, Callable[[Sequence[int], int], Any]] = {"jax": in_jax, "torch": in_torch}


def costs(framework: str, layers: Sequence[int], cases: int, repeats: int) -> dict[str, float]:
    """Seconds of the primitives of a network, measured in turns."""
    net = FRAMEWORKS[framework](layers, cases)
    theta = net.start
    v = net.gradient(theta)
    here = net.at(theta)
    metrics = {
        n: here.metric.damped(45.0).solved_by(
            ro.ConjugateGradient(max_iterations=n, progress=0.0, keep=lambda i: False)
        )
        for n in (1, 1 + ITERATIONS)
    }
    for metric in metrics.values():
        metric.preconditioner  # noqa: B018  made before anything is timed

    timings = side_by_side(
        {
            "loss": lambda: net.loss(theta),
            "gradient": lambda: settled(net.gradient(theta)),
            "Fisher product": lambda: settled(net.fisher_product(theta, v)),
            "connection product": lambda: settled(net.connection(theta, v)),
            **{f"solve {n}": lambda metric=metric: settled(metric.solve(v)) for n, metric in metrics.items()},
        },
        repeats,
    )
    seconds = {name: timing.seconds for name, timing in timings.items()}
    inside = (seconds.pop(f"solve {1 + ITERATIONS}") - seconds.pop("solve 1")) / ITERATIONS
    return seconds | {"Fisher product inside a solve": inside}


def peaks(framework: str, layers: Sequence[int], cases: int) -> dict[str, int | None]:
    """The most bytes held during one of each, each in a process of its own that gives memory back at once."""
    names = ("gradient", "Fisher product", "connection product", "solve")
    at_once = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    return {name: in_process(peak, framework, layers, cases, name, environment=at_once) for name in names}


def peak(framework: str, layers: Sequence[int], cases: int, name: str) -> int | None:
    """The most bytes held during one of them, at a point where nothing is kept of others.

    A small network comes first, which brings the library to where it has what it needs; what is compiled for sizes of
    arrays is compiled before.
    """
    small, large = (FRAMEWORKS[framework](*sizes) for sizes in ((QUICK, 20), (layers, cases)))
    for net in (small, large) if framework == "jax" else (small,):
        one(net, name)
    gc.collect()
    return memory(lambda: one(large, name))


def one(net: Any, name: str) -> Any:
    """One evaluation at the start."""
    theta = net.start
    v = net.start * 1.0
    solver = ro.ConjugateGradient(max_iterations=5, progress=0.0, keep=lambda i: False)
    tasks = {
        "gradient": lambda: net.gradient(theta),
        "Fisher product": lambda: net.fisher_product(theta, v),
        "connection product": lambda: net.connection(theta, v),
        "solve": lambda: net.at(theta).metric.damped(45.0).solved_by(solver).solve(v),
    }
    return settled(tasks[name]())


def settled(value: Any) -> Any:
    """A value that is there, not only promised."""
    return value.block_until_ready() if hasattr(value, "block_until_ready") else value


def iterations(framework: str, layers: Sequence[int], cases: int, rounds: int) -> tuple[dict[str, float], float]:
    """Seconds of an iteration of each integrator; and the share of a run that the driver itself takes."""
    net = FRAMEWORKS[framework](layers, cases)
    settings = {
        "start": net.start,
        "step_size": 1.0,
        "solver": ro.ConjugateGradient(max_iterations=ITERATIONS, progress=0.0, keep=lambda i: False),
        "damping": ro.LevenbergMarquardt(initial=45.0),
        "line_search": ro.Backtracking(max_reductions=0),
    }
    seconds: dict[str, float] = dict.fromkeys(("ng", "mid", "geo", "geof"), float("inf"))
    for _ in range(rounds):  # in turns, so that what slows the machine down for a while meets all of them
        for key in seconds:
            told: list[float] = []
            ro.minimize(net, key, steps=3, callback=lambda state, told=told: told.append(state.seconds), **settings)
            # the first step may compile, and that of geof takes a solve more
            later = (after - before for before, after in itertools.pairwise(told[1:]))
            seconds[key] = min(seconds[key], *later)
    spent = _Clock(net)
    began = time.perf_counter()
    with spent:
        ro.minimize(net, "geo", steps=2, **settings)
    total = time.perf_counter() - began
    return seconds, 1.0 - spent.seconds / total


class _Clock:
    """Adds up the time that a network spends on what it is asked for."""

    NAMES = ("_loss", "_gradient", "_product", "_connection", "_squares", "_solution")

    def __init__(self, net: Any) -> None:
        self.net, self.seconds, self._depth = net, 0.0, 0

    def __enter__(self) -> None:
        for name in self.NAMES:
            setattr(self.net, name, self._timed(getattr(self.net, name)))

    def __exit__(self, *exception: Any) -> None:
        for name in self.NAMES:
            delattr(self.net, name)

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            self._depth += 1
            value = method(*arguments)
            if hasattr(value, "block_until_ready"):
                value.block_until_ready()
            self._depth -= 1
            self.seconds += 0.0 if self._depth else time.perf_counter() - began
            return value

        return timed


def peer(layers: Sequence[int], cases: int, repeats: int) -> dict[str, float]:
    """Seconds of a product with the Fisher metric by riemopt in PyTorch and by curvlinops, in turns."""
    import torch
    from curvlinops import GGNLinearOperator

    net, network = in_torch(layers, cases), module(layers, cases)
    inputs, targets = pair(layers, cases)
    parameters = list(network.parameters())
    theirs = GGNLinearOperator(
        network, torch.nn.BCEWithLogitsLoss(reduction="sum"), parameters, [(inputs, targets)], check_deterministic=False
    )
    v = net.start * 1.0
    metric = net.at(net.start).metric
    timings = side_by_side({"riemopt": lambda: metric.product(v), "curvlinops": lambda: theirs @ v}, repeats)
    ours, other = (timing.result for timing in timings.values())
    apart = float((cases * ours - other).norm() / other.norm())
    if not apart < 1e-3:
        raise RuntimeError(f"riemopt and curvlinops disagree by {apart:.1e}")
    return {name: timing.seconds for name, timing in timings.items()}


def by_kfac(quick: bool) -> tuple[dict[str, float], str] | None:
    """Seconds of a product by riemopt in JAX and by kfac_jax, and the version of that; None if it is not there.

    It runs in a process of the interpreter that the environment variable ``KFAC_PYTHON`` names, since it may want
    another release of JAX (0.0.8 runs with 0.9.0); without one, of this interpreter.
    """
    python = os.environ.get("KFAC_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import kfac_jax"], stderr=subprocess.DEVNULL).returncode:
        return None
    command = [python, "-m", "benchmarks.kfac_process", *(["--quick"] if quick else [])]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(found.stdout.splitlines()[-1])
    return answer["seconds"], answer["version"]


def measure(quick: bool) -> Record:
    """All of it, each framework in a process of its own."""
    layers, cases, repeats = (QUICK, 20, 2) if quick else (LAYERS, CASES, 5)
    tables, bounds, missing = [], [], []
    for framework in FRAMEWORKS:
        if importlib.util.find_spec(framework) is None:
            missing.append(framework)
            continue
        seconds = in_process(costs, framework, layers, cases, repeats)
        product = seconds["Fisher product"]
        rows: list[list[Cell]] = [[name, 1e3 * value, value / product] for name, value in seconds.items()]
        tables.append(Table(f"One of each ({framework})", ["", "milliseconds", "Fisher products"], rows))
        times, share = in_process(iterations, framework, layers, cases, 1 if quick else 3)
        rows = [[key, 1e3 * value, value / times["ng"]] for key, value in times.items()]
        title = f"An iteration with {ITERATIONS} iterations of the solver in every solve ({framework})"
        tables.append(Table(title, ["", "milliseconds", "by ng"], rows))
        held = peaks(framework, layers, cases)
        rows = [[name, None if size is None else size / 1e6] for name, size in held.items()]
        tables.append(Table(f"Memory beyond the network and its data ({framework})", ["", "MB"], rows))
        bounds += [
            Bound(
                f"{framework}: connection product, in Fisher products",
                seconds["connection product"] / product,
                most=1.5,
            ),
            *(
                Bound(f"{framework}: an iteration of {key}, by one of ng", times[key] / times["ng"], most=most)
                for key, most in (("geof", 1.1), ("geo", 2.1), ("mid", 2.1))
            ),
            Bound(f"{framework}: what the driver adds to its products and solves", share, most=0.02),
            Bound(f"{framework}: memory of a connection product, by that of a gradient", _ratio(held), most=2.0),
        ]
        if framework == "jax":
            inside = seconds["Fisher product inside a solve"] / product
            bounds.append(Bound("jax: Fisher product inside a solve, by one of its own", inside, most=0.85))
    peers = [("torch", "curvlinops", _by_curvlinops(layers, cases, repeats)), ("jax", "kfac_jax", by_kfac(quick))]
    versions = {}
    for framework, name, found in peers:
        if found is None:
            missing.append(name)
            continue
        both, versions[name] = found
        rows = [[who, 1e3 * value] for who, value in both.items()]
        tables.append(Table(f"A Fisher product beside {name} ({framework})", ["", "milliseconds"], rows))
        ratio = both["riemopt"] / both[name]
        bounds.append(Bound(f"{framework}: a Fisher product, by one of {name}", ratio, most=1.0))
    place = description("jax", "torch")
    place["versions"] = {**place["versions"], **versions}  # type: ignore[dict-item]
    return Record("networks", place, tables, bounds, missing)


def _by_curvlinops(layers: Sequence[int], cases: int, repeats: int) -> tuple[dict[str, float], str] | None:
    """Seconds of a product by riemopt in PyTorch and by curvlinops, and the version of that; None without it."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("curvlinops") is None:
        return None
    return in_process(peer, layers, cases, repeats), importlib.metadata.version("curvlinops-for-pytorch")


def _ratio(held: dict[str, int | None]) -> float | None:
    """The memory of a connection product by that of a gradient."""
    most, least = held["connection product"], held["gradient"]
    return most / least if most and least else None


if __name__ == "__main__":
    command(measure)
