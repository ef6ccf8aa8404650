"""Maps that are not one to one."""

import pytest
import sympy as sp

from riemopt.errors import ModelError
from riemopt.models.chart import Chart
from tests.models.chart.cases import GAMMA, NORMAL, a, alpha, b, beta, mu, sigma, x, y


@pytest.mark.parametrize(
    ("domain", "substitution", "parameters", "message"),
    [
        (GAMMA, {alpha: a * b, beta: (a * b) ** 2}, (a, b), "its Jacobian determinant is zero everywhere"),
        (GAMMA, {alpha: (a - 1) ** 2, beta: b}, (a, b), "its Jacobian determinant changes sign at a, b = "),
        (GAMMA, {alpha: sp.sin(x), beta: b}, (x, b), "alpha = sin(x), beta = b is not invertible"),
        (GAMMA, {alpha: x**2, beta: b}, (x, b), "is not invertible"),
        (GAMMA, {alpha: a + b, beta: a * b}, (a, b), "its Jacobian determinant changes sign"),
        (NORMAL, {mu: x**3, sigma: a}, (x, a), "its Jacobian determinant vanishes at x, a = 0, "),
        (NORMAL, {mu: sp.sin(x / 10), sigma: a}, (x, a), "its Jacobian determinant changes sign"),
        (NORMAL, {mu: sp.tan(x), sigma: a}, (x, a), "two points have the same image at x, a = "),
        (NORMAL, {mu: x - 1 / x, sigma: a}, (x, a), "two points have the same image"),
        (GAMMA, {alpha: sp.exp(x) * sp.cos(y), beta: sp.exp(x) * sp.sin(y)}, (x, y), "two points have the same image"),
    ],
)
def test_a_map_that_is_not_invertible_is_refused(domain, substitution, parameters, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        Chart.of(domain, substitution, parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
