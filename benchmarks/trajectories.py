"""Ten steps of the geodesic correction from many starts: ``python -m benchmarks.trajectories``.

The published experiment is a NumPy program for one trajectory. Beside it stand the same lines over all trajectories at
once, in NumPy and compiled by JAX, and riemopt's kernel. All fit the Gamma model to 10,000 samples.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import numpy as np

from benchmarks.machine import description
from benchmarks.measure import cores, side_by_side
from benchmarks.peers import geodesic_correction, missing
from benchmarks.records import Bound, Cell, Record, Table, command
from benchmarks.work import STEP_SIZE, STEPS, gamma_fit, starts, trajectories

COLUMNS = ["", "times as long", "µs a trajectory", "cores busy", "largest difference"]
RIEMOPT, SINGLE, BATCHED, JAX = "riemopt", "NumPy, one after the other", "NumPy, all at once", "JAX, jit(vmap)"


def batched_solve(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Solutions for symmetric matrices ``(2, 2, batch)`` and vectors ``(2, batch)``."""
    return np.linalg.solve(matrices.T, vectors.T[..., None])[..., 0].T


def bounds(ratio: float, per_step: float) -> list[Bound]:
    """What is promised of the transcription's time by riemopt's, and of the nanoseconds of a step on a core."""
    return [
        Bound("Trajectories: NumPy, one after the other / riemopt, time", ratio, least=1000.0),
        Bound("Trajectories: ns a step and core", per_step, most=75.0),
    ]


def measure(quick: bool) -> Record:
    """Every contender's time and how far its ends are from those of the transcription."""
    count, some, few = (10_000, 1_000, 5) if quick else (1_000_000, 100_000, 50)
    samples, start = gamma_fit()[1], starts(count)
    mean, mean_log = samples.mean(), np.log(samples).mean()
    transcription = partial(geodesic_correction, h=STEP_SIZE, steps=STEPS, mean=mean, mean_log=mean_log)

    contenders: dict[str, tuple[Callable[[], np.ndarray], int]] = {
        RIEMOPT: (trajectories(count), count),
        SINGLE: (lambda: np.array([transcription(theta) for theta in start[:few]]), few),
        BATCHED: (lambda: transcription(start[:some].T, solve=batched_solve).T, some),
    }
    if not missing("jax"):
        import jax

        jax.config.update("jax_enable_x64", True)
        special = SimpleNamespace(digamma=jax.scipy.special.digamma, polygamma=jax.scipy.special.polygamma)
        compiled = jax.jit(
            jax.vmap(partial(transcription, xp=jax.numpy, special=special, solve=jax.numpy.linalg.solve))
        )
        contenders[JAX] = (lambda: np.asarray(compiled(start[:some]).block_until_ready()), some)

    timings = side_by_side({name: function for name, (function, _) in contenders.items()}, repeats=3)
    times = {name: timings[name].seconds / number for name, (_, number) in contenders.items()}
    exact = timings[SINGLE].result
    rows: list[list[Cell]] = []
    for name, time in times.items():
        difference = float(np.abs(timings[name].result[:few] / exact - 1.0).max())
        rows.append([name, time / times[RIEMOPT], 1e6 * time, timings[name].busy, difference])
    per_step = 1e9 * times[RIEMOPT] * len(cores()) / STEPS
    return Record(
        "trajectories",
        description("jax"),
        [Table(f"geo, {count:,} trajectories of {STEPS} steps, cores: {len(cores())}", COLUMNS, rows)],
        bounds(times[SINGLE] / times[RIEMOPT], per_step),
        missing("jax"),
    )


if __name__ == "__main__":
    command(measure)
