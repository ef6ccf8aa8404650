"""The rule of Gauss and Kronrod: exact as far as it should be, and no further."""

import numpy as np
import pytest

from riemopt.numerics.quadrature_rule import GAUSS_WEIGHTS, KRONROD_NODES, KRONROD_WEIGHTS


def test_gauss_kronrod_tables_integrate_polynomials_exactly():
    nodes, kronrod, gauss = map(np.array, (KRONROD_NODES, KRONROD_WEIGHTS, GAUSS_WEIGHTS))
    assert len(nodes) == len(kronrod) == len(gauss) == 21 and np.all(np.diff(nodes) > 0)
    np.testing.assert_array_equal(nodes, -nodes[::-1])
    for degree in range(0, 32):
        exact = 2 / (degree + 1) if degree % 2 == 0 else 0.0
        assert kronrod @ nodes**degree == pytest.approx(exact, abs=3e-16)
        if degree < 20:
            assert gauss @ nodes**degree == pytest.approx(exact, abs=3e-16)
    # and no further: a wrong digit would show here, too
    assert abs(kronrod @ nodes**32 - 2 / 33) > 1e-12
    assert abs(gauss @ nodes**20 - 2 / 21) > 1e-7
    legendre, weights = np.polynomial.legendre.leggauss(10)
    np.testing.assert_allclose(nodes[gauss > 0], legendre, rtol=0, atol=2e-16)
    np.testing.assert_allclose(gauss[gauss > 0], weights, rtol=0, atol=2e-16)
