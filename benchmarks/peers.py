"""The contenders, and the equations that they are given.

A contender takes points and vectors, arrays ``(batch, 2)``, to the ends of their geodesics. Equations are written once,
for whatever can be added and multiplied: floats, arrays, traced values, expressions.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.integrate
import scipy.special

__all__ = [
    "ATOL",
    "RTOL",
    "Contender",
    "by_diffrax",
    "by_geomstats",
    "by_heyoka",
    "by_scipy",
    "gamma_acceleration",
    "geodesic_correction",
    "missing",
    "normal_acceleration",
]

RTOL, ATOL = 1e-10, 1e-12

Contender = Callable[[np.ndarray, np.ndarray], np.ndarray]


def missing(*names: str) -> list[str]:
    """Which peers are not there."""
    return [name for name in names if importlib.util.find_spec(name) is None]


# -- equations


def gamma_acceleration(state: Any, polygamma: Callable[[int, Any], Any]) -> tuple[Any, Any]:
    """θ̈ of a geodesic of the Gamma model with state (α, β, α̇, β̇)."""
    alpha, beta, u, v = state
    p1, p2 = polygamma(1, alpha), polygamma(2, alpha)
    first = 0.5 * p2 * u * u + 0.5 * v * v / beta**2
    second = u * v / beta**2 - alpha * v * v / beta**3
    det = alpha * p1 - 1.0
    return -(alpha * first + beta * second) / det, -(beta * first + beta**2 * p1 * second) / det


def normal_acceleration(state: Any) -> tuple[Any, Any]:
    """θ̈ of a geodesic of the normal model with state (μ, σ, μ̇, σ̇)."""
    _, sigma, u, v = state
    return 2 * u * v / sigma, (v * v - u * u / 2) / sigma


def geodesic_correction(
    theta: Any,
    h: float,
    steps: int,
    mean: float,
    mean_log: float,
    xp: Any = np,
    special: Any = scipy.special,
    solve: Callable[[Any, Any], Any] = np.linalg.solve,
) -> Any:
    """The geodesic correction for the Gamma model from a start ``(2,)``, as one would transcribe it from the paper.

    The samples enter by the means of x and of log x. The last arguments are for other arrays than NumPy's, and for many
    starts, ``(2, batch)``.
    """
    for _ in range(steps):
        alpha, beta = theta
        p1, p2 = special.polygamma(1, alpha), special.polygamma(2, alpha)
        metric = xp.array([[p1, -1.0 / beta], [-1.0 / beta, alpha / beta**2]])
        slope = xp.array([special.digamma(alpha) - xp.log(beta) - mean_log, mean - alpha / beta])
        u, v = step = -solve(metric, slope)
        product = xp.array([0.5 * p2 * u * u + 0.5 * v * v / beta**2, u * v / beta**2 - alpha * v * v / beta**3])
        theta = theta + h * step - 0.5 * h * h * solve(metric, product)
    return theta


# -- contenders


def by_scipy() -> Contender:
    """One geodesic of the Gamma model at a time with ``solve_ivp``."""

    def field(time: float, state: np.ndarray) -> tuple[float, ...]:
        return state[2], state[3], *gamma_acceleration(state, scipy.special.polygamma)

    def run(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        starts = np.concatenate([points, vectors], axis=1)
        solve = scipy.integrate.solve_ivp
        return np.array(
            [solve(field, (0.0, 1.0), start, method="DOP853", rtol=RTOL, atol=ATOL).y[:2, -1] for start in starts]
        )

    return run


def by_diffrax() -> Contender:
    """All geodesics of the Gamma model at once with a compiled, vectorised ``Dopri8`` in float64."""
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jax.scipy.special import polygamma

    def field(time: Any, state: Any, arguments: Any) -> Any:
        return jnp.stack([state[2], state[3], *gamma_acceleration(state, polygamma)])

    def end(start: Any) -> Any:
        control = diffrax.PIDController(rtol=RTOL, atol=ATOL)
        # throw=False: a check that costs it a tenth of its time
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field), diffrax.Dopri8(), 0.0, 1.0, None, start, stepsize_controller=control, throw=False
        )
        return solution.ys[-1][:2]

    run = jax.jit(jax.vmap(end))
    return lambda points, vectors: np.asarray(run(np.concatenate([points, vectors], axis=1)).block_until_ready())


def by_heyoka() -> Contender:
    """Geodesics of the normal model with Taylor series, a vector of the processor at a time, on one thread."""
    import heyoka

    state = heyoka.make_vars("mu", "sigma", "u", "v")
    derivatives = (state[2], state[3], *normal_acceleration(state))
    width = heyoka.recommended_simd_size()
    solver = heyoka.taylor_adaptive_batch(list(zip(state, derivatives, strict=True)), np.ones((4, width)), tol=RTOL)

    def run(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        count = len(points)
        states = np.concatenate([points, vectors], axis=1).T
        states = np.pad(states, [(0, 0), (0, -count % width)], mode="edge")
        ends = np.empty((2, states.shape[1]))
        for first in range(0, count, width):
            solver.set_time(0.0)
            solver.state[:] = states[:, first : first + width]
            solver.propagate_until(1.0)
            ends[:, first : first + width] = solver.state[:2]
        return ends[:, :count].T

    return run


def by_geomstats() -> tuple[Contender, str] | None:
    """Geodesics of the Gamma model with geomstats' own equations, and its version; None if it is not there.

    It runs in a process of the interpreter that the environment variable ``GEOMSTATS_PYTHON`` names, since its
    requirements may differ; without one, of this interpreter.
    """
    interpreter = os.environ.get("GEOMSTATS_PYTHON", sys.executable)
    script = Path(__file__).with_name("geomstats_process.py")
    process = subprocess.Popen(
        [interpreter, "-W", "ignore", str(script), str(RTOL), str(ATOL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    requests, answers = process.stdin, process.stdout
    assert requests is not None and answers is not None
    version = answers.readline().strip()
    if not version:
        return None

    def run(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        requests.write(json.dumps([points.tolist(), vectors.tolist()]) + "\n")
        requests.flush()
        return np.array(json.loads(answers.readline()))

    return run, version
