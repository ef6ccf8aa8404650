"""Preimages found in numbers, between the free coordinates of two domains."""

import numpy as np
import pytest
import sympy as sp

from riemopt.errors import ModelError
from riemopt.models.chart import Chart
from riemopt.models.chart.free_map import FreeMap
from riemopt.models.domain import Domain
from tests.models.chart.cases import CHARTS, GAMMA, NORMAL, a, alpha, b, beta, mu, sigma, x


def test_a_target_in_the_domain_but_outside_the_image_is_nan() -> None:
    chart = Chart.of(NORMAL, {mu: sp.exp(x), sigma: a}, (x, a))
    np.testing.assert_array_equal(chart.from_original([[-1.0, 1.0], [1.0, 1.0]]), [[np.nan, np.nan], [0.0, 1.0]])
    same = Chart((mu, sigma), (x, a), (x, a), NORMAL, Domain.of((x, a), [x > 0]))
    assert np.isnan(same.from_original([-1.0, 1.0])).all()


def test_a_point_on_a_closed_boundary_has_a_preimage() -> None:
    s, t = sp.symbols("s t", nonnegative=True)
    chart = Chart.of(Domain.of([s]), {s: 2 * t}, [t])
    np.testing.assert_array_equal(chart.from_original([[0.0], [3.0]]), [[0.0], [1.5]])


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
@pytest.mark.parametrize("name", ["squares", "beta = 1/b", "quadratic", "mean and variance", "quintic", "trigamma"])
def test_the_inverse_holds_for_small_and_large_coordinates(name: str, scale: float) -> None:
    targets = scale * GAMMA.interior_points(50)
    np.testing.assert_allclose(CHARTS[name].to_original(CHARTS[name].from_original(targets)), targets, rtol=1e-11)


def test_a_domain_that_misses_the_original_one_is_refused() -> None:
    with pytest.raises(ModelError, match="no point of b > 0, x < 0 maps into the original domain"):
        Chart((alpha, beta), (x, b), (x, b**2), GAMMA, Domain.of((x, b), [x < 0]))


def test_a_start_whose_image_is_right_stays_as_it_is() -> None:
    line = Domain.of([x])
    cube = FreeMap(lambda u: u**3 + u, lambda u: (3.0 * u**2 + 1.0)[..., None], line, line, "u³ + u")
    starts = np.array([[0.5], [2.0], [0.0]])
    points, error = cube.descend(np.array([[0.625], [10.0], [2.0]]), starts)
    np.testing.assert_array_equal(points[:2], starts[:2])
    np.testing.assert_allclose(points[2], 1.0, rtol=1e-15)
    assert (error <= 1e-14).all()


def test_free_derivatives_are_those_of_logarithms_on_a_half_line() -> None:
    half_line = Domain.of([a])
    square = FreeMap(lambda u: u**2, lambda u: (2.0 * u)[..., None], half_line, half_line, "u²")
    np.testing.assert_allclose(square.free_jacobian(np.array([[1e-8], [3.0], [1e8]])), np.full((3, 1, 1), 2.0))
