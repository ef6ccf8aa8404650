"""StatisticalModel: what is refused, log-densities in any chart, and models that are not in the catalogue."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sympy as sp

import riemopt as ro
from riemopt.errors import DataError, DomainError, ModelError, ShapeError

x = sp.Symbol("x", positive=True)
rate = sp.Symbol("rate", positive=True)
k, s = sp.symbols("k s", positive=True)
HALF_LINE = sp.Interval.open(0, sp.oo)
WAIT = {
    "log_density": sp.log(rate) - rate * x,
    "observation": x,
    "support": HALF_LINE,
    "parameters": (rate,),
    "name": "Wait",
}
CHARTS = {
    "identity": {},
    "scale": lambda alpha, beta, a, b: {alpha: a, beta: 1 / b},
    "squares": lambda alpha, beta, a, b: {alpha: a**2, beta: b**2},
    "mean and shape": lambda alpha, beta, a, b: {alpha: b, beta: b / a},
}


def gamma_in(chart):
    gamma = ro.models.Gamma()
    a, b = sp.symbols("a b", positive=True)
    return gamma.reparametrize(CHARTS[chart](*gamma.parameters, a, b), parameters=(a, b)) if CHARTS[chart] else gamma


@pytest.mark.parametrize("chart", CHARTS)
def test_log_density_is_the_same_in_every_chart_and_shape(chart):
    model = gamma_in(chart)
    original = np.array([[[1.0, 1.0], [2.5, 0.75], [20.0, 20.0]], [[0.25, 5.0], [7.0, 0.5], [1e-2, 1.0]]])
    points = model.chart.from_original(original)
    samples = np.array([1e-3, 0.5, 1.0, 2.0, 30.0])
    alpha, beta = original[..., 0, None], original[..., 1, None]
    expected = scipy.stats.gamma(alpha, scale=1 / beta).logpdf(samples)
    np.testing.assert_allclose(model.log_density_at(points, samples), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(model.log_density_at(points[1, 2], samples), expected[1, 2], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(model.log_density_at(points, samples[:, None]), expected, rtol=1e-12, atol=1e-12)
    assert model.log_density_at(points, samples[:0]).shape == (2, 3, 0)


def test_samples_are_the_same_in_every_chart():
    point = np.array([2.5, 0.75])
    expected = ro.models.Gamma().sample(point, 20, rng=5)
    for chart in CHARTS:
        model = gamma_in(chart)
        np.testing.assert_allclose(model.sample(model.chart.from_original(point), 20, rng=5), expected, rtol=1e-13)


def test_point_to_sample_at_must_lie_in_the_domain():
    with pytest.raises(DomainError, match=r"point: rate = 0\.0 is outside its domain rate > 0"):
        ro.models.Exponential().sample([0.0], 3)


def test_model_without_sampler_says_so():
    with pytest.raises(ModelError, match="Wait has no sampler"):
        ro.StatisticalModel(**WAIT).sample([1.0], 3)


def weibull():
    density = sp.log(2 / s) + sp.log(x / s) - (x / s) ** 2
    return ro.StatisticalModel(density, x, HALF_LINE, (s,), name="Weibull of shape 2")


def laplace():
    t = sp.Symbol("t", real=True)
    return ro.StatisticalModel(-sp.log(2 * s) - sp.Abs(t) / s, t, sp.S.Reals, (s,), name="Laplace")


def inverse_gaussian():
    mu = sp.Symbol("mu", positive=True)
    density = sp.log(s / (2 * sp.pi * x**3)) / 2 - s * (x - mu) ** 2 / (2 * mu**2 * x)
    return ro.StatisticalModel(density, x, HALF_LINE, (mu, s), name="inverse Gaussian")


def log_normal():
    mu = sp.Symbol("mu", real=True)
    density = -((sp.log(x) - mu) ** 2) / (2 * s**2) - sp.log(x * s) - sp.log(2 * sp.pi) / 2
    return ro.StatisticalModel(density, x, HALF_LINE, (mu, s), name="log-normal")


def beta_distribution():
    alpha, beta = sp.symbols("alpha beta", positive=True)
    density = (alpha - 1) * sp.log(x) + (beta - 1) * sp.log(1 - x) - sp.log(sp.beta(alpha, beta))
    return ro.StatisticalModel(density, x, sp.Interval.open(0, 1), (alpha, beta), name="Beta")


def chi_of_a_parameter_called_gamma():
    gamma = sp.Symbol("gamma", positive=True)
    return ro.StatisticalModel((gamma - 1) * sp.log(x) - x - sp.log(sp.gamma(gamma)), x, HALF_LINE, (gamma,))


def bernoulli():
    n, p = sp.Symbol("n", integer=True, nonnegative=True), sp.Symbol("p", positive=True)
    density = n * sp.log(p) + (1 - n) * sp.log(1 - p)
    return ro.StatisticalModel(density, n, sp.FiniteSet(0, 1), (p,), domain=[p < 1], name="Bernoulli")


def normal_of_known_variance():
    mu, t = sp.symbols("mu t", real=True)
    return ro.StatisticalModel(
        -((t - mu) ** 2) / 8 - sp.log(8 * sp.pi) / 2, t, sp.S.Reals, (mu,), name="Normal of σ = 2"
    )


def trigamma(z):
    return scipy.special.polygamma(1, z)


# a point, the metric there by a closed form, observations, SciPy's log-densities of them
CUSTOM = {
    weibull: ([1.5], [[4 / 1.5**2]], [0.5, 2.0], lambda v: scipy.stats.weibull_min(2, scale=1.5).logpdf(v)),
    laplace: ([0.5], [[4.0]], [-1.0, 0.3], lambda v: scipy.stats.laplace(scale=0.5).logpdf(v)),
    inverse_gaussian: (
        [2.0, 3.0],
        [[3 / 8, 0.0], [0.0, 1 / 18]],
        [0.5, 4.0],
        lambda v: scipy.stats.invgauss(2 / 3, scale=3).logpdf(v),
    ),
    log_normal: (
        [0.5, 2.0],
        [[0.25, 0.0], [0.0, 0.5]],
        [0.1, 7.0],
        lambda v: scipy.stats.lognorm(2.0, scale=np.exp(0.5)).logpdf(v),
    ),
    beta_distribution: (
        [2.0, 0.5],
        [[trigamma(2.0) - trigamma(2.5), -trigamma(2.5)], [-trigamma(2.5), trigamma(0.5) - trigamma(2.5)]],
        [0.1, 0.9],
        lambda v: scipy.stats.beta(2.0, 0.5).logpdf(v),
    ),
    chi_of_a_parameter_called_gamma: ([2.5], [[trigamma(2.5)]], [0.1, 3.0], lambda v: scipy.stats.gamma(2.5).logpdf(v)),
    bernoulli: ([0.2], [[1 / 0.16]], [0.0, 1.0], lambda v: scipy.stats.bernoulli(0.2).logpmf(v)),
    normal_of_known_variance: ([1.0], [[0.25]], [-1.0, 3.0], lambda v: scipy.stats.norm(1.0, 2.0).logpdf(v)),
}


@pytest.mark.parametrize("make", CUSTOM, ids=lambda make: make.__name__)
def test_model_of_a_user_has_the_density_metric_and_loss_of_its_closed_form(make):
    model = make()
    point, expected, samples, log_density = CUSTOM[make]
    values = log_density(np.array(samples))
    manifold = ro.Manifold(model, backend="numpy")
    np.testing.assert_allclose(model.log_density_at(point, samples), values, rtol=1e-12)
    np.testing.assert_allclose(manifold.metric(point), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(manifold.likelihood(samples).loss(point), -values.mean(), rtol=1e-12)


def test_several_observations_have_a_column_each():
    t, u, mu, nu = sp.symbols("t u mu nu", real=True)
    density = -((t - mu) ** 2) / 2 - 2 * (u - nu * mu) ** 2 - sp.log(sp.pi)
    model = ro.StatisticalModel(density, (t, u), (sp.S.Reals, sp.S.Reals), (mu, nu), name="Pair", domain=[mu > 0])
    samples = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.25]])
    mean, slope = 1.5, -0.5
    expected = scipy.stats.norm(mean, 1.0).logpdf(samples[:, 0]) + scipy.stats.norm(slope * mean, 0.5).logpdf(
        samples[:, 1]
    )
    np.testing.assert_allclose(model.log_density_at([mean, slope], samples), expected, rtol=1e-12)
    manifold = ro.Manifold(model, backend="numpy")
    np.testing.assert_allclose(manifold.likelihood(samples).loss([mean, slope]), -expected.mean(), rtol=1e-12)
    jacobian = np.array([[1.0, 0.0], [slope, mean]])
    np.testing.assert_allclose(manifold.metric([mean, slope]), jacobian.T @ np.diag([1.0, 4.0]) @ jacobian, rtol=1e-12)
    with pytest.raises(ShapeError, match=r"must have shape \(N, 2\)"):
        model.require_samples([1.0, 2.0])
    with pytest.raises(DataError, match="sample 1: u = nan"):
        model.require_samples([[1.0, 2.0], [1.0, np.nan]])


def test_chart_of_a_chart_goes_back_to_the_first():
    gamma = ro.models.Gamma()
    alpha, beta = gamma.parameters
    a, b, r, t = *sp.symbols("a b", positive=True), *sp.symbols("r t", real=True)
    moved = gamma.reparametrize({beta: 1 / b}, parameters=(alpha, b))
    twice = moved.reparametrize({alpha: sp.exp(r), b: sp.exp(t)}, parameters=(r, t), name="logarithmic")
    assert twice.original is gamma and twice.name == "logarithmic" and moved.name == "Gamma"
    np.testing.assert_allclose(twice.chart.to_original([0.5, 2.0]), [np.exp(0.5), np.exp(-2.0)], rtol=1e-14)
    np.testing.assert_allclose(
        twice.log_density_at([0.5, 2.0], [1.5]), gamma.log_density_at([np.exp(0.5), np.exp(-2.0)], [1.5]), rtol=1e-13
    )
    assert a not in twice.parameters


def test_reparametrization_refuses_what_is_not_a_parameter():
    gamma = ro.models.Gamma()
    alpha, beta = gamma.parameters
    a, b = sp.symbols("a b", positive=True)
    with pytest.raises(ModelError, match="s is not one of the original parameters"):
        gamma.reparametrize({alpha: a, s: b}, parameters=(a, b))
    with pytest.raises(ModelError):
        gamma.reparametrize({alpha: a * b, beta: a * b}, parameters=(a, b))
    with pytest.raises(ModelError):
        gamma.reparametrize({alpha: a, beta: b}, parameters=(a, b, s))
