"""Forms of expressions: what is an exponential, what has a logarithm of its own."""

import sympy as sp

from riemopt.kernels.graph.recognition import (
    ScaledBessel,
    bessel_growth,
    coefficient_and_exponent,
    exponent_of,
    has_own_logarithm,
    less_one,
    logistic_exponent,
    scaled,
)

s = sp.Symbol("s", real=True)
u, v = sp.symbols("u v", positive=True)
z = sp.Symbol("z")


def value(exponent):
    """The sum that an exponent stands for."""
    return sp.Add(*(c[0] * sp.log(c[1]) if isinstance(c, tuple) else c for c in exponent))


def test_exponentials_powers_and_their_products_have_an_exponent():
    for e, exponent in [(sp.exp(s), s), (u**s, s * sp.log(u)), (sp.exp(s) * u**v, s + v * sp.log(u))]:
        assert sp.simplify(value(exponent_of(e)) - exponent) == 0


def test_other_expressions_have_no_exponent():
    assert all(exponent_of(e) is None for e in (u, u**2, s * sp.exp(s), u + sp.exp(s), sp.exp(sp.I * u)))


def test_powers_of_what_grows_exponentially_have_an_exponent():
    assert exponent_of((1 + sp.exp(s)) ** 2) == [(2, 1 + sp.exp(s))]


def test_terms_are_a_coefficient_and_an_exponential():
    assert coefficient_and_exponent(3 * u * sp.exp(s)) == (3 * u, [s])
    assert coefficient_and_exponent(3 * u) == (3 * u, [])


def test_what_is_known_to_be_positive_has_a_logarithm_of_its_own():
    assert all(map(has_own_logarithm, (sp.gamma(u), sp.besseli(0, s), sp.besseli(1, u), 1 + u)))
    assert not any(map(has_own_logarithm, (u, sp.besseli(1, s), sp.gamma(z), 1 + z, sp.besseli(u, v))))


def test_scaled_bessel_functions_leave_their_growth_over():
    factors = (sp.besseli(1, s), 1 / sp.besseli(0, u), v)
    assert bessel_growth(factors) == sp.Abs(s) - u
    assert [scaled(f) for f in factors] == [ScaledBessel(1, s), 1 / ScaledBessel(0, u), v]
    assert bessel_growth((u, v)) is None


def test_exponentials_less_one_have_a_sign_and_an_exponent():
    assert less_one(sp.exp(s) - 1) == (1, [s])
    assert less_one(1 - sp.exp(s)) == (-1, [s])
    assert less_one(sp.exp(s) + 1) is None and less_one(u - 1) is None and less_one(u + v - 1) is None


def test_logistic_powers_have_an_exponent():
    assert logistic_exponent(1 / (1 + sp.exp(s))) == logistic_exponent((1 + sp.exp(s)) ** -3) == [s]
    assert logistic_exponent(1 / (1 + u)) is None and logistic_exponent(1 + sp.exp(s)) is None
    assert logistic_exponent(1 / sp.sqrt(1 + sp.exp(s))) is None
