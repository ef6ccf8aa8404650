"""Explorer: an invariance study as a page asks for it, every answer an object of plain numbers and texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import DomainError, ExpressionError, RiemoptError, UnknownNameError
from riemopt.experiments import InvarianceResult, InvarianceStudy
from riemopt.experiments.charts import start_in, to_own
from riemopt.experiments.progress import Progress
from riemopt.explore.curves import path_curve, step_parts
from riemopt.explore.landscape import Line, Plane, contours, loss_curve, spread_over, unit_vectors
from riemopt.explore.mathml import chart_mathml, equation_mathml, mathml, words_mathml
from riemopt.geometry.printing import parts
from riemopt.integrators import ExactFlow, RiemannianEuler, by_name
from riemopt.manifold import LikelihoodProblem, Manifold
from riemopt.models import StatisticalModel
from riemopt.symbolic.parser import free_names, parse

__all__ = ["Explorer", "check", "formulas", "plain"]

Answer = dict[str, Any]

_BALLS_ACROSS = 5
_DIRECTIONS = 49
_TOGETHER = 0.5
"""The radius of a ball, in that at which it reaches to the next one."""


class Explorer:
    """An invariance study as a page asks for it.

    Parameters
    ----------
    study : InvarianceStudy
        What is explored.
    python : callable, optional
        The lines of Python that give the result of a run, from a request for it.
    rules : mapping of str to Integrator, optional
        Integrators by label, beside those that have a key.
    """

    def __init__(
        self,
        study: InvarianceStudy,
        python: Callable[[Mapping[str, Any]], str] | None = None,
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        self.study = study
        self.result: InvarianceResult | None = None
        self._python = python
        self._rules = rules or {}
        self._contours: list[Line] = []

    @property
    def model(self) -> StatisticalModel:
        """The model in its own chart."""
        return self.study.model

    def answer(self, request: Mapping[str, Any]) -> Answer:
        """What a request asks for, or ``{"type": "refused", ...}`` with the reason where that makes no sense here."""
        try:
            found: Answer = getattr(self, f"_{request['type']}")(request)
        except RiemoptError as error:
            found = {"type": "refused", "reason": str(error), "of": request["type"]}
        return {**found, "id": request["id"]}

    def describe(self) -> Answer:
        """The model, its coordinates and its charts, as the page needs them once."""
        low, high = self.model.domain.bounds
        return {
            "model": self.model.name,
            "count": self.study.problem.count,
            "coordinates": [
                {"name": str(p), "mathml": mathml(p), "scale": scale, "low": plain(a), "high": plain(b)}
                for p, scale, a, b in zip(
                    self.model.parameters, self._plane(range(self.model.dimension)).scales, low, high, strict=True
                )
            ],
            "charts": [
                {
                    "label": label,
                    "names": [str(p) for p in moved.parameters],
                    "axes": [mathml(p) for p in moved.parameters],
                    "mathml": self._chart_mathml(label, moved),
                }
                for label, moved in self.study.charts.items()
            ],
        }

    def opened(
        self, request: Mapping[str, Any], refused: Mapping[str, str], plane: Sequence[int] | None = None
    ) -> Answer:
        """The first answer: the description, a run, what lies under it, and the charts that could not be had."""
        plane = list(plane or range(min(2, self.model.dimension)))
        look = {"type": "landscape", "id": 0, "start": request["start"], "plane": plane, "window": None}
        return {
            "type": "opened",
            "id": request["id"],
            **self.describe(),
            "refused": dict(refused),
            "plane": plane,
            "ran": self.answer({**request, "type": "run"}),
            "landscape": self.answer(look),
        }

    def run(
        self, start: Any, integrators: Sequence[str], step_size: float, steps: int, progress: Progress | None = None
    ) -> Answer:
        """A run of the study; its result is kept."""
        rules = {key: self._rules.get(key, key) for key in integrators}
        result = self.study.run(start=start, integrators=rules, step_size=step_size, steps=steps, progress=progress)
        self.result = result
        ended = [
            {"chart": label, "integrator": key, "after": _last(result.losses[label][key]), "reason": status.meaning}
            for label, row in result.status.items()
            for key, status in row.items()
            if not status.success
        ]
        return {
            "type": "ran",
            "start": list(map(float, start)),
            "integrators": list(integrators),
            "step_size": step_size,
            "steps": steps,
            "losses": [[plain(loss) for loss in row.values()] for row in result.losses.values()],
            "points": [[plain(path.T) for path in row.values()] for row in result.points.values()],
            "gap": [plain(gap) for gap in result.gap.values()],
            "ended": ended,
        }

    # -- a method for each type of request

    def _run(self, request: Mapping[str, Any]) -> Answer:
        found = self.run(*_settings(request))
        return {**found, "python": self._python(request) if self._python else ""}

    def _landscape(self, request: Mapping[str, Any]) -> Answer:
        start = self._start(request)
        plane = self._plane(request["plane"])
        window = request["window"]
        if window is None:
            window = self._window(plane, start)
        if len(plane.axes) == 1:
            curve = loss_curve(plane, window, start, self._own_problem)
            return {"type": "landscape", "window": window, "lines": [], "curve": list(map(plain, curve))}
        self._contours = contours(plane, window, start, self._own_problem)
        return {"type": "landscape", "window": window, "lines": [_drawn(line) for line in self._contours]}

    def _window(self, plane: Plane, start: np.ndarray) -> list[list[float]]:
        result = self.result
        if result is None:
            return plane.window(start[None], np.zeros(1), start)
        points, losses = (
            np.array([list(row.values()) for row in table.values()]) for table in (result.points, result.losses)
        )
        return plane.window(points, losses, start)

    def _bend(self, request: Mapping[str, Any]) -> Answer:
        """The paths in a chart and the contours, in the model's own coordinates and in those of the chart."""
        start, keys, h, steps = _settings(request)
        chart, plane = self._chart(request["chart"]), self._plane(request["plane"])
        self.run(start, keys, h, steps)
        assert self.result is not None
        paths = self.result.points[request["chart"]]
        own = {key: self._curve(request["chart"], key, path, h) for key, path in paths.items()}
        there = {key: self._from_own(chart, curve) for key, curve in own.items()}
        if not self._contours and len(plane.axes) == 2:
            self._contours = contours(plane, request["window"], np.array(start), self._own_problem)
        axes = list(plane.axes)
        moved = [self._from_own(chart, plane.points(np.array(start), *line))[:, axes].T for line in self._contours]
        every = np.concatenate([np.concatenate(list(there.values())), self._from_own(chart, np.array([start]))])
        return {
            "type": "bent",
            "chart": request["chart"],
            "paths": {key: {"own": plain(own[key][:, axes].T), "there": plain(there[key][:, axes].T)} for key in own},
            "lines": [
                {"own": _drawn(line), "there": _drawn(image)} for line, image in zip(self._contours, moved, strict=True)
            ],
            "window": [_padded(every[:, i]) for i in axes],
        }

    def _shapes(self, request: Mapping[str, Any]) -> Answer:
        """Ellipses of the metric in a chart, straight there, and geodesic balls of the same radius."""
        chart, plane = self._chart(request["chart"]), self._plane(request["plane"])
        base = self._start(request)
        if len(plane.axes) < 2:
            return {"type": "shapes", "ellipses": [], "balls": [], "radius": 0.0}
        centres = spread_over(plane, request["window"], base, _BALLS_ACROSS)
        metrics = self._plain_problem(self.model).metric(centres)
        usable = np.isfinite(metrics).all(axis=(1, 2)) & (np.linalg.det(np.nan_to_num(metrics)) > 0)
        centres, metrics = centres[usable], metrics[usable]
        radius = _TOGETHER * self._spacing(plane, request["window"], centres, metrics)
        vectors = radius * unit_vectors(metrics, plane.axes, _DIRECTIONS)
        balls = self._own_problem.exp(np.broadcast_to(centres[:, None], vectors.shape), vectors)
        xi = self._from_own(chart, centres)
        at = np.broadcast_to(xi[:, None], vectors.shape)
        if chart is not self.model:
            vectors = np.linalg.solve(self._jacobian(chart, xi)[:, None], vectors[..., None])[..., 0]
        ellipses = self._to_own(chart, at + vectors)
        axes = list(plane.axes)
        return {
            "type": "shapes",
            "chart": request["chart"],
            "radius": plain(radius),
            "ellipses": [_drawn(shape[:, axes].T) for shape in ellipses],
            "balls": [_drawn(shape[:, axes].T) for shape in np.asarray(balls)],
        }

    def _spacing(
        self, plane: Plane, window: Sequence[Sequence[float]], centres: np.ndarray, metrics: np.ndarray
    ) -> float:
        """The radius at which a ball reaches to the next row or column of centres, where there is little room."""
        if not len(centres):
            return 1.0
        inverse = np.linalg.inv(metrics[:, plane.axes][:, :, plane.axes])
        radii = []
        for i, (axis, (low, high), scale) in enumerate(zip(plane.axes, window, plane.scales, strict=True)):
            width = np.log(high / low) * centres[:, axis] if scale == "log" else np.full(len(centres), high - low)
            radii.append(width / (_BALLS_ACROSS + 1) / np.sqrt(inverse[:, i, i]))
        return float(np.quantile(np.min(radii, axis=0), 0.4))

    def _anatomy(self, request: Mapping[str, Any]) -> Answer:
        chart, plane = self._chart(request["chart"]), self._plane(request["plane"])
        point = self._from_own(chart, np.array([request["point"]]))[0]
        if not np.isfinite(point).all():
            raise DomainError(f"the chart {request['chart']!r} does not reach this point")
        curves = step_parts(self._plain_problem(chart), point, request["step_size"])
        axes = list(plane.axes)
        return {
            "type": "anatomy",
            "parts": {name: plain(self._to_own(chart, curve)[:, axes].T) for name, curve in curves.items()},
        }

    def _check(self, request: Mapping[str, Any]) -> Answer:
        return check(request)

    def _formulas(self, request: Mapping[str, Any]) -> Answer:
        return formulas(self._chart(request["chart"]))

    # -- what the methods share

    def _start(self, request: Mapping[str, Any]) -> np.ndarray:
        return start_in(self.model, "", self.model, request["start"])

    def _chart(self, label: str) -> StatisticalModel:
        if label not in self.study.charts:
            raise UnknownNameError("chart", label, self.study.charts)
        return self.study.charts[label]

    def _plane(self, axes: Iterable[int]) -> Plane:
        wanted = tuple(axes)
        if max(wanted) >= self.model.dimension or len({*wanted}) < len(wanted):
            raise DomainError(f"plane: the coordinates are counted from 0 to {self.model.dimension - 1}")
        return Plane(self.model.domain, wanted)

    @cached_property
    def _own_problem(self) -> LikelihoodProblem:
        """The loss in the model's own chart, compiled."""
        return next(iter(self.study.problems.values()))

    def _plain_problem(self, chart: StatisticalModel) -> LikelihoodProblem:
        """The loss in a chart at a few points, for which nothing is compiled."""
        if chart not in self._plain_problems:
            self._plain_problems[chart] = Manifold(chart, backend="numpy").likelihood(self.study.samples)
        return self._plain_problems[chart]

    @cached_property
    def _plain_problems(self) -> dict[StatisticalModel, LikelihoodProblem]:
        return {self.model: self.study.problem}

    def _curve(self, label: str, key: str, points: np.ndarray, h: float) -> np.ndarray:
        """The curve through iterates, all in the model's own coordinates; what is invariant is found there."""
        rule = by_name(self._rules.get(key, key))
        points = points[np.isfinite(points).all(axis=-1)]
        if isinstance(rule, (ExactFlow, RiemannianEuler)):
            return path_curve(self._own_problem, rule, points, h)
        chart = self._chart(label)
        return self._to_own(chart, path_curve(self._plain_problem(chart), rule, self._from_own(chart, points), h))

    def _from_own(self, chart: StatisticalModel, points: np.ndarray) -> np.ndarray:
        if chart is self.model:
            return points
        return np.asarray(chart.chart.from_original(self.model.chart.to_original(points)))

    def _to_own(self, chart: StatisticalModel, points: np.ndarray) -> np.ndarray:
        points = np.where(np.asarray(chart.domain.contains(points))[..., None], points, np.nan)
        return np.asarray(to_own(self.model, chart, points))

    def _jacobian(self, chart: StatisticalModel, points: np.ndarray) -> np.ndarray:
        """∂θ/∂ξ at points of a chart, θ the model's own coordinates."""
        jacobian = chart.chart.jacobian(points)
        if self.model.chart.expressions == self.model.chart.parameters:
            return np.asarray(jacobian)
        own = self.model.chart.jacobian(self._to_own(chart, points))
        return np.linalg.solve(own, jacobian)

    def _chart_mathml(self, label: str, moved: StatisticalModel) -> str:
        """What a chart is called, typeset: its equations where these have a closed form, and its label says them."""
        if moved is self.model:
            return chart_mathml([], self.model.parameters)
        if moved.chart.is_implicit or "=" not in label:
            return words_mathml(label)
        pairs = zip(moved.chart.original_parameters, moved.chart.expressions, strict=True)
        return chart_mathml([(p, expression) for p, expression in pairs if p != expression])


def check(request: Mapping[str, Any]) -> Answer:
    """Formulas as they are typed: each typeset, or what is wrong with it; nothing is evaluated."""
    echoes = []
    for text in request["formulas"]:
        try:
            names = free_names(text)
            echoes.append({"mathml": mathml(parse(text, {name: sp.Symbol(name, positive=True) for name in names}))})
        except ExpressionError as error:
            echoes.append({"error": str(error)})
    return {"type": "checked", "echoes": echoes}


def formulas(chart: StatisticalModel) -> Answer:
    """The geometry of a model in a chart, part by part, typeset."""
    wanted = ("Fisher metric", "Levi-Civita connection, second", "Scalar", "Geodesic")
    shown = [part for part in parts(Manifold(chart, backend="numpy").symbolic)]
    shown = [shown[0], *(part for part in shown if part.title.startswith(wanted))]
    return {
        "type": "formulas",
        "parts": [
            {"title": part.title, "equations": [equation_mathml(equation) for equation in part.equations()]}
            for part in shown
        ],
    }


def plain(numbers: Any) -> Any:
    """Numbers as lists that JSON can hold: None where one is not finite."""
    if isinstance(numbers, np.ndarray) and numbers.ndim:
        entries = numbers.astype(object)
        entries[~np.isfinite(numbers)] = None
        return entries.tolist()
    return float(numbers) if math.isfinite(numbers) else None


def _drawn(line: Any) -> list[list[float | None]]:
    """A line of the background, with the digits that a screen can show."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rounded = [np.array([float(f"{x:.5g}") for x in values]) for values in line]
    return [plain(values) for values in rounded]


def _settings(request: Mapping[str, Any]) -> tuple[Any, list[str], float, int]:
    return request["start"], request["integrators"], request["step_size"], request["steps"]


def _last(losses: np.ndarray) -> int:
    return int(np.isfinite(losses).sum()) - 1


def _padded(values: np.ndarray) -> list[float]:
    finite = values[np.isfinite(values)]
    margin = 0.12 * float(np.ptp(finite)) or 0.5
    return [float(finite.min()) - margin, float(finite.max()) + margin]
