"""Subject: a model or a problem in several charts, as a study of its integrators needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError
from riemopt.experiments.charts import Charts
from riemopt.experiments.distance import is_measurable
from riemopt.experiments.places import Place, places_of_model, places_of_problem
from riemopt.models import ConditionalModel, StatisticalModel
from riemopt.problem import Problem

__all__ = ["Place", "Subject", "subjects_of"]

_RTOL = 1e-13
"""The tolerance of exact integrations, near rounding."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A model or a problem in several charts, with a start and a final time.

    Attributes
    ----------
    name : str
        What it is called.
    places : dict of str to Place
        The charts by label, its own first.
    control : Place
        Its own chart with every coordinate measured in other units. A method that is covariant under linear maps does
        the same there but for rounding.
    time : float
        The final time T.
    """

    name: str
    places: dict[str, Place]
    control: Place
    time: float

    @property
    def own(self) -> Place:
        """The first chart."""
        return next(iter(self.places.values()))

    @property
    def every_place(self) -> list[Place]:
        """The charts, then the control."""
        return [*self.places.values(), self.control]

    @classmethod
    def of(
        cls,
        model: StatisticalModel | ConditionalModel | Problem,
        samples: Any = None,
        charts: Charts = (),
        *,
        start: Any,
        inputs: Any = None,
        time: float = 1.0,
        name: str = "",
        backend: str = "numba",
        rtol: float | None = None,
    ) -> Subject:
        """A subject; see :func:`order_of_invariance` for what it takes.

        Parameters
        ----------
        model : StatisticalModel, ConditionalModel or Problem
            What to study.
        samples : array_like, optional
            The observations of a model, or its targets.
        charts : mapping of str to model or Chart, or iterable of pairs, optional
            Other charts by label: reparametrizations of a model; of a problem, charts whose original coordinates are
            those of the problem.
        start : array_like, shape (n,)
            Where to start, in its own coordinates.
        inputs : array_like, optional
            The inputs of a conditional model.
        time : float, optional
            The final time.
        name : str, optional
            What to call it.
        backend : str, optional
            What runs the kernels of a model.
        rtol : float, optional
            The tolerance of exact integrations: by default 1e-13, or that of a problem which has one.

        Raises
        ------
        ArgumentError
            If there are samples where a problem is given, or none where a model is; or the time is not positive.
        DomainError, ModelError, ShapeError
            See :func:`riemopt.experiments.invariance`.
        """
        if not 0.0 < time < np.inf:
            raise ArgumentError(f"time must be positive and finite, not {time!r}")
        if isinstance(model, Problem):
            if samples is not None or inputs is not None:
                raise ArgumentError("a problem has its data: samples and inputs belong to a model")
            exactness = getattr(model, "rtol", _RTOL) if rtol is None else rtol
            places, control = places_of_problem(model, charts, start, exactness)
            return cls(name or type(model).__name__, places, control, float(time))
        if samples is None:
            raise ArgumentError(f"{model.name} needs samples")
        exactness = _RTOL if rtol is None else rtol
        places, control = places_of_model(model, samples, inputs, charts, start, backend, exactness)
        return cls(name or model.name, places, control, float(time))


def subjects_of(
    model: StatisticalModel | ConditionalModel | Problem | Sequence[Subject],
    samples: Any = None,
    charts: Charts = (),
    *,
    start: Any = None,
    **settings: Any,
) -> dict[str, Subject]:
    """What a study is given, by name: several subjects, or what :meth:`Subject.of` makes one of.

    Raises
    ------
    ArgumentError
        If there is no start or no subject, two have the same name, or a problem does not offer the metric's product.
    """
    if isinstance(model, (StatisticalModel, ConditionalModel, Problem)):
        if start is None:
            raise ArgumentError("a model or a problem needs a start: start=[...]")
        model = [Subject.of(model, samples, charts, start=start, **settings)]
    named: dict[str, Subject] = {}
    for subject in model:
        if subject.name in named:
            raise ArgumentError(f"two subjects are called {subject.name!r}: Subject.of(..., name=...) tells them apart")
        if not is_measurable(subject.own.problem):
            raise ArgumentError(f"{subject.name}: without the metric's product there are no distances to measure")
        named[subject.name] = subject
    if not named:
        raise ArgumentError("there are no subjects")
    return named
