"""Orders of invariance, and what accuracy costs in linear solves, on five models: ``python -m benchmarks.orders``.

Counts, not times: they are the same on every machine.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.machine import description
from benchmarks.records import Bound, Cell, Record, Table, command
from benchmarks.subjects import beta, gamma, logistic, network, normal
from riemopt.experiments import Cost, Subject, cost_of_accuracy, order_of_invariance
from riemopt.experiments.cost import INTEGRATORS, MOST_STEPS, WANTED
from riemopt.integrators import Orders

# -- the orders

HIDDEN = "dop853"
"""Its errors meet rounding where they do not follow their power yet; the tests measure its order in fifty digits."""


def slopes(subjects: Sequence[Subject], quick: bool) -> tuple[list[Table], list[Bound]]:
    """For each subject the slopes by integrator, and how far they are from theory."""
    tables, bounds = [], []
    for subject in subjects:
        settings = {"integrators": ["ng", "mid", "rk4"], "steps": (16, 20, 24, 28, 32)} if quick else {}
        result = order_of_invariance([subject], **settings, progress=_tell)
        rows: list[list[Cell]] = []
        off, exact = [], []
        for key, curves in result.curves[subject.name].items():
            theory = result.theory[key]
            rows.append([key, *(curves[q].text if q in curves else None for q in Orders._fields), *map(_order, theory)])
            for quantity, curve in curves.items():
                expected = getattr(theory, quantity)
                if expected == math.inf:
                    exact.append(float(np.nanmax(curve.distances)))
                elif not curve.is_noise and key != HIDDEN:
                    off.append(abs(curve.slope - expected))
        columns = ["", "flow", "Riemannian Euler", "gap", *(f"{name}, theory" for name in ("flow", "R. Euler", "gap"))]
        tables.append(Table(f"{subject.name}, to the time {subject.time:g}: slopes", columns, rows))
        bounds.append(Bound(f"Orders: {subject.name}, slopes from theory, all but {HIDDEN}", max(off), most=0.1))
        if exact:
            bounds.append(Bound(f"Orders: {subject.name}, gap of exactly invariant methods", max(exact), most=1e-12))
    return tables, bounds


def _order(order: float) -> Cell:
    return "exact" if order == math.inf else int(order)


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
    tables, bounds = slopes(subjects, quick)
    return Record("orders", description(), [*tables, *costs(subjects, quick)], bounds)


if __name__ == "__main__":
    command(measure)
