"""Parameters as functions of natural and mean parameters, in closed form or as preimages."""

from functools import cache

import numpy as np
import pytest

import riemopt as ro

FAMILIES = [
    "bernoulli",
    "beta",
    "betaprime",
    "binomial",
    "categorical",
    "dirichlet",
    "exponential",
    "gamma",
    "geometric",
    "inversegamma",
    "inversegaussian",
    "lognormal",
    "multinomial",
    "multivariatenormal",
    "nakagami",
    "normal",
    "pareto",
    "poisson",
    "rayleigh",
    "vonmises",
]
IMPLICIT = ["beta", "betaprime", "dirichlet", "gamma", "inversegamma", "nakagami", "vonmises"]


@cache
def charts(name: str) -> tuple[ro.StatisticalModel, ro.StatisticalModel, ro.StatisticalModel, np.ndarray]:
    """A family, its natural and its mean chart, and some points."""
    model = ro.models.family(name)
    return model, model.natural_chart(), model.mean_chart(), model.domain.interior_points(5, spread=0.4)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.slow_for("multivariatenormal")
def test_natural_charts_are_closed_forms(name):
    _, natural, mean, _ = charts(name)
    assert not natural.chart.is_implicit
    assert mean.chart.is_implicit == (name in IMPLICIT)


def test_equations_linear_in_many_parameters_are_solved_at_once():
    natural = ro.models.Categorical(8).natural_chart()
    assert not natural.chart.is_implicit
    point = np.arange(1.0, 8.0) / 36.0
    z = natural.chart.from_original(point)
    np.testing.assert_allclose(z, np.log(np.arange(1.0, 8.0) / 8.0), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(natural.chart.to_original(z), point, rtol=1e-14)


@pytest.mark.slow
def test_more_parameters_than_can_be_solved_for_are_found_by_newtons_method():
    model = ro.models.MultivariateNormal(3)
    natural = model.natural_chart()
    assert natural.chart.is_implicit
    points = model.domain.interior_points(3, spread=0.3)
    np.testing.assert_allclose(natural.chart.to_original(natural.chart.from_original(points)), points, atol=1e-12)
