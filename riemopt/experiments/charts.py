"""The charts of a model, by label: what each is called, and points on the way from and to the model's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, DomainError, ModelError, ShapeError
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.models.chart import Chart

__all__ = [
    "Charts",
    "Model",
    "charts_of",
    "labelled",
    "listed",
    "own_label",
    "start_in",
    "title",
    "to_own",
]

Model = StatisticalModel | ConditionalModel

Charts = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Charts by label."""


def charts_of(model: Any, charts: Charts) -> dict[str, Any]:
    """The charts of a model by label, its own first.

    Raises
    ------
    ModelError
        If one is not a chart of the same model.
    ArgumentError
        If two are called the same.
    """
    charted = labelled(own_label(model), model, charts)
    for label, moved in charted.items():
        if _identity(moved) != _identity(model):
            raise ModelError(f"the chart {label!r} is not a reparametrization of {model}: use model.reparametrize(...)")
    return charted


def labelled(own: str, first: Any, charts: Charts) -> dict[str, Any]:
    """What is studied in its own chart, and the other charts, by label.

    Raises
    ------
    ArgumentError
        If two are called the same.
    """
    charted = {own: first}
    for label, chart in charts.items() if isinstance(charts, Mapping) else charts:
        if label in charted:
            raise ArgumentError(f"two charts are called {label!r}")
        charted[label] = chart
    return charted


def own_label(model: Model) -> str:
    """What a model's own chart is called: its parameters."""
    return ", ".join(map(str, model.parameters))


def _identity(model: Any) -> Any:
    """What models that differ in their chart only have in common."""
    original = getattr(model, "original", None)
    if isinstance(original, StatisticalModel):
        return (original.log_density, original.parameters, original.observation)
    return original and id(original)


def start_in(model: Any, label: str, moved: Any, start: Any) -> np.ndarray:
    """A start in the model's own coordinates in those of a chart.

    Raises
    ------
    DomainError
        If it lies outside the domain, or the chart does not reach it.
    ShapeError
        If it is not one point.
    """
    model.domain.require(start, what="start")
    theta = np.asarray(start, dtype=np.float64)
    if theta.ndim != 1:
        raise ShapeError(f"start has shape {theta.shape}, but must be one point: ({model.dimension},)")
    if moved is model:
        return theta
    return reached(moved.chart, model.chart.to_original(theta), label, listed(model, theta))


def reached(chart: Chart, original: np.ndarray, label: str, point: str) -> np.ndarray:
    """A start in original coordinates in those of a chart; it is called `point` in the error.

    Raises
    ------
    DomainError
        If the chart does not reach it.
    """
    found = chart.from_original(original)
    if not np.isfinite(found).all():
        raise DomainError(f"start: the chart {label!r} does not reach {point}")
    return found


def listed(model: Model, point: Any) -> str:
    """A point as text, with the names of its coordinates."""
    return ", ".join(f"{symbol} = {float(x)}" for symbol, x in zip(model.parameters, point, strict=True))


def to_own(model: Model, moved: Model, points: np.ndarray) -> np.ndarray:
    """Points of a chart in the model's own."""
    if moved is model:
        return points
    return model.chart.from_original(moved.chart.to_original(points))


def title(label: str, model: Any) -> str:
    """The label of a chart in mathematical type, if it is the parameters or their equations."""
    if label == own_label(model):
        return ", ".join(f"${sp.latex(parameter)}$" for parameter in model.parameters)
    if "=" not in label:
        return label
    pairs = zip(model.chart.original_parameters, model.chart.expressions, strict=True)
    equations = [
        f"${sp.latex(symbol)} = {sp.latex(expression, fold_short_frac=True)}$"
        for symbol, expression in pairs
        if symbol != expression
    ]
    return ", ".join(equations)
