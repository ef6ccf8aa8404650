"""Normal distributions with every covariance matrix."""

import sympy as sp

import riemopt as ro
from riemopt.geometry.covariance import covariance_matrices
from riemopt.geometry.positive_matrices import PositiveMatrices

x, y = sp.symbols("x y", real=True)
p, q = sp.symbols("p q", positive=True)
r = sp.Symbol("r", real=True)


def normal(quadratic, determinant, parameters, domain=()):
    density = -quadratic / 2 + sp.log(determinant) / 2 - sp.log(2 * sp.pi)
    return ro.StatisticalModel(density, (x, y), (sp.S.Reals,) * 2, parameters, domain=domain, check=False)


def test_a_precision_matrix_is_read_off_the_density():
    found = covariance_matrices(normal(p * x**2 + 2 * r * x * y + q * y**2, p * q - r**2, (p, r, q), [p * q > r**2]))
    assert found.spaces == (PositiveMatrices(2),) and found.forward == (p, r, q)


def test_fewer_parameters_than_entries_are_another_model():
    assert covariance_matrices(normal(p * x**2 + q * y**2, p * q, (p, q))) is None
