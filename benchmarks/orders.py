"""Orders of invariance on five models: ``python -m benchmarks.orders``.

Slopes, not times: but for rounding they are the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.machine import description
from benchmarks.records import Bound, Cell, Record, Table, command
from benchmarks.subjects import FEW, MODELS, tell
from riemopt.experiments import Subject, order_of_invariance
from riemopt.integrators import Orders

HIDDEN = "dop853"
"""Its errors meet rounding where they do not follow their power yet; the tests measure its order in fifty digits."""


def slopes(subjects: Sequence[Subject], quick: bool) -> tuple[list[Table], list[Bound]]:
    """For each subject the slopes by integrator, and how far they are from theory."""
    tables, bounds = [], []
    for subject in subjects:
        settings = {"integrators": ["ng", "mid", "rk4"], "steps": (16, 20, 24, 28, 32)} if quick else {}
        result = order_of_invariance([subject], **settings, progress=tell)
        rows: list[list[Cell]] = []
        off, exact = [], []
        for key, curves in result.curves[subject.name].items():
            theory = result.theory[key]
            rows.append([key, *(curves[q].text if q in curves else None for q in Orders._fields), *map(_order, theory)])
            for quantity, curve in curves.items():
                expected = getattr(theory, quantity)
                if expected == math.inf:
                    exact.append(float(np.nanmax(curve.distances)))
                elif key != HIDDEN and np.nanmax(curve.distances) > 0.0:  # equal methods have no slope
                    off.append(abs(curve.slope - expected))
        columns = ["", "flow", "Riemannian Euler", "gap", *(f"{name}, theory" for name in ("flow", "R. Euler", "gap"))]
        tables.append(Table(f"{subject.name}, to the time {subject.time:g}: slopes", columns, rows))
        bounds.append(
            Bound(f"Orders: {subject.name}, slopes from theory, all but {HIDDEN}", float(np.max(off)), most=0.1)
        )
        if exact:
            bounds.append(Bound(f"Orders: {subject.name}, gap of exactly invariant methods", max(exact), most=1e-12))
    return tables, bounds


def _order(order: float) -> Cell:
    return "exact" if order == math.inf else int(order)


def measure(quick: bool) -> Record:
    """All of it."""
    tables, bounds = slopes([model() for model in (FEW if quick else MODELS)], quick)
    return Record("orders", description(), tables, bounds)


if __name__ == "__main__":
    command(measure)
