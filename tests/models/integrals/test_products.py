"""Expressions as sums of products."""

import sympy as sp

from riemopt.models.integrals.products import Term, exponential, is_positive, products, split_logarithms

w, a, b = sp.symbols("w a b", positive=True)


def test_logarithms_of_products_are_split_and_sums_begin_with_one():
    split = split_logarithms(sp.log(a * w**b * (a + w)), w)
    assert sp.expand(split - (2 * sp.log(a) + b * sp.log(w) + sp.log(1 + w / a)), log=False) == 0


def test_denominators_and_fixed_sums_are_not_multiplied_out():
    found = products((1 + w) * (a + b) / (2 + w), [w])
    assert set(found) == {(a + b) / (2 + w), w * (a + b) / (2 + w)}


def test_multiples_of_logarithms_become_powers():
    assert exponential(a * sp.log(w) - w) == w**a * sp.exp(-w)


def test_the_factors_of_a_term_give_the_product_back():
    product = 3 * a * w**b * (1 + w) ** -2 * sp.log(w) ** 2 * sp.exp(-w)
    term = Term.of(product, w)
    assert (term.coefficient, term.powers, term.logs) == (3 * a, {w: b, 1 + w: -2}, {w: 2})
    assert (term.exponent, term.rest) == (-w, 1)


def test_one_less_a_power_counts_as_positive():
    assert is_positive(1 - w**a, w) and not is_positive(1 - w - w**2, w)
