"""Which geometry a model gets: a closed form, integrals, a mean over data, or the one of its own chart, transformed."""

from __future__ import annotations

from functools import cache

from riemopt.formulas.charted import ChartedGeometry
from riemopt.formulas.closed_form import ClosedForm, ClosedSkewness
from riemopt.formulas.formulas import Formulas
from riemopt.formulas.geometry import Geometry, Skewness
from riemopt.formulas.quadrature import QuadratureGeometry, QuadratureSkewness
from riemopt.formulas.regression import DataAverage
from riemopt.geometry import connection, metric
from riemopt.geometry.closed_forms import isometry
from riemopt.geometry.symbolic import velocity_symbols
from riemopt.models.conditional import ConditionalModel
from riemopt.models.expectation import ExactExpectation, QuadratureExpectation
from riemopt.models.statistical import StatisticalModel
from riemopt.models.straight_line import straight_line

__all__ = ["formulas_of", "geometry_of"]

_WRITTEN_OUT = 2
"""The dimension up to which the metric in another chart is derived as an expression; fractions grow long."""

_WRITTEN_OUT_PRODUCT = 4
"""The dimension up to which the connection product is; it has n³ terms."""


def formulas_of(model: StatisticalModel | ConditionalModel, closed_forms: bool) -> Formulas:
    """The formulas of a model, without a loss; its geometry is derived when it is first asked for.

    Parameters
    ----------
    model : StatisticalModel or ConditionalModel
        The model.
    closed_forms : bool
        Whether geodesics are taken in closed form where that is known.
    """
    geometry = cache(lambda: geometry_of(model))
    if not closed_forms or isinstance(model, ConditionalModel):
        return Formulas(model.parameters, tuple(model.domain.margins), geometry)
    velocity = velocity_symbols(model)
    return Formulas(
        model.parameters,
        tuple(model.domain.margins),
        geometry,
        isometry=cache(lambda: isometry(model)),
        straight_line=cache(lambda a: straight_line(model, velocity, a)),
    )


def geometry_of(model: StatisticalModel | ConditionalModel) -> Geometry:
    """The geometry of a model.

    Raises
    ------
    ExpectationError
        If no way is known to take expectations under the model.
    """
    if isinstance(model, ConditionalModel):
        return DataAverage(model)
    if model.chart.is_implicit:
        return ChartedGeometry(model.chart, geometry_of(model.original))
    if isinstance(model.expectation, QuadratureExpectation):
        return QuadratureGeometry(model.expectation.plan)
    if model is not model.original and model.dimension > _WRITTEN_OUT:
        return ChartedGeometry(model.chart, geometry_of(model.original))
    g, velocity = metric.fisher_metric(model), velocity_symbols(model)
    short = model.dimension <= _WRITTEN_OUT_PRODUCT
    product = connection.lowered_product(g, model.parameters, velocity) if short else None
    return ClosedForm(model.parameters, velocity, g, product, lambda: _skewness(model))


def _skewness(model: StatisticalModel) -> Skewness:
    expectation, velocity = model.expectation, velocity_symbols(model)
    if isinstance(expectation, ExactExpectation) and not expectation.skewness_is_closed:
        return QuadratureSkewness(expectation.plan)
    contraction = connection.skewness_product(expectation.skewness, velocity)
    return ClosedSkewness(model.parameters, velocity, contraction)
