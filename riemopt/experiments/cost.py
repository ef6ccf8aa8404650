"""What accuracy costs: the linear solves that integrators take to get within a distance of the flow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError
from riemopt.experiments import order
from riemopt.experiments.cost_result import Cost, CostResult
from riemopt.experiments.progress import Progress, quiet
from riemopt.experiments.rules import Integrators, rules_for
from riemopt.experiments.subject import Subject, subjects_of
from riemopt.experiments.subject_costs import costs_of
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.problem import Problem

__all__ = ["INTEGRATORS", "WANTED", "cost_of_accuracy"]

WANTED = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
"""The distances to the flow of a study that names none."""

INTEGRATORS = (*order.INTEGRATORS, "ng-exact", "ng-adaptive")
"""The integrators of a study that names none."""

MOST_STEPS = 4096
"""The most steps that are tried, but for twice as many as a check."""

_KNOWN = 1e-12
"""The smallest distance to a flow that is itself known to a tenth of that."""


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
    tell = progress or quiet
    done = itertools.count()
    costs: dict[str, dict[str, list[Cost]]] = {name: {} for name in named}
    for name, subject in named.items():
        for key, rule in rules.items():
            tell(next(done), len(named) * len(rules), f"{name}: {key}")
            study = costs_of(rule, subject, flows[name], int(most_steps))
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
