"""Maximum likelihood: against closed forms and SciPy, in any chart, and what is said where there is no optimum."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import riemopt as ro
from riemopt.models.domain import Domain
from riemopt.optimize import FitStatus
from riemopt.optimize.descent import descend
from riemopt.optimize.start import candidates, search
from tests.marks import slow

RNG = np.random.default_rng(20)
GAMMA = RNG.gamma(3.0, 0.5, size=400)


def fit(model, samples, *arguments, **options):
    return ro.fit(model, samples, *arguments, **{"backend": "numpy", **options})


def regression(curve, parameters, inputs=("x",), output="gaussian", **options):
    """A conditional model of typed formulas."""
    x = sp.symbols(list(inputs), real=True)
    names = {s.name: s for s in (*parameters, *x)}
    outputs = [sp.sympify(curve, locals=names)]
    return ro.ConditionalModel(outputs=outputs, output=output, inputs=x, parameters=parameters, **options)


# -- estimates


@settings(max_examples=12)
@given(st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=2, max_size=30, unique=True))
def test_the_normal_fit_is_the_mean_and_the_standard_deviation(samples):
    found = fit(ro.models.Normal(), samples)
    assert found.success
    mean, deviation = np.mean(samples), np.std(samples)
    np.testing.assert_allclose(found.x, [mean, deviation], rtol=1e-7, atol=1e-7 * deviation)
    errors = [deviation / len(samples) ** 0.5, deviation / (2 * len(samples)) ** 0.5]
    np.testing.assert_allclose(found.standard_errors, errors, rtol=1e-6)


@pytest.mark.parametrize(
    ("family", "samples", "expected"),
    [
        ("exponential", GAMMA, 1.0 / GAMMA.mean()),
        ("poisson", np.arange(7.0), 3.0),
        ("rayleigh", GAMMA, np.sqrt(np.mean(GAMMA**2) / 2.0)),
        ("bernoulli", [0.0, 1.0, 1.0, 1.0], 0.75),
    ],
)
def test_closed_forms(family, samples, expected):
    found = fit(ro.models.family(family), samples)
    assert found.success
    np.testing.assert_allclose(found.x, [expected], rtol=1e-9)


def polished(distribution, samples, start):
    """SciPy's optimum to the last digit it can find, from its own estimate."""

    def loss(theta):
        return -np.mean(distribution(*theta).logpdf(samples))

    options = {"xatol": 1e-11, "fatol": 1e-15, "maxiter": 4000, "maxfev": 8000}
    return scipy.optimize.minimize(loss, start, method="Nelder-Mead", options=options).x


def weibull(k, s):
    return scipy.stats.weibull_min(k, scale=s)


def gamma(a, b):
    return scipy.stats.gamma(a, scale=1.0 / b)


def student(nu, m, s):
    return scipy.stats.t(nu, m, s)


SCIPY = {
    "gamma": (gamma, [2.5, 1.5], [1.0, 1.0]),
    "weibull": (weibull, [1.7, 3.0], [1.0, 1.0]),
    "beta": (scipy.stats.beta, [2.0, 0.7], [1.0, 1.0]),
    "gumbel": (scipy.stats.gumbel_r, [2.0, 0.7], [0.0, 1.0]),
    "logistic": (scipy.stats.logistic, [-3.0, 0.2], [-2.0, 1.0]),
    "cauchy": (scipy.stats.cauchy, [5.0, 2.0], [4.0, 1.0]),
    "studentt": (student, [4.0, 1.0, 2.0], [3.0, 0.0, 1.0]),
}


@pytest.mark.parametrize("family", [slow(f) if f in ("gumbel", "logistic", "cauchy") else f for f in SCIPY])
@pytest.mark.slow_for("studentt")
def test_fits_agree_with_those_of_scipy(family):
    distribution, truth, start = SCIPY[family]
    samples = distribution(*truth).rvs(300, random_state=np.random.default_rng(1))
    found = fit(ro.models.family(family), samples)
    assert found.success
    expected = polished(distribution, samples, start)
    np.testing.assert_allclose(found.x, expected, rtol=1e-6)
    assert found.log_likelihood == pytest.approx(np.sum(distribution(*expected).logpdf(samples)), rel=1e-10)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_a_start_is_found_at_any_scale_of_the_data(scale):
    found = fit(ro.models.Gamma(), scale * GAMMA)
    expected = fit(ro.models.Gamma(), GAMMA).x / [1.0, scale]
    assert found.success
    np.testing.assert_allclose(found.x, expected, rtol=1e-9)


@pytest.mark.slow
def test_both_components_of_a_mixture_are_found():
    samples = np.concatenate([RNG.normal(-4.0, 0.5, size=100), RNG.normal(3.0, 2.0, size=300)])
    found = fit(ro.models.NormalMixture(), samples, backend="numba")
    assert found.success
    parts = [(found.x[0], *found.x[1:3]), (1.0 - found.x[0], *found.x[3:])]
    (weight, *narrow), (_, *wide) = sorted(parts, key=lambda part: part[2])
    np.testing.assert_allclose([weight, *narrow, *wide], [0.25, -4.0, 0.5, 3.0, 2.0], rtol=0.2)


@pytest.mark.slow
def test_two_observations_are_fitted_together():
    samples = RNG.normal(size=(300, 2)) @ [[2.0, 0.0], [1.0, 0.5]] + [10.0, -3.0]
    found = fit(ro.models.MultivariateNormal(), samples)
    covariance = np.cov(samples.T, bias=True)
    expected = [*samples.mean(axis=0), covariance[0, 0], covariance[1, 0], covariance[1, 1]]
    np.testing.assert_allclose(found.x, expected, rtol=1e-9)


A, B = sp.symbols("a b", positive=True)


@pytest.mark.parametrize("start", [None, (0.2, 9.0)])
def test_charts_agree_on_the_likelihood_and_the_standard_errors(start):
    model = ro.models.Gamma()
    own = fit(model, GAMMA, start=start)
    assert own.success
    for expressions in [(A, 1 / B), (A, B**3), (A**2, B**2), (B, B / A)]:
        moved = model.reparametrize(dict(zip(model.parameters, expressions, strict=True)), (A, B))
        found = fit(moved, GAMMA, start=None if start is None else moved.chart.from_original(start))
        assert found.success
        assert found.log_likelihood == pytest.approx(own.log_likelihood, rel=1e-10)
        np.testing.assert_allclose(moved.chart.to_original(found.x), own.x, rtol=1e-9)
        jacobian = moved.chart.push_forward(np.tile(found.x, (2, 1)), np.eye(2)).T
        errors = np.sqrt(np.diagonal(jacobian @ found.covariance @ jacobian.T))
        np.testing.assert_allclose(errors, own.standard_errors, rtol=1e-7)


# -- regressions


def test_a_line_is_that_of_least_squares():
    x = np.linspace(-1.0, 3.0, 25)
    y = 2.0 - 0.5 * x + RNG.normal(scale=0.3, size=25)
    found = fit(regression("a + b * x", sp.symbols("a b", real=True)), y, x)
    slope = scipy.stats.linregress(x, y)
    np.testing.assert_allclose(found.x, [slope.intercept, slope.slope], rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors, [slope.intercept_stderr, slope.stderr], rtol=1e-9)
    assert found.freedom == 23
    quantile = scipy.stats.t(23).ppf(0.95)
    np.testing.assert_allclose(
        found.confidence_intervals(0.9)[1], slope.slope + np.array([-1, 1]) * quantile * slope.stderr
    )
    residuals = y - found.x[0] - found.x[1] * x
    deviation = np.sqrt(np.mean(residuals**2))
    log_likelihood = np.sum(scipy.stats.norm(0.0, deviation).logpdf(residuals))
    assert found.log_likelihood == pytest.approx(log_likelihood, rel=1e-10)
    assert found.aic == pytest.approx(6.0 - 2.0 * log_likelihood)
    assert found.bic == pytest.approx(3.0 * np.log(25) - 2.0 * log_likelihood)
    assert " t  " in found.summary()


def test_points_on_a_line_are_met_exactly():
    x = np.arange(10.0)
    found = fit(regression("a + b * x", sp.symbols("a b", real=True)), 0.1 + 0.7 * x, x)
    assert found.success
    np.testing.assert_allclose(found.x, [0.1, 0.7], rtol=1e-13)


LOGISTIC = regression("a + b * x", sp.symbols("a b", real=True), output="bernoulli")


def test_a_logistic_regression():
    x = np.linspace(-2.0, 2.0, 60)
    y = (RNG.random(60) < 1.0 / (1.0 + np.exp(-0.5 - 1.5 * x))).astype(float)

    def loss(theta):
        z = theta[0] + theta[1] * x
        return np.sum(np.logaddexp(0.0, z) - y * z)

    found = fit(LOGISTIC, y, x)
    assert (found.success, found.freedom) == (True, None)
    expected = scipy.optimize.minimize(loss, [0.0, 0.0], tol=1e-14, method="Nelder-Mead")
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-6)
    assert found.log_likelihood == pytest.approx(-expected.fun, rel=1e-10)
    p = 1.0 / (1.0 + np.exp(-found.x[0] - found.x[1] * x))
    design = np.stack([np.ones(60), x])
    np.testing.assert_allclose(found.covariance, np.linalg.inv(design * p * (1 - p) @ design.T), rtol=1e-8)


# -- what a fit says


def test_a_fit_offers_what_the_interface_lists():
    found = fit(ro.models.Gamma(), GAMMA, start=[1.0, 1.0])
    assert list(found.parameters) == ["alpha", "beta"]
    assert all(type(value) is float for value in found.parameters.values())
    assert found.x.shape == found.standard_errors.shape == (2,)
    assert found.covariance.shape == found.confidence_intervals().shape == (2, 2)
    assert found.aic == pytest.approx(4.0 - 2.0 * found.log_likelihood)
    assert found.bic == pytest.approx(2.0 * np.log(400) - 2.0 * found.log_likelihood)
    assert (found.success, found.status, found.count) == (True, FitStatus.CONVERGED, 400)
    assert found.message.startswith(FitStatus.CONVERGED.meaning)
    trajectory = found.trajectory
    assert isinstance(trajectory, ro.Trajectory)
    assert (trajectory.success, trajectory.status) == (True, ro.Status.CONVERGED)
    np.testing.assert_array_equal(trajectory.points[0], [1.0, 1.0])
    np.testing.assert_array_equal(trajectory.x, found.x)
    assert np.all(np.diff(trajectory.losses) < 1e-12)
    assert repr(found).startswith("Fit(Gamma: alpha=")


def test_a_summary_is_what_a_statistician_knows():
    found = fit(ro.models.Gamma(), GAMMA)
    lines = found.summary().splitlines()
    assert lines[0] == "Gamma, fitted by maximum likelihood"
    text = " ".join(found.summary().split())
    for part in ("observations 400", "parameters 2", f"log-likelihood {found.log_likelihood:.6f}"):
        assert part in text
    for part in (f"AIC {found.aic:.6f}", f"BIC {found.bic:.6f}", "estimate std. error z 95 % confidence interval"):
        assert part in text
    rows = {
        cells[0]: [float(cell) for cell in cells[1:]]
        for cells in map(str.split, lines)
        if cells[:1] in (["alpha"], ["beta"])
    }
    for name, x, error, interval in zip(
        rows, found.x, found.standard_errors, found.confidence_intervals(), strict=True
    ):
        np.testing.assert_allclose(rows[name], [x, error, x / error, *interval], rtol=1e-3)
    assert lines[-1] == f"Ended: {found.message}."


def test_progress_is_told():
    told = []
    fit(ro.models.Gamma(), GAMMA, start=[1.0, 1.0], progress=lambda *what: told.append(what))
    assert [done for done, _, _ in told] == list(range(1, len(told) + 1))
    assert {total for _, total, _ in told} == {2000}
    assert "mean negative log-likelihood" in told[0][2]


def test_a_gentler_damping_rule_and_line_search_get_there_too():
    rule, line = ro.LevenbergMarquardt(), ro.Backtracking()
    found = fit(ro.models.Gamma(), GAMMA, start=[1.0, 1.0], damping=rule, line_search=line)
    assert found.success
    np.testing.assert_allclose(found.x, fit(ro.models.Gamma(), GAMMA).x, rtol=1e-9)


# -- where there is no optimum to be trusted


def untrusted(found, status):
    assert (found.success, found.status, found.trajectory.success) == (False, status, status.name == "STEP_LIMIT")
    assert f"NOT TO BE TRUSTED: {status.meaning}" in found.summary()
    return True


def test_too_few_steps():
    found = fit(ro.models.Gamma(), GAMMA, start=[1.0, 1.0], max_steps=1)
    assert untrusted(found, FitStatus.STEP_LIMIT)
    assert len(found.trajectory.points) == 2


def test_parameters_that_cannot_be_told_apart():
    x = np.linspace(0.0, 1.0, 20)
    y = np.sin(9.0 * x)
    found = fit(regression("a + 2 * b + c * x", sp.symbols("a b c", real=True)), y, x, start=[0.0, 0.0, 0.0])
    assert untrusted(found, FitStatus.SINGULAR_METRIC)
    assert "nothing changes along a - 0.5 b)" in found.message
    assert np.isnan(found.standard_errors).all()
    intercept = scipy.stats.linregress(x, y).intercept
    assert found.x[0] + 2.0 * found.x[1] == pytest.approx(intercept, rel=1e-9)


def test_an_optimum_at_infinity():
    x = np.linspace(-1.0, 1.0, 10)
    found = fit(LOGISTIC, (x > 0.0).astype(float), x)
    assert untrusted(found, FitStatus.AT_EDGE)
    assert "b = " in found.message
    assert np.isnan(found.standard_errors).all()


@pytest.mark.slow
def test_tails_lighter_than_any_of_the_family():
    found = fit(ro.models.StudentT(), np.linspace(-1.0, 1.0, 50))
    assert untrusted(found, FitStatus.AT_EDGE)
    assert "nu = " in found.message


class Bowl(ro.Problem):
    """A loss, its differential, and the flat metric."""

    def __init__(self, loss, gradient):
        self.loss, self.gradient = loss, gradient

    def metric(self, theta):
        return np.eye(len(theta))

    def connection(self, theta, vector, a=0.0):
        return np.zeros_like(vector)


def test_a_gradient_that_is_not_that_of_the_loss():
    descent = descend(Bowl(lambda x: x @ x, lambda x: -x), np.array([1.0, 2.0]), tolerance=1e-12, max_steps=100)
    assert descent.status is FitStatus.STALLED
    np.testing.assert_allclose(descent.points[-1], [1.0, 2.0], rtol=1e-12)


def test_a_gradient_that_is_no_number():
    problem = Bowl(lambda x: x @ x, lambda x: np.full_like(x, np.nan))
    assert descend(problem, np.array([1.0]), tolerance=1e-12, max_steps=100).status is FitStatus.NON_FINITE


def test_a_step_out_of_the_domain_is_shortened():
    def loss(x):
        return x[0] - np.log(x[0]) if 0.0 < x[0] < 1.5 else np.nan

    problem = Bowl(loss, lambda x: 1.0 - 1.0 / x if 0.0 < x[0] < 1.5 else np.full(1, np.nan))
    descent = descend(problem, np.array([1e-3]), tolerance=1e-12, max_steps=100)
    assert descent.status is FitStatus.CONVERGED
    assert np.all((descent.points > 0.0) & (descent.points < 1.5))
    np.testing.assert_allclose(descent.points[-1], 1.0, rtol=1e-11)


def test_every_reason_has_its_words():
    assert len({status.meaning for status in FitStatus}) == len(FitStatus)
    assert [status.name for status in FitStatus if status.success] == ["CONVERGED", "AT_ROUNDING"]


# -- bad input


@pytest.mark.parametrize(
    "family", ["gamma", *(pytest.param(family, marks=pytest.mark.slow) for family in ("normal", "weibull", "cauchy"))]
)
def test_samples_that_are_all_equal_have_no_likeliest_density(family):
    with pytest.raises(ro.errors.DataError, match=r"every sample is 2\.5: the likelihood of \w+ has no maximum inside"):
        fit(ro.models.family(family), [2.5] * 4)


@pytest.mark.parametrize(("family", "value"), [("poisson", 0.0), ("bernoulli", 1.0)])
def test_counts_at_the_end_of_their_range_have_no_likeliest_density(family, value):
    with pytest.raises(ro.errors.DataError, match=f"every sample is {value:g}"):
        fit(ro.models.family(family), [value] * 4)


def test_equal_samples_are_welcome_where_they_determine_the_parameters():
    np.testing.assert_allclose(fit(ro.models.Exponential(), [2.5] * 4).x, [0.4], rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"samples": []}, ro.errors.DataError, "there are no samples"),
        ({"samples": [1.0, -1.0]}, ro.errors.DataError, "lies outside the support"),
        ({"start": [1.0, -1.0]}, ro.errors.DomainError, "start: beta = -1.0 is outside its domain"),
        ({"start": [1.0]}, ro.errors.ShapeError, "start: the last axis"),
        ({"start": [[1.0, 1.0]]}, ro.errors.ShapeError, "start has shape"),
        ({"start": [1e308, 1e308]}, ro.errors.DomainError, "start: the likelihood"),
        ({"inputs": [1.0, 2.0]}, ro.errors.ArgumentError, "inputs"),
        ({"tolerance": -1.0}, ro.errors.ArgumentError, "tolerance"),
        ({"max_steps": -1}, ro.errors.ArgumentError, "max_steps"),
        ({"max_steps": 1.5}, ro.errors.ArgumentError, "max_steps"),
        ({"backend": "abacus"}, ro.errors.UnknownNameError, "abacus"),
    ],
)
def test_bad_input(options, error, message):
    with pytest.raises(error, match=message):
        fit(ro.models.Gamma(), **{"samples": [1.0, 2.0], **options})


def test_a_confidence_is_a_probability():
    found = fit(ro.models.Exponential(), [1.0, 2.0])
    with pytest.raises(ro.errors.ArgumentError, match="level"):
        found.confidence_intervals(95)


# -- the search for a start


def test_candidates_lie_in_the_domain_and_are_always_the_same():
    a, b, c, d = sp.symbols("a", real=True), *sp.symbols("b c", positive=True), sp.Symbol("d", negative=True)
    domain = Domain.of((a, b, c, d), [c < 1, a > d])
    data, inputs = [RNG.normal(1e6, 1.0, size=50)], [np.linspace(0.0, 1e-3, 50)]
    points = candidates(domain, data, inputs, 500)
    assert domain.contains(points).all()
    assert len(points) > 100
    np.testing.assert_array_equal(points, candidates(domain, data, inputs, 500))
    for place in (1.0, 1e6, 1e-3):
        assert np.min(np.abs(np.log(points[:, 1] / place))) < 1.0
    assert np.min(np.abs(points[:, 0] - 1e6)) < 3.0


def test_a_loss_that_is_finite_nowhere_asks_for_a_start():
    class Nowhere(ro.Problem):
        count = 1

        def loss(self, theta):
            return np.full(np.shape(theta)[:-1], np.nan)

    with pytest.raises(ro.errors.DataError, match="give start="):
        search(Nowhere(), Domain.of(sp.symbols("a b", positive=True)), [np.ones(3)], [])


@pytest.mark.parametrize("name", ["fit", "LevenbergMarquardt", "Backtracking"])
def test_public_names(name):
    assert name in ro.__all__
    assert inspect.getdoc(getattr(ro, name))
