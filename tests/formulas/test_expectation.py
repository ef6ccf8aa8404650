"""Expectations under a density, integrated in a graph."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.formulas.expectation import expectation
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import point_in, values

GUMBEL = ro.models.Gumbel()


def mean(terms, plan, *numbers):
    graph = Graph()
    point, required = point_in(graph, len(plan.parameters))
    vector = [graph.input(f"v {i}") for i in range(sum(map(len, numbers[1:])))]
    outputs = expectation(plan, point, vector, terms)
    found = values(graph, [*point.coordinates, *vector], [*outputs, *(holds for _, holds in required)], *numbers)
    assert found[len(outputs) :].all()
    return found[: len(outputs)]


@pytest.mark.slow
def test_entropy_of_the_gumbel_model_is_the_closed_form():
    found = mean(lambda i: [i.graph.neg(i.density)], GUMBEL.expectation.plan, [0.3, 2.0])
    assert found == pytest.approx([np.log(2.0) + np.euler_gamma + 1.0], rel=1e-12)


def test_scores_vanish_on_average():
    found = mean(lambda i: i.scores(), GUMBEL.expectation.plan, [0.3, 2.0])
    np.testing.assert_allclose(found, 0.0, atol=1e-12)


def test_a_derivative_along_a_vector_is_the_scores_contracted():
    def terms(integrand):
        g = integrand.graph
        along = integrand.along(integrand.density, integrand.v)
        contracted = g.dot(integrand.scores(), integrand.v)
        return [g.mul(along, along), g.mul(contracted, contracted)]

    one, other = mean(terms, GUMBEL.expectation.plan, [0.3, 2.0], [1.0, -3.0])
    assert one == pytest.approx(other, rel=1e-13)
