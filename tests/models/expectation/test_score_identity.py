"""What the score identity gives against closed forms and SciPy's moments."""

from itertools import product

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sympy as sp

import riemopt as ro
from riemopt.models.expectation import ObservationFreeHessian

a, b = sp.symbols("a b", positive=True)
HALF_LINE = sp.Interval.open(0, sp.oo)


def trigamma(z):
    return sp.polygamma(1, z)


natural, negative = sp.Symbol("natural", positive=True), sp.Symbol("negative", negative=True)
ALPHA, BETA = ro.models.Gamma().parameters
GAMMA_METRICS = {
    "shape and rate": ({}, (ALPHA, BETA), [[trigamma(ALPHA), -1 / BETA], [-1 / BETA, ALPHA / BETA**2]]),
    "natural": (
        {ALPHA: natural, BETA: -negative},
        (natural, negative),
        [[trigamma(natural), -1 / negative], [-1 / negative, natural / negative**2]],
    ),
    "scale": ({ALPHA: a, BETA: 1 / b}, (a, b), [[trigamma(a), 1 / b], [1 / b, a / b**2]]),
    "cube": ({ALPHA: a, BETA: b**3}, (a, b), [[trigamma(a), -3 / b], [-3 / b, 9 * a / b**2]]),
    "squares": (
        {ALPHA: a**2, BETA: b**2},
        (a, b),
        [[4 * a**2 * trigamma(a**2), -4 * a / b], [-4 * a / b, 4 * a**2 / b**2]],
    ),
    # orthogonal: the mean and the shape
    "mean": ({ALPHA: b, BETA: b / a}, (a, b), [[b / a**2, 0], [0, trigamma(b) - 1 / b]]),
}


@pytest.mark.parametrize("chart", GAMMA_METRICS)
def test_gamma_metric_follows_from_the_log_density(chart):
    substitution, parameters, expected = GAMMA_METRICS[chart]
    model = ro.models.Gamma().reparametrize(substitution, parameters) if substitution else ro.models.Gamma()
    assert str(model.expectation).startswith("score identity: an exponential family with statistics ")
    assert (model.expectation.metric - sp.Matrix(expected)).applyfunc(sp.simplify).is_zero_matrix


def test_gamma_determinant_is_the_known_one():
    metric = ro.models.Gamma().expectation.metric
    assert sp.simplify(metric.det() - (ALPHA * trigamma(ALPHA) - 1) / BETA**2) == 0


REFERENCES = {
    "gamma": ((2.5, 0.75), lambda alpha, beta: scipy.stats.gamma(alpha, scale=1 / beta)),
    "normal": ((-1.5, 0.25), scipy.stats.norm),
    "exponential": ((0.125,), lambda rate: scipy.stats.expon(scale=1 / rate)),
    "poisson": ((20.0,), scipy.stats.poisson),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_mean_statistics_are_the_moments_that_scipy_knows(name):
    model = ro.models.family(name)
    point, reference = REFERENCES[name]
    for statistic, mean in zip(model.exponential_form.statistics, model.expectation.mean, strict=True):
        function = sp.lambdify(model.observation, statistic, "numpy")
        value = sp.lambdify(model.parameters, mean, "scipy")(*point)
        assert value == pytest.approx(reference(*point).expect(function), rel=1e-8)


def test_observation_free_hessian_is_its_own_expectation():
    # Gamma of shape 2; SymPy does not take the logarithm apart, since it cannot tell that both factors are positive
    rate = sp.Symbol("rate", real=True)
    model = ro.StatisticalModel(sp.log(rate**2 * T) - rate * T, T, HALF_LINE, (rate,), domain=[rate > 0])
    assert model.exponential_form is None
    assert isinstance(model.expectation, ObservationFreeHessian)
    assert (
        str(model.expectation)
        == "score identity: the second derivatives of the log-density do not contain the observation"
    )
    assert sp.simplify(model.expectation.metric[0, 0] - 2 / rate**2) == 0
    # the third central moment of a Gamma distribution of shape 2, of the other sign
    assert sp.simplify(model.expectation.skewness[0, 0, 0] + 4 / rate**3) == 0


def test_observation_free_hessian_gives_the_likelihood_of_samples():
    location, t = sp.symbols("location t", real=True)
    rate = sp.Symbol("rate", real=True)
    samples = np.array([0.3, 1.7, 0.9, 2.2])
    # neither density is taken apart by expanding it
    hidden = sp.log(sp.exp(-((t - location) ** 2) / 2) * sp.sqrt(1 / (2 * sp.pi)) * (2 + sp.sin(t)) / 2)
    for log_density, parameter, domain in (
        (sp.log(rate**2 * T) - rate * T, rate, [rate > 0]),
        (hidden, location, []),
    ):
        symbol = next(s for s in log_density.free_symbols if s != parameter)
        model = ro.StatisticalModel(log_density, symbol, HALF_LINE, (parameter,), domain=domain, check=False)
        problem = ro.Manifold(model, backend="numpy").likelihood(samples)
        points = np.array([[0.4], [1.0], [2.5]])
        np.testing.assert_allclose(
            problem.loss(points), -model.log_density_at(points, samples).mean(axis=1), rtol=1e-13
        )
        higher, lower = problem.loss(points + 1e-5), problem.loss(points - 1e-5)
        np.testing.assert_allclose(problem.gradient(points)[:, 0], (higher - lower) / 2e-5, rtol=1e-8, atol=1e-9)
        assert ro.minimize(problem, "geo", start=[1.0], step_size=0.5, steps=30).success


T = sp.Symbol("t", real=True)


@pytest.mark.parametrize("name", ["gamma", "normal", "exponential", "poisson"])
def test_skewness_in_natural_parameters_is_the_third_derivative_of_the_log_partition(name):
    z, w = sp.Symbol("z", positive=True), sp.Symbol("w", negative=True)
    model = ro.models.family(name)
    p = model.parameters
    substitution, parameters, partition = {
        "gamma": ({p[0]: z, p[-1]: -w}, (z, w), sp.loggamma(z) - z * sp.log(-w)),
        "normal": (
            {p[0]: -z / (2 * w), p[-1]: sp.sqrt(-1 / (2 * w))},
            (z, w),
            -(z**2) / (4 * w) - sp.log(-2 * w) / 2,
        ),
        "exponential": ({p[0]: -w}, (w,), -sp.log(-w)),
        "poisson": ({p[0]: sp.exp(z)}, (z,), sp.exp(z)),
    }[name]
    if name == "normal":  # half of the plane will do: the natural parameter of a positive mean is positive
        model = ro.StatisticalModel(
            model.log_density, model.observation, model.support, p, domain=[p[0] > 0], name="Normal of positive mean"
        )
    skewness = model.reparametrize(substitution, parameters).expectation.skewness
    for index in product(range(len(parameters)), repeat=3):
        assert sp.simplify(skewness[index] - partition.diff(*(parameters[i] for i in index))) == 0


@pytest.mark.slow
def test_means_of_indicators_are_probabilities():
    # by the score identity, a linear system of twenty equations would take minutes
    model = ro.models.Categorical(21)
    family = model.expectation
    assert family.mean == model.parameters
    point = np.random.default_rng(0).dirichlet(np.ones(21))[:20]
    values = np.array(family.metric.subs(dict(zip(model.parameters, point, strict=True))), dtype=float)
    np.testing.assert_allclose(values, np.diag(1 / point) + 1 / (1 - point.sum()), rtol=1e-12)
    # in a chart where they are not the coordinates, and of statistics that are no indicators
    p, z = ro.models.Bernoulli().parameters[0], sp.Symbol("z", real=True)
    moved = ro.models.Bernoulli().reparametrize({p: 1 / (1 + sp.exp(-z))}, parameters=(z,))
    assert sp.simplify(moved.expectation.metric[0, 0] - sp.exp(z) / (1 + sp.exp(z)) ** 2) == 0
    assert ro.models.Binomial().expectation.known_mean is None
