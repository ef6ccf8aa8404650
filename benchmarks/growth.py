"""How time grows with the batch, the dimension and the samples, and memory: ``python -m benchmarks.growth``.

The batch is one of geodesics of the Gamma model, or of trajectories of ten steps. With the dimension also grows what is
compiled: the seconds until a first result, derivation included, are told apart.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import sympy as sp

import riemopt as ro
from benchmarks.machine import description
from benchmarks.measure import best, cores, in_process, memory, side_by_side
from benchmarks.records import Bound, Cell, Record, Table, command
from benchmarks.work import (
    Task,
    dirichlet,
    exponential_map,
    gamma_gradient,
    logistic_gradient,
    trajectories,
    weibull_gradient,
)

FLAT_FROM = 10_000
"""From here on the time per trajectory should not grow."""

BATCHED = {"exp": (exponential_map, 4, 2), "geo": (trajectories, 2, 4)}
"""Tasks on a batch, and how many numbers each of it is given and returns; of a trajectory also loss and status."""

# -- with the batch


def with_batch(largest: int) -> tuple[Table, list[Bound]]:
    """Time per trajectory for more and more of them."""
    counts = [10**k for k in range(largest + 1)]
    times = {
        name: {count: best(prepare(count), repeats=5 if count < 10**6 else 1).seconds / count for count in counts}
        for name, (prepare, *_) in BATCHED.items()
    }
    reference = min(FLAT_FROM, counts[-1])
    rows: list[list[Cell]] = [
        [
            f"{count:,}",
            *(times[name][count] / times[name][reference] for name in times),
            *(1e6 * times[name][count] for name in times),
        ]
        for count in counts
    ]
    columns = ["batch", *(f"{name}, by that of {reference:,}" for name in times), *(f"{name}, µs" for name in times)]
    bounds = []
    for name, measured in times.items():
        large = [measured[count] for count in counts if count >= reference]
        what = f"Batch: {name}, slowest / fastest time of one among {reference:,} to {counts[-1]:,}"
        bounds.append(Bound(what, max(large) / min(large), most=1.25))
    return Table(f"Time of one trajectory by the size of the batch, cores: {len(cores())}", columns, rows), bounds


def held(prepare: Callable[[int], Task], count: int) -> float | None:
    """Megabytes that a task holds beyond what it is given."""
    prepare(100)()  # what is loaded once
    task = prepare(count)
    most = memory(task)
    return None if most is None else most / 1e6


def with_memory(largest: int) -> tuple[Table, list[Bound]]:
    """What is held beyond inputs and output, for a batch and one ten times as large."""
    rows: list[list[Cell]] = []
    bounds = []
    for name, (prepare, given, returned) in BATCHED.items():
        beyond: list[float | None] = []
        small, large = 10 ** (largest - 1), 10**largest
        for count in (small, large):
            inputs, output = 8e-6 * given * count, 8e-6 * returned * count
            most = in_process(held, prepare, count)
            beyond.append(None if most is None else most - output)
            rows.append([f"{name}, {count:,}", beyond[-1], inputs, output])
        growth = None if beyond[0] is None or beyond[1] is None else beyond[1] - beyond[0]
        bounds.append(
            Bound(f"Memory: {name}, MB beyond inputs and output, {large:,} less {small:,}", growth, most=16.0)
        )
    return Table("Memory", ["", "beyond inputs and output, MB", "inputs, MB", "output, MB"], rows), bounds


# -- with the dimension


def first_and_next(prepare: Callable[[int], Task], n: int, points: int) -> list[float]:
    """Microseconds of a task for one of its points, and the seconds until it was done for the first time."""
    began = time.perf_counter()
    task = prepare(n)
    task()
    first = time.perf_counter() - began
    return [1e6 * best(task).seconds / points, first]


def with_dimension(quick: bool) -> Table:
    """Time at one point, and until the first result, for more and more parameters."""
    wide, narrow = ((2,), (2,)) if quick else ((2, 3, 5, 8, 12, 20), (2, 3, 5, 8))
    rows: list[list[Cell]] = []
    for title, prepare, dimensions, points in (
        ("raise_index, Dirichlet", partial(dirichlet, "raise_index", 1000), wide, 1000),
        ("exp, Dirichlet", partial(dirichlet, "exp", 1000), narrow, 1000),
        ("natural gradient, logistic regression of 1,000 rows", partial(logistic_gradient, 1000), wide, 1),
    ):
        for n in dimensions:
            with tempfile.TemporaryDirectory() as folder:
                measured = in_process(first_and_next, prepare, n, points, environment={"RIEMOPT_CACHE": folder})
            rows.append([title, n, *measured])
    columns = ["", "parameters", "µs", "seconds to the first result"]
    return Table("Time at one point by the number of parameters", columns, rows)


# -- with the samples


def with_samples(largest: int) -> Table:
    """Time of a natural gradient of an exponential family, of another density and of a regression."""
    problems = {"Gamma": gamma_gradient, "Weibull": weibull_gradient, "logistic regression": logistic_gradient}
    rows: list[list[Cell]] = []
    for count in (10**k for k in range(2, largest + 1)):
        times = [best(prepare(count)).seconds for prepare in problems.values()]
        rows.append([f"{count:,}", *(1e9 * t / count for t in times), *(1e6 * t for t in times)])
    columns = ["samples", *(f"{name}, ns a sample" for name in problems), *(f"{name}, µs" for name in problems)]
    return Table(f"Time of a natural gradient by the number of samples, cores: {len(cores())}", columns, rows)


def sums(rows: int) -> Table:
    """The metric of a regression: compiled, and in NumPy as one would write it."""
    u, *p = sp.symbols("u a b c d", real=True)
    model = ro.ConditionalModel([p[0] * sp.exp(-p[1] * u) + p[2] * sp.exp(-p[3] * u)], "gaussian", (u,), p, scale=1.0)
    rng = np.random.default_rng(0)
    inputs, targets = rng.random(rows), rng.normal(size=rows)
    theta = np.array([1.0, 0.5, 2.0, 3.0])
    problem = ro.Manifold(model).likelihood(targets, inputs=inputs)

    def by_hand() -> np.ndarray:
        first, second = np.exp(-theta[1] * inputs), np.exp(-theta[3] * inputs)
        jacobian = np.stack([first, -theta[0] * inputs * first, second, -theta[2] * inputs * second])
        return jacobian @ jacobian.T / rows

    timings = side_by_side({"riemopt": lambda: problem.metric(theta), "NumPy": by_hand})
    np.testing.assert_allclose(timings["riemopt"].result, timings["NumPy"].result, rtol=1e-10)
    unit = timings["riemopt"].seconds
    entries: list[list[Cell]] = [
        [name, timing.seconds / unit, 1e9 * timing.seconds / rows] for name, timing in timings.items()
    ]
    return Table(f"The metric of a regression with {rows:,} rows", ["", "times as long", "ns a row"], entries)


def measure(quick: bool) -> Record:
    """All of it."""
    largest = 4 if quick else 7
    batch, flat = with_batch(largest)
    space, constant = with_memory(largest)
    return Record(
        "growth",
        description(),
        [batch, space, with_dimension(quick), with_samples(largest), sums(10 ** (largest - 1))],
        [*flat, *constant],
    )


if __name__ == "__main__":
    command(measure)
