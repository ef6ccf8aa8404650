"""fit takes any problem, since nothing in the driver knows where a metric comes from."""

import numpy as np
import pytest
import scipy.special

import riemopt as ro
from riemopt.errors import ArgumentError, UnsupportedError

SAMPLES = np.random.default_rng(0).gamma(3.0, 0.5, size=400)


def gamma_products(**options):
    """The Gamma likelihood by products written by hand."""
    mean, mean_log = SAMPLES.mean(), np.log(SAMPLES).mean()

    def metric(theta):
        a, b = theta
        return np.array([[scipy.special.polygamma(1, a), -1 / b], [-1 / b, a / b**2]])

    def connection(theta, v):
        a, b = theta
        slopes = np.zeros((2, 2, 2))  # ∂_ν g_αβ
        slopes[0, 0, 0], slopes[0, 1, 1] = scipy.special.polygamma(2, a), 1 / b**2
        slopes[1, 0, 1] = slopes[1, 1, 0] = 1 / b**2
        slopes[1, 1, 1] = -2 * a / b**3
        return np.einsum("anb,a,b->n", slopes, v, v) - np.einsum("nab,a,b->n", slopes, v, v) / 2

    def loss(theta):
        a, b = theta
        with np.errstate(all="ignore"):
            return scipy.special.gammaln(a) - a * np.log(b) - (a - 1) * mean_log + b * mean

    return ro.OperatorProblem(
        loss=loss,
        gradient=lambda t: np.array([scipy.special.digamma(t[0]) - np.log(t[1]) - mean_log, mean - t[0] / t[1]]),
        fisher_product=lambda theta, v: metric(theta) @ v,
        connection=connection,
        **options,
    )


def test_products_are_fitted_like_the_model_they_belong_to():
    derived = ro.fit(ro.models.Gamma(), SAMPLES, backend="numpy", start=[1.0, 1.0])
    found = ro.fit(gamma_products(count=len(SAMPLES)), start=[1.0, 1.0])
    assert found.success
    np.testing.assert_allclose(found.x, derived.x, rtol=1e-8)
    np.testing.assert_allclose(found.standard_errors, derived.standard_errors, rtol=1e-6)
    assert found.log_likelihood == pytest.approx(derived.log_likelihood, rel=1e-10)
    assert found.parameters.keys() == {"theta_1", "theta_2"}
    assert "OperatorProblem, fitted by maximum likelihood" in found.summary()
    assert found.trajectory.evaluations.gradients >= len(found.trajectory.points)


def test_without_a_number_of_samples_there_are_no_standard_errors():
    found = ro.fit(gamma_products(), start=[1.0, 1.0])
    assert found.success and np.isnan(found.standard_errors).all() and np.isnan(found.log_likelihood)
    assert "not known" in found.summary()


def test_a_likelihood_is_fitted_as_it_is():
    problem = ro.Manifold(ro.models.Gamma(), backend="numpy").likelihood(SAMPLES)
    found = ro.fit(problem, start=[1.0, 1.0])
    derived = ro.fit(ro.models.Gamma(), SAMPLES, backend="numpy", start=[1.0, 1.0])
    np.testing.assert_array_equal(found.trajectory.points, derived.trajectory.points)
    np.testing.assert_array_equal(found.covariance, derived.covariance)


def test_a_large_problem_is_solved_by_its_products_alone():
    n = 3000
    scales = np.geomspace(1.0, 100.0, n)
    problem = ro.OperatorProblem(
        loss=lambda x: float(np.mean(scales * (np.exp(x) - x))),
        gradient=lambda x: scales * (np.exp(x) - 1.0) / n,
        fisher_product=lambda x, v: scales * np.exp(x) * v / n,
        connection=lambda x, v: scales * np.exp(x) * v**2 / (2.0 * n),
        solver=ro.ConjugateGradient(tolerance=1e-10),
        count=n,
    )
    found = ro.fit(problem, start=np.full(n, 0.5), tolerance=1e-9)
    assert found.success
    np.testing.assert_allclose(found.x, 0.0, atol=1e-7)
    assert np.isnan(found.standard_errors).all()  # they would need the matrix


def test_a_problem_with_a_start_of_its_own_needs_none():
    problem = gamma_products()
    problem.start = np.array([2.0, 2.0])
    np.testing.assert_allclose(ro.fit(problem).trajectory.points[0], [2.0, 2.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((gamma_products(),), "OperatorProblem has no domain to search for a start: give start="),
        ((gamma_products(), [1.0, 2.0]), "a problem has its samples already"),
        ((ro.models.Gamma(),), "no samples to fit Gamma to"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        ro.fit(*arguments)


def test_what_a_fit_needs_of_a_problem_is_named():
    problem = ro.OperatorProblem(lambda x: x @ x, lambda x: 2 * x, lambda x, v: v)
    with pytest.raises(UnsupportedError, match="connection"):
        ro.fit(problem, start=[1.0])
