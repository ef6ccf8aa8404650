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

REFUSED = {
    "a text as density": ({"log_density": "log(rate) - rate * x"}, "not a SymPy expression"),
    "a parameter that is no symbol": ({"parameters": (rate + 1,)}, r"the parameter rate \+ 1 is not a SymPy symbol"),
    "a text as parameter": ({"parameters": "rate"}, "the parameter rate is not a SymPy symbol"),
    "an observation that is no symbol": ({"observation": 2 * x}, r"the observation 2\*x is not a SymPy symbol"),
    "no parameter": ({"parameters": ()}, "there is no parameter"),
    "no observation": ({"observation": (), "support": ()}, "there is no observation"),
    "a parameter twice": ({"parameters": (rate, rate)}, "the parameter rate is named twice"),
    "two parameters of one name": (
        {"parameters": (rate, sp.Symbol("rate", real=True))},
        "the parameter rate is named twice",
    ),
    "an observation twice": ({"observation": (x, x), "support": (HALF_LINE,) * 2}, "the observation x is named twice"),
    "a parameter that is observed": ({"observation": rate}, "rate is both a parameter and an observation"),
    "an observation of a parameter's name": (
        {"observation": sp.Symbol("rate", real=True)},
        "rate is both a parameter and an observation",
    ),
    "a parameter that is not in the density": (
        {"parameters": (rate, s)},
        "the parameter s does not occur in the log-density$",
    ),
    "a parameter with other assumptions": (
        {"parameters": (sp.Symbol("rate", real=True),)},
        "a symbol of that name but with other assumptions does",
    ),
    "an observation that is not in the density": (
        {"log_density": sp.log(rate) - rate},
        "the observation x does not occur in the log-density",
    ),
    "a stranger in the density": (
        {"log_density": sp.log(rate) - rate * x + s},
        "s occurs in the log-density but is neither a parameter nor an observation",
    ),
    "too many supports": ({"support": (HALF_LINE, HALF_LINE)}, "2 supports for 1 observations"),
    "a support that is no set": ({"support": "half-line"}, "the support of x is not a SymPy set"),
    "a support that moves": (
        {"support": sp.Interval(rate, sp.oo)},
        "the support of x depends on rate; it must be fixed",
    ),
    "a support without a test": ({"support": sp.S.Rationals}, "Rationals is not a set that can be tested"),
    "an empty support": ({"support": sp.S.EmptySet}, "the support of x is empty"),
    "a support beyond the assumptions": ({"support": sp.S.Reals}, "does not fit x, which is declared nonnegative"),
    "a condition on a stranger": ({"domain": [sp.Symbol("q", real=True) > 0]}, "q is not one of the parameters"),
    "a condition that never holds": ({"domain": [rate < 0]}, "never holds"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_model_is_refused_in_words(what):
    change, message = REFUSED[what]
    with pytest.raises(ModelError, match=message):
        ro.StatisticalModel(**{**WAIT, **change})


def test_parameter_without_real_assumption_is_refused():
    free = sp.Symbol("free")
    with pytest.raises(ModelError, match="declare it with real=True or positive=True"):
        ro.StatisticalModel(sp.log(free) - free * x, x, HALF_LINE, (free,))


def test_text_is_never_evaluated(capsys):
    with pytest.raises(ModelError):
        ro.StatisticalModel(**{**WAIT, "log_density": "print('evaluated')"})
    with pytest.raises(ModelError):
        ro.StatisticalModel(**WAIT).reparametrize({rate: "print('evaluated')"}, parameters=(s,))
    assert capsys.readouterr().out == ""


def test_further_conditions_narrow_the_domain():
    for conditions in ([rate < 2], rate < 2):
        model = ro.StatisticalModel(**WAIT, domain=conditions)
        assert repr(model) == "Wait(rate): rate > 0, rate < 2"
        assert model.domain.contains([[1.0], [3.0]]).tolist() == [True, False]


# -- log-densities


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


def test_log_density_outside_support_and_domain():
    model = ro.models.Gamma()
    values = model.log_density_at(
        [[1.0, 1.0], [0.0, 1.0], [1.0, np.nan], [np.inf, 1.0]], [-1.0, 0.0, 2.0, np.inf, np.nan]
    )
    np.testing.assert_array_equal(values[0], [-np.inf, -np.inf, -2.0, -np.inf, np.nan])
    assert np.isnan(values[1:]).all()
    counts = ro.models.Poisson().log_density_at([3.0], [0.0, 0.5, -1.0])
    np.testing.assert_allclose(counts, [-3.0, -np.inf, -np.inf])


def test_axes_that_do_not_fit_are_named():
    model = ro.models.Gamma()
    with pytest.raises(ShapeError, match=r"points: the last axis of shape \(3,\) must have length 2: \(alpha, beta\)"):
        model.log_density_at([1.0, 2.0, 3.0], [1.0])
    with pytest.raises(ShapeError, match=r"samples have shape \(2, 2\), but must have shape \(N,\)"):
        model.log_density_at([1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]])
    with pytest.raises(ShapeError, match="drawn at one point"):
        model.sample([[1.0, 2.0], [3.0, 4.0]], 5)


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


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "there are no samples"),
        ([1.0, 2.0, -3.0, -4.0], r"sample 2: x = -3\.0 lies outside the support of Gamma, \(0, oo\)"),
        ([1.0, np.nan], "sample 1: x = nan is not finite"),
        ([np.inf, 1.0], "sample 0: x = inf is not finite"),
        (["one", "two"], "not an array of numbers"),
    ],
)
def test_bad_samples_are_named(samples, message):
    with pytest.raises(DataError, match=message):
        ro.models.Gamma().require_samples(samples)


def test_good_samples_become_columns():
    (column,) = ro.models.Poisson().require_samples([3, 0, 1])
    np.testing.assert_array_equal(column, [3.0, 0.0, 1.0])


# -- models that are not in the catalogue


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


# -- charts


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
