"""Densities of several observations, whose margins are those of one."""

import numpy as np

import riemopt as ro

models = ro.models


def test_two_categories_are_binomial_or_beta():
    k = np.arange(11.0)
    found = models.Multinomial(10, 2).log_density_at([0.3], np.stack([k, 10 - k], axis=-1))
    np.testing.assert_allclose(found, models.Binomial(10).log_density_at([0.3], k), rtol=1e-12)
    x = np.array([0.125, 0.5, 0.75])
    found = models.Dirichlet(2).log_density_at([2.0, 5.0], np.stack([x, 1 - x], axis=-1))
    np.testing.assert_allclose(found, models.Beta().log_density_at([2.0, 5.0], x), rtol=1e-12)


def test_one_dimension_is_the_normal_density():
    x = np.array([-1.0, 0.5, 2.0])
    found = models.MultivariateNormal(1).log_density_at([0.5, 4.0], x)
    np.testing.assert_allclose(found, models.Normal().log_density_at([0.5, 2.0], x), rtol=1e-13)


def test_uncorrelated_normals_are_independent():
    x = np.array([[-1.0, 0.5], [2.0, 1.0]])
    found = models.MultivariateNormal(2).log_density_at([0.5, -1.0, 4.0, 0.0, 9.0], x)
    normal = models.Normal()
    expected = normal.log_density_at([0.5, 2.0], x[:, 0]) + normal.log_density_at([-1.0, 3.0], x[:, 1])
    np.testing.assert_allclose(found, expected, rtol=1e-13)
