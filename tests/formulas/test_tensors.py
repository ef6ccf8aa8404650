"""Tensors from primitives that can be differentiated."""

import numpy as np

import riemopt as ro
from riemopt.formulas import tensors
from riemopt.formulas.tensors import amari_chentsov
from riemopt.formulas.traced import pointwise_program
from tests.formulas.programs import run


def test_amari_chentsov_tensor_of_three_coordinates_is_found_with_four_vectors():
    """Of a tensor made of numbers, by the function that the compiled rule runs."""
    random = np.random.default_rng(5).normal(size=(3, 3, 3))
    tensor = sum(random.transpose(axes) for axes in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)))
    asked = []

    def contraction(v):
        asked.append(v)
        return np.einsum("ijk,i,j", tensor, v, v)

    np.testing.assert_allclose(amari_chentsov(contraction, 3), tensor, rtol=1e-13)
    assert len(asked) == 4


def test_the_categorical_model_is_a_sphere_of_radius_two():
    formulas, point = ro.Manifold(ro.models.Categorical(3), backend="numpy")._formulas, [0.2, 0.5]
    program = pointwise_program(formulas, lambda p, x: (tensors.scalar_curvature(p, x), tensors.ricci(p, x)), [2])
    status, scalar, *ricci = run(program, point)
    assert (status, round(scalar, 12)) == (0.0, 0.5)
    metric = ro.Manifold(ro.models.Categorical(3), backend="numpy").metric(point)
    np.testing.assert_allclose(np.reshape(ricci, (2, 2)), 0.25 * metric, rtol=1e-12)
