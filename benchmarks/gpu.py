"""Kernels on a GPU against the same on the processor: ``python -m benchmarks.gpu``.

Says what is missing where there is no GPU. Otherwise it compares the numbers of both for some families, measures a
million geodesics and trajectories, arrays being on the GPU before and after, and a step on a million samples,
and writes ``benchmarks/results/gpu.json``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import riemopt as ro
from benchmarks.geodesics import ATOL, RESULTS, RTOL, best
from benchmarks.machine import description

COUNT, STEPS = 1_000_000, 10
COMPARED = 1_000
"""Points of each family at which both are compared."""

FAMILIES = ("gamma", "beta", "dirichlet", "vonmises", "weibull", "negativebinomial", "kumaraswamy", "normal")


def timed(cupy: Any, function: Callable[[], Any]) -> dict[str, float]:
    """Seconds of the first call, which compiles, and the shortest of later ones; both wait for the GPU."""

    def run() -> Any:
        result = function()
        cupy.cuda.Device().synchronize()
        return result

    began = time.perf_counter()
    run()
    first = time.perf_counter() - began
    return {"first call, seconds": first, "seconds": best(run)[0]}


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


def geodesics(cupy: Any) -> dict[str, float]:
    """A million geodesics of the Gamma model, of length 1."""
    device, host = (ro.Manifold(ro.models.Gamma(), backend=backend) for backend in ("cupy", "numba"))
    rng = np.random.default_rng(0)
    points = rng.uniform(0.5, 5.0, (COUNT, 2))
    vectors = rng.normal(size=points.shape)
    vectors /= host.norm(points, vectors)[:, None]
    x, v = cupy.asarray(points), cupy.asarray(vectors)
    times = timed(cupy, lambda: device.exp(x, v, rtol=RTOL, atol=ATOL))
    seconds, ends = best(lambda: host.exp(points, vectors, rtol=RTOL, atol=ATOL))
    error = difference(device.exp(x, v, rtol=RTOL, atol=ATOL), ends)
    return {**times, "processor, times as long": seconds / times["seconds"], "difference": error}


def trajectories(cupy: Any) -> dict[str, float]:
    """Ten steps of the geodesic correction on the Gamma model from a million starts, fused."""
    samples = np.random.default_rng(0).gamma(20.0, 1 / 20.0, 10_000)
    device, host = (
        ro.Manifold(ro.models.Gamma(), backend=backend).likelihood(samples) for backend in ("cupy", "numba")
    )
    starts = np.random.default_rng(1).uniform(0.5, 3.0, (COUNT, 2))

    def run(problem: ro.LikelihoodProblem, start: Any) -> Any:
        return ro.minimize(problem, "geo", start=start, step_size=0.1, steps=STEPS, keep="last").x

    x = cupy.asarray(starts)
    times = timed(cupy, lambda: run(device, x))
    seconds, ends = best(lambda: run(host, starts))
    return {
        **times,
        "processor, times as long": seconds / times["seconds"],
        "difference": difference(run(device, x), ends),
    }


def samples(cupy: Any) -> dict[str, float]:
    """A natural gradient of the Weibull model, whose likelihood is a sum over a million samples."""
    data = np.random.default_rng(0).weibull(1.5, COUNT)
    device, host = (ro.Manifold(ro.models.Weibull(), backend=backend).likelihood(data) for backend in ("cupy", "numba"))
    point = np.array([[1.2, 0.9]])
    x = cupy.asarray(point)
    times = timed(cupy, lambda: device.natural_gradient(x))
    seconds, expected = best(lambda: host.natural_gradient(point))
    error = difference(device.natural_gradient(x), expected)
    return {**times, "processor, times as long": seconds / times["seconds"], "difference": error}


def main() -> None:
    """Measure, print and keep."""
    try:
        ro.Manifold(ro.models.Gamma(), backend="cupy")
    except ro.errors.BackendError as error:
        sys.exit(str(error))
    import cupy

    results = {
        "machine": description("cupy-cuda12x", "numba-cuda"),
        "GPU": cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode(),
        f"Gamma, {COUNT} geodesics of length 1": geodesics(cupy),
        f"geo, {COUNT} starts, {STEPS} steps": trajectories(cupy),
        f"Weibull, a natural gradient, {COUNT} samples": samples(cupy),
        f"differences from the processor, {COMPARED} points": {name: dict(agreement(name)) for name in FAMILIES},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "gpu.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
