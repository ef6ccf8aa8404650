"""What a second core brings: ``python -m benchmarks.scaling``.

Processes bound to one core and to two, before they begin their threads, take turns.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.machine import description
from benchmarks.measure import best, cores, in_process
from benchmarks.records import Bound, Cell, Record, Table, command
from benchmarks.work import Task, exponential_map, trajectories, weibull_gradient

ROUNDS = 3


def seconds(prepare: Callable[[int], Task], count: int) -> float:
    """The shortest time of a task."""
    return best(prepare(count), repeats=3).seconds


def measure(quick: bool) -> Record:
    """The time on one core by that on two."""
    work = {
        "exp, Gamma: geodesics": (exponential_map, 1_000 if quick else 100_000),
        "geo, Gamma: trajectories": (trajectories, 10_000 if quick else 1_000_000),
        "natural gradient, Weibull: samples": (weibull_gradient, 100_000 if quick else 10_000_000),
    }
    available = cores()
    rows: list[list[Cell]] = []
    bounds = []
    for name, (prepare, count) in work.items():
        speed_up, one, two = None, None, None
        if len(available) > 1:
            turns = [[in_process(seconds, prepare, count, on=available[:k]) for k in (1, 2)] for _ in range(ROUNDS)]
            one, two = (float(times) for times in np.min(turns, axis=0))
            speed_up = one / two
        rows.append([f"{name}: {count:,}", speed_up, one, two])
        bounds.append(Bound(f"{name.partition(':')[0]}: one core / two cores, time", speed_up, least=1.8))
    columns = ["", "one core / two cores", "one core, s", "two cores, s"]
    return Record("scaling", description(), [Table("One core and two", columns, rows)], bounds)


if __name__ == "__main__":
    command(measure)
