"""The order of invariance, measured: how fast integrators approach the flow, and themselves in other charts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.experiments.charts import Charts
from riemopt.experiments.convergence import Convergence
from riemopt.experiments.order_result import OrderResult
from riemopt.experiments.progress import Progress, quiet
from riemopt.experiments.rules import Integrators, rules_for
from riemopt.experiments.subject import Subject, subjects_of
from riemopt.experiments.subject_orders import SubjectOrders
from riemopt.integrators import AdaptiveFlow, Orders
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.problem import Problem

__all__ = ["INTEGRATORS", "STEPS", "order_of_invariance"]

STEPS = tuple(sorted(first * 2**k for first in (4, 5, 6, 7) for k in range(6)))
"""Numbers of steps to the final time: halvings from four step sizes within an octave."""

INTEGRATORS = (
    *("ng", "mid", "geo", "geof", "geo3", "geo4", "heun", "rk4", "rk5", "dop853"),
    *("geo-exact", "mirror", "mirror-dual", "mid-exact"),
)
"""The integrators of a study that names none."""


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
    ...     model,
    ...     [0.5, 0.2, 0.1],
    ...     {"rate = 1/r": moved},
    ...     start=[1.0],
    ...     steps=[16, 20, 24, 28, 32],
    ...     integrators=["ng", "mid"],
    ...     backend="numpy",
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
    tell = progress or quiet
    total, done = len(named) * len(rules), itertools.count()
    curves: dict[str, dict[str, dict[str, Convergence]]] = {}
    remarks: list[str] = []
    for name, subject in named.items():
        study = SubjectOrders(subject, counts, wanted)
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
