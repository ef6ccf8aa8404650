"""Densities of counts and of categories, as special cases and limits of one another."""

import numpy as np

import riemopt as ro

models = ro.models
K = np.arange(4.0)


def test_one_trial_is_bernoullis():
    found = models.Binomial(1).log_density_at([0.3], K[:2])
    np.testing.assert_allclose(found, models.Bernoulli().log_density_at([0.3], K[:2]), rtol=1e-13)
    np.testing.assert_allclose(models.Categorical(2).log_density_at([0.7], K[:2]), found, rtol=1e-13)


def test_one_success_is_waited_for_geometrically():
    waiting = models.Geometric().log_density_at([0.3], K + 1)
    np.testing.assert_allclose(models.NegativeBinomial().log_density_at([1.0, 0.3], K), waiting, rtol=1e-13)


def test_many_rare_trials_are_poissons():
    rare = models.Binomial(10**6).log_density_at([2e-6], K)
    np.testing.assert_allclose(rare, models.Poisson().log_density_at([2.0], K), atol=1e-5)
