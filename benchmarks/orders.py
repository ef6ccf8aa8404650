"""What accuracy costs in linear solves, on five models: ``python -m benchmarks.orders``.

Counts, not times: they are the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.machine import description
from benchmarks.records import Cell, Record, Table, command
from benchmarks.subjects import beta, gamma, logistic, network, normal
from riemopt.experiments import Cost, Subject, cost_of_accuracy
from riemopt.experiments.cost import INTEGRATORS, MOST_STEPS, WANTED

# -- the orders
#
# The table of slopes goes here: slopes(subjects, quick), by order_of_invariance on the same subjects; measure() puts it
# before the costs.

# -- the costs

INTEGRATED = ("geo-exact", "mirror", "mirror-dual", "mid-exact")
"""Left out for the network: geodesics of 13 coordinates take minutes to compile, and the others show their price."""


def costs(subjects: Sequence[Subject], quick: bool) -> list[Table]:
    """For each subject the linear solves by integrator and distance to the flow."""
    tables = []
    for subject in subjects:
        keys = [key for key in INTEGRATORS if subject.own.start.size < 10 or key not in INTEGRATED]
        result = cost_of_accuracy(
            [subject],
            wanted=WANTED[:2] if quick else WANTED,
            integrators=["ng", "mid", "rk4"] if quick else keys,
            most_steps=64 if quick else MOST_STEPS,
            progress=_tell,
        )
        title = f"{subject.name}, to the time {subject.time:g}: linear solves by the distance to the flow"
        columns = ["", *(f"{distance:.0e}" for distance in result.wanted)]
        rows = [[key, *map(_cell, costs)] for key, costs in result.costs[subject.name].items()]
        tables.append(Table(title, columns, rows))
    return tables


def _cell(cost: Cost) -> Cell:
    return int(cost.solves) if cost.is_measured else cost.text


def _tell(done: int, total: int, what: str) -> None:
    print(f"{done} / {total}  {what}", file=sys.stderr)


def measure(quick: bool) -> Record:
    """All of it."""
    models = (normal, logistic) if quick else (gamma, normal, beta, logistic, network)
    subjects = [model() for model in models]
    return Record("orders", description(), costs(subjects, quick))


if __name__ == "__main__":
    command(measure)
