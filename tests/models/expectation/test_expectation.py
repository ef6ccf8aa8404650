"""The tensors that every way of taking expectations gives, as moments of the score."""

from itertools import combinations_with_replacement, permutations

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sympy as sp

import riemopt as ro

REFERENCES = {
    "gamma": ((2.5, 0.75), lambda alpha, beta: scipy.stats.gamma(alpha, scale=1 / beta)),
    "normal": ((-1.5, 0.25), scipy.stats.norm),
    "exponential": ((0.125,), lambda rate: scipy.stats.expon(scale=1 / rate)),
    "poisson": ((20.0,), scipy.stats.poisson),
}


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


@pytest.mark.slow_for("gamma by cube", "gamma by squares")
def test_skewness_is_the_third_moment_of_the_score(case):
    """By mpmath: integrals over the half-line or the line, sums over the counts."""
    model, point = case.model, case.points[1]
    score = [model.log_density.diff(p) for p in model.parameters]
    tensor = np.array(sp.lambdify(model.parameters, model.expectation.skewness.tolist(), "scipy")(*point), dtype=float)
    for index in combinations_with_replacement(range(model.dimension), 3):
        expected = case.mean(sp.Mul(*(score[i] for i in index)), point)
        for permuted in permutations(index):
            assert tensor[permuted] == pytest.approx(expected, rel=1e-7, abs=1e-7)
