"""Samples of an exponential family, reduced to what its likelihood depends on."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from riemopt.formulas.closed_form import ClosedLoss
from riemopt.models.expectation import ExponentialForm
from riemopt.models.statistical import StatisticalModel
from riemopt.models.support import contains
from riemopt.symbolic.functions import numeric_function

__all__ = ["reduced_loss"]


def reduced_loss(
    model: StatisticalModel, form: ExponentialForm, columns: Sequence[np.ndarray]
) -> tuple[ClosedLoss, np.ndarray]:
    """The mean negative log-likelihood of samples as a function of θ and a few numbers, and these numbers.

    Raw moments lose the digits that matter where samples are far from zero and close to one another. So the
    statistics are taken from those of a sample x₀ in the middle of the others, and the log-density there stands for
    the rest: L(θ) = -ℓ(x₀; θ) - z(θ)·mean(T(x) - T(x₀)) - mean(log h(x) - log h(x₀)).

    Parameters
    ----------
    model : StatisticalModel
        The model.
    form : ExponentialForm
        Its log-density as an exponential family.
    columns : sequence of array, shape (N,)
        The samples.

    Returns
    -------
    loss : ClosedLoss
    data : array, shape (k,)
    """
    middle = _middle(model, columns)
    loss, shifts = _symbolic(model.log_density, form, model.observation, model.parameters)
    values = [_mean(shift, columns, middle) for shift in shifts]
    return loss, np.array([*middle, *values])


_Function = Callable[..., list[Any]]


@functools.lru_cache(maxsize=256)
def _symbolic(
    log_density: sp.Expr, form: ExponentialForm, observation: tuple[sp.Symbol, ...], parameters: tuple[sp.Symbol, ...]
) -> tuple[ClosedLoss, list[_Function]]:
    """The loss, and T(x) - T(x₀) and log h(x) - log h(x₀) as functions of x and x₀: the same for all samples."""
    centre = tuple(sp.Dummy(x.name, **x.assumptions0) for x in observation)
    means = tuple(sp.Dummy(f"mean_{i}", real=True) for i in range(len(form.statistics) + 1))
    at_centre = dict(zip(observation, centre, strict=True))
    *averages, base = means
    moved = sp.Add(*(z * m for z, m in zip(form.natural, averages, strict=True)))
    loss = -log_density.xreplace(at_centre) - moved - base
    differential = tuple(loss.diff(p) for p in parameters)
    shifts = [_shift(e, observation, centre) for e in (*form.statistics, form.log_base)]
    return ClosedLoss((*parameters, *centre, *means), loss, differential), shifts


def _middle(model: StatisticalModel, columns: Sequence[np.ndarray]) -> list[float]:
    """The mean of the samples, or the sample next to it where the mean cannot be observed."""
    mean = [float(np.mean(column)) for column in columns]
    inside = all(contains(s, np.array([m]))[0] for s, m in zip(model.support, mean, strict=True))
    if inside and not model.constraints:
        return mean
    spread = [float(np.std(column)) or 1.0 for column in columns]
    distances = sum(((c - m) / s) ** 2 for c, m, s in zip(columns, mean, spread, strict=True))
    return [float(column[int(np.argmin(distances))]) for column in columns]


def _shift(statistic: sp.Expr, observation: Sequence[sp.Symbol], centre: Sequence[sp.Symbol]) -> _Function:
    """T(x) - T(x₀) as a function of x and x₀."""
    shift = statistic - statistic.xreplace(dict(zip(observation, centre, strict=True)))
    # a difference of powers has the small factor x - x₀; one of logarithms is the logarithm of a quotient
    shift = sp.factor(shift) if shift.is_polynomial(*observation) else shift
    return numeric_function((*observation, *centre), [shift])


def _mean(shift: _Function, columns: Sequence[np.ndarray], middle: Sequence[float]) -> float:
    """The mean of a function of x and x₀ over the samples."""
    values = np.broadcast_to(np.asarray(shift(*columns, *middle)[0], dtype=float), columns[0].shape)
    return math.fsum(values) / len(values) if len(values) <= _EXACTLY else float(np.mean(values))


_EXACTLY = 1 << 20
"""Numbers that are added up without rounding; NumPy's pairwise sum serves for more."""
