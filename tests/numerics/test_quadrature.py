"""Quadrature on arrays: integrals and sums with a known value, and refusals where there is none."""

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc

from riemopt.numerics.quadrature import integrals, peak

ONE = np.ones_like
HALF_LOG_2PI = np.log(2 * np.pi) / 2


def taken(weight, *values, lattice=None, **options):
    """The integrals of exp(w) f, their common factor put back."""
    best, totals = integrals(weight, lambda y: [weight(y), *(value(y) for value in values)], lattice, **options)
    return np.exp(best) * totals


def normal(mu, sigma):
    return lambda y: -(((y - mu) / sigma) ** 2) / 2 - np.log(sigma) - HALF_LOG_2PI


def mixture(p, *components):
    weights = np.log([p, 1 - p])
    return lambda y: np.logaddexp(*(w + normal(*c)(y) for w, c in zip(weights, components, strict=True)))


def student(nu):
    constant = sc.gammaln((nu + 1) / 2) - sc.gammaln(nu / 2) - np.log(np.pi * nu) / 2
    return lambda y: constant - (nu + 1) / 2 * np.log1p(y * y / nu)


@pytest.mark.parametrize(
    ("mu", "sigma", "digits"),
    [(0, 1, 1e-14), (0, 1e30, 1e-13), (0, 1e-15, 1e-13), (-1e4, 1, 1e-11), (300, 0.01, 1e-11)],
)
def test_moments_of_a_normal_density_on_any_scale(mu, sigma, digits):
    def z(y):
        return (y - mu) / sigma

    found = taken(normal(mu, sigma), ONE, z, lambda y: z(y) ** 2, lambda y: z(y) ** 6)
    np.testing.assert_allclose(found, [1, 0, 1, 15], rtol=digits, atol=digits)


@pytest.mark.parametrize("nu", [0.1, 0.5, 1.0, 3.0, 1e4])
def test_heavy_tails_are_followed_to_their_end(nu):
    """Half of the mass of t(0.1) lies beyond 100, a tenth beyond 1e9."""

    def score(y):
        return (nu + 1) * y / (nu + y * y)

    found = taken(student(nu), ONE, lambda y: score(y) ** 2, normalized=True)
    np.testing.assert_allclose(found, [1, (nu + 1) / (nu + 3)], rtol=1e-11)


@pytest.mark.parametrize("shape", [1e-3, 0.05, 1.0, 300.0])
def test_gamma_density_in_logarithms_down_to_a_shape_of_a_thousandth(shape):
    """Its left tail e^(ky) is a thousand times as wide as its right side."""
    found = taken(lambda y: shape * y - np.exp(y) - sc.gammaln(shape), ONE, lambda y: y, lambda y: y * y)
    mean = sc.digamma(shape)
    np.testing.assert_allclose(found, [1, mean, sc.polygamma(1, shape) + mean**2], rtol=1e-12)


@pytest.mark.parametrize("size", [1e-4, 0.3, 40.0])
def test_kink_at_the_peak_costs_nothing(size):
    found = taken(lambda y: -np.abs(y - 1.7) / size - np.log(2 * size), ONE, lambda y: np.abs(y - 1.7) / size)
    np.testing.assert_allclose(found, [1, 1], rtol=1e-11)


@pytest.mark.parametrize(
    ("p", "first", "second"),
    [
        (0.5, (-5.0, 1.0), (5.0, 1.0)),
        (0.001, (30.0, 2.0), (-4.0, 1.0)),
        (0.5, (-50.0, 0.01), (70.0, 0.1)),
        (0.3, (-1e3, 1.0), (1e3, 0.5)),
        (0.999, (0.0, 1.0), (3000.0, 0.1)),
        (0.2, (1e4, 1.0), (-1e4, 1.0)),
        (0.6, (0.0, 1e-3), (1.0, 1e-3)),
        (0.25, (1577.0, 20.0), (5679.0, 5.5)),
    ],
)
def test_both_of_two_far_peaks_are_found(p, first, second):
    found = taken(mixture(p, first, second), ONE, lambda y: y, lambda y: y**2, normalized=True)
    mean = p * first[0] + (1 - p) * second[0]
    square = p * (first[0] ** 2 + first[1] ** 2) + (1 - p) * (second[0] ** 2 + second[1] ** 2)
    np.testing.assert_allclose(found, [1, mean, square], rtol=1e-10, atol=1e-10 * np.sqrt(square))


def test_peak_that_is_overlooked_makes_a_normalized_integral_nan():
    # a thousandth of the mass in a needle on the side of a wide hill
    weight = mixture(0.999, (0.0, 100.0), (37.0, 1e-9))
    assert taken(weight, ONE) == pytest.approx(0.999, rel=1e-6)
    assert np.isnan(taken(weight, ONE, normalized=True)).all()


@pytest.mark.parametrize(
    "weight", [lambda y: y * y, lambda y: np.nan * y, lambda y: -np.inf + 0 * y], ids=["e^y²", "NaN", "nowhere"]
)
def test_integral_that_does_not_exist_is_nan(weight):
    assert np.isnan(integrals(weight, lambda y: [weight(y), ONE(y), y])[1]).all()


@pytest.mark.parametrize("weight", [lambda y: 0 * y, lambda y: y, lambda y: -np.log1p(y * y) / 2, student(1e-3)])
def test_integral_that_is_not_one_although_it_must_be_is_nan(weight):
    assert np.isnan(integrals(weight, lambda y: [weight(y), ONE(y)], normalized=True)[1]).all()


@pytest.mark.parametrize(("factor", "good"), [(1.0, True), (1 + 1e-10, True), (1 + 2e-9, False), (0.5, False)])
def test_total_probability_is_one_to_a_billionth(factor, good):
    found = taken(lambda y: normal(0, 1)(y) + np.log(factor), ONE, lambda y: y * y, normalized=True)
    assert np.isfinite(found).all() == good and np.isnan(found).all() != good


def test_term_that_is_not_a_number_where_there_is_mass_is_nan_and_elsewhere_does_not_matter():
    found = taken(normal(0, 1), ONE, lambda y: np.where(np.abs(y - 0.3) < 0.4, np.nan, 1.0))
    assert np.isnan(found).any()
    found = taken(normal(0, 1), ONE, lambda y: np.where(np.abs(y) > 30.0, np.nan, y * y))
    np.testing.assert_allclose(found, 1.0, rtol=1e-12)


def test_sizes_of_terms_may_be_given():
    """A term that cancels is as good as its size, not as its value."""

    def terms(y):
        return [normal(0, 1)(y), 1e6 * np.sin(40 * y), 1e6 * ONE(y)]

    best, totals = integrals(normal(0, 1), terms, scaled=True)
    assert totals.shape == (1,) and abs(np.exp(best) * totals[0]) < 1e-5


# -- sums


def poisson(rate):
    return lambda k: k * np.log(rate) - rate - sc.gammaln(k + 1)


@pytest.mark.parametrize("rate", [1e-8, 0.5, 30.0, 1e4, 1e6])
def test_moments_of_a_poisson_sum(rate):
    found = taken(poisson(rate), ONE, lambda k: k, lambda k: (k - rate) ** 2, lattice=(0.0, np.inf))
    # log-densities of this size have lost that much
    lost = max(1e-12, 3e-16 * rate * np.log(rate))
    np.testing.assert_allclose(found, [1, rate, rate], rtol=lost)


@pytest.mark.parametrize(("size", "p"), [(0.01, 0.5), (3.5, 1e-3), (1e3, 0.9), (0.2, 1e-4)])
def test_moments_of_a_negative_binomial_sum(size, p):
    def weight(k):
        binomial = sc.gammaln(k + size) - sc.gammaln(size) - sc.gammaln(k + 1)
        return binomial + size * np.log(p) + k * np.log1p(-p)

    mean = size * (1 - p) / p
    found = taken(weight, ONE, lambda k: k, lambda k: (k - mean) ** 2, lattice=(0.0, np.inf))
    np.testing.assert_allclose(found, [1, mean, mean / p], rtol=1e-10)


def test_sums_over_other_ranges():
    both = taken(lambda k: -np.abs(k) * np.log(2.0), ONE, lambda k: k, lattice=(-np.inf, np.inf))
    np.testing.assert_allclose(both, [3, 0], atol=1e-14)
    below = taken(lambda k: k * np.log(2.0), ONE, lambda k: k, lattice=(-np.inf, 0.0))
    np.testing.assert_allclose(below, [2, -2], rtol=1e-14)
    finite = taken(lambda k: 0 * k, ONE, lambda k: k, lattice=(3.0, 1002.0))
    np.testing.assert_allclose(finite, [1000, 502_500], rtol=1e-14)
    theta = taken(lambda k: -((k - 0.3) ** 2) / 5, ONE, lattice=(-np.inf, np.inf))
    assert theta[0] == pytest.approx(
        float(mp.nsum(lambda k: mp.exp(-((k - 0.3) ** 2) / 5), [-mp.inf, mp.inf])), rel=1e-13
    )


def test_two_far_peaks_of_a_sum():
    def weight(k):
        return np.logaddexp(np.log(0.3) + poisson(2.0)(k), np.log(0.7) + poisson(4000.0)(k))

    found = taken(weight, ONE, lambda k: k, lattice=(0.0, np.inf))
    np.testing.assert_allclose(found, [1, 0.6 + 2800], rtol=1e-10)


@pytest.mark.parametrize(
    "weight", [lambda k: 0.0 * k, lambda k: -np.log1p(k), lambda k: np.nan * k], ids=["1", "1/k", "NaN"]
)
def test_sum_that_does_not_exist_is_nan(weight):
    assert np.isnan(taken(weight, ONE, lattice=(0.0, np.inf))).all()


# -- peaks


def test_peak_is_found_on_all_scales():
    for at in (0.0, -3e-7, 12.5, 8e5, -3e12):
        assert peak(lambda y, at=at: -np.abs(y - at)) == pytest.approx(0.0, abs=1e-11 * abs(at))
    assert peak(lambda k: -((k - 123_456.25) ** 2), (0.0, np.inf)) == -(0.25**2)
    assert peak(lambda k: -k, (3.0, np.inf)) == -3.0
    assert peak(lambda k: k, (-np.inf, -7.0)) == -7.0
    assert peak(lambda y: np.nan * y) == -np.inf
