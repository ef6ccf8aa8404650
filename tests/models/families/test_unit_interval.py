"""Densities between 0 and 1."""

import numpy as np

import riemopt as ro

X = np.array([0.1, 0.5, 0.9])


def test_equal_shapes_of_one_are_uniform():
    for model in (ro.models.Beta(), ro.models.Kumaraswamy()):
        np.testing.assert_allclose(model.log_density_at([1.0, 1.0], X), 0.0, atol=1e-14)


def test_exchanged_shapes_are_the_mirror_image():
    model = ro.models.Beta()
    np.testing.assert_allclose(model.log_density_at([2.0, 5.0], X), model.log_density_at([5.0, 2.0], 1 - X), rtol=1e-13)


def test_a_power_of_kumaraswamy_is_beta():
    found = ro.models.Kumaraswamy().log_density_at([2.0, 3.0], np.sqrt(X)) - np.log(2 * np.sqrt(X))
    np.testing.assert_allclose(found, ro.models.Beta().log_density_at([1.0, 3.0], X), rtol=1e-12)
