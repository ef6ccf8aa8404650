"""Many integrals at once: each what it is alone."""

import numpy as np
import scipy.special as sc

from riemopt.numerics.quadrature_of_rows import integrals_of_rows, peaks_of_rows

ONE = np.ones_like
HALF_LOG_2PI = np.log(2 * np.pi) / 2


def normal(mu, sigma):
    return lambda y: -(((y - mu) / sigma) ** 2) / 2 - np.log(sigma) - HALF_LOG_2PI


def test_rows_are_integrals_of_their_own():
    mu, sigma = np.array([0.0, 3.0, -200.0, 1e-3]), np.array([1.0, 0.01, 7.0, 1e-5])
    table = dict(zip(mu, sigma, strict=True))

    def functions(y, z):
        s = np.vectorize(table.get)(y)
        return [normal(y, s)(z), ONE(z), z, ((z - y) / s) ** 2]

    with np.errstate(all="ignore"):
        at, heights = peaks_of_rows(functions, mu)
        best, totals = integrals_of_rows(functions, mu)
    np.testing.assert_allclose(at, mu, atol=1e-6)
    np.testing.assert_allclose(heights, -np.log(sigma) - HALF_LOG_2PI, rtol=1e-9)
    np.testing.assert_allclose(np.exp(best) * totals, [ONE(mu), mu, ONE(mu)], rtol=1e-9, atol=1e-12)


def test_rows_of_sums():
    rates = np.array([0.01, 3.0, 250.0])

    def functions(y, k):
        return [k * np.log(y) - y - sc.gammaln(k + 1), ONE(k), k]

    at, _ = peaks_of_rows(functions, rates, (0.0, np.inf))
    assert at[0] == 0.0 and at[1] in (2.0, 3.0) and at[2] in (249.0, 250.0)
    best, totals = integrals_of_rows(functions, rates, (0.0, np.inf))
    np.testing.assert_allclose(np.exp(best) * totals, [ONE(rates), rates], rtol=1e-12)
