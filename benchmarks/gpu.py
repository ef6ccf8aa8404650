"""Kernels on a GPU against the same on the processor: ``python -m benchmarks.gpu``.

Says what is missing where there is no GPU. Otherwise it compares the numbers of both for some families, and measures
geodesics, trajectories and a step on many samples, arrays being on the GPU before and after.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import riemopt as ro
from benchmarks.machine import description
from benchmarks.measure import best
from benchmarks.records import Bound, Cell, Record, Table, command
from benchmarks.work import STEP_SIZE, STEPS, gamma_fit, geodesics, starts

COMPARED = 1_000
"""Points of each family at which both are compared."""

FAMILIES = ("gamma", "beta", "dirichlet", "vonmises", "weibull", "negativebinomial", "kumaraswamy", "normal")

Work = Callable[[str], tuple[Callable[..., Any], list[np.ndarray]]]
"""What a backend computes, and from which arrays."""


def difference(found: Any, expected: np.ndarray) -> float:
    """The largest difference of an array on the GPU, relative to the largest number of its row; infinite for a NaN."""
    found, expected = (array.reshape(len(expected), -1) for array in (found.get(), expected))
    known = np.isfinite(expected).all(axis=-1)
    if (np.isfinite(found).all(axis=-1) != known).any():
        return float("inf")
    scale = np.abs(expected[known]).max(axis=-1, keepdims=True)
    return float((np.abs(found[known] - expected[known]) / scale).max(initial=0.0))


def agreement(name: str) -> Iterator[tuple[str, float]]:
    """How far the numbers of a family on the GPU are from those on the processor."""
    model = ro.models.family(name)
    device, host = (ro.Manifold(model, backend=backend) for backend in ("cupy", "numba"))
    rng = np.random.default_rng(0)
    points = model.domain.interior_points(COMPARED, rng, spread=0.3)
    vectors = rng.normal(size=points.shape)
    vectors *= 0.5 / host.norm(points, vectors)[:, None]
    for method in ("metric", "christoffel"):
        yield method, difference(getattr(device, method)(points), getattr(host, method)(points))
    for method in ("raise_index", "connection", "exp"):
        yield method, difference(getattr(device, method)(points, vectors), getattr(host, method)(points, vectors))
    yield "transport", difference(device.transport(points, vectors, vectors), host.transport(points, vectors, vectors))
    ends = host.exp(points, vectors)
    yield "distance", difference(device.distance(points, ends), host.distance(points, ends))
    problems = [manifold.likelihood(model.sample(points[0], 100)) for manifold in (device, host)]
    for key in ("geo", "ng-exact"):
        moved = [ro.minimize(p, key, start=points, step_size=0.1, steps=2, keep="last").x for p in problems]
        yield key, difference(*moved)


def exponential_map(count: int) -> Work:
    """Geodesics of the Gamma model, of length 1."""
    arrays = geodesics(ro.Manifold(ro.models.Gamma()), [0.5, 0.5], [5.0, 5.0], count)
    return lambda backend: (ro.Manifold(ro.models.Gamma(), backend=backend).exp, list(arrays))


def trajectories(count: int) -> Work:
    """Ten steps of the geodesic correction on the Gamma model."""
    samples = gamma_fit()[1]

    def prepare(backend: str) -> tuple[Callable[..., Any], list[np.ndarray]]:
        problem = ro.Manifold(ro.models.Gamma(), backend=backend).likelihood(samples)
        settings = {"step_size": STEP_SIZE, "steps": STEPS, "keep": "last"}
        return lambda start: ro.minimize(problem, "geo", start=start, **settings).x, [starts(count)]

    return prepare


def gradient(count: int) -> Work:
    """A natural gradient of the Weibull model, whose likelihood is a sum over the samples."""
    samples = np.random.default_rng(0).weibull(1.5, count)

    def prepare(backend: str) -> tuple[Callable[..., Any], list[np.ndarray]]:
        return ro.Manifold(ro.models.Weibull(), backend=backend).likelihood(samples).natural_gradient, [
            np.array([[1.2, 0.9]])
        ]

    return prepare


def compare(cupy: Any, work: Work) -> tuple[list[Cell], float]:
    """The processor's time by the GPU's, milliseconds on the GPU, and the difference; and the milliseconds."""
    device, arrays = work("cupy")
    host, _ = work("numba")
    on_device = [cupy.asarray(array) for array in arrays]

    def run() -> Any:
        result = device(*on_device)
        cupy.cuda.Device().synchronize()
        return result

    there, here = best(run), best(lambda: host(*arrays))
    milliseconds = 1e3 * there.seconds
    return [here.seconds / there.seconds, milliseconds, difference(there.result, here.result)], milliseconds


def measure(quick: bool) -> Record:
    """The work on both, and how far they are apart."""
    try:
        ro.Manifold(ro.models.Gamma(), backend="cupy")
    except ro.errors.BackendError as error:
        sys.exit(str(error))
    import cupy

    count = 10_000 if quick else 1_000_000
    works = {"exp, Gamma": exponential_map, "geo, Gamma": trajectories, "natural gradient, Weibull": gradient}
    found = {name: compare(cupy, work(count)) for name, work in works.items()}
    columns = ["", "processor / GPU, time", "GPU, ms", "relative difference"]
    name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode()
    tables = [
        Table(f"{name} and the processor: {count:,} entries", columns, [[k, *row] for k, (row, _) in found.items()]),
        Table(
            f"Relative differences of the GPU from the processor at {COMPARED:,} points",
            ["", "largest", "of"],
            [
                [family, worst, what]
                for family in FAMILIES
                for worst, what in [max((e, k) for k, e in agreement(family))]
            ],
        ),
    ]
    bounds = (
        [] if quick else [Bound("exp, Gamma, 1,000,000 geodesics on the GPU, ms", found["exp, Gamma"][1], most=10.0)]
    )
    return Record("gpu", description("cupy-cuda12x", "numba-cuda"), tables, bounds)


if __name__ == "__main__":
    command(measure)
