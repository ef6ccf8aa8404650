"""Samples of an exponential family, reduced to what its likelihood depends on."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
    centre = tuple(sp.Dummy(x.name, **x.assumptions0) for x in model.observation)
    means = tuple(sp.Dummy(f"mean_{i}", real=True) for i in range(len(form.statistics) + 1))
    at_centre = dict(zip(model.observation, centre, strict=True))
    *shifts, base = means
    moved = sp.Add(*(z * m for z, m in zip(form.natural, shifts, strict=True)))
    loss = -model.log_density.xreplace(at_centre) - moved - base
    values = [_mean_shift(e, model.observation, centre, columns, middle) for e in (*form.statistics, form.log_base)]
    differential = tuple(loss.diff(p) for p in model.parameters)
    return ClosedLoss((*model.parameters, *centre, *means), loss, differential), np.array([*middle, *values])


def _middle(model: StatisticalModel, columns: Sequence[np.ndarray]) -> list[float]:
    """The mean of the samples, or the sample next to it where the mean cannot be observed."""
    mean = [float(np.mean(column)) for column in columns]
    inside = all(contains(s, np.array([m]))[0] for s, m in zip(model.support, mean, strict=True))
    if inside and not model.constraints:
        return mean
    spread = [float(np.std(column)) or 1.0 for column in columns]
    distances = sum(((c - m) / s) ** 2 for c, m, s in zip(columns, mean, spread, strict=True))
    return [float(column[int(np.argmin(distances))]) for column in columns]


def _mean_shift(
    statistic: sp.Expr,
    observation: Sequence[sp.Symbol],
    centre: Sequence[sp.Symbol],
    columns: Sequence[np.ndarray],
    middle: Sequence[float],
) -> float:
    """The mean of T(x) - T(x₀)."""
    shift = statistic - statistic.xreplace(dict(zip(observation, centre, strict=True)))
    # a difference of powers has the small factor x - x₀; one of logarithms is the logarithm of a quotient
    shift = sp.factor(shift) if shift.is_polynomial(*observation) else shift
    function = numeric_function((*observation, *centre), [shift])
    values = np.broadcast_to(np.asarray(function(*columns, *middle)[0], dtype=float), columns[0].shape)
    return math.fsum(values) / len(values) if len(values) <= _EXACTLY else float(np.mean(values))


_EXACTLY = 1 << 20
"""Numbers that are added up without rounding; NumPy's pairwise sum serves for more."""
