"""Cost and CostResult: the linear solves that accuracy takes; the result prints, plots and saves itself."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riemopt.experiments.files import save_all
from riemopt.experiments.subject import Subject
from riemopt.experiments.tables import Tables

if TYPE_CHECKING:
    from riemopt.figures import Figure

__all__ = ["Cost", "CostResult"]


class Cost(NamedTuple):
    """What a run costs that ends within a distance of the flow; NaN where there is none.

    Attributes
    ----------
    steps : float
        The smallest number of steps that gets there.
    solves : float
        Linear solves with the metric.
    gradients : float
        Differentials of the loss.
    connections : float
        Products with the connection.
    achieved : float
        The distance from the flow at which the run ended; NaN where the numbers are extrapolated.
    extrapolated : bool
        Whether more steps would be needed than were tried, and the numbers continue a power law.
    """

    steps: float = math.nan
    solves: float = math.nan
    gradients: float = math.nan
    connections: float = math.nan
    achieved: float = math.nan
    extrapolated: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether there was such a run."""
        return math.isfinite(self.achieved)

    @property
    def text(self) -> str:
        """The number of solves: ``"120"``, ``"~35,000"`` where it is extrapolated, ``"–"`` where there is none."""
        if self.extrapolated:
            rounded = float(f"{self.solves:.1e}")
            return f"~{rounded:,.0f}" if rounded < 1e6 else f"~{rounded:.1e}"
        return f"{self.solves:,.0f}" if self.is_measured else "–"


@dataclass(frozen=True, eq=False, repr=False)
class CostResult:
    """What it costs to get within a Fisher–Rao distance of the natural gradient flow at the final time.

    Attributes
    ----------
    subjects : dict of str to Subject
        What was studied.
    wanted : tuple of float
        The distances, falling.
    costs : dict of str to dict of str to list of Cost
        By subject and integrator, one for each distance.
    """

    subjects: dict[str, Subject]
    wanted: tuple[float, ...]
    costs: dict[str, dict[str, list[Cost]]]

    @property
    def steps(self) -> dict[str, dict[str, np.ndarray]]:
        """The numbers of steps by subject and integrator, shape (distances,); NaN where there is none."""
        return self._arrays("steps")

    @property
    def solves(self) -> dict[str, dict[str, np.ndarray]]:
        """The numbers of linear solves, alike."""
        return self._arrays("solves")

    @property
    def achieved(self) -> dict[str, dict[str, np.ndarray]]:
        """The distances from the flow, alike; NaN also where numbers are extrapolated."""
        return self._arrays("achieved")

    def _arrays(self, name: str) -> dict[str, dict[str, np.ndarray]]:
        return {
            subject: {key: np.array([float(getattr(cost, name)) for cost in costs]) for key, costs in rows.items()}
            for subject, rows in self.costs.items()
        }

    def least(self, subject: str) -> list[float]:
        """The fewest solves for each distance; NaN where no integrator gets there."""
        columns = zip(*self.costs[subject].values(), strict=True)
        return [min((c.solves for c in column if math.isfinite(c.solves)), default=math.nan) for column in columns]

    def __repr__(self) -> str:
        return f"CostResult({list(self.subjects)}, wanted={list(self.wanted)})"

    # -- to look at

    def table(self) -> Tables:
        """The linear solves, to ``print``."""
        from rich.table import Table
        from rich.text import Text  # which takes a label as it is: in a plain string, Rich reads "[...]" as a style

        parts: list[Any] = []
        for name, rows in self.costs.items():
            table = Table(box=None, pad_edge=False)
            table.add_column("integrator")
            for distance in self.wanted:
                table.add_column(f"{distance:.0e} ", justify="right", no_wrap=True)
            least = self.least(name)
            for key, costs in rows.items():
                cells = (_cell(cost, cost.solves == fewest) for cost, fewest in zip(costs, least, strict=True))
                table.add_row(Text(key), *cells)
            heading = f"{name} to the time {self.subjects[name].time:g}"
            parts += [Text(f"\n{heading}" if parts else heading, style="bold"), table]
        return Tables(*parts, Text(_LEGEND))

    def plot(self) -> Figure:
        """The linear solves against the distance, a panel for each subject."""
        from riemopt import figures

        return figures.cost_figure(self.wanted, self.costs)

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
            ``cost.png``, ``cost.svg`` and ``costs.csv``, all in the folder.

        Raises
        ------
        OSError
            If the folder or a file cannot be written; nothing half written is left then.
        """
        header = ["subject", "integrator", "wanted", *Cost._fields]
        return save_all(folder, "cost", self.plot(), {"costs.csv": (header, self._rows())})

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        for subject, rows in self.costs.items():
            for key, costs in rows.items():
                for distance, cost in zip(self.wanted, costs, strict=True):
                    yield subject, key, distance, *cost


_LEGEND = """
Linear solves with the metric to end within a Fisher-Rao distance of the flow. "*": the fewest; "~": extrapolated, with
more steps than were tried; "–": not reached."""


def _cell(cost: Cost, best: bool) -> Any:
    from rich.text import Text

    return Text(f"{cost.text}*", style="bold") if best else Text(f"{cost.text} ")
