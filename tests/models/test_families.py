"""The catalogue: its densities are those of SciPy, and its samplers draw from them."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import riemopt as ro
from riemopt.errors import DomainError, UnknownNameError

POINTS = {
    "gamma": [(1.0, 1.0), (2.5, 0.75), (20.0, 20.0), (0.25, 5.0)],
    "normal": [(0.0, 1.0), (-1.5, 0.25), (3.0, 2.0)],
    "exponential": [(1.0,), (0.125,), (20.0,)],
    "poisson": [(1.0,), (0.125,), (20.0,)],
}
REFERENCES = {
    "gamma": lambda alpha, beta: scipy.stats.gamma(alpha, scale=1 / beta),
    "normal": lambda mu, sigma: scipy.stats.norm(mu, sigma),
    "exponential": lambda rate: scipy.stats.expon(scale=1 / rate),
    "poisson": lambda mean: scipy.stats.poisson(mean),
}
EVERY_POINT = [(name, point) for name, points in POINTS.items() for point in points]


@pytest.mark.parametrize(("name", "point"), EVERY_POINT)
def test_log_density_is_that_of_scipy(name, point):
    reference = REFERENCES[name](*point)
    samples = reference.ppf(np.linspace(0.01, 0.99, 25))
    expected = reference.logpmf(samples) if name == "poisson" else reference.logpdf(samples)
    values = ro.models.family(name).log_density_at(point, samples)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", POINTS)
def test_density_adds_up_to_one(name):
    model, point = ro.models.family(name), POINTS[name][1]
    if name == "poisson":
        total = np.exp(model.log_density_at(point, np.arange(200.0))).sum()
    else:
        bounds = (-np.inf if name == "normal" else 0.0, np.inf)
        total, _ = scipy.integrate.quad(lambda x: np.exp(model.log_density_at(point, [x]))[0], *bounds)
    assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("name", "point"), EVERY_POINT)
def test_samples_follow_the_density(name, point):
    samples = ro.models.family(name).sample(point, 2000, rng=1)
    reference = REFERENCES[name](*point)
    assert samples.shape == (2000,) and samples.dtype == np.float64
    if name == "poisson":
        edges = np.unique(reference.ppf(np.linspace(0.0, 1.0, 9)[1:-1]))
        counts = np.diff([0, *(np.sum(samples <= edge) for edge in edges), len(samples)])
        expected = np.diff([0, *reference.cdf(edges), 1]) * len(samples)
        assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3
    else:
        assert scipy.stats.kstest(samples, reference.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", POINTS)
def test_seed_makes_samples_reproducible(name):
    model, point = ro.models.family(name), POINTS[name][0]
    np.testing.assert_array_equal(model.sample(point, 10), model.sample(point, 10, rng=0))
    generator = np.random.default_rng(3)
    first, second = model.sample(point, 50, generator), model.sample(point, 50, generator)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, model.sample(point, 50, rng=3))


def test_samples_are_not_drawn_outside_the_domain():
    with pytest.raises(DomainError, match=r"beta = -1\.0"):
        ro.models.Gamma().sample([1.0, -1.0], 5)


def test_families_are_known_by_name_in_any_case():
    assert ro.models.names() == tuple(sorted(POINTS))
    assert ro.models.family("Gamma").name == ro.models.family("GAMMA").name == "Gamma"


def test_unknown_family_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'normal'"):
        ro.models.family("nromal")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gamma", "Gamma(alpha, beta): alpha > 0, beta > 0"),
        ("normal", "Normal(mu, sigma): sigma > 0"),
        ("exponential", "Exponential(rate): rate > 0"),
        ("poisson", "Poisson(mean): mean > 0"),
    ],
)
def test_families_read_as_their_parameters_and_domain(name, text):
    assert repr(ro.models.family(name)) == text
