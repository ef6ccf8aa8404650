"""Integrals by free exponents."""

import sympy as sp

from riemopt.models.integrals.integral import Integral
from riemopt.models.integrals.mellin import by_exponents

w, a = sp.symbols("w a", positive=True)


def test_moments_and_logarithms_of_a_gamma_density():
    weight = (a - 1) * sp.log(w) - w - sp.log(sp.gamma(a))
    mass, mean, log = by_exponents(Integral((sp.S.One, w, sp.log(w)), weight, w, sp.S.Zero, sp.oo))
    assert sp.gammasimp(mass) == 1
    assert sp.gammasimp(mean) == a
    assert sp.simplify(sp.gammasimp(log) - sp.digamma(a)) == 0
