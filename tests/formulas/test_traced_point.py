"""Points in a graph, and what is known there."""

from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import point_in


def test_what_is_computed_at_a_point_is_computed_once():
    point, _ = point_in(Graph(), 2)
    calls = []
    for _ in range(2):
        assert point.once("answer", lambda: calls.append(1) or 42) == 42
    assert len(calls) == 1
    assert point.known == {"answer": 42}


def test_elsewhere_nothing_is_known_but_what_is_required_is_noted_together():
    point, required = point_in(Graph(), 2)
    point.once("answer", lambda: 42)
    other = point.elsewhere([point.graph.constant(1.0), point.graph.constant(2.0)])
    assert isinstance(other, TracedPoint)
    assert not other.known
    other.require(3, point.coordinates[0])
    assert required == [(3, point.coordinates[0])]
