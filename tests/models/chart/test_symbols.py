"""Substitutions that are no charts for want of symbols."""

import pytest
import sympy as sp

from riemopt.errors import ModelError
from riemopt.models.chart import Chart
from tests.models.chart.cases import GAMMA, PROBABILITY, a, alpha, b, beta, mu, p, sigma, x


@pytest.mark.parametrize(
    ("domain", "substitution", "parameters", "message"),
    [
        (GAMMA, {alpha: a}, (a, b), "no expression for the original parameter beta"),
        (GAMMA, {alpha: a, beta: b, mu: b}, (a, b), "mu is not one of the original parameters (alpha, beta)"),
        (GAMMA, {alpha: a, beta: b}, (a, b, x), "2 original parameters need as many coordinates, not 3: a, b, x"),
        (GAMMA, {alpha: a, beta: a}, (a,), "2 original parameters need as many coordinates, not 1: a"),
        (GAMMA, {alpha: a, beta: a**2}, (a, a), "parameter a is named twice"),
        (GAMMA, {alpha: a, beta: b + sigma}, (a, b), "beta = b + sigma: sigma is not one of the parameters (a, b)"),
        (GAMMA, {alpha: a, beta: sp.Symbol("b", real=True) ** 2 + 1}, (a, b), "b is not one of the parameters (a, b)"),
        (GAMMA, {alpha: a, beta: "1/b"}, (a, b), "beta = '1/b' is not a SymPy expression"),
        (GAMMA, {alpha: a, beta: a}, (a, b), "alpha = a, beta = a is not invertible: b appears nowhere"),
        (GAMMA, {alpha: -a, beta: b}, (a, b), "never holds"),
        (PROBABILITY, {p: 1 + a}, (a,), "never holds"),
    ],
)
def test_a_substitution_with_wrong_symbols_is_refused(domain, substitution, parameters, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        Chart.of(domain, substitution, parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
