"""Which loss the samples of a model get: a function of their mean statistics, or a sum over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError, DataError
from riemopt.formulas.charted import ChartedLoss
from riemopt.formulas.geometry import Loss
from riemopt.formulas.regression import OutputLoss
from riemopt.formulas.samples import SampleLoss
from riemopt.formulas.statistics import reduced_loss
from riemopt.models.conditional import ConditionalModel
from riemopt.models.statistical import StatisticalModel

__all__ = ["DataLoss", "loss_of"]


@dataclass(frozen=True, eq=False)
class DataLoss:
    """A mean negative log-likelihood, and the numbers that it is computed from.

    Attributes
    ----------
    loss : Loss
        The loss as a function of the point and of data.
    data : array, shape (k,)
        These data.
    count : int
        The number of samples N.
    table : array, shape (columns, N), optional
        The samples, where the loss is a sum over them.
    variance_factor : float
        What the inverse of N times the metric is to be multiplied by for the covariance of an estimate: N/(N - n) where
        a scale was profiled out.
    """

    loss: Loss
    data: np.ndarray
    count: int
    table: np.ndarray | None = None
    variance_factor: float = 1.0


def loss_of(model: StatisticalModel | ConditionalModel, samples: Any, inputs: Any) -> DataLoss:
    """The mean negative log-likelihood of samples under a model.

    Parameters
    ----------
    model : StatisticalModel or ConditionalModel
        The model.
    samples : array_like, shape (N,) or (N, d)
        What was observed; the targets of a conditional model.
    inputs : array_like, shape (N,) or (N, d), or None
        The inputs of a conditional model.

    Raises
    ------
    ArgumentError
        If inputs are missing, or given to a model that has none.
    DataError
        If there is no sample, or one lies outside the support.
    """
    if isinstance(model, ConditionalModel):
        return _regression_loss(model, samples, inputs)
    if inputs is not None:
        raise ArgumentError(f"{model.name} has no inputs; they belong to a ConditionalModel")
    columns = model.require_samples(samples)
    count = len(columns[0])
    # a chart without a closed form comes on top of the model's own
    own = model.original if model.chart.is_implicit else model
    form = own.expectation.form
    table: np.ndarray | None = None
    if form is None:
        loss: Loss = SampleLoss(own.log_density, own.observation, own.parameters)
        data, table = np.array([1.0 / count]), np.ascontiguousarray(columns)
    else:
        loss, data = reduced_loss(own, form, columns)
    if own is not model:
        loss = ChartedLoss(model.chart, loss)
    return DataLoss(loss, data, count, table)


def _regression_loss(model: ConditionalModel, targets: Any, inputs: Any) -> DataLoss:
    if inputs is None and model.inputs:
        raise ArgumentError(f"{model.name} needs inputs: likelihood(targets, inputs=...)")
    count = len(np.atleast_1d(np.asarray(targets)))
    given = np.empty((0, count)) if not model.inputs else model.columns(inputs)
    answers = model.output.columns(targets, given.shape[1])
    if not count:
        raise DataError("there are no samples")
    variance_factor = 1.0
    data = [1.0 / count]
    if model.output.profiled:
        residuals = answers.size
        if residuals <= model.dimension:
            raise DataError(f"{residuals} targets do not determine {model.dimension} parameters and a scale")
        variance_factor = residuals / (residuals - model.dimension)
        data = [1.0 / residuals, float(len(answers))]
    loss = OutputLoss(model, model.output.constant(answers))
    return DataLoss(loss, np.array(data), count, np.concatenate([given, answers]), variance_factor)
