"""Expressions as functions of arrays."""

import numpy as np
import sympy as sp

from riemopt.symbolic.functions import array_function, numeric_function

x, y = sp.symbols("x y", real=True)


def test_points_of_any_shape_become_values_behind_their_axes():
    values = array_function((x, y), (x + y, x * y, sp.Integer(2)))(np.ones((4, 3, 2)))
    assert values.shape == (4, 3, 3)
    np.testing.assert_array_equal(values[0, 0], [2.0, 1.0, 2.0])


def test_logarithms_of_large_numbers_do_not_overflow():
    k = sp.Symbol("k", integer=True, positive=True)
    softplus, log_gamma = numeric_function([x, k], [sp.log(1 + sp.exp(x)), sp.log(sp.gamma(k))])(1000.0, 500.0)
    assert softplus == 1000.0
    np.testing.assert_allclose(log_gamma, float(sp.loggamma(500).evalf()), rtol=1e-14)


def test_a_symbol_may_be_called_like_a_function():
    gamma = sp.Symbol("gamma", positive=True)
    np.testing.assert_allclose(array_function((gamma,), (sp.gamma(gamma),))(np.array([5.0])), [24.0])
