"""Which loss samples get, and what is refused."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, DataError
from riemopt.formulas.charted import ChartedLoss
from riemopt.formulas.closed_form import ClosedLoss
from riemopt.formulas.model_loss import loss_of
from riemopt.formulas.regression import OutputLoss
from riemopt.formulas.samples import SampleLoss

U, W = sp.symbols("u w", real=True)
LINE = ro.ConditionalModel((W * U,), "gaussian", (U,), (W,), scale=None)


@pytest.mark.parametrize(
    "model, kind, has_table",
    [
        (ro.models.Gamma(), ClosedLoss, False),
        (ro.models.Weibull(), SampleLoss, True),
        (ro.models.Gamma().mean_chart(), ChartedLoss, False),
    ],
    ids=["exponential family", "sum", "implicit chart"],
)
@pytest.mark.slow_for("sum")
def test_samples_get_the_loss_of_their_model(model, kind, has_table):
    given = loss_of(model, [0.5, 2.0, 3.0], None)
    assert isinstance(given.loss, kind)
    assert (given.table is not None, given.count, given.variance_factor) == (has_table, 3, 1.0)


def test_a_scale_that_is_profiled_out_costs_a_degree_of_freedom():
    given = loss_of(LINE, [0.5, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert isinstance(given.loss, OutputLoss)
    assert given.variance_factor == 3 / 2
    np.testing.assert_array_equal(given.table, [[1.0, 2.0, 3.0], [0.5, 2.0, 3.0]])


def test_data_that_do_not_fit_the_model_are_refused():
    with pytest.raises(ArgumentError, match="has no inputs"):
        loss_of(ro.models.Gamma(), [1.0], [1.0])
    with pytest.raises(ArgumentError, match="needs inputs"):
        loss_of(LINE, [1.0, 2.0], None)
    with pytest.raises(DataError, match="do not determine"):
        loss_of(LINE, [1.0], [1.0])
