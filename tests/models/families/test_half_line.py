"""Densities on the half-line, as special cases and images of one another."""

import numpy as np

import riemopt as ro

T = np.array([0.1, 0.75, 2.0, 5.0])
models = ro.models


def test_special_cases_are_the_exponential_density():
    exponential = models.Exponential().log_density_at([0.5], T)
    np.testing.assert_allclose(models.Gamma().log_density_at([1.0, 0.5], T), exponential, rtol=1e-13)
    np.testing.assert_allclose(models.Weibull().log_density_at([1.0, 2.0], T), exponential, rtol=1e-13)


def test_a_weibull_density_of_shape_two_is_rayleighs():
    rayleigh = models.Rayleigh().log_density_at([3.0], T)
    np.testing.assert_allclose(models.Weibull().log_density_at([2.0, 3.0 * np.sqrt(2.0)], T), rayleigh, rtol=1e-13)
    np.testing.assert_allclose(models.Nakagami().log_density_at([1.0, 18.0], T), rayleigh, rtol=1e-13)


def test_logarithms_and_inverses_have_the_densities_of_their_names():
    normal = models.Normal().log_density_at([0.5, 2.0], np.log(T)) - np.log(T)
    np.testing.assert_allclose(models.LogNormal().log_density_at([0.5, 2.0], T), normal, rtol=1e-13)
    logistic = models.Logistic().log_density_at([0.5, 0.25], np.log(T)) - np.log(T)
    found = models.LogLogistic().log_density_at([np.exp(0.5), 4.0], T)
    np.testing.assert_allclose(found, logistic, rtol=1e-12)
    gamma = models.Gamma().log_density_at([2.5, 0.75], 1 / T) - 2 * np.log(T)
    np.testing.assert_allclose(models.InverseGamma().log_density_at([2.5, 0.75], T), gamma, rtol=1e-12, atol=1e-13)
    odds = models.Beta().log_density_at([2.5, 0.75], T / (1 + T)) - 2 * np.log(1 + T)
    np.testing.assert_allclose(models.BetaPrime().log_density_at([2.5, 0.75], T), odds, rtol=1e-12)


def test_the_logarithm_of_pareto_is_exponential():
    found = models.Pareto(2).log_density_at([1.5], 2 * np.exp(T)) + np.log(2) + T
    np.testing.assert_allclose(found, models.Exponential().log_density_at([1.5], T), rtol=1e-12)


def test_the_inverse_gaussian_density_has_its_mean():
    t = np.linspace(1e-3, 60.0, 200_001)
    density = np.exp(models.InverseGaussian().log_density_at([1.5, 4.0], t))
    np.testing.assert_allclose(np.trapezoid(t * density, t), 1.5, rtol=1e-6)
