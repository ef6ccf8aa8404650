"""Opening: from a request to an explorer, piece by piece: the family, its data, each chart, a first run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from riemopt.errors import DataError, ModelError, RiemoptError
from riemopt.experiments import InvarianceStudy
from riemopt.experiments.datasets import read_numbered_column
from riemopt.experiments.settings import default_charts, example_samples, typed_chart
from riemopt.explore.explorer import Explorer, formulas
from riemopt.explore.lines import python_lines
from riemopt.explore.presets import MOST_PARAMETERS, default_start
from riemopt.models import StatisticalModel, family
from riemopt.models.families import names

__all__ = ["Tell", "charts_by_default", "explorable", "open_explorer", "open_formulas"]

Tell = Callable[[Mapping[str, Any]], None]
"""Called before each piece: what comes next, and the chart that it is about, if there is one."""


def explorable() -> list[dict[str, Any]]:
    """The families of the catalogue that have one to three parameters, each with its charts by default."""
    models = ((name, family(name)) for name in names())
    return [
        {
            "key": name,
            "name": model.name,
            "parameters": list(map(str, model.parameters)),
            "charts": list(default_charts(model)),
        }
        for name, model in models
        if model.dimension <= MOST_PARAMETERS
    ]


def charts_by_default(model: StatisticalModel) -> dict[str, StatisticalModel]:
    """The other charts that a page begins with."""
    return {text: typed_chart(model, text) for text in default_charts(model)}


def open_explorer(request: Mapping[str, Any], tell: Tell) -> tuple[Explorer, dict[str, Any]]:
    """An explorer, and the first answer: its description, a first run, and the charts that could not be had.

    Parameters
    ----------
    request : mapping
        Of the type ``open``.
    tell : callable
        Told of each piece of work before it begins.

    Raises
    ------
    RiemoptError
        If there is no such family, or the data cannot be used.
    """
    tell({"what": f"the family {request['family']}"})
    model = family(request["family"])
    if model.dimension > MOST_PARAMETERS:
        raise ModelError(
            f"{model.name} has {model.dimension} parameters: a page draws families of at most {MOST_PARAMETERS}"
        )
    samples = samples_of(model, request["data"])
    charts: dict[str, StatisticalModel] = {}
    refused: dict[str, str] = {}
    for text in request["charts"]:
        tell({"what": f"the chart {text}", "chart": text})
        try:
            charts[text] = typed_chart(model, text)
        except RiemoptError as error:
            refused[text] = str(error)
    study = InvarianceStudy(model, samples, charts)
    explorer = Explorer(study, lambda run: python_lines(request, list(charts), run))
    start = start_of(explorer, request)
    settings = (start, request["integrators"], request["step_size"], request["steps"])

    def told(done: int, total: int, what: str) -> None:
        tell({"what": what, "done": done / total})

    explorer.run(*settings, progress=told)
    tell({"what": "contours of the loss"})
    return explorer, {**explorer.opened({**request, "start": start}, refused), "family": request["family"]}


def samples_of(model: StatisticalModel, data: Mapping[str, Any]) -> np.ndarray:
    """The observations that a request names: drawn, or those of a file that was sent along."""
    if data["kind"] == "drawn":
        if data["point"] is None:
            return example_samples(model, data["seed"])[: data["size"]]
        return model.sample(data["point"], data["size"], rng=data["seed"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.csv")
        path.write_text(data["text"], encoding="utf-8")
        try:
            numbers, where = read_numbered_column(path, data["column"])
            model.require_samples(numbers, lambda i: where(i).replace(str(path), data["name"]))
        except DataError as error:
            raise DataError(str(error).replace(str(path), data["name"])) from None
    return numbers


def start_of(explorer: Explorer, request: Mapping[str, Any]) -> list[float]:
    """The start that a request names if it lies in the domain, else the one by default."""
    start = request["start"]
    model = explorer.model
    if start is not None and len(start) == model.dimension and model.domain.contains(start):
        return list(start)
    return [float(x) for x in default_start(request["family"], model)]


def open_formulas(request: Mapping[str, Any], chart: str) -> dict[str, Any]:
    """The geometry of a family in one of its charts, typeset."""
    model = family(request["family"])
    own = ", ".join(map(str, model.parameters))
    return formulas(model if chart == own else typed_chart(model, chart))
