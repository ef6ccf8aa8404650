"""OrderResult: how fast distances vanish with the step size; it prints, plots and saves itself."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riemopt.experiments.convergence import Convergence
from riemopt.experiments.files import save_all
from riemopt.experiments.subject import Subject
from riemopt.experiments.tables import Tables
from riemopt.integrators import Orders

if TYPE_CHECKING:
    from riemopt.figures import Figure

__all__ = ["OrderResult"]

_QUANTITIES = {
    "flow": "error against the natural gradient flow",
    "riemannian_euler": "distance from Riemannian Euler",
    "invariance": "invariance gap",
}


@dataclass(frozen=True, eq=False, repr=False)
class OrderResult:
    """How fast distances vanish with the step size, for each subject, integrator and quantity.

    The quantities are those of :class:`riemopt.integrators.Orders`: the Fisher–Rao distances at the final time from the
    natural gradient flow, from the Riemannian Euler method of the same step size, and the largest between two charts.

    Attributes
    ----------
    subjects : dict of str to Subject
        What was studied.
    curves : dict of str to dict of str to dict of str to Convergence
        By subject, integrator and quantity; a quantity that the subject does not offer is left out.
    theory : dict of str to Orders or None
        The orders that theory gives the integrators.
    remarks : list of str
        What did not work out or needs to be known, a line each.
    """

    subjects: dict[str, Subject]
    curves: dict[str, dict[str, dict[str, Convergence]]]
    theory: dict[str, Orders | None]
    remarks: list[str]

    @property
    def slopes(self) -> dict[str, dict[str, Orders]]:
        """The measured orders, by subject and integrator.

        Infinite where all distances are noise; NaN where too few are more than that, or none was to be had.
        """
        return {
            subject: {key: _measured(curves) for key, curves in rows.items()} for subject, rows in self.curves.items()
        }

    def __repr__(self) -> str:
        return f"OrderResult({list(self.subjects)}, integrators={list(self.theory)})"

    # -- to look at

    def table(self) -> Tables:
        """The slopes with the step sizes they were fitted to, to ``print``."""
        from rich.table import Table
        from rich.text import Text  # which takes a label as it is: in a plain string, Rich reads "[...]" as a style

        parts: list[Any] = []
        for name, rows in self.curves.items():
            table = Table(box=None, collapse_padding=True, pad_edge=False)
            table.add_column("integrator", no_wrap=True)
            for quantity in Orders._fields:
                table.add_column(_HEADINGS[quantity], justify="right", no_wrap=True)
                table.add_column("steps", no_wrap=True)
                table.add_column("order", justify="right", no_wrap=True)
            for key, curves in rows.items():
                cells = (self._cells(name, key, quantity, curves.get(quantity)) for quantity in Orders._fields)
                table.add_row(Text(key), *itertools.chain.from_iterable(cells))
            charts = "; ".join(self.subjects[name].places)  # a label may have commas in it
            heading = f"{name} to the time {self.subjects[name].time:g}, in the charts {charts}"
            parts += [Text(f"\n{heading}" if parts else heading, style="bold"), table]
        parts.append(Text(_LEGEND))
        if self.remarks:
            parts.append(Text("\n" + "\n".join(self.remarks)))
        return Tables(*parts)

    def _cells(self, name: str, key: str, quantity: str, curve: Convergence | None) -> tuple[str, str, str]:
        theory = self.theory[key]
        expected = "" if theory is None else _order(getattr(theory, quantity))
        if curve is None:
            return "", "", expected
        time, (finest, coarsest) = self.subjects[name].time, curve.range
        steps = "" if np.isnan(finest) else f"{round(time / coarsest)}-{round(time / finest)}"
        return curve.text, "all" if curve.is_noise else steps, expected

    def plot(self) -> Figure:
        """The distances against the step size, a row for each subject and a panel for each quantity."""
        from riemopt import figures

        return figures.order_figure(self.curves, _QUANTITIES)

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
            ``order.png``, ``order.svg``, ``slopes.csv`` and ``distances.csv``, all in the folder.

        Raises
        ------
        OSError
            If the folder or a file cannot be written; nothing half written is left then.
        """
        slopes = ["subject", "integrator", "quantity", "slope", "uncertainty", "theory", "finest_step", "coarsest_step"]
        distances = ["subject", "integrator", "quantity", "step_size", "distance", "noise", "fitted"]
        tables = {"slopes.csv": (slopes, self._slope_rows()), "distances.csv": (distances, self._distance_rows())}
        return save_all(folder, "order", self.plot(), tables)

    def _all(self) -> Iterator[tuple[str, str, str, Convergence]]:
        for subject, rows in self.curves.items():
            for key, curves in rows.items():
                for quantity, curve in curves.items():
                    yield subject, key, quantity, curve

    def _slope_rows(self) -> Iterable[tuple[Any, ...]]:
        for subject, key, quantity, curve in self._all():
            theory = self.theory[key]
            expected = "" if theory is None else float(getattr(theory, quantity))
            yield subject, key, quantity, curve.slope, curve.uncertainty, expected, *curve.range

    def _distance_rows(self) -> Iterable[tuple[Any, ...]]:
        for subject, key, quantity, curve in self._all():
            columns = (curve.step_sizes, curve.distances, curve.floor, curve.fitted)
            for row in zip(*(column.tolist() for column in columns), strict=True):
                yield subject, key, quantity, *row


_HEADINGS = {"flow": "flow", "riemannian_euler": "Riem.\nEuler", "invariance": "gap"}
_LEGEND = (
    "\nSlopes: powers of the step size with which the Fisher-Rao distance at the final time vanishes, from the flow, "
    "from Riemannian Euler, and between charts, fitted to runs of that many steps; beside them the order that theory "
    'gives. Where all distances are noise, "≤" gives the largest.'
)


def _order(order: float) -> str:
    return "exact" if order == np.inf else f"{order:g}"


def _measured(curves: dict[str, Convergence]) -> Orders:
    return Orders(*(curves[quantity].slope if quantity in curves else np.nan for quantity in Orders._fields))
