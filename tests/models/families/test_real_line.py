"""Densities on the real line and on the circle."""

import numpy as np
import pytest

import riemopt as ro

X = np.array([-2.0, -0.5, 0.25, 3.0])


@pytest.mark.parametrize("name", ["normal", "cauchy", "logistic", "gumbel"])
def test_location_and_scale_move_the_density(name):
    model = ro.models.family(name)
    standard = model.log_density_at([0.0, 1.0], X)
    moved = model.log_density_at([1.5, 4.0], 1.5 + 4.0 * X)
    np.testing.assert_allclose(moved, standard - np.log(4.0), rtol=1e-13)


def test_students_density_becomes_cauchys_and_the_normal_one():
    student = ro.models.StudentT()
    cauchy, normal = ro.models.Cauchy(), ro.models.Normal()
    np.testing.assert_allclose(student.log_density_at([1.0, 0.5, 2.0], X), cauchy.log_density_at([0.5, 2.0], X))
    far = student.log_density_at([1e6, 0.5, 2.0], X)
    np.testing.assert_allclose(far, normal.log_density_at([0.5, 2.0], X), rtol=1e-4)


def test_an_angle_may_be_counted_from_anywhere():
    model = ro.models.VonMises()
    np.testing.assert_allclose(model.log_density_at([0.5, 2.0], [1.0]), model.log_density_at([0.0, 2.0], [0.5]))


def test_a_mixture_of_equals_is_its_component():
    mixed = ro.models.NormalMixture().log_density_at([0.3, 1.0, 2.0, 1.0, 2.0], X)
    np.testing.assert_allclose(mixed, ro.models.Normal().log_density_at([1.0, 2.0], X), rtol=1e-13)
