"""Geometries and losses in another chart, differentiated in the graph, against those that SymPy derives there."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.formulas.charted import ChartedGeometry, ChartedLoss
from riemopt.formulas.closed_form import ClosedLoss
from riemopt.formulas.model_geometry import geometry_of
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import point_in, values

A, B = sp.symbols("a b", positive=True)
GAMMA = ro.models.Gamma()
MOVED = GAMMA.reparametrize(dict(zip(GAMMA.parameters, (A**2, A / B), strict=True)), parameters=(A, B))
POINT, U, V = [1.5, 0.7], [0.3, -0.4], [0.2, 1.1]


def at_point(quantity, geometry):
    graph = Graph()
    point, _ = point_in(graph, 2)
    u, v = ([graph.input(f"{name} {i}") for i in range(2)] for name in "uv")
    outputs = quantity(geometry, point, u, v)
    return values(graph, [*point.coordinates, *u, *v], outputs, POINT, U, V)


@pytest.mark.parametrize(
    "quantity",
    [
        lambda geometry, point, u, v: geometry.metric(point),
        lambda geometry, point, u, v: geometry.connection(point, v, 0.0),
        lambda geometry, point, u, v: geometry.connection(point, v, 0.5),
        lambda geometry, point, u, v: geometry.mixed(point, u, v),
        lambda geometry, point, u, v: geometry.skewness(point, v),
    ],
    ids=["metric", "connection", "a-connection", "mixed", "skewness"],
)
def test_a_geometry_is_the_one_derived_in_the_chart(quantity):
    found, expected = (
        at_point(quantity, g) for g in (ChartedGeometry(MOVED.chart, geometry_of(GAMMA)), geometry_of(MOVED))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_value_of_a_loss_stays_and_its_differential_is_pulled_back():
    x, y = GAMMA.parameters
    expression = x**2 * y + sp.log(y)
    loss = ChartedLoss(MOVED.chart, ClosedLoss((x, y), expression, (expression.diff(x), expression.diff(y))))
    graph = Graph()
    point, _ = point_in(graph, 2)
    found = values(graph, point.coordinates, [loss.value(point), *loss.gradient(point)], POINT)
    moved = expression.subs(dict(zip(GAMMA.parameters, MOVED.chart.expressions, strict=True)))
    expected = [float(e.subs({A: POINT[0], B: POINT[1]})) for e in (moved, moved.diff(A), moved.diff(B))]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_what_is_known_at_the_image_of_a_point_is_kept():
    geometry, (point, _) = ChartedGeometry(MOVED.chart, geometry_of(GAMMA)), point_in(Graph(), 2)
    geometry.metric(point)
    size = len(point.graph._nodes)
    geometry.metric(point)
    assert len(point.graph._nodes) == size
    assert MOVED.chart in point.known
