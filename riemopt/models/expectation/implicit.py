"""Expectations in a chart without a closed form."""

from __future__ import annotations

import sympy as sp

from riemopt.errors import UnsupportedError
from riemopt.models.chart import Chart
from riemopt.models.expectation.expectation import Expectation
from riemopt.models.expectation.exponential_form import ExponentialForm

__all__ = ["ImplicitExpectation"]


class ImplicitExpectation(Expectation):
    """Expectations in a chart without a closed form: numbers come from the model's original chart.

    Parameters
    ----------
    original : Expectation
        The way of taking expectations in the original chart.
    chart : Chart
        The change of coordinates, whose original parameters are those of `original`.
    """

    def __init__(self, original: Expectation, chart: Chart) -> None:
        self._original, self._chart = original, chart
        self.form = None if original.form is None else _in_chart(original.form, chart)

    def __str__(self) -> str:
        return f"{self._original}; this chart has no closed form: {self._chart.describe()}"

    @property
    def metric(self) -> sp.ImmutableMatrix:
        """There is none to read."""
        raise self._unsupported("metric")

    @property
    def skewness(self) -> sp.ImmutableDenseNDimArray:
        """There is none to read."""
        raise self._unsupported("Amari–Chentsov tensor")

    def _unsupported(self, what: str) -> UnsupportedError:
        names = ", ".join(map(str, self._chart.parameters))
        return UnsupportedError(
            f"the {what} has no closed form in the coordinates {names}: a Manifold gives its numbers, and the formula "
            f"in {', '.join(map(str, self._chart.original_parameters))}"
        )


def _in_chart(form: ExponentialForm, chart: Chart) -> ExponentialForm:
    """The form with natural parameters and log-partition as functions of the chart's coordinates."""
    inner = dict(zip(chart.original_parameters, chart.expressions, strict=True))
    natural = tuple(z.xreplace(inner) for z in form.natural)
    return ExponentialForm(natural, form.statistics, form.log_partition.xreplace(inner), form.log_base)
