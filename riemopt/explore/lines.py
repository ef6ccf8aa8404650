"""Lines of Python that reproduce what a page shows, and run as printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["python_lines", "run_lines"]


def python_lines(opening: Mapping[str, Any], charts: Sequence[str], run: Mapping[str, Any]) -> str:
    """The lines that give the numbers of a run.

    Parameters
    ----------
    opening : mapping
        The request that the study was opened with.
    charts : sequence of str
        The charts beside the model's own.
    run : mapping
        The request for the run.
    """
    data = opening["data"]
    needs_charts = ["typed_chart"] if charts else []
    draws = data["kind"] == "drawn"
    if draws and data["point"] is None:
        names = ["example_samples", *needs_charts]
        samples = f"example_samples(model, {data['seed']})[:{data['size']}]"
    else:
        names = needs_charts
        samples = f"model.sample({data['point']!r}, {data['size']}, rng={data['seed']})" if draws else _column(data)
    imports = [f"from riemopt.experiments.settings import {', '.join(names)}"] if names else []
    if not draws:
        imports.insert(0, "from riemopt.experiments.datasets import read_column")
    texts = "".join(f"    {text!r},\n" for text in charts)
    return "\n".join(
        [
            "import riemopt as ro",
            *imports,
            "",
            f"model = ro.models.family({opening['family']!r})",
            f"samples = {samples}",
            f"texts = [\n{texts}]" if charts else "",
            "charts = {text: typed_chart(model, text) for text in texts}" if charts else "charts = {}",
            run_lines(run),
        ]
    )


def run_lines(run: Mapping[str, Any]) -> str:
    """The lines that run a study of a model, samples and charts that are there."""
    return "\n".join(
        [
            "result = ro.experiments.invariance(",
            "    model,",
            "    samples,",
            "    charts,",
            f"    start={list(run['start'])!r},",
            f"    integrators={list(run['integrators'])!r},",
            f"    step_size={run['step_size']!r},",
            f"    steps={run['steps']!r},",
            '    backend="numba",  # which the page computes with: the same numbers to the last bit',
            ")",
            "print(result.table())",
        ]
    )


def _column(data: Mapping[str, Any]) -> str:
    column = "" if data["column"] is None else f", {data['column']!r}"
    return f"read_column({data['name']!r}{column})"
