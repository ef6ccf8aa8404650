"""Expectations: what the score identities give against closed forms, quadrature and SciPy's moments."""

from itertools import combinations_with_replacement, permutations, product

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sympy as sp

import riemopt as ro
from riemopt.errors import ExpectationError
from riemopt.models.expectation import ObservationFreeHessian, exponential_form, score_products

x = sp.Symbol("x", positive=True)
a, b = sp.symbols("a b", positive=True)
HALF_LINE = sp.Interval.open(0, sp.oo)


# -- the Gamma metric, section 5 of the mathematics


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


# -- natural parameters and statistics


FORMS = {
    "gamma": lambda alpha, beta, t: {sp.log(t): alpha - 1, t: -beta},
    "normal": lambda mu, sigma, t: {t: mu / sigma**2, t**2: -1 / (2 * sigma**2)},
    "exponential": lambda rate, t: {t: -rate},
    "poisson": lambda mean, t: {t: sp.log(mean)},
}
PARTITIONS = {
    "gamma": lambda alpha, beta: sp.loggamma(alpha) - alpha * sp.log(beta),
    "normal": lambda mu, sigma: mu**2 / (2 * sigma**2) + sp.log(sigma),
    "exponential": lambda rate: -sp.log(rate),
    "poisson": lambda mean: mean,
}


@pytest.mark.parametrize("name", FORMS)
def test_catalogue_is_found_to_be_exponential_families(name):
    model = ro.models.family(name)
    form = model.exponential_form
    assert dict(zip(form.statistics, form.natural, strict=True)) == FORMS[name](*model.parameters, *model.observation)
    excess = sp.simplify(form.log_partition - PARTITIONS[name](*model.parameters))
    assert excess.is_number
    inner = sp.Add(*(z * t for z, t in zip(form.natural, form.statistics, strict=True)))
    assert sp.simplify(inner - form.log_partition + form.log_base - model.log_density) == 0
    assert not form.log_base.free_symbols & set(model.parameters)
    assert not form.log_partition.free_symbols & set(model.observation)


def test_form_survives_every_chart(case):
    form = case.model.exponential_form
    assert len(form.statistics) == case.model.dimension
    inner = sp.Add(*(z * t for z, t in zip(form.natural, form.statistics, strict=True)))
    difference = sp.expand(inner - form.log_partition + form.log_base - sp.expand(case.model.log_density))
    assert sp.simplify(difference) == 0


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


@pytest.mark.parametrize("name", REFERENCES)
def test_metric_is_the_covariance_of_the_score(name):
    model = ro.models.family(name)
    point, reference = REFERENCES[name]
    score = [
        sp.lambdify((*model.parameters, *model.observation), model.log_density.diff(p), "scipy")
        for p in model.parameters
    ]
    expected = [
        [reference(*point).expect(lambda t, u=u, v=v: u(*point, t) * v(*point, t)) for u in score] for v in score
    ]
    metric = sp.lambdify(model.parameters, model.expectation.metric, "scipy")(*point)
    np.testing.assert_allclose(metric, expected, rtol=1e-7, atol=1e-9)


def test_statistics_with_affine_coefficients_are_one():
    # a Gamma distribution of mean 1: its coefficients a - 1 and -a are affine in one another
    model = ro.StatisticalModel(
        a * sp.log(a) + (a - 1) * sp.log(x) - a * x - sp.loggamma(a), x, HALF_LINE, (a,), name="Gamma of mean 1"
    )
    form = model.exponential_form
    assert form.statistics == (sp.log(x) - x,) and form.natural == (a - 1,) and form.log_base == -x
    expected = trigamma(a) - 1 / a
    assert sp.simplify(model.expectation.metric[0, 0] - expected) == 0
    moved = model.reparametrize({a: b**2}, (b,))
    assert sp.simplify(moved.expectation.metric[0, 0] - 4 * b**2 * expected.subs(a, b**2)) == 0


def test_terms_that_do_not_separate_have_no_form():
    theta = sp.Symbol("theta", real=True)
    assert exponential_form(-sp.log(1 + (x - theta) ** 2), [x], [theta]) is None
    assert exponential_form(-((x / a) ** b), [x], [a, b]) is None


# -- second derivatives that are free of the observation


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


# -- other ways, where the score identities are not enough


MU = sp.Symbol("mu", positive=True)
T = sp.Symbol("t", real=True)
EULER = sp.EulerGamma
OTHERWISE = {
    "curved normal": (
        -((T - MU) ** 2) / (2 * MU**2) - sp.log(MU) - sp.log(2 * sp.pi) / 2,
        T,
        (MU,),
        "exact integrals over t",
        [[3 / MU**2]],
    ),
    "Cauchy": (-sp.log(1 + (T - MU) ** 2) - sp.log(sp.pi), T, (MU,), "exact integrals over t", [[sp.Rational(1, 2)]]),
    "Weibull": (
        sp.log(b / a) + (b - 1) * sp.log(x / a) - (x / a) ** b,
        x,
        (a, b),
        "exact integrals over x",
        [[b**2 / a**2, (EULER - 1) / a], [(EULER - 1) / a, (sp.pi**2 / 6 + (EULER - 1) ** 2) / b**2]],
    ),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_integrals_that_sympy_finds_are_the_closed_forms_of_the_textbooks(name):
    density, observation, parameters, way, expected = OTHERWISE[name]
    support = HALF_LINE if observation == x else sp.S.Reals
    model = ro.StatisticalModel(density, observation, support, parameters, name=name)
    assert str(model.expectation) == way
    difference = (sp.Matrix(expected) - model.expectation.metric).applyfunc(sp.simplify)
    assert difference.is_zero_matrix


def test_finite_support_gives_exact_sums():
    k = sp.Symbol("k", integer=True, nonnegative=True)
    # a binomial distribution and a point mass: no exponential family
    density = sp.log(a / (1 + a) * sp.binomial(2, k) / 4 + sp.KroneckerDelta(k, 0) / (1 + a))
    model = ro.StatisticalModel(density, k, sp.FiniteSet(0, 1, 2), (a,))
    assert str(model.expectation) == "exact sums over k"
    p = [(a / 4 + 1) / (1 + a), a / 2 / (1 + a), a / 4 / (1 + a)]
    expected = sum(q.diff(a) ** 2 / q for q in p)
    for value in (0.3, 2.0):
        assert float(model.expectation.metric[0, 0].subs(a, value)) == pytest.approx(float(expected.subs(a, value)))


def test_wrong_integral_is_found_out(monkeypatch):
    """Exact expectations are compared with numbers; here the search is off by one part in a thousand."""
    found = score_products.exact_expectations

    def wrong(*arguments):
        return tuple(value * sp.Rational(1001, 1000) for value in found(*arguments))

    monkeypatch.setattr(score_products, "exact_expectations", wrong)
    density, *rest = OTHERWISE["Weibull"][:3]
    model = ro.StatisticalModel(density, rest[0], HALF_LINE, rest[1])
    assert str(model.expectation).startswith("quadrature: an integral over x")
    metric = ro.Manifold(model, backend="numpy").metric([2.0, 3.0])
    expected = sp.Matrix(OTHERWISE["Weibull"][4]).subs({a: 2, b: 3}).evalf()
    np.testing.assert_allclose(metric, np.array(expected, dtype=float), rtol=1e-11)


def test_closed_form_with_gaps_is_not_used():
    """Of the Kumaraswamy model it is 0/0 at b = 1 and b = 2."""
    assert str(ro.models.Kumaraswamy().expectation).startswith("quadrature")


def test_integrals_nobody_has_taken_can_be_read():
    symbolic = ro.Manifold(ro.models.NegativeBinomial(), backend="numpy").symbolic
    entry = ro.models.NegativeBinomial().expectation.metric[0, 0]
    assert isinstance(entry, sp.Sum) and not entry.free_symbols - {*ro.models.NegativeBinomial().parameters}
    assert symbolic is not None


THIRD = sp.Symbol("z", real=True)
WITHOUT = {
    "three observations": (
        -sp.log(1 + (x - a) ** 2) - T**2 - THIRD**2,
        (x, T, THIRD),
        (HALF_LINE, sp.S.Reals, sp.S.Reals),
        (),
        ["the terms of the log-density do not separate", "it takes one or two observations, not 3"],
    ),
    "not a product": (
        -sp.log(1 + (x - a) ** 2 + T**2),
        (x, T),
        (HALF_LINE, sp.S.Reals),
        [x > T],
        ["second derivatives", "the support is not a product"],
    ),
    "divergent": (
        -sp.log(x + a),
        (x,),
        (HALF_LINE,),
        (),
        ["do not separate", "the density's integral is not 1, or those of score products do not converge"],
    ),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_error_names_every_way_that_was_tried(name):
    density, observation, support, constraints, tried = WITHOUT[name]
    model = ro.StatisticalModel(density, observation, support, (a,), name=name, constraints=constraints, check=False)
    with pytest.raises(ExpectationError, match="no way was found to take expectations") as caught:
        _ = model.expectation
    for way in tried:
        assert way in str(caught.value)
    with pytest.raises(ExpectationError):
        ro.Manifold(model, backend="numpy").metric([1.0])


# -- the Amari–Chentsov tensor


def test_skewness_is_the_third_moment_of_the_score(case):
    """By mpmath: integrals over the half-line or the line, sums over the counts."""
    model, point = case.model, case.points[1]
    score = [model.log_density.diff(p) for p in model.parameters]
    tensor = np.array(sp.lambdify(model.parameters, model.expectation.skewness.tolist(), "scipy")(*point), dtype=float)
    for index in combinations_with_replacement(range(model.dimension), 3):
        expected = case.mean(sp.Mul(*(score[i] for i in index)), point)
        for permuted in permutations(index):
            assert tensor[permuted] == pytest.approx(expected, rel=1e-7, abs=1e-7)


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
