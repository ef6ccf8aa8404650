"""The field of fractions that tensors are computed in."""

import pytest
import sympy as sp

from riemopt.geometry.field import Field
from riemopt.geometry.writing import Writer

x, y = sp.symbols("x y", positive=True)
EXPRESSIONS = [
    sp.sqrt(x) * sp.exp(-2 * y) + sp.polygamma(1, x + y) / sp.log(2 * x),
    sp.besseli(1, x) / sp.besseli(0, x) + x ** (y / 3) + sp.exp(y / 2 + x),
    (1 - x - y) ** -3 + sp.sqrt(1 + x**2) * y - sp.pi * sp.EulerGamma,
    sp.Rational(2, 3) * x**2 - sp.zeta(3) / (x + sp.sqrt(2)),
]


@pytest.mark.parametrize("k", range(len(EXPRESSIONS)))
@pytest.mark.slow_for("2", "0")
def test_derivatives_in_the_field_are_those_of_expressions(k):
    expression = EXPRESSIONS[k]
    field = Field.of((x, y), [expression], order=2)
    write = Writer(field)
    values = {x: sp.Rational(2, 7), y: sp.Rational(3, 5)}
    for along in ((), (x,), (x, y)):
        element, expected = field(expression), expression
        for symbol in along:
            element, expected = element.diff(symbol), expected.diff(symbol)
        assert abs((write(element) - expected).evalf(30, subs=values)) < 1e-25


@pytest.mark.parametrize(
    "zero",
    [
        sp.sqrt(x) ** 2 - x,
        sp.exp(2 * x) * sp.exp(-x) - sp.exp(x),
        sp.log(2 * x * y) - sp.log(2) - sp.log(x) - sp.log(y),
        sp.besseli(2, x) - sp.besseli(0, x) + 2 * sp.besseli(1, x) / x,
        x ** (y + 1) - x * x ** (y / 2) * x ** (y / 2),
        1 / (x + y) - (x - y) / (x**2 - y**2),
        sp.Float(0.1) * x - x / 10,
    ],
)
def test_what_is_zero_is_zero_in_the_field(zero):
    terms = sp.Add.make_args(zero)
    field = Field.of((x, y), terms)
    total = field(0)
    for term in terms:
        total = total + field(term)
    assert not total
