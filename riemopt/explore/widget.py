"""ExplorerWidget: the explorer in a notebook, with its settings as traitlets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from riemopt.errors import ArgumentError, RiemoptError, ShapeError
from riemopt.experiments import InvarianceResult, InvarianceStudy
from riemopt.experiments.rules import rules_of
from riemopt.experiments.settings import typed_chart
from riemopt.explore import page
from riemopt.explore.explorer import Explorer
from riemopt.explore.lines import run_lines
from riemopt.explore.recorded import NO_DATA, recording
from riemopt.explore.requests import MOST_STEPS, FrameError, checked
from riemopt.integrators import Integrator

__all__ = ["ExplorerWidget"]


class ExplorerWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """An invariance study to explore in a notebook; made by :func:`riemopt.explore`.

    Parameters
    ----------
    study : InvarianceStudy
        What is explored.
    rules : mapping of str to Integrator
        What is run at first, by label.
    start : array_like, shape (n,)
        Where to start, in the model's own chart.
    step_size : float
        The step size h.
    steps : int
        How many steps to take.

    Attributes
    ----------
    start : list of float
        The start, in the model's own chart.
    step_size : float
        The step size h.
    steps : int
        How many steps are taken, 200 at most.
    integrators : list of str
        Their labels: those that were given, and keys of :func:`riemopt.integrators.names`.
    charts : list of str
        The charts beside the model's own: labels of those that were given, and charts typed as text.
    view : str
        The label of the chart that is looked at.
    plane : list of int
        The two coordinates that are drawn, counted from 0.
    """

    _esm = page.module()
    _css = page.text("explorer.css")

    hello = traitlets.Dict().tag(sync=True)
    start = traitlets.List(traitlets.Float()).tag(sync=True)
    step_size = traitlets.Float(0.5).tag(sync=True)
    steps = traitlets.Int(10).tag(sync=True)
    integrators = traitlets.List(traitlets.Unicode()).tag(sync=True)
    charts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)
    plane = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self, study: InvarianceStudy, rules: Mapping[str, Integrator], *, start: Any, step_size: float, steps: int
    ) -> None:
        self._rules = dict(rules)
        self._given = dict(study.charts)
        self._explorer = Explorer(study, _lines, self._rules)
        labels = list(study.charts)
        settings: dict[str, Any] = {
            "start": [float(x) for x in start],
            "step_size": float(step_size),
            "steps": steps,
            "integrators": list(rules),
            "charts": labels[1:],
            "view": labels[min(1, len(labels) - 1)],
            "plane": list(range(min(2, study.model.dimension))),
        }
        opening = {**settings, "family": "", "data": NO_DATA}
        hello = page.known("notebook", rules, families=[], presets=[], opening=opening)
        super().__init__(hello=hello, **settings)
        self.on_msg(self._take)

    @property
    def result(self) -> InvarianceResult:
        """The result with the settings as they stand."""
        explorer = self._explorer
        if list(explorer.study.charts)[1:] != self.charts:
            self._rebuild(self.charts)
        explorer.run(self.start, self.integrators, self.step_size, self.steps)
        assert explorer.result is not None
        return explorer.result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write what is seen into a file that needs nothing else: iterations, charts and bending work in it.

        Parameters
        ----------
        path : str or path-like
            An HTML file; it is replaced if there is one.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        file = Path(path)
        request = {
            name: getattr(self, name) for name in ("start", "integrators", "step_size", "steps", "plane", "view")
        }
        if list(self._explorer.study.charts)[1:] != self.charts:
            self._rebuild(self.charts)
        file.write_text(
            recording(self._explorer, {**request, "charts": self.charts}, list(self._rules)), encoding="utf-8"
        )
        return file

    # -- what may be set

    @traitlets.validate("start")
    def _valid_start(self, proposal: Any) -> Any:
        model = self._explorer.model
        if len(proposal["value"]) != model.dimension:
            raise ShapeError(
                f"start has {len(proposal['value'])} numbers, but {model.name} has {model.dimension} parameters"
            )
        model.domain.require(proposal["value"], what="start")
        return proposal["value"]

    @traitlets.validate("step_size")
    def _valid_step_size(self, proposal: Any) -> Any:
        if not 0.0 < proposal["value"] < float("inf"):
            raise ArgumentError(f"step_size must be positive and finite, not {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("steps")
    def _valid_steps(self, proposal: Any) -> Any:
        if not 1 <= proposal["value"] <= MOST_STEPS:
            raise ArgumentError(f"steps must be 1 to {MOST_STEPS}, not {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("integrators")
    def _valid_integrators(self, proposal: Any) -> Any:
        rules_of({key: self._rules.get(key, key) for key in proposal["value"]})
        return proposal["value"]

    @traitlets.validate("view")
    def _valid_view(self, proposal: Any) -> Any:
        known = [next(iter(self._given)), *self.charts] if self.charts or self._given else []
        if self._trait_values.get("charts") is not None and proposal["value"] not in [*known, *self._given]:
            raise ArgumentError(f"view must be one of the charts {known}, not {proposal['value']!r}")
        return proposal["value"]

    # -- messages

    def _take(self, _: Any, content: Any, buffers: Any) -> None:
        """Answer a request of the page."""
        try:
            request = checked(content)
        except FrameError as error:
            self.send({"type": "refused", "id": 0, "of": "page", "reason": str(error)})
            return
        if request["type"] == "cancel":
            return
        try:
            answer = self._open(request) if request["type"] == "open" else self._explorer.answer(request)
        except RiemoptError as error:
            answer = {"type": "refused", "id": request["id"], "of": request["type"], "reason": str(error)}
        self.send(answer)

    def _open(self, request: Mapping[str, Any]) -> dict[str, Any]:
        refused = {}
        if list(self._explorer.study.charts)[1:] != request["charts"]:
            refused = self._rebuild(request["charts"])

        def told(done: int, total: int, what: str) -> None:
            self.send({"type": "progress", "id": request["id"], "what": what, "done": done / total})

        start = self.start if request["start"] is None else request["start"]
        self._explorer.run(start, request["integrators"], request["step_size"], request["steps"], told)
        return self._explorer.opened({**request, "start": start}, refused)

    def _rebuild(self, labels: list[str]) -> dict[str, str]:
        """Another study, in these charts; those that cannot be had are left out, and the reasons returned."""
        study = self._explorer.study
        charts, refused = {}, {}
        for label in labels:
            try:
                charts[label] = self._given.get(label) or typed_chart(study.model, label)
            except RiemoptError as error:
                refused[label] = str(error)
        self._explorer.study = InvarianceStudy(study.model, study.samples, charts)
        return refused


def _lines(request: Mapping[str, Any]) -> str:
    return f"# model, samples and charts are those that the explorer was given\n{run_lines(request)}"
