"""InvarianceResult: where integrators went in several charts, and how far apart; it prints, plots and saves itself."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from riemopt.experiments.charts import title
from riemopt.experiments.files import save_all
from riemopt.experiments.tables import Tables
from riemopt.integrators import Integrator
from riemopt.manifold import LikelihoodProblem
from riemopt.models import StatisticalModel
from riemopt.status import Status

if TYPE_CHECKING:
    from riemopt.explore.widget import ExplorerWidget
    from riemopt.figures import Figure

__all__ = ["InvarianceResult"]


@dataclass(frozen=True, eq=False, repr=False)
class InvarianceResult:
    """Where some integrators went in several charts of a model, and how far apart that was.

    Attributes
    ----------
    charts : dict of str to StatisticalModel
        The model in each chart, its own chart first.
    losses : dict of str to dict of str to array, shape (steps + 1,)
        The mean negative log-likelihoods in nats, by chart and integrator; NaN from where a trajectory failed.
    points : dict of str to dict of str to array, shape (steps + 1, n)
        The points in the model's own chart, by chart and integrator.
    gap : dict of str to array, shape (steps + 1,)
        The invariance gap of each integrator: after each step, the largest Fisher–Rao distance between the points that
        two charts reached. NaN from where a trajectory failed in any chart.
    status : dict of str to dict of str to Status
        Why each trajectory ended, by chart and integrator.
    problem : LikelihoodProblem
        The loss, in the model's own chart.
    samples : array_like
        What the model was fitted to.
    rules : dict of str to Integrator
        The integrators, by label.
    step_size : float
        The step size h.
    """

    charts: dict[str, StatisticalModel]
    losses: dict[str, dict[str, np.ndarray]]
    points: dict[str, dict[str, np.ndarray]]
    gap: dict[str, np.ndarray]
    status: dict[str, dict[str, Status]]
    problem: LikelihoodProblem
    samples: Any
    rules: dict[str, Integrator]
    step_size: float

    @property
    def model(self) -> StatisticalModel:
        """The model in its own chart."""
        return next(iter(self.charts.values()))

    @property
    def remarks(self) -> list[str]:
        """What did not work out, a line each: trajectories that failed, and distances that could not be found."""
        remarks: list[str] = []
        for chart, key in itertools.product(self.charts, self.gap):
            if not self.status[chart][key].success:
                last = np.isfinite(self.losses[chart][key]).sum() - 1
                reason = self.status[chart][key].meaning
                remarks.append(f"{key} in the chart {chart} ended after iteration {last}: {reason}")
        for key, gap in self.gap.items():
            if np.isnan(gap).any() and all(self.status[chart][key].success for chart in self.charts):
                first = int(np.argmax(np.isnan(gap)))
                remarks.append(f"{key}: no geodesic was found between two points of iteration {first}; its gap is nan")
        return remarks

    def __repr__(self) -> str:
        return f"InvarianceResult({self.model.name}, charts={list(self.charts)}, integrators={list(self.gap)})"

    # -- to look at

    def table(self) -> Tables:
        """The losses and the gaps at some of the iterations, to ``print``."""
        from rich.table import Table
        from rich.text import Text  # which takes a label as it is: in a plain string, Rich reads "[...]" as a style

        losses, gaps = (Table(box=None, collapse_padding=True, pad_edge=False) for _ in range(2))
        for table in (losses, gaps):
            table.add_column("iteration", justify="right")
        losses.add_column("chart")
        for table, key in itertools.product((losses, gaps), self.gap):
            table.add_column(Text(key), justify="right", no_wrap=True, min_width=8)
        for k in _shown(len(next(iter(self.gap.values()))) - 1):
            for i, (chart, row) in enumerate(self.losses.items()):
                losses.add_row("" if i else str(k), Text(chart), *(f"{loss[k]:.5f}" for loss in row.values()))
            gaps.add_row(str(k), *(f"{gap[k]:.2e}" for gap in self.gap.values()))
        parts = [
            Text("Mean negative log-likelihood", style="bold"),
            losses,
            Text("\nInvariance gap: the largest Fisher-Rao distance between two charts", style="bold"),
            gaps,
        ]
        if self.remarks:
            parts.append(Text("\n" + "\n".join(self.remarks)))
        return Tables(*parts)

    def plot(self) -> Figure:
        """The losses against the iteration in every chart, the paths over the loss, and the gaps."""
        from riemopt import figures

        names = [sp.latex(parameter) for parameter in self.model.parameters]
        titles = [title(label, model) for label, model in self.charts.items()]
        return figures.invariance_figure(
            list(self.losses.values()), list(self.points.values()), self.gap, titles, names, self.problem.loss
        )

    def explore(self) -> ExplorerWidget:
        """The experiment in a notebook, from here on by hand; see :func:`riemopt.explore`."""
        from riemopt.explore.notebook import explore_result

        return explore_result(self)

    # -- to keep

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the figure and the numbers.

        Parameters
        ----------
        folder : str or path-like
            Made if need be; files of the same names are replaced.

        Returns
        -------
        list of Path
            ``invariance.png``, ``invariance.svg``, ``losses.csv``, ``gaps.csv`` and ``points.csv``, all in the folder.

        Raises
        ------
        OSError
            If the folder or a file cannot be written; nothing half written is left then.
        """
        points = ["chart", "integrator", "iteration", *map(str, self.model.parameters), "status"]
        tables = {
            "losses.csv": (["chart", "integrator", "iteration", "loss"], self._loss_rows()),
            "gaps.csv": (["integrator", "iteration", "gap"], self._gap_rows()),
            "points.csv": (points, self._point_rows()),
        }
        return save_all(folder, "invariance", self.plot(), tables)

    def _loss_rows(self) -> Iterable[tuple[Any, ...]]:
        for chart, key in itertools.product(self.charts, self.gap):
            for k, loss in enumerate(self.losses[chart][key]):
                yield chart, key, k, float(loss)

    def _gap_rows(self) -> Iterable[tuple[Any, ...]]:
        for key, gaps in self.gap.items():
            for k, gap in enumerate(gaps):
                yield key, k, float(gap)

    def _point_rows(self) -> Iterable[tuple[Any, ...]]:
        for chart, key in itertools.product(self.charts, self.gap):
            for k, point in enumerate(self.points[chart][key]):
                yield chart, key, k, *map(float, point), self.status[chart][key].name


def _shown(steps: int) -> list[int]:
    """The iterations in a table: a handful, the last among them."""
    return sorted({round(k) for k in np.geomspace(1, steps, 4)}) if steps else [0]
