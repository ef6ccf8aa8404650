"""The catalogue: its densities are those of SciPy, its samplers draw from them, and its geometry is that of mpmath."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, DataError, DomainError, UnknownNameError
from riemopt.models import families
from riemopt.symbolic.functions import array_function
from tests import catalogue
from tests.marks import slow
from tests.models import reference

STORED = reference.load()
DRAWS = 20_000


def kumaraswamy(a, b):
    """The distribution of y^(1/a) where y is Beta(1, b)."""
    power = scipy.stats.beta(1, b)
    return SimpleNamespace(
        logpdf=lambda x: np.log(a) + (a - 1) * np.log(x) + power.logpdf(x**a), cdf=lambda x: power.cdf(x**a)
    )


def mixture(w, mu_1, sigma_1, mu_2, sigma_2):
    parts = [(w, scipy.stats.norm(mu_1, sigma_1)), (1 - w, scipy.stats.norm(mu_2, sigma_2))]
    return SimpleNamespace(
        logpdf=lambda x: np.logaddexp(*(np.log(weight) + part.logpdf(x) for weight, part in parts)),
        cdf=lambda x: sum(weight * part.cdf(x) for weight, part in parts),
    )


def von_mises(mu, kappa):
    """SciPy's, whose distribution function grows by one a turn, on one turn."""
    turning = scipy.stats.vonmises(kappa, loc=mu)
    return SimpleNamespace(logpdf=turning.logpdf, cdf=lambda x: turning.cdf(x) - turning.cdf(-np.pi))


def multivariate_normal(mu_1, mu_2, sigma_11, sigma_21, sigma_22):
    return scipy.stats.multivariate_normal([mu_1, mu_2], [[sigma_11, sigma_21], [sigma_21, sigma_22]])


def rest(*probabilities):
    return [*probabilities, 1 - sum(probabilities)]


@dataclass(frozen=True)
class Entry:
    """What a family reads as, SciPy's distribution at a point, and whether it counts."""

    text: str
    scipy: Callable[..., Any]
    counts: bool = False

    def log_density(self, point, samples):
        """SciPy's logarithm of the density."""
        distribution = self.scipy(*point)
        samples = samples.T if self.scipy is DIRICHLET else samples
        return distribution.logpmf(samples) if self.counts else distribution.logpdf(samples)


def DIRICHLET(*alpha):
    return scipy.stats.dirichlet(alpha)


ENTRIES = {
    "bernoulli": Entry("Bernoulli(p): p > 0, p < 1", scipy.stats.bernoulli, counts=True),
    "beta": Entry("Beta(alpha, beta): alpha > 0, beta > 0", scipy.stats.beta),
    "betaprime": Entry("BetaPrime(alpha, beta): alpha > 0, beta > 0", scipy.stats.betaprime),
    "binomial": Entry("Binomial(p): p > 0, p < 1", lambda p: scipy.stats.binom(10, p), counts=True),
    "categorical": Entry(
        "Categorical(p_1, p_2): p_1 > 0, p_2 > 0, p_1 + p_2 < 1",
        lambda *p: scipy.stats.rv_discrete(values=(range(3), rest(*p))),
        counts=True,
    ),
    "cauchy": Entry("Cauchy(mu, gamma): gamma > 0", scipy.stats.cauchy),
    "dirichlet": Entry("Dirichlet(alpha_1, alpha_2, alpha_3): alpha_1 > 0, alpha_2 > 0, alpha_3 > 0", DIRICHLET),
    "exponential": Entry("Exponential(rate): rate > 0", lambda rate: scipy.stats.expon(scale=1 / rate)),
    "gamma": Entry(
        "Gamma(alpha, beta): alpha > 0, beta > 0", lambda alpha, beta: scipy.stats.gamma(alpha, scale=1 / beta)
    ),
    "geometric": Entry("Geometric(p): p > 0, p < 1", scipy.stats.geom, counts=True),
    "gumbel": Entry("Gumbel(mu, beta): beta > 0", scipy.stats.gumbel_r),
    "inversegamma": Entry(
        "InverseGamma(alpha, beta): alpha > 0, beta > 0", lambda alpha, beta: scipy.stats.invgamma(alpha, scale=beta)
    ),
    "inversegaussian": Entry(
        "InverseGaussian(mu, shape): mu > 0, shape > 0", lambda mu, shape: scipy.stats.invgauss(mu / shape, scale=shape)
    ),
    "kumaraswamy": Entry("Kumaraswamy(a, b): a > 0, b > 0", kumaraswamy),
    "logistic": Entry("Logistic(mu, s): s > 0", scipy.stats.logistic),
    "loglogistic": Entry(
        "LogLogistic(alpha, beta): alpha > 0, beta > 0", lambda alpha, beta: scipy.stats.fisk(beta, scale=alpha)
    ),
    "lognormal": Entry(
        "LogNormal(mu, sigma): sigma > 0", lambda mu, sigma: scipy.stats.lognorm(sigma, scale=np.exp(mu))
    ),
    "multinomial": Entry(
        "Multinomial(p_1, p_2): p_1 > 0, p_2 > 0, p_1 + p_2 < 1",
        lambda *p: scipy.stats.multinomial(10, rest(*p)),
        counts=True,
    ),
    "multivariatenormal": Entry(
        "MultivariateNormal(mu_1, mu_2, sigma_11, sigma_21, sigma_22): "
        "sigma_11 > 0, sigma_22 > 0, sigma_11*sigma_22 - sigma_21**2 > 0",
        multivariate_normal,
    ),
    "nakagami": Entry(
        "Nakagami(m, Omega): m > 0, Omega > 0", lambda m, omega: scipy.stats.nakagami(m, scale=np.sqrt(omega))
    ),
    "negativebinomial": Entry("NegativeBinomial(r, p): r > 0, p > 0, p < 1", scipy.stats.nbinom, counts=True),
    "normal": Entry("Normal(mu, sigma): sigma > 0", scipy.stats.norm),
    "normalmixture": Entry(
        "NormalMixture(weight, mu_1, sigma_1, mu_2, sigma_2): weight > 0, sigma_1 > 0, sigma_2 > 0, weight < 1", mixture
    ),
    "pareto": Entry("Pareto(alpha): alpha > 0", scipy.stats.pareto),
    "poisson": Entry("Poisson(mean): mean > 0", scipy.stats.poisson, counts=True),
    "rayleigh": Entry("Rayleigh(sigma): sigma > 0", lambda sigma: scipy.stats.rayleigh(scale=sigma)),
    "studentt": Entry("StudentT(nu, mu, sigma): nu > 0, sigma > 0", scipy.stats.t),
    "vonmises": Entry("VonMises(mu, kappa): kappa > 0", von_mises),
    "weibull": Entry("Weibull(k, scale): k > 0, scale > 0", lambda k, scale: scipy.stats.weibull_min(k, scale=scale)),
}
EVERY_POINT = [(name, tuple(row["point"])) for name in ENTRIES for row in STORED[name]]
SEVERAL_OBSERVATIONS = ("dirichlet", "multinomial", "multivariatenormal")
# not so far out that draws are rounded to the ends of the support
EASY_POINTS = [(name, tuple(row["point"])) for name in ENTRIES for row in STORED[name][:2]]


def manifold(name):
    return catalogue.manifold(name, backend="numba")


def tensors(rows):
    """The metric and its derivatives at the points of the file, shapes (N, n, n) and (N, n, n, n) with κ first."""
    n = len(rows[0]["point"])
    lower = tuple(np.transpose(reference.triangle(n)))
    metric, slopes = np.zeros((len(rows), n, n)), np.zeros((len(rows), n, n, n))
    for each, slope, row in zip(metric, slopes, rows, strict=True):
        each[lower] = each.T[lower] = row["metric"]
        for matrix, entries in zip(slope, row["slopes"], strict=True):
            matrix[lower] = matrix.T[lower] = entries
    return np.array([row["point"] for row in rows]), metric, slopes


def assert_metric(found, expected):
    """Entries agree in units of the lengths of the coordinate vectors."""
    lengths = np.sqrt(np.einsum("...ii->...i", expected))
    scale = lengths[..., :, None] * lengths[..., None, :]
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-9)


def assert_connection(geometry, points, metric, slopes):
    """Γ_ν(v) agrees with (∂_α g_νβ - ½ ∂_ν g_αβ) v^α v^β, relative to the size of the terms and of g."""
    lengths = np.sqrt(np.einsum("...ii->...i", metric))
    vectors = np.random.default_rng(0).normal(size=points.shape) / lengths

    def product(g, v):
        return np.einsum("...anb,...a,...b->...n", g, v, v), np.einsum("...nab,...a,...b->...n", g, v, v) / 2

    first, second = product(slopes, vectors)
    scale = sum(product(np.abs(slopes), np.abs(vectors))) + lengths * (lengths * vectors**2 * lengths).sum(-1)[:, None]
    found = geometry.connection(points, vectors)
    np.testing.assert_allclose(found / scale, (first - second) / scale, rtol=0, atol=1e-9)


# -- the geometry


QUICK = ("beta", "dirichlet", "gamma", "kumaraswamy", "negativebinomial", "studentt", "vonmises")
"""Of each kind of function and expectation one whose kernels are compiled every time."""

BY_NUMBERS = ("kumaraswamy", "negativebinomial", "normalmixture")
"""Without a compiler their integrals and sums take long."""

ON_BOTH = [
    *((name, "numba") if name in QUICK else slow(name, "numba") for name in ENTRIES),
    *((name, "numpy") for name in ENTRIES if name not in (*QUICK, *BY_NUMBERS)),
]


@pytest.mark.parametrize(("name", "backend"), ON_BOTH)
@pytest.mark.slow_for("kumaraswamy", "vonmises-numba", "studentt-numba", "negativebinomial-numba", "kumaraswamy-numba")
def test_metric_is_that_of_mpmath(name, backend):
    points, metric, _ = tensors(STORED[name])
    assert_metric(catalogue.manifold(name, backend=backend).metric(points), metric)


@pytest.mark.parametrize(("name", "backend"), ON_BOTH)
@pytest.mark.slow_for("kumaraswamy", "studentt-numba", "dirichlet-numba", "negativebinomial-numba", "kumaraswamy-numba")
def test_connection_is_that_of_mpmath(name, backend):
    assert_connection(catalogue.manifold(name, backend=backend), *tensors(STORED[name]))


LARGER = {
    "Dirichlet(4)": (lambda: ro.models.Dirichlet(4), reference.dirichlet, (0.03, 2.0, 0.5, 30.0)),
    "MultivariateNormal(1)": (lambda: ro.models.MultivariateNormal(1), reference.multivariate_normal, (-30.0, 0.03)),
    "MultivariateNormal(3)": (
        lambda: ro.models.MultivariateNormal(3),
        reference.multivariate_normal,
        (1.0, -2.0, 30.0, 2.0, -0.3, 0.5, 0.1, 0.2, 10.0),
    ),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if "(3)" in n else []) for n in LARGER])
def test_geometry_in_other_dimensions_is_the_closed_form(name):
    model, tensors_at, point = LARGER[name]
    geometry = ro.Manifold(model(), backend="numpy")
    points, metric, slopes = tensors([reference.ClosedForm(tensors_at, [point]).reference(point)])
    assert_metric(geometry.metric(points), metric)
    assert_connection(geometry, points, metric, slopes)


def quick(name, row):
    """Whether mpmath needs neither hundreds of digits nor thousands of terms."""
    family = reference.FAMILIES[name]
    if not isinstance(family, reference.Family):
        return True
    return family.space.digits_at(row["point"]) < 100 and name not in ("geometric", "negativebinomial")


@pytest.mark.slow
def test_file_of_references_is_what_mpmath_computes():
    rows = [(name, row) for name, stored in STORED.items() for row in stored if quick(name, row)]
    for index in np.random.default_rng(1).choice(len(rows), 4, replace=False):
        name, row = rows[index]
        again = reference.FAMILIES[name].reference(tuple(row["point"]))
        np.testing.assert_allclose(again["metric"], row["metric"], rtol=1e-15)
        np.testing.assert_allclose(again["slopes"], row["slopes"], rtol=1e-15)


def test_file_of_references_has_every_point():
    assert {name: [tuple(row["point"]) for row in rows] for name, rows in STORED.items()} == {
        name: family.points for name, family in reference.FAMILIES.items()
    }


SCORE_IDENTITIES = set(ENTRIES) - {
    *("cauchy", "gumbel", "kumaraswamy", "logistic", "loglogistic"),
    *("negativebinomial", "normalmixture", "studentt", "weibull"),
}


@pytest.mark.parametrize("name", sorted(SCORE_IDENTITIES))
def test_score_identity_serves_the_exponential_families(name):
    model = manifold(name).model
    assert str(model.expectation).startswith("score identity")
    assert len(model.exponential_form.statistics) == model.dimension


# -- the densities


@pytest.mark.parametrize(("name", "point"), EVERY_POINT)
def test_log_density_is_that_of_scipy(name, point):
    model = manifold(name).model
    samples = model.sample(point, 25, rng=2)
    expected = ENTRIES[name].log_density(point, samples)
    np.testing.assert_allclose(model.log_density_at(point, samples), expected, rtol=1e-12, atol=1e-12)


def total(model, point, counts):
    """The sum or integral of a density."""

    def density(x):
        return np.exp(model.log_density_at(point, x))

    if counts:
        axes = [np.arange(float(s.inf), min(float(s.sup), 500.0) + 1) for s in model.support]
        return density(grid(*axes)).sum()
    if model.name == "Dirichlet":
        # a polynomial on the square of x_1 and x_2/(1 - x_1)
        nodes, weights = np.polynomial.legendre.leggauss(10)
        x, part = grid(*[(nodes + 1) / 2] * 2).T
        y = (1 - x) * part
        return np.outer(weights, weights).ravel() / 4 @ ((1 - x) * density(np.column_stack([x, y, 1 - x - y])))
    if model.name == "MultivariateNormal":
        return density(grid(*[np.arange(-12.0, 12.0, 0.25)] * 2)).sum() / 16
    ends = float(model.support[0].inf), float(model.support[0].sup)
    return scipy.integrate.quad(lambda x: density([x])[0], *ends)[0]


def grid(*axes):
    """All combinations of numbers, shape (N, number of axes), or (N,) for one."""
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    return points if len(axes) > 1 else points[:, 0]


@pytest.mark.parametrize("name", ENTRIES)
def test_density_adds_up_to_one(name):
    # where quadrature is easy
    point = {"dirichlet": (4.0, 3.0, 2.0), "multivariatenormal": (0.5, -0.5, 1.0, 0.5, 1.0)}.get(name)
    model = manifold(name).model
    found = total(model, point or STORED[name][0]["point"], ENTRIES[name].counts)
    assert found == pytest.approx(1.0, abs=1e-9)


def test_density_is_nothing_off_the_simplex():
    values = ro.models.Dirichlet(3).log_density_at(
        [1.0, 2.0, 3.0], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.4], [0.5, 0.6, -0.1]]
    )
    assert np.isfinite(values[0]) and np.all(values[1:] == -np.inf)
    values = ro.models.Multinomial(4, 3).log_density_at([0.2, 0.3], [[1, 1, 2], [1, 1, 1], [1, 0.5, 2.5], [5, 0, -1]])
    assert np.isfinite(values[0]) and np.all(values[1:] == -np.inf)
    with pytest.raises(DataError):
        ro.models.Dirichlet(3).require_samples([[0.2, 0.3, 0.4]])


def test_minimum_of_pareto_is_that_of_scipy():
    model = ro.models.Pareto(minimum=2.5)
    samples = model.sample([3.0], 25)
    assert samples.min() >= 2.5
    expected = scipy.stats.pareto(3.0, scale=2.5).logpdf(samples)
    np.testing.assert_allclose(model.log_density_at([3.0], samples), expected, rtol=1e-12)
    assert ro.Manifold(model).metric([3.0])[0, 0] == pytest.approx(1 / 9, rel=1e-12)


# -- the samplers


@pytest.mark.parametrize(("name", "point"), EVERY_POINT)
def test_samples_lie_in_the_support(name, point):
    model = manifold(name).model
    samples = model.sample(point, 2000, rng=1)
    assert samples.shape == ((2000,) if len(model.observation) == 1 else (2000, len(model.observation)))
    assert samples.dtype == np.float64
    model.require_samples(samples)
    assert np.all(model.log_density_at(point, samples) > -np.inf)


@pytest.mark.parametrize(("name", "point"), EASY_POINTS)
def test_mean_score_of_samples_is_zero(name, point):
    model = manifold(name).model
    samples = model.sample(point, DRAWS, rng=1).reshape(DRAWS, -1)
    scores = array_function(
        (*model.observation, *model.parameters), [model.log_density.diff(p) for p in model.parameters]
    )
    values = scores(np.hstack([samples, np.tile(point, (DRAWS, 1))]))
    assert np.all(np.abs(values.mean(axis=0)) <= 5 * values.std(axis=0) / np.sqrt(DRAWS))


@pytest.mark.parametrize(("name", "point"), [case for case in EASY_POINTS if case[0] not in SEVERAL_OBSERVATIONS])
def test_samples_follow_the_distribution(name, point):
    samples = manifold(name).model.sample(point, 2000, rng=1)
    distribution = ENTRIES[name].scipy(*point)
    if ENTRIES[name].counts:
        edges = np.unique(distribution.ppf(np.linspace(0.0, 1.0, 9)[1:-1]))
        counts = np.diff([0, *(np.sum(samples <= edge) for edge in edges), len(samples)])
        expected = np.diff([0, *distribution.cdf(edges), 1]) * len(samples)
        keep = expected > 0
        assert np.all(counts[~keep] == 0)
        if keep.sum() > 1:
            assert scipy.stats.chisquare(counts[keep], expected[keep]).pvalue > 1e-3
    else:
        assert scipy.stats.kstest(samples, distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", ENTRIES)
def test_seed_makes_samples_reproducible(name):
    model, point = manifold(name).model, STORED[name][0]["point"]
    np.testing.assert_array_equal(model.sample(point, 10), model.sample(point, 10, rng=0))
    generator = np.random.default_rng(3)
    first, second = model.sample(point, 50, generator), model.sample(point, 50, generator)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, model.sample(point, 50, rng=3))


def test_samples_are_not_drawn_outside_the_domain():
    with pytest.raises(DomainError, match=r"beta = -1\.0"):
        ro.models.Gamma().sample([1.0, -1.0], 5)
    with pytest.raises(DomainError, match=r"p_1 \+ p_2 < 1"):
        ro.models.Categorical(3).sample([0.5, 0.5], 5)


# -- the catalogue


def test_names_are_those_of_the_functions():
    functions = [name for name in families.__all__ if name[0].isupper()]
    assert set(families.__all__) < set(ro.models.__all__)
    assert ro.models.names() == tuple(sorted(map(str.lower, functions))) == tuple(sorted(ENTRIES))
    for function in functions:
        assert ro.models.family(function.upper()).name == ro.models.family(function).name == function


def test_unknown_family_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'normal'"):
        ro.models.family("nromal")


@pytest.mark.parametrize("name", ENTRIES)
def test_family_reads_as_its_parameters_and_domain(name):
    assert repr(manifold(name).model) == ENTRIES[name].text


@pytest.mark.parametrize("name", ENTRIES)
def test_docstring_has_the_density_and_its_source(name):
    function = getattr(ro.models, manifold(name).model.name)
    text = inspect.getdoc(function)
    assert "https://" in text
    assert "p(x) = " in text or "p(k) = " in text
    assert ">>> " in text


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("Binomial", {"trials": 0}, "trials must be an integer of at least 1, not 0"),
        ("Binomial", {"trials": True}, "not True"),
        ("Binomial", {"trials": 2.0}, r"not 2\.0"),
        ("Multinomial", {"trials": "3"}, "not '3'"),
        ("Multinomial", {"categories": 1}, "categories must be an integer of at least 2, not 1"),
        ("Categorical", {"categories": 1}, "at least 2"),
        ("Dirichlet", {"categories": -1}, "at least 2"),
        ("MultivariateNormal", {"dimension": 0}, "dimension must be an integer of at least 1, not 0"),
        ("Pareto", {"minimum": 0}, "minimum must be a positive number, not 0"),
        ("Pareto", {"minimum": "1"}, "not '1'"),
        ("Pareto", {"minimum": float("inf")}, "not inf"),
        ("Pareto", {"minimum": float("nan")}, "not nan"),
        ("Pareto", {"minimum": sp.Symbol("m", positive=True)}, "not m"),
    ],
)
def test_numbers_that_make_no_family_are_named(function, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        getattr(ro.models, function)(**arguments)


def test_many_trials_are_counted_without_overflow():
    samples = np.array([0.0, 1.0, 450.0, 1000.0])
    expected = scipy.stats.binom(1000, 0.4).logpmf(samples)
    np.testing.assert_allclose(ro.models.Binomial(1000).log_density_at([0.4], samples), expected, rtol=1e-12)
    counts = np.array([[100, 300, 600], [1000, 0, 0]])
    expected = scipy.stats.multinomial(1000, [0.1, 0.3, 0.6]).logpmf(counts)
    np.testing.assert_allclose(ro.models.Multinomial(1000).log_density_at([0.1, 0.3], counts), expected, rtol=1e-12)
    expected = scipy.stats.poisson(500).logpmf(samples)
    np.testing.assert_allclose(ro.models.Poisson().log_density_at([500.0], samples), expected, rtol=1e-12)


def test_numbers_of_other_types_are_taken():
    assert ro.models.Binomial(np.int64(3)).support == (sp.Range(4),)
    assert ro.models.Dirichlet(sp.Integer(4)).dimension == 4
    assert ro.models.Pareto(sp.Rational(1, 2)).support == (sp.Interval(sp.Rational(1, 2), sp.oo),)
