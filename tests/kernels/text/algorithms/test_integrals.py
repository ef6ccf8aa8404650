"""Integrals over the real line, in plain Python: closed forms, and the reference on arrays."""

import math

import numpy as np
import pytest

from riemopt.kernels.text.algorithms.integrals import MOST_PANELS, basins, integral
from riemopt.numerics.quadrature import integrals
from riemopt.status import Status

HALF_LOG_2PI = math.log(2 * math.pi) / 2


def squared(x):
    """x², infinite where x ** 2 raises."""
    return x * x


def normal(mu, sigma):
    return lambda y: -squared((y - mu) / sigma) / 2 - math.log(sigma) - HALF_LOG_2PI


def mixture(p, first, second):
    def weight(y):
        a, b = math.log(p) + normal(*first)(y), math.log(1 - p) + normal(*second)(y)
        return max(a, b) + math.log1p(math.exp(-abs(a - b)))

    return weight


def taken(weight, *values, scaled=False, normalized=False):
    terms = len(values) // 2 if scaled else len(values)
    status, (best, *totals) = integral(
        weight, lambda y: (weight(y), *(f(y) for f in values)), terms, scaled, normalized, MOST_PANELS
    )
    return status, np.exp(best) * np.array(totals)


def one(y):
    return 1.0


@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 1.0), (-40.0, 1e-3), (3e-9, 1e-9), (1e6, 30.0)])
def test_moments_of_a_normal_density_on_any_scale(mu, sigma):
    status, found = taken(
        normal(mu, sigma), one, lambda y: (y - mu) / sigma, lambda y: squared(squared((y - mu) / sigma))
    )
    assert status == 0
    np.testing.assert_allclose(found, [1, 0, 3], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "parameters",
    [(0.5, (-5.0, 1.0), (5.0, 1.0)), (0.001, (30.0, 2.0), (-4.0, 1.0)), (0.25, (1577.0, 20.0), (5679.0, 5.5))],
)
def test_both_of_two_far_peaks_are_found(parameters):
    p, first, second = parameters
    status, found = taken(mixture(*parameters), one, lambda y: y, normalized=True)
    assert status == 0
    np.testing.assert_allclose(found, [1, p * first[0] + (1 - p) * second[0]], rtol=1e-10, atol=1e-10)


def test_integral_that_is_not_one_although_it_must_be_has_a_status():
    heavier = [lambda y: normal(0.0, 1.0)(y) + 1e-6, one]
    assert taken(*heavier)[1] == pytest.approx([math.exp(1e-6)], rel=1e-11)
    status, found = taken(*heavier, normalized=True)
    assert status == Status.NON_FINITE and np.isnan(found).all()


def test_weight_without_mass_has_a_status():
    status, found = taken(lambda y: -math.inf, one, one)
    assert status == Status.NON_FINITE and np.isnan(found).all()


def test_sizes_of_terms_may_be_given():
    """A term that cancels is as good as its size, not as its value."""
    status, found = taken(
        normal(0.0, 1.0), lambda y: 1e6 * math.sin(40 * y) if abs(y) < 1e9 else 0.0, lambda y: 1e6, scaled=True
    )
    assert status == 0 and found.shape == (1,) and abs(found[0]) < 1e-3


def test_reference_on_arrays_agrees():
    def weight(y):
        return -(np.abs(y - 0.3) ** 1.5) - np.log1p(y * y)

    def terms(y):
        return [weight(y), np.cos(y), y * y]

    with np.errstate(all="ignore"):
        best, totals = integrals(weight, terms)
        _, (height, *found) = integral(weight, lambda y: tuple(terms(y)), 2, False, False, MOST_PANELS)
    assert height == pytest.approx(best, abs=1e-12)
    np.testing.assert_allclose(found, totals, rtol=1e-9)


def test_basins_end_at_valleys_and_cover_the_line():
    weight = mixture(0.5, (-30.0, 1.0), (40.0, 1.0))
    (left, valley, first), (start, right, second) = basins(weight, 0.0, 1.0, 0.1, 70)
    assert left == -math.inf and valley == start and right == math.inf
    assert -20.0 < valley < 20.0 and first < 0 < second
    assert abs(math.sinh(0.1 * first) + 30.0) < 3.0 and abs(math.sinh(0.1 * second) - 40.0) < 4.0
