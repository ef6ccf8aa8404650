"""How long the invariance experiment takes that was prepared: ``python -m benchmarks.studies``.

Six integrators in four charts of the Gamma model, ten steps on 10,000 samples, with the gaps between the charts: run
again on a prepared study, and by a call that prepares it anew. Kernels were compiled before.
"""

from __future__ import annotations

import riemopt as ro
from benchmarks.machine import description
from benchmarks.measure import side_by_side
from benchmarks.records import Bound, Cell, Record, Table, command
from riemopt.experiments.settings import default_charts, example_samples, typed_chart

KEYS = ("ng", "mid", "geo", "geof", "ng-exact", "geo-exact")
PREPARED, COMPILED, DEFAULT = "a prepared study, run again", 'invariance(..., backend="numba")', "invariance(...)"
BOUND = 15.0
"""Milliseconds of a run, so that a page can make one at every movement of the mouse."""


def measure(quick: bool) -> Record:
    """The milliseconds of a run, and what they come to in runs a second."""
    model = ro.models.Gamma()
    samples = example_samples(model, 1234)
    charts = {text: typed_chart(model, text) for text in default_charts(model)}
    run = {"start": (1.0, 1.0), "integrators": KEYS, "step_size": 0.5, "steps": 10}
    study = ro.experiments.InvarianceStudy(model, samples, charts, integrators=KEYS)
    repeats = 3 if quick else 100
    timings = side_by_side({PREPARED: lambda: study.run(**run)}, repeats)
    timings |= side_by_side(
        {
            COMPILED: lambda: ro.experiments.invariance(model, samples, charts, **run, backend="numba"),
            DEFAULT: lambda: ro.experiments.invariance(model, samples, charts, **run),
        },
        1 if quick else 5,
    )
    milliseconds = {name: 1e3 * timing.seconds for name, timing in timings.items()}
    rows: list[list[Cell]] = [[name, value, 1e3 / value] for name, value in milliseconds.items()]
    return Record(
        "studies",
        description(),
        [Table("Six integrators in four charts, ten steps", ["", "milliseconds", "runs a second"], rows)],
        [Bound("Studies: a run of a prepared study, milliseconds", milliseconds[PREPARED], most=BOUND)],
    )


if __name__ == "__main__":
    command(measure)
