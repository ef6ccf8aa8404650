"""Natural parameters and statistics found in log-densities."""

import pytest
import sympy as sp

import riemopt as ro
from riemopt.models.expectation import exponential_form

x = sp.Symbol("x", positive=True)
a, b = sp.symbols("a b", positive=True)
HALF_LINE = sp.Interval.open(0, sp.oo)


def trigamma(z):
    return sp.polygamma(1, z)


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
