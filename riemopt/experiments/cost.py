"""What accuracy costs: the linear solves that integrators take to get within a distance of the flow."""

from __future__ import annotations

import copy
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riemopt.errors import ArgumentError
from riemopt.experiments import order
from riemopt.experiments.charts import Integrators, rules_for
from riemopt.experiments.distance import fisher_rao
from riemopt.experiments.results import Progress, Tables, save_all
from riemopt.experiments.subject import Place, Subject, subjects_of
from riemopt.integrators import AdaptiveFlow, Integrator
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.problem import CountedProblem, Problem

if TYPE_CHECKING:
    from riemopt.figures import Figure

__all__ = ["INTEGRATORS", "WANTED", "Cost", "CostResult", "cost_of_accuracy"]

WANTED = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
"""The distances to the flow of a study that names none."""

INTEGRATORS = (*order.INTEGRATORS, "ng-exact", "ng-adaptive")
"""The integrators of a study that names none."""

MOST_STEPS = 4096
"""The most steps that are tried, but for twice as many as a check."""

_STEADY = 0.05
"""How far the slopes of the last two octaves may differ where a power law is continued."""

_SLOWEST = 0.5
"""The slope below which a distance does not vanish."""

_KNOWN = 1e-12
"""The smallest distance to a flow that is itself known to a tenth of that."""

_FINEST = 1e-14
"""The tightest tolerance."""


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


def cost_of_accuracy(
    model: StatisticalModel | ConditionalModel | Problem | Sequence[Subject],
    samples: Any = None,
    *,
    start: Any = None,
    inputs: Any = None,
    time: float = 1.0,
    wanted: Iterable[float] = WANTED,
    integrators: Integrators | None = None,
    most_steps: int = MOST_STEPS,
    backend: str = "numba",
    progress: Progress | None = None,
) -> CostResult:
    """Find what it costs to get within a distance of the natural gradient flow, in linear solves with the metric.

    For each integrator and distance: the smallest number of equal steps to the final time that ends within it, in the
    model's own chart, and what a run with as many steps asks of the problem.

    Parameters
    ----------
    model : StatisticalModel, ConditionalModel, Problem, or sequence of Subject
        What to study, see :func:`order_of_invariance`.
    samples : array_like, optional
        The observations of a model, or its targets.
    start : array_like, shape (n,)
        Where to start.
    inputs : array_like, optional
        The inputs of a conditional model.
    time : float, optional
        The final time T.
    wanted : iterable of float, optional
        The Fisher–Rao distances, at least 1e-12: the flow is known to 1e-13.
    integrators : iterable of str, Integrator or callable, or mapping of str to these, optional
        See :func:`order_of_invariance`. :class:`~riemopt.integrators.AdaptiveFlow` goes the whole time in one step,
        with a tolerance of the distance, halved until it gets there. By default those of :data:`INTEGRATORS` for which
        the problems offer what they need.
    most_steps : int, optional
        The most steps to try. Beyond them, the power law of the last two octaves is continued where its slope is
        steady.
    backend : str, optional
        What runs the kernels of a model, see :class:`riemopt.Manifold`; not ``"cupy"``.
    progress : callable, optional
        Called as ``progress(done, total, what)`` before each piece of work.

    Returns
    -------
    CostResult

    Raises
    ------
    ArgumentError
        If an argument makes no sense, a problem has no flow or no lengths, or the flow ends before the final time.
    UnsupportedError
        If an integrator needs a primitive that a problem does not offer.
    DomainError, ModelError, DataError, ShapeError, UnknownNameError
        See :func:`riemopt.experiments.invariance`.

    Notes
    -----
    A number of steps counts only if twice as many get there as well, since a distance may pass through zero by chance.
    It is found by doubling, and bisection that every other time goes where a power law would cross the distance.

    :class:`~riemopt.problem.CountedProblem` says what counts as a solve: a geodesic in closed form takes none, and one
    that is integrated takes those of its integration, to a relative tolerance of a hundredth of the wanted distance, at
    most 1e-3, or a tighter one where the run would end too far away.

    Examples
    --------
    >>> import riemopt as ro
    >>> result = ro.experiments.cost_of_accuracy(
    ...     ro.models.Exponential(), [0.5, 0.2, 0.1], start=[1.0], wanted=[1e-1, 1e-2],
    ...     integrators=["ng", "mid"], backend="numpy",
    ... )
    >>> {key: solves.tolist() for key, solves in result.solves["Exponential"].items()}
    {'ng': [1.0, 7.0], 'mid': [2.0, 2.0]}
    """
    named = subjects_of(model, samples, start=start, inputs=inputs, time=time, backend=backend)
    rules = rules_for([subject.own.problem for subject in named.values()], integrators, INTEGRATORS)
    distances = _distances(wanted)
    if not (isinstance(most_steps, (int, np.integer)) and most_steps >= 4):
        raise ArgumentError(f"most_steps must be a whole number of at least 4, not {most_steps!r}")
    flows = {name: _flow(subject) for name, subject in named.items()}
    tell = progress or (lambda done, total, what: None)
    done = itertools.count()
    costs: dict[str, dict[str, list[Cost]]] = {name: {} for name in named}
    for name, subject in named.items():
        for key, rule in rules.items():
            tell(next(done), len(named) * len(rules), f"{name}: {key}")
            study = (_Adapting if isinstance(rule, AdaptiveFlow) else _Stepping)(
                subject, flows[name], rule, int(most_steps)
            )
            costs[name][key] = [study.cost(distance) for distance in distances]
    return CostResult(named, distances, costs)


def _distances(wanted: Iterable[float]) -> tuple[float, ...]:
    distances = tuple(sorted({float(distance) for distance in wanted}, reverse=True))
    if not distances or not all(_KNOWN <= distance < math.inf for distance in distances):
        raise ArgumentError(f"wanted must be finite distances of at least {_KNOWN:g}, not {list(distances)}")
    return distances


def _flow(subject: Subject) -> np.ndarray:
    """Where the flow is at the final time."""
    if "flow" not in subject.own.problem.offers:
        raise ArgumentError(f"{subject.name}: without a natural gradient flow there is nothing to be close to")
    flow = subject.own.flow(subject.time)
    if not np.isfinite(flow).all():
        raise ArgumentError(f"{subject.name}: the natural gradient flow does not reach the time {subject.time:g}")
    return flow


class _Stepping:
    """A rule on a subject: how many steps it needs, and what they cost."""

    def __init__(self, subject: Subject, flow: np.ndarray, rule: Integrator, most: int) -> None:
        self.subject, self.flow, self.rule, self.most = subject, flow, rule, most
        self.missed = cache(self._missed)

    def _missed(self, steps: int) -> float:
        """How far from the flow so many steps end; NaN where they fail."""
        return self._distance(self.subject.own, self.rule, steps)

    def _distance(self, place: Place, rule: Integrator, steps: int) -> float:
        end = place.end(rule, self.subject.time, steps)
        return fisher_rao(self.subject.own.problem, self.flow, end)

    def cost(self, wanted: float) -> Cost:
        """What it costs to end within a distance."""
        steps = _fewest(self.missed, wanted, self.most)
        if steps is None:
            return self._extrapolated(wanted)
        for rtol in _tighter(_sufficient(wanted), 0.1):
            cost = self._counted(self.rule, steps, rtol)
            if cost.achieved <= wanted:
                return cost
        return Cost()

    def _counted(self, rule: Integrator, steps: int, rtol: float) -> Cost:
        """What a run costs whose exact integrations are done to a tolerance."""
        own = self.subject.own
        problem = CountedProblem(own.problem, rtol=rtol)
        achieved = self._distance(Place(problem, own.start, own.to_own), rule, steps)
        calls = problem.calls
        return Cost(steps, calls["raise_index"], calls["gradient"], calls["connection"], achieved)

    def _extrapolated(self, wanted: float) -> Cost:
        """What the most steps cost, times what is missing from them by the power law of the last octaves."""
        most = 4 * (self.most // 4)
        coarse, middle, fine = (self.missed(most // part) for part in (4, 2, 1))
        if not (coarse > 0.0 and middle > 0.0 and fine > wanted):
            return Cost()
        before, slope = math.log2(coarse / middle), math.log2(middle / fine)
        if slope < _SLOWEST or abs(slope - before) > _STEADY:
            return Cost()
        # what is left of a difference from the order halves with each octave: as much again is yet to come
        factor = (fine / wanted) ** (1 / (2 * slope - before))
        known = self._counted(self.rule, most, _sufficient(wanted))
        if not known.is_measured:
            return Cost()
        steps, solves, gradients, connections = (factor * count for count in known[:4])
        return Cost(steps, solves, gradients, connections, extrapolated=True)


class _Adapting(_Stepping):
    """A rule that chooses its own steps: how tight its tolerance must be, and what it costs."""

    def cost(self, wanted: float) -> Cost:
        """What it costs to end within a distance."""
        for tolerance in _tighter(wanted, 0.5):
            rule = copy.copy(self.rule)
            assert isinstance(rule, AdaptiveFlow)
            rule.tolerance = tolerance
            cost = self._counted(rule, 1, _FINEST)
            if cost.achieved <= wanted:
                return cost
        return Cost()


def _fewest(missed: Callable[[int], float], wanted: float, most: int) -> int | None:
    """The smallest number of steps that gets within a distance, as twice as many do; None beyond the most."""

    def stays(steps: int) -> bool:
        return missed(steps) <= wanted and missed(2 * steps) <= wanted

    high = 1
    while not stays(high):
        high *= 2
        if high > most:
            return None
    low = high // 2
    for by_power_law in itertools.cycle((True, False)):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        if by_power_law and missed(low) > wanted > missed(high) > 0.0:
            share = math.log(missed(low) / wanted) / math.log(missed(low) / missed(high))
            middle = min(max(low + 1, round(low * (high / low) ** share)), high - 1)
        low, high = (low, middle) if stays(middle) else (middle, high)
    return high


def _sufficient(wanted: float) -> float:
    """The relative tolerance of exact integrations to begin with."""
    return min(1e-3, 0.01 * wanted)


def _tighter(tolerance: float, factor: float) -> Iterator[float]:
    """Tolerances from one on, down to rounding."""
    while tolerance >= _FINEST:
        yield tolerance
        tolerance *= factor
