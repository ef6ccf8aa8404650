"""The primitives at a point on traced arrays, and their conditions."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.formulas.model_geometry import formulas_of
from riemopt.formulas.primitives import PointPrimitives
from riemopt.formulas.programs import program_of
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.tracing import TracedArray, TracingError
from riemopt.status import Status
from tests.formulas.programs import run

FORMULAS = formulas_of(ro.models.Gamma(), closed_forms=True)


def test_raising_an_index_undoes_lowering_it():
    program = program_of(PointPrimitives, FORMULAS, lambda p, x, v: p.raise_index(x, p.lower_index(x, v)), [2, 2])
    np.testing.assert_allclose(run(program, [2.0, 3.0], [0.3, -0.4]), [0.0, 0.3, -0.4], rtol=1e-13)


def test_acceleration_of_the_dual_connections_is_on_either_side_of_that_of_levi_civita():
    def rule(p, x, v):
        return [p.acceleration(x, v, a) for a in (-1.0, 0.0, 1.0)]

    _, *found = run(program_of(PointPrimitives, FORMULAS, rule, [2, 2]), [2.0, 3.0], [0.3, -0.4])
    mixture, middle, exponential = np.reshape(found, (3, 2))
    np.testing.assert_allclose((mixture + exponential) / 2, middle, rtol=1e-12)


@pytest.mark.parametrize(
    "point, status",
    [([2.0, 3.0], Status.COMPLETED), ([2.0, -3.0], Status.LEFT_DOMAIN), ([np.nan, 3.0], Status.NON_FINITE)],
)
def test_the_status_is_that_of_the_first_condition_that_does_not_hold(point, status):
    assert run(program_of(PointPrimitives, FORMULAS, lambda p, x: p.metric(x), [2]), point)[0] == float(status)


def test_what_is_required_twice_is_one_condition_and_points_are_known_again():
    graph = Graph()
    p = PointPrimitives(FORMULAS, graph)
    x = TracedArray.of(graph, [graph.input("x"), graph.input("y")])
    point, conditions = p.traced_point(x), list(p.conditions)
    assert p.traced_point(x) is point
    assert p.conditions == conditions
    assert p.factorization(x) is p.factorization(x)


def test_a_point_of_another_dimension_is_refused():
    with pytest.raises(TracingError, match="2 coordinates, not 3"):
        program_of(PointPrimitives, FORMULAS, lambda p, x: p.metric(x), [3])
