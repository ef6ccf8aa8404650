"""The expected log-ratio of two members of a model, in both ways of writing it."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.formulas.log_ratio import expected_log_ratio
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import point_in, values


def exact(p, q):
    """KL of Cauchy distributions."""
    (m, s), (n, t) = p, q
    return np.log(((s + t) ** 2 + (m - n) ** 2) / (4 * s * t))


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.slow_for("False")
def test_the_divergence_of_cauchy_distributions_is_the_closed_form(small):
    graph = Graph()
    point, _ = point_in(graph, 2)
    target = [graph.input(f"target {i}") for i in range(2)]
    outputs = expected_log_ratio(ro.models.Cauchy().expectation.plan, point, target, small)
    p, q = [0.3, 2.0], [0.32, 2.01]
    found = values(graph, [*point.coordinates, *target], outputs, p, q)
    # without the small form, the digits that E[u] loses between close points
    np.testing.assert_allclose(found, exact(p, q), rtol=1e-10 if small else 1e-8)
