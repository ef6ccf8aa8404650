"""Steps along geodesics of the Poisson model: Exp(m, w) = m + w + w²/(4m), which two terms give exactly."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError
from riemopt.integrators.path import Path

M, H = 9.0, 0.25
V = 4.0 - M


def end_of_step(poisson, rule):
    return ro.minimize(poisson, rule, [M], H, 1).x[0]


@pytest.mark.parametrize("key", ["geo", "geof", "geo3", "geo4", "geo5", "geo-exact"])
def test_the_first_step_is_the_exponential_map(poisson, key):
    assert end_of_step(poisson, key) == pytest.approx(M + H * V + (H * V) ** 2 / (4 * M), rel=1e-9)


def test_geodesics_of_the_dual_connections_are_straight_in_the_mean_and_in_its_logarithm(poisson):
    assert end_of_step(poisson, "mirror") == pytest.approx(M + H * V, rel=1e-9)
    assert end_of_step(poisson, "mirror-dual") == pytest.approx(M * np.exp(H * V / M), rel=1e-9)


def test_a_series_of_order_1_is_the_natural_gradient(poisson):
    first = end_of_step(poisson, ro.integrators.GeodesicSeries(1))
    assert first == pytest.approx(M + H * V, rel=1e-13)


@pytest.mark.parametrize("order", [0, -1, 1.5, "two"])
def test_an_order_is_a_whole_number_of_at_least_1(order):
    with pytest.raises(ArgumentError, match="order must be a whole number"):
        ro.integrators.GeodesicSeries(order)


def test_the_faster_correction_is_that_of_the_step_before(poisson):
    first, second = ro.minimize(poisson, "geof", [M], H, 2).points[1:, 0]
    before = (first - M) / H
    # θ + h v - ½ h² g⁻¹Γ(δ₋), and g⁻¹Γ(δ) = -δ²/(2m)
    assert second == pytest.approx(first + H * (4.0 - first) + H**2 * before**2 / (4 * first), rel=1e-12)


def test_of_a_part_of_a_step_the_faster_correction_remembers_what_was_gone():
    rule = ro.integrators.FasterGeodesicCorrection()
    path = Path(np.zeros(2), np.array([2.0, -4.0]))
    np.testing.assert_array_equal(rule.remember(path, 0.25, 0.5, None), [1.0, -2.0])
