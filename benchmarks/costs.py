"""What accuracy costs in linear solves, on five models: ``python -m benchmarks.costs``.

Counts, not times: they are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.machine import description
from benchmarks.records import Cell, Record, Table, command
from benchmarks.subjects import FEW, MODELS, tell
from riemopt.experiments import Cost, Subject, cost_of_accuracy
from riemopt.experiments.cost import INTEGRATORS, MOST_STEPS, WANTED


def costs(subjects: Sequence[Subject], quick: bool) -> list[Table]:
    """For each subject the linear solves by integrator and distance to the flow."""
    tables = []
    for subject in subjects:
        result = cost_of_accuracy(
            [subject],
            wanted=WANTED[:2] if quick else WANTED,
            integrators=["ng", "mid", "rk4"] if quick else INTEGRATORS,
            most_steps=64 if quick else MOST_STEPS,
            progress=tell,
        )
        title = f"{subject.name}, to the time {subject.time:g}: linear solves by the distance to the flow"
        columns = ["", *(f"{distance:.0e}" for distance in result.wanted)]
        rows = [[key, *map(_cell, costs)] for key, costs in result.costs[subject.name].items()]
        tables.append(Table(title, columns, rows))
    return tables


def _cell(cost: Cost) -> Cell:
    return int(cost.solves) if cost.is_measured else cost.text


def measure(quick: bool) -> Record:
    """All of it."""
    return Record("costs", description(), costs([model() for model in (FEW if quick else MODELS)], quick))


if __name__ == "__main__":
    command(measure)
