"""A problem at a point: the same numbers as the primitives, each computed once."""

from collections import Counter

import numpy as np
import pytest

import riemopt as ro


def products(counts):
    """A curved problem in three dimensions that counts the calls of its functions."""

    def counted(name, function):
        def call(*arguments):
            counts[name] += 1
            return function(*arguments)

        return call

    return ro.OperatorProblem(
        loss=counted("loss", lambda x: float(np.sum(np.exp(x) - x))),
        gradient=counted("gradient", lambda x: np.exp(x) - 1.0),
        fisher_product=counted("product", lambda x, v: np.exp(x) * v),
        connection=counted("connection", lambda x, v: 0.5 * np.exp(x) * v**2),
    )


THETA, V = np.array([0.1, -0.5, 1.0]), np.array([1.0, 2.0, -1.0])


def test_everything_at_a_point_is_computed_at_most_once():
    counts = Counter()
    here = products(counts).at(THETA)
    for _ in range(3):
        here.loss, here.gradient, here.natural_gradient, here.connection(V), here.speed
    assert (counts["loss"], counts["gradient"], counts["connection"]) == (1, 1, 1)
    solved = counts["product"]
    here.natural_gradient  # noqa: B018
    assert counts["product"] == solved


@pytest.mark.parametrize(
    "problem",
    [
        products(Counter()),
        ro.Manifold(ro.models.Dirichlet(3), backend="numpy").likelihood([[0.2, 0.3, 0.5], [0.5, 0.1, 0.4]]),
    ],
    ids=["products", "likelihood"],
)
def test_a_point_gives_what_the_primitives_give(problem):
    theta = np.exp(THETA)
    here = problem.at(theta)
    np.testing.assert_array_equal(here.loss, problem.loss(theta))
    np.testing.assert_array_equal(here.gradient, problem.gradient(theta))
    np.testing.assert_array_equal(here.natural_gradient, problem.natural_gradient(theta))
    np.testing.assert_array_equal(here.connection(V), problem.connection(theta, V))
    np.testing.assert_array_equal(here.acceleration(V), problem.acceleration(theta, V))
    np.testing.assert_array_equal(here.metric.solve(V), problem.raise_index(theta, V))
    np.testing.assert_array_equal(here.metric.product(V), problem.lower_index(theta, V))
    np.testing.assert_allclose(here.metric.dense() @ V, problem.lower_index(theta, V), rtol=1e-13)
    assert here.speed == pytest.approx(np.sqrt(here.gradient @ here.natural_gradient))
    assert here.inside


def test_another_vector_or_connection_is_not_taken_for_the_last_one(gamma):
    here = gamma.numpy.likelihood([0.5, 1.0]).at([2.0, 3.0])
    v = np.array([1.0, 0.5])
    first = here.connection(v).copy()
    v *= 2.0  # changed in place: another vector
    np.testing.assert_allclose(here.connection(v), 4.0 * first, rtol=1e-13)
    assert not np.allclose(here.connection(v, a=1.0), here.connection(v))


def test_a_likelihood_at_a_batch_of_points(gamma):
    problem = gamma.numpy.likelihood([0.5, 1.0, 2.0])
    points = np.array([[1.0, 1.0], [2.0, 3.0]])
    here = problem.at(points)
    np.testing.assert_array_equal(here.loss, problem.loss(points))
    assert here.metric.norm(here.natural_gradient).shape == (2,)
    np.testing.assert_allclose(here.metric.norm(here.natural_gradient), here.speed, rtol=1e-12)
    assert here.inside.tolist() == [True, True]


def test_a_problem_with_a_way_of_its_own_is_asked_for_it():
    class Own(ro.Problem):
        offers = frozenset({"gradient", "raise_index"})

        def natural_gradient(self, theta):
            return np.full_like(theta, 7.0)

    np.testing.assert_array_equal(Own().at([1.0, 2.0]).natural_gradient, [7.0, 7.0])
