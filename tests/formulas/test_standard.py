"""Geodesics through the coordinates of the standard spaces."""

import numpy as np

import riemopt as ro
from riemopt.formulas.model_geometry import formulas_of
from riemopt.formulas.standard import StandardGeodesics
from riemopt.formulas.traced import pointwise_program
from tests.formulas.programs import run

FORMULAS = formulas_of(ro.models.Exponential(), closed_forms=True)


def geodesics(p, x, v):
    return StandardGeodesics(p, p.formulas.isometry(), x, v)


def test_geodesics_of_a_rate_are_exponentials():
    program = pointwise_program(FORMULAS, lambda p, x, v: geodesics(p, x, v).end, [1, 1])
    np.testing.assert_allclose(run(program, [2.0], [3.0]), [0.0, 2.0 * np.exp(1.5)], rtol=1e-14)


def test_velocities_to_targets_are_logarithms():
    program = pointwise_program(FORMULAS, lambda p, x, y: geodesics(p, x, None).log(y), [1, 1])
    np.testing.assert_allclose(run(program, [2.0], [5.0]), [0.0, 2.0 * np.log(2.5)], rtol=1e-14)


def test_vectors_are_carried_without_a_change_of_length():
    program = pointwise_program(FORMULAS, lambda p, x, v, w: geodesics(p, x, v).carried(w), [1, 1, 1])
    np.testing.assert_allclose(run(program, [2.0], [3.0], [1.0]), [0.0, np.exp(1.5)], rtol=1e-14)


def test_a_geodesic_that_never_leaves_says_so():
    program = pointwise_program(FORMULAS, lambda p, x, v: geodesics(p, x, v).rate, [1, 1])
    assert run(program, [2.0], [-3.0]) == [0.0, 0.0]
