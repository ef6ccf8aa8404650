"""What every geometry has, once it has a metric and its connections."""

from riemopt.formulas.geometry import Geometry
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import point_in, values


class Line(Geometry):
    """One coordinate x, g = x², T = x⁵."""

    def __init__(self):
        self.asked = 0

    def _metric(self, point):
        (x,) = point.coordinates
        self.asked += 1
        return [point.graph.mul(x, x)]

    def connection(self, point, v, a):
        g, (x,) = point.graph, point.coordinates
        factor = g.sub(x, g.mul(g.constant(a / 2.0), g.power(x, g.constant(5.0))))
        return [g.mul(factor, g.mul(v[0], v[0]))]

    def mixed(self, point, u, v):
        return [point.graph.mul(point.coordinates[0], point.graph.mul(u[0], v[0]))]


def test_the_metric_at_a_point_is_computed_once():
    geometry, (point, _) = Line(), point_in(Graph(), 1)
    assert geometry.metric(point) is geometry.metric(point)
    assert geometry.asked == 1


def test_the_amari_chentsov_tensor_is_the_difference_of_the_dual_connections():
    point, _ = point_in(Graph(), 1)
    v = [point.graph.input("v")]
    found = values(point.graph, [*point.coordinates, *v], Line().skewness(point, v), [2.0], [3.0])
    assert found == [2.0**5 * 9.0]


def test_nothing_is_known_beyond_elimination_unless_a_geometry_says_so():
    point, _ = point_in(Graph(), 1)
    assert Line().factors(point) == {}
    assert Line().raised(point, point.coordinates, point.coordinates) is None
