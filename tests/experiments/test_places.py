"""Places: a problem in its charts, with a start and the way back."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, ShapeError
from riemopt.experiments.places import places_of_model, places_of_problem
from riemopt.experiments.settings import typed_chart
from riemopt.integrators import NaturalGradient
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain

SAMPLES = [0.5, 0.2, 0.1]


def test_places_of_a_model_end_at_one_distribution_where_the_method_is_invariant():
    model = ro.models.Exponential()
    charts = {"scale": typed_chart(model, "rate = 1/r")}
    places, control = places_of_model(model, SAMPLES, None, charts, [1.0], "numpy", 1e-13)
    assert list(places) == ["rate", "scale"]
    flows = [place.flow(1.0) for place in (*places.values(), control)]
    np.testing.assert_allclose(flows, flows[:1] * 3, rtol=1e-11)
    ends = [place.end(NaturalGradient(), 1.0, 8) for place in (*places.values(), control)]
    np.testing.assert_allclose(ends[2], ends[0], rtol=1e-13)
    assert abs(ends[1] - ends[0]) > 1e-3


def test_the_control_has_other_units():
    model = ro.models.Exponential()
    _, control = places_of_model(model, SAMPLES, None, (), [1.0], "numpy", 1e-13)
    np.testing.assert_allclose(control.start, [0.7], rtol=1e-15)


def bowl():
    return ro.OperatorProblem(
        loss=lambda x: 0.5 * float(x @ x), gradient=lambda x: x, fisher_product=lambda x, v: np.asarray(v)
    )


def test_charts_of_a_problem_are_charts():
    x, y = sp.symbols("x y", real=True)
    chart = Chart.of(Domain.of([x]), {x: sp.sinh(y)}, [y])
    places, _ = places_of_problem(bowl(), {"sinh": chart}, [1.0], 1e-13)
    assert list(places) == ["own", "sinh"]
    np.testing.assert_allclose(places["sinh"].to_own(places["sinh"].start), [1.0], rtol=1e-15)
    with pytest.raises(ArgumentError, match="the chart 'sinh' of a problem must be a"):
        places_of_problem(bowl(), {"sinh": "y"}, [1.0], 1e-13)
    with pytest.raises(ShapeError, match="must be one point"):
        places_of_problem(bowl(), {}, [[1.0]], 1e-13)


def test_a_run_that_fails_ends_nowhere():
    model = ro.models.Exponential()
    places, _ = places_of_model(model, [2.0, 3.0], None, (), [1.0], "numpy", 1e-13)
    assert np.isnan(places["rate"].end(ro.integrators.GradientDescent(), 10.0, 2)).all()
