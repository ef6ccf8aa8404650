"""The order of invariance, measured: how fast integrators approach the flow, and themselves in other charts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.experiments.charts import Charts, Integrators, rules_for
from riemopt.experiments.convergence import ABOVE, Convergence
from riemopt.experiments.distance import fisher_rao, straight_length
from riemopt.experiments.results import Progress, Tables, save_all
from riemopt.experiments.subject import Subject, subjects_of
from riemopt.integrators import AdaptiveFlow, Integrator, Orders, RiemannianEuler
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.problem import INTEGRATED, Problem

if TYPE_CHECKING:
    from riemopt.figures import Figure

__all__ = ["INTEGRATORS", "STEPS", "OrderResult", "order_of_invariance"]

STEPS = tuple(sorted(first * 2**k for first in (4, 5, 6, 7) for k in range(6)))
"""Numbers of steps to the final time: halvings from four step sizes within an octave."""

INTEGRATORS = (
    *("ng", "mid", "geo", "geof", "geo3", "geo4", "heun", "rk4", "rk5", "dop853"),
    *("geo-exact", "mirror", "mirror-dual", "mid-exact"),
)
"""The integrators of a study that names none."""

_HALF = float(np.sqrt(np.finfo(np.float64).eps))
"""Half of the digits, as a part of the way that was travelled."""

_UNITS = 1e-3
"""The part of that way from which on a difference in other units is no noise."""

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


def order_of_invariance(
    model: StatisticalModel | ConditionalModel | Problem | Sequence[Subject],
    samples: Any = None,
    charts: Charts = (),
    *,
    start: Any = None,
    inputs: Any = None,
    time: float = 1.0,
    steps: Iterable[int] = STEPS,
    integrators: Integrators | None = None,
    quantities: Iterable[str] = Orders._fields,
    backend: str = "numba",
    progress: Progress | None = None,
) -> OrderResult:
    """Measure how fast integrators approach the flow, the Riemannian Euler method, and themselves in other charts.

    All go to the same final time with ever smaller steps. Distances are Fisher–Rao distances in the model's own chart.
    A distance that is not far above the noise, rounding and the tolerance of exact integrations, is left out of a fit.

    Parameters
    ----------
    model : StatisticalModel, ConditionalModel, Problem, or sequence of Subject
        What to study: a model with its samples, a problem such as :class:`riemopt.OperatorProblem`, or several
        subjects, see :meth:`Subject.of`, which take the arguments up to `time` themselves.
    samples : array_like, optional
        The observations of a model, or its targets.
    charts : mapping of str to model or Chart, or iterable of pairs, optional
        The other charts, by label: reparametrizations of the model; for a problem,
        :class:`~riemopt.models.chart.Chart` objects.
    start : array_like, shape (n,)
        Where to start, in the model's own chart.
    inputs : array_like, optional
        The inputs of a conditional model.
    time : float, optional
        The final time T.
    steps : iterable of int, optional
        In how many steps to go there; the step sizes are T over them.
    integrators : iterable of str, Integrator or callable, or mapping of str to these, optional
        Keys of :func:`riemopt.integrators.names`, integrators, and functions ``step(theta, gradient) -> theta``, see
        :class:`riemopt.integrators.OptimizerStep`. By default those of :data:`INTEGRATORS` for which the problems
        offer what they need.
    quantities : iterable of str, optional
        What to measure, of ``"flow"``, ``"riemannian_euler"`` and ``"invariance"``.
    backend : str, optional
        What runs the kernels of a model, see :class:`riemopt.Manifold`; not ``"cupy"``. ``"numpy"`` compiles nothing,
        and is quicker for a few steps of a small model.
    progress : callable, optional
        Called as ``progress(done, total, what)`` before each piece of work.

    Returns
    -------
    OrderResult

    Raises
    ------
    ArgumentError
        If an argument makes no sense, an integrator is named twice, or a problem does not offer the metric's product.
    UnsupportedError
        If an integrator needs a primitive that a problem does not offer.
    DomainError, ModelError, DataError, ShapeError, UnknownNameError
        See :func:`riemopt.experiments.invariance`.

    Notes
    -----
    The noise is measured. Every run is repeated in a control: the model's own chart with the coordinates in other
    units, where all methods that are covariant under linear maps do the same but for rounding. What the flow, and the
    Riemannian Euler method of the same step size, differ by between charts counts as noise in distances from them, and
    the latter also in the gap of methods that integrate exactly; where it is half of the digits, nothing is measured.
    Where the control differs by a thousandth of the way at the coarsest step, a method is not covariant under linear
    maps, and its rounding is not known. Remarks say so.

    References
    ----------
    Song, Song and Ermon, "Accelerating Natural Gradient with Higher-Order Invariance", 2018, theorem 1.

    Examples
    --------
    >>> import sympy as sp
    >>> import riemopt as ro
    >>> model = ro.models.Exponential()
    >>> (rate,) = model.parameters
    >>> r = sp.Symbol("r", positive=True)
    >>> moved = model.reparametrize({rate: 1 / r}, parameters=(r,))
    >>> result = ro.experiments.order_of_invariance(
    ...     model, [0.5, 0.2, 0.1], {"rate = 1/r": moved}, start=[1.0], integrators=["ng", "mid"], backend="numpy"
    ... )
    >>> {key: round(orders.invariance, 1) for key, orders in result.slopes["Exponential"].items()}
    {'ng': 1.0, 'mid': 2.0}
    """
    counts, wanted = _step_counts(steps), tuple(quantities)
    for quantity in wanted:
        if quantity not in Orders._fields:
            raise UnknownNameError("quantity", quantity, Orders._fields)
    named = subjects_of(model, samples, charts, start=start, inputs=inputs, time=time, backend=backend)
    rules = rules_for(
        [place.problem for subject in named.values() for place in subject.every_place], integrators, INTEGRATORS
    )
    for key, rule in rules.items():
        if isinstance(rule, AdaptiveFlow):
            raise ArgumentError(f"{key} chooses its steps by itself: there is no step size to have an order in")
    tell = progress or (lambda done, total, what: None)
    total, done = len(named) * len(rules), itertools.count()
    curves: dict[str, dict[str, dict[str, Convergence]]] = {}
    remarks: list[str] = []
    for name, subject in named.items():
        study = _Study(subject, counts, wanted)
        curves[name] = {}
        for key, rule in rules.items():
            tell(next(done), total, f"{name}: {key}")
            curves[name][key] = study.curves(key, rule)
        remarks += study.remarks
    return OrderResult(named, curves, {key: rule.orders for key, rule in rules.items()}, remarks)


def _step_counts(steps: Iterable[int]) -> tuple[int, ...]:
    counts = set(steps) if isinstance(steps, Iterable) else {steps}
    if not counts or not all(isinstance(k, (int, np.integer)) and k > 0 for k in counts):
        raise ArgumentError(f"steps must be positive whole numbers, not {steps!r:.80}")
    return tuple(sorted(counts))


class _Study:
    """One subject: where the references end, and how far from them and from itself an integrator ends."""

    def __init__(self, subject: Subject, counts: Sequence[int], quantities: Sequence[str]) -> None:
        self.subject, self.counts, self.quantities = subject, counts, quantities
        self.step_sizes = subject.time / np.array(counts, dtype=np.float64)
        self.remarks: list[str] = []
        if "exp" not in subject.own.problem.offers:
            self._remark("without geodesics, distances are lengths of straight lines in the chart")
        if len(subject.places) == 1 and "invariance" in quantities:
            self._remark("there is one chart, and so no gap between charts")

    def _remark(self, text: str) -> None:
        self.remarks.append(f"{self.subject.name}: {text}")

    # -- references

    @cached_property
    def flow(self) -> tuple[np.ndarray, float] | None:
        """Where the flow ends, and how far apart that is in different charts; None where there is none."""
        if "flow" not in self.subject.own.problem.offers:
            return None
        ends = [place.flow(self.subject.time) for place in self.subject.every_place]
        (noise,) = self._trusted(np.array([self._spread(ends)]), ends[:1], "the flow")
        return ends[0], float(noise)

    @cached_property
    def euler(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Where Riemannian Euler ends with each step size, shape (m, charts and control, n), and how far apart."""
        if "exp" not in self.subject.own.problem.offers:
            return None
        ends = self._ends(RiemannianEuler())
        spread = self._trusted(np.array([self._spread(row) for row in ends]), ends[:, 0], "Riemannian Euler")
        return ends, np.where(np.isnan(spread), np.nan, np.fmax.accumulate(spread))

    def _trusted(self, spread: np.ndarray, ends: Iterable[np.ndarray], what: str) -> np.ndarray:
        """How far apart the ends of a reference are in different charts; NaN where that is half of the digits."""
        most = _HALF * np.array([self._travelled(end) for end in ends])
        trusted = np.where(spread <= most, spread, np.nan)
        found = np.isfinite(spread)
        if (spread[found] > most[found]).any():
            self._remark(f"{what} differs between charts by {spread[found].max():.0e}: that is no reference")
        elif not found.any():
            self._remark(f"{what} does not reach the final time in every chart: there is no reference")
        return trusted

    def _ends(self, rule: Integrator) -> np.ndarray:
        """Where a rule ends, in own coordinates, shape (m, charts and control, n)."""
        time = self.subject.time
        return np.array([[place.end(rule, time, count) for place in self.subject.every_place] for count in self.counts])

    # -- distances

    def _travelled(self, end: np.ndarray) -> float:
        own = self.subject.own
        return straight_length(own.problem, own.start, end) if np.isfinite(end).all() else np.nan

    def _distance(self, point: np.ndarray, target: np.ndarray) -> float:
        return fisher_rao(self.subject.own.problem, point, target)

    def _distances(self, points: Iterable[np.ndarray], targets: Iterable[np.ndarray]) -> np.ndarray:
        return np.array([self._distance(*pair) for pair in zip(points, targets, strict=True)])

    def _spread(self, points: Iterable[np.ndarray]) -> float:
        """The largest distance between any two points; NaN where one is missing."""
        return float(np.max([self._distance(a, b) for a, b in itertools.combinations(points, 2)]))

    def curves(self, key: str, rule: Integrator) -> dict[str, Convergence]:
        """What is wanted to know of an integrator, as far as the subject tells."""
        is_euler = isinstance(rule, RiemannianEuler) and rule.a == 0.0
        known = self.euler if is_euler else None
        ends = self._ends(rule) if known is None else known[0]
        own, charted = ends[:, 0], ends[:, :-1]
        rounding = self._rounding(key, ends)
        curves = {}
        if "flow" in self.quantities and self.flow is not None:
            end, noise = self.flow
            distances = self._distances(itertools.repeat(end, len(own)), own)
            curves["flow"] = self._curve(distances, np.maximum(rounding, noise))
        if "riemannian_euler" in self.quantities and self.euler is not None and not is_euler:
            reached, spread = self.euler
            curves["riemannian_euler"] = self._curve(self._distances(reached[:, 0], own), np.maximum(rounding, spread))
        if "invariance" in self.quantities and charted.shape[1] > 1:
            exact = not rule.needs or set(INTEGRATED) & set(rule.needs)
            spread = self.euler[1] if exact and self.euler is not None else np.zeros(len(own))
            gaps = np.array([self._spread(row) for row in charted])
            curves["invariance"] = self._curve(gaps, np.maximum(rounding, spread))
        return curves

    def _rounding(self, key: str, ends: np.ndarray) -> float:
        """The largest distance from the control, since one of them may be small by chance; NaN if there is none."""
        apart = self._distances(ends[:, 0], ends[:, -1])
        found = np.isfinite(apart)
        if not found.any():
            return np.nan
        travelled = max(self._travelled(end) for end in ends[found, 0])
        if apart[found][0] > _UNITS * travelled:
            self._remark(f"{key} depends on the units of the coordinates")
            return 0.0
        noise = float(apart[found].max())
        if noise > _HALF * travelled:
            self._remark(f"{key} differs by {noise:.0e} in other units: less than {ABOVE:g} times that counts as noise")
        return noise

    def _curve(self, distances: np.ndarray, floor: Any) -> Convergence:
        return Convergence(self.step_sizes, distances, np.broadcast_to(floor, distances.shape))
