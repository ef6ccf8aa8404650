"""Facts about exponential maps, transports and flows that a problem integrates from its own primitives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from riemopt.errors import ShapeError, UnsupportedError
from riemopt.problem import IntegratedProblem
from riemopt.problem.integrated import integrable


class Rates(IntegratedProblem):
    """The exponential distribution by its rate λ: g = 1/λ², Γ^(a) = (a - 1)/λ³. The loss is λ."""

    offers = frozenset({"loss", "gradient", "raise_index", "connection", "exp", "transport", "flow"})

    def __init__(self, rtol: float | None = None) -> None:
        if rtol is not None:
            self.rtol = rtol
        self.seen: list[np.ndarray] = []

    def gradient(self, theta: Any) -> Any:
        return np.ones_like(theta)

    def raise_index(self, theta: Any, covector: Any) -> Any:
        self.seen.append(theta)
        return theta**2 * covector

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        return (a - 1) * vector**2 / theta**3


@pytest.mark.parametrize(
    ("a", "end"),
    [(0.0, lambda x, v: x * np.exp(v / x)), (1.0, lambda x, v: x + v), (-1.0, lambda x, v: 1 / (1 / x - v / x**2))],
    ids=["a logarithm", "the natural parameter", "the mean"],
)
@pytest.mark.parametrize("v", [0.5, -1.5])
def test_geodesics_of_each_connection_are_straight_in_their_own_coordinate(
    a: float, end: Callable[[float, float], float], v: float
) -> None:
    np.testing.assert_allclose(Rates().exp([2.0], [v], a=a), end(2.0, v), rtol=1e-9)


def test_a_vector_carried_along_keeps_its_length_and_its_angle() -> None:
    carried = Rates().transport([2.0], [1.5], [0.7])
    np.testing.assert_allclose(carried / Rates().exp([2.0], [1.5]), 0.7 / 2.0, rtol=1e-9)


def test_the_flow_is_the_solution_of_its_equation() -> None:
    # λ̇ = -λ² has the solution λ/(1 + λ t), backwards too
    for time in (0.0, 3.0, -0.4):
        np.testing.assert_allclose(Rates().flow([2.0], time), 2.0 / (1.0 + 2.0 * time), rtol=1e-9)


def test_a_geodesic_without_an_end_is_not_a_number() -> None:
    assert np.isnan(Rates().exp([2.0], [3.0], a=-1.0)).all()  # the mean would have to fall below 0
    assert np.isnan(Rates().flow([2.0], -0.6)).all()


def test_a_larger_tolerance_takes_less_work_and_gives_fewer_digits() -> None:
    fine, coarse = Rates(), Rates(rtol=1e-4)
    errors = [abs(problem.exp([1.0], [2.0])[0] / np.exp(2.0) - 1.0) for problem in (fine, coarse)]
    assert errors[0] < 1e-9 < errors[1] < 1e-3
    assert len(coarse.seen) < 0.5 * len(fine.seen)


def test_what_begins_in_single_precision_ends_there() -> None:
    point, vector = np.ones(1, dtype=np.float32), np.full(1, 0.5)
    problem = Rates()
    for end in (problem.exp(point, vector), problem.transport(point, vector, vector), problem.flow(point, 0.5)):
        assert end.dtype == np.float32
    assert {theta.dtype for theta in problem.seen} == {point.dtype}


def test_what_does_not_fit_is_refused() -> None:
    problem = Rates()
    with pytest.raises(ShapeError, match=r"Rates takes one point at a time, of shape \(n,\), not \(3, 1\)"):
        problem.flow(np.ones((3, 1)), 1.0)
    with pytest.raises(ShapeError, match=r"the vector is an array of shape \(2,\), at a point of shape \(1,\)"):
        problem.exp([1.0], [1.0, 2.0])
    with pytest.raises(ShapeError, match="the point is 'here', not an array of real numbers"):
        problem.exp("here", [1.0])


def test_without_what_is_integrated_the_error_names_it() -> None:
    with pytest.raises(UnsupportedError, match="IntegratedProblem does not offer 'connection'"):
        IntegratedProblem().exp([1.0], [1.0])


@pytest.mark.parametrize(
    ("offered", "added"),
    [
        ({"loss", "gradient"}, set()),
        ({"gradient", "raise_index"}, {"flow"}),
        ({"raise_index", "connection"}, {"exp", "transport"}),
        ({"gradient", "raise_index", "connection"}, {"exp", "transport", "flow"}),
    ],
)
def test_what_can_be_integrated_follows_from_what_is_offered(offered: set[str], added: set[str]) -> None:
    assert integrable(offered) == added
