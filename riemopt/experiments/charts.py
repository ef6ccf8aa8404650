"""What experiments that compare charts share: the charts of a model, its start in each, and integrators by name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, DomainError, ModelError, ShapeError
from riemopt.integrators import Integrator, OptimizerStep, by_name
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.models.chart import Chart
from riemopt.optimize.minimize import require_primitives
from riemopt.problem import Problem

__all__ = [
    "Charts",
    "Integrators",
    "Model",
    "charts_of",
    "labelled",
    "listed",
    "own_label",
    "rules_for",
    "rules_of",
    "start_in",
    "title",
    "to_own",
]

Model = StatisticalModel | ConditionalModel

Charts = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Charts by label."""

Integrators = Mapping[str, Any] | Iterable[str | Integrator | Callable[[Any, Any], Any]]
"""Keys, integrators, and functions ``step(theta, gradient) -> theta``; possibly by label."""


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


def rules_of(integrators: Integrators) -> dict[str, Integrator]:
    """Integrators by label: the one that is given, the key, or what it is called.

    Raises
    ------
    UnknownNameError
        If there is no integrator of a name.
    ArgumentError
        If two are called the same, or there is none.
    """
    if isinstance(integrators, Mapping):
        named = [(label, _rule(given)) for label, given in integrators.items()]
    else:
        named = [_named(given) for given in ([integrators] if isinstance(integrators, str) else integrators)]
    rules: dict[str, Integrator] = {}
    for key, rule in named:
        if key in rules:
            raise ArgumentError(f"the integrator {key!r} is named twice")
        rules[key] = rule
    if not rules:
        raise ArgumentError("there are no integrators")
    return rules


def _named(given: Any) -> tuple[str, Integrator]:
    rule = _rule(given)
    return given if isinstance(given, str) else getattr(rule, "name", repr(rule).removesuffix("()")), rule


def rules_for(
    problems: Sequence[Problem], integrators: Integrators | None, defaults: Iterable[str]
) -> dict[str, Integrator]:
    """Integrators by label, what they need being offered by all problems; those of the defaults for which it is.

    Raises
    ------
    UnsupportedError
        If one needs a primitive that a problem does not offer.
    UnknownNameError, ArgumentError
        See :func:`rules_of`.
    """
    if integrators is None:
        offered = frozenset.intersection(*(problem.offers for problem in problems))
        integrators = [key for key in defaults if set(by_name(key).needs) <= offered]
    rules = rules_of(integrators)
    for problem, rule in itertools.product(problems, rules.values()):
        require_primitives(problem, rule)
    return rules


def _rule(given: Any) -> Integrator:
    is_step = callable(given) and not isinstance(given, (str, Integrator, type))
    return OptimizerStep(given) if is_step else by_name(given)


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
