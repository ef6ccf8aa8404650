"""Geodesics and fused trajectories against peers, side by side in one process: ``python -m benchmarks.geodesics``.

Every contender integrates the same geodesics to the same tolerances, ``rtol=1e-10``. Its error is told, against riemopt
at ``rtol=1e-13``, which the tests compare with 32 digits. Peers that are not installed are reported as missing; ``pip
install diffrax heyoka`` installs them. Writes ``benchmarks/results/geodesics.json``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.integrate
import scipy.special

import riemopt as ro
from benchmarks.machine import description

RESULTS = Path(__file__).parent / "results"
RTOL, ATOL = 1e-10, 1e-12
COUNT, FEW = 10_000, 50
TRAJECTORIES, STEPS = 1_000_000, 10

Contender = Callable[[np.ndarray, np.ndarray], np.ndarray]


def best(function: Callable[[], Any], repeat: int = 5) -> tuple[float, Any]:
    """The shortest of several times, in seconds, and the last result; the first call, which compiles, is left out."""
    function()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - began)
    return min(times), result


def geodesics(manifold: ro.Manifold, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts in a box, and vectors of unit length."""
    rng = np.random.default_rng(0)
    points = rng.uniform(low, high, (COUNT, 2))
    vectors = rng.normal(size=points.shape)
    return points, vectors / manifold.norm(points, vectors)[:, None]


# -- the geodesic equations, written by hand for the peers


def gamma_field(state: np.ndarray) -> list[float]:
    """θ̈ of the Gamma model in (α, β)."""
    alpha, beta, u, v = state
    p1, p2 = scipy.special.polygamma(1, alpha), scipy.special.polygamma(2, alpha)
    first = 0.5 * p2 * u * u + 0.5 * v * v / beta**2
    second = u * v / beta**2 - alpha * v * v / beta**3
    det = alpha * p1 - 1.0
    return [u, v, -(alpha * first + beta * second) / det, -(beta * first + beta**2 * p1 * second) / det]


def by_scipy(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """One geodesic at a time with ``solve_ivp``."""
    ends = []
    for start in np.concatenate([points, vectors], axis=1):
        solution = scipy.integrate.solve_ivp(
            lambda t, y: gamma_field(y), (0.0, 1.0), start, method="DOP853", rtol=RTOL, atol=ATOL
        )
        ends.append(solution.y[:2, -1])
    return np.array(ends)


def diffrax_contender() -> Contender:
    """All geodesics at once with a vectorised, compiled ``Dopri8``."""
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jax.scipy.special import polygamma

    def field(t: Any, y: Any, args: Any) -> Any:
        alpha, beta, u, v = y
        p1, p2 = polygamma(1, alpha), polygamma(2, alpha)
        first = 0.5 * p2 * u * u + 0.5 * v * v / beta**2
        second = u * v / beta**2 - alpha * v * v / beta**3
        det = alpha * p1 - 1.0
        return jnp.stack([u, v, -(alpha * first + beta * second) / det, -(beta * first + beta**2 * p1 * second) / det])

    def end(start: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            diffrax.Dopri8(),
            0.0,
            1.0,
            None,
            start,
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL),
        )
        return solution.ys[-1][:2]

    run = jax.jit(jax.vmap(end))
    return lambda points, vectors: np.asarray(run(np.concatenate([points, vectors], axis=1)).block_until_ready())


def heyoka_contender() -> Contender:
    """Geodesics of the normal model, a vector of the processor at a time, on one thread."""
    import heyoka

    mu, sigma, u, v = heyoka.make_vars("mu", "sigma", "u", "v")
    equations = [(mu, u), (sigma, v), (u, 2 * u * v / sigma), (v, (v * v - u * u / 2) / sigma)]
    width = heyoka.recommended_simd_size()
    solver = heyoka.taylor_adaptive_batch(equations, np.ones((4, width)), tol=RTOL)

    def run(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        states = np.concatenate([points, vectors], axis=1).T
        ends = np.empty((2, len(points)))
        for start in range(0, len(points), width):
            solver.set_time(0.0)
            solver.state[:] = states[:, start : start + width]
            solver.propagate_until(1.0)
            ends[:, start : start + width] = solver.state[:2]
        return ends.T

    return run


# -- comparisons


def compare(
    contenders: dict[str, tuple[Contender, int]], points: np.ndarray, vectors: np.ndarray, exact: np.ndarray
) -> dict[str, dict[str, float]]:
    """Of each contender, microseconds a geodesic, also relative to the first one, and the largest relative error."""
    rows: dict[str, dict[str, float]] = {}
    for name, (contender, count) in contenders.items():
        seconds, ends = best(lambda c=contender, n=count: c(points[:n], vectors[:n]))  # type: ignore[misc]
        error = np.abs(ends / exact[:count] - 1.0).max()
        rows[name] = {"microseconds": 1e6 * seconds / count, "error": float(error)}
    first = next(iter(rows.values()))["microseconds"]
    return {name: {"times as long": row["microseconds"] / first, **row} for name, row in rows.items()}


def missing(name: str) -> bool:
    """Whether a peer is not installed."""
    return importlib.util.find_spec(name) is None


def gamma() -> dict[str, Any]:
    """Geodesics of the Gamma model, on all cores."""
    manifold = ro.Manifold(ro.models.Gamma())
    points, vectors = geodesics(manifold, np.array([0.5, 0.5]), np.array([5.0, 5.0]))
    contenders: dict[str, tuple[Contender, int]] = {
        "riemopt": (lambda p, v: manifold.exp(p, v, rtol=RTOL, atol=ATOL), COUNT)
    }
    if not missing("diffrax"):
        contenders["diffrax, Dopri8, jit(vmap)"] = (diffrax_contender(), COUNT)
    contenders["SciPy, DOP853"] = (by_scipy, FEW)
    return compare(contenders, points, vectors, manifold.exp(points, vectors, rtol=1e-13))


def normal() -> dict[str, Any]:
    """Geodesics of the normal model, on one core: a child process that may use no other."""
    integrated = ro.Manifold(ro.models.Normal(), closed_forms=False)
    closed = ro.Manifold(ro.models.Normal())
    # a component that crosses 0 has no relative error
    points, vectors = geodesics(closed, np.array([20.0, 0.5]), np.array([30.0, 2.0]))
    contenders: dict[str, tuple[Contender, int]] = {
        "riemopt, integrated": (lambda p, v: integrated.exp(p, v, rtol=RTOL, atol=ATOL), COUNT),
        "riemopt, closed form": (closed.exp, COUNT),
    }
    if not missing("heyoka"):
        contenders["heyoka, taylor_adaptive_batch"] = (heyoka_contender(), COUNT)
    return compare(contenders, points, vectors, closed.exp(points, vectors))


def fused() -> dict[str, float]:
    """Ten steps of the geodesic correction from many starts, and the same in NumPy for one trajectory after another."""
    samples = np.random.default_rng(0).gamma(20.0, 1 / 20.0, 10_000)
    problem = ro.Manifold(ro.models.Gamma()).likelihood(samples)
    starts = np.random.default_rng(1).uniform(0.5, 3.0, (TRAJECTORIES, 2))

    def kernel() -> np.ndarray:
        return ro.minimize(problem, "geo", start=starts, step_size=0.1, steps=STEPS, keep="last").x

    mean, mean_log = samples.mean(), np.log(samples).mean()

    def transcription(start: np.ndarray, h: float = 0.1) -> np.ndarray:
        theta = start.copy()
        for _ in range(STEPS):
            alpha, beta = theta
            p1, p2 = scipy.special.polygamma(1, alpha), scipy.special.polygamma(2, alpha)
            metric = np.array([[p1, -1.0 / beta], [-1.0 / beta, alpha / beta**2]])
            slope = np.array([scipy.special.digamma(alpha) - np.log(beta) - mean_log, mean - alpha / beta])
            u, v = step = -np.linalg.solve(metric, slope)
            product = [0.5 * p2 * u * u + 0.5 * v * v / beta**2, u * v / beta**2 - alpha * v * v / beta**3]
            theta = theta + h * step - 0.5 * h * h * np.linalg.solve(metric, product)
        return theta

    seconds, ends = best(kernel)
    slow, others = best(lambda: np.array([transcription(start) for start in starts[:FEW]]), repeat=3)
    np.testing.assert_allclose(ends[:FEW], others, rtol=1e-9)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "transcription, times as long": (slow / FEW) / (seconds / TRAJECTORIES),
        "nanoseconds a step and core": 1e9 * seconds * cores / (TRAJECTORIES * STEPS),
    }


def one_core() -> dict[str, Any]:
    """:func:`normal` in a process that is bound to one core before it starts its threads."""
    import subprocess

    program = (
        "import json, os\n"
        "if hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from benchmarks.geodesics import normal\n"
        "print(json.dumps(normal()))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def main() -> None:
    """Measure, print and keep."""
    results = {
        "machine": description("diffrax", "jax", "heyoka"),
        "missing": [name for name in ("diffrax", "heyoka") if missing(name)],
        f"Gamma, {COUNT} geodesics of length 1, all cores": gamma(),
        f"normal, {COUNT} geodesics of length 1, one core": one_core(),
        f"geo, {TRAJECTORIES} starts, {STEPS} steps, all cores": fused(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "geodesics.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
