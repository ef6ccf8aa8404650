"""Tensors over a field of fractions."""

import sympy as sp

import riemopt as ro
from riemopt.geometry.tensors import FieldTensors


def test_the_tensors_of_the_normal_model_are_those_of_hyperbolic_space():
    model = ro.models.Normal()
    _, sigma = model.parameters
    tensors = FieldTensors(model, sp.diag(1 / sigma**2, 2 / sigma**2), None, ())
    assert tensors.array(tensors.inverse) == sp.Array([[sigma**2, 0], [0, sigma**2 / 2]])
    assert tensors.write(tensors.determinant) == 2 / sigma**4
    assert tensors.write(tensors.scalar) == -1


def test_the_connection_with_a_of_one_vanishes_in_natural_parameters():
    rate = sp.Symbol("rate", positive=True)
    model = ro.models.Exponential()
    (symbol,) = model.parameters
    skewness = sp.Array([[[-2 / rate**3]]]).subs(rate, symbol)
    tensors = FieldTensors(model, sp.Matrix([[1 / symbol**2]]), skewness, ())
    assert tensors.array(tensors.alpha_first(1)) == sp.Array([[[0]]])
    assert tensors.array(tensors.alpha_first(0)) == sp.Array([[[-1 / symbol**3]]])
