"""Geometries by quadrature, against the closed forms of the same models."""

import numpy as np
import pytest

from riemopt.formulas.model_geometry import geometry_of
from riemopt.formulas.quadrature import QuadratureGeometry, QuadratureSkewness
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Integral
from riemopt.kernels.graph.programs import parts_of
from tests import catalogue
from tests.formulas.programs import point_in, values

GUMBEL = catalogue.model("gumbel")
POINT, U, V = [0.3, 2.0], [0.3, -0.4], [0.2, 1.1]


@pytest.mark.parametrize(
    "quantity",
    [
        lambda geometry, point, u, v: geometry.metric(point),
        lambda geometry, point, u, v: geometry.connection(point, v, 0.0),
        lambda geometry, point, u, v: geometry.connection(point, v, -0.7),
        lambda geometry, point, u, v: geometry.mixed(point, u, v),
        lambda geometry, point, u, v: geometry.skewness(point, v),
    ],
    ids=["metric", "connection", "a-connection", "mixed", "skewness"],
)
@pytest.mark.slow_for("a-connection")
def test_integrals_are_the_closed_forms(quantity):
    found = []
    for geometry in (QuadratureGeometry(GUMBEL.expectation.plan), geometry_of(GUMBEL)):
        graph = Graph()
        point, _ = point_in(graph, 2)
        u, v = ([graph.input(f"{name} {i}") for i in range(2)] for name in "uv")
        found.append(values(graph, [*point.coordinates, *u, *v], quantity(geometry, point, u, v), POINT, U, V))
    np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-12)


def test_one_integration_serves_the_connection_and_the_metric():
    geometry, (point, _) = QuadratureGeometry(GUMBEL.expectation.plan), point_in(Graph(), 2)
    v = [point.graph.input(f"v {i}") for i in range(2)]
    product = geometry.connection(point, v, 0.0)
    assert len(parts_of([*product, *geometry.metric(point)])) == len(parts_of(product))


def test_the_skewness_alone_is_an_integral():
    point, _ = point_in(Graph(), 2)
    nodes = QuadratureSkewness(GUMBEL.expectation.plan).product(point, [point.graph.constant(c) for c in V])
    assert all(isinstance(part, Integral) for part in parts_of(nodes))
