"""Charts typed as text, and the assumptions of the names in them."""

import numpy as np
import pytest

from riemopt.errors import ExpressionError, ModelError
from riemopt.models.chart import Chart, infer_symbols
from tests.models.chart.cases import GAMMA, NORMAL, PROBABILITY, alpha, b, beta, mu, sigma


@pytest.mark.parametrize(
    ("domain", "texts", "parameters", "described"),
    [
        (GAMMA, {"alpha": "a", "beta": "1/b"}, "a+ b+", "a > 0, b > 0"),
        (GAMMA, {"beta": "1/b"}, "alpha+ b+", "alpha > 0, b > 0"),
        (GAMMA, {"beta": "b**3"}, "alpha+ b+", "alpha > 0, b > 0"),
        (GAMMA, {"alpha": "a**2", "beta": "b**2"}, "a+ b+", "a > 0, b > 0"),
        (GAMMA, {"alpha": "exp(a)", "beta": "exp(b)"}, "a b", ""),
        (GAMMA, {"alpha": "a + 1"}, "a beta+", "beta > 0, a > -1"),
        (GAMMA, {"alpha": "2 - a"}, "a beta+", "beta > 0, a < 2"),
        (GAMMA, {"alpha": "m**2/v", "beta": "m/v"}, "m+ v+", "m > 0, v > 0"),
        (GAMMA, {"alpha": "a", "beta": "a/m"}, "a+ m+", "a > 0, m > 0"),
        (GAMMA, {"alpha": "alpha", "beta": "1/b"}, "alpha+ b+", "alpha > 0, b > 0"),
        (GAMMA, {"alpha": "alpha**2"}, "alpha+ beta+", "alpha > 0, beta > 0"),
        (GAMMA, {"alpha": "log(alpha)"}, "alpha+ beta+", "alpha > 0, beta > 0, log(alpha) > 0"),
        (GAMMA, {"alpha": "beta", "beta": "alpha"}, "beta+ alpha+", "beta > 0, alpha > 0"),
        (GAMMA, {"alpha": "m*beta"}, "m+ beta+", "m > 0, beta > 0"),
        (GAMMA, {"alpha": "exp(s + d)", "beta": "exp(s - d)"}, "s d", ""),
        (GAMMA, {}, "alpha+ beta+", "alpha > 0, beta > 0"),
        (NORMAL, {"mu": "m", "sigma": "exp(s)"}, "m s", ""),
        (NORMAL, {"mu": "m", "sigma": "sqrt(v)"}, "m v+", "v > 0"),
        (NORMAL, {"mu": "m*s", "sigma": "s"}, "m s+", "s > 0"),
        (NORMAL, {"mu": "t/q", "sigma": "1/sqrt(q)"}, "t q+", "q > 0"),
        (NORMAL, {"mu": "-t/(2*u)", "sigma": "sqrt(-1/(2*u))"}, "t u", "sqrt(2)*sqrt(-1/u)/2 > 0"),
        (PROBABILITY, {"p": "1/(1 + exp(-z))"}, "z", None),
        (PROBABILITY, {"p": "q**2"}, "q+", "q > 0, q**2 < 1"),
        (PROBABILITY, {"p": "1 - q"}, "q+", "q > 0, q < 1"),
    ],
)
def test_the_assumptions_of_typed_names_are_found_out(domain, texts, parameters: str, described: str | None) -> None:
    symbols, expressions = infer_symbols(domain.parameters, texts, domain)
    assert " ".join(f"{symbol}{'+' if symbol.is_positive else ''}" for symbol in symbols) == parameters
    assert all(symbol.is_real for symbol in symbols)
    chart = Chart.of(domain, dict(zip(domain.parameters, expressions, strict=True)), symbols)
    assert described in (None, chart.domain.describe())
    targets = domain.interior_points(30, rng=7)
    np.testing.assert_allclose(chart.to_original(chart.from_original(targets)), targets, rtol=1e-11)


def test_coordinates_left_out_keep_their_symbols() -> None:
    symbols, expressions = infer_symbols((alpha, beta), {"beta": "1/b"}, GAMMA)
    assert symbols[0] is alpha
    assert expressions == (alpha, 1 / b)


def test_a_chart_that_covers_only_a_part_is_taken_where_no_other_is_invertible() -> None:
    symbols, _ = infer_symbols((mu, sigma), {"mu": "m**2"}, NORMAL)
    assert symbols[0].is_positive


@pytest.mark.parametrize(
    ("domain", "texts", "error", "message"),
    [
        (GAMMA, {"beta": "(b - 1)**2"}, ModelError, "beta = (b - 1)**2 is not invertible: its Jacobian determinant"),
        (GAMMA, {"alpha": "a", "beta": "sin(b)"}, ModelError, "beta = sin(b) is not invertible"),
        (GAMMA, {"alpha": "a", "beta": "a"}, ModelError, "2 original parameters need as many coordinates, not 1: a"),
        (GAMMA, {"alpha": "a + b"}, ModelError, "2 original parameters need as many coordinates, not 3: a, b, beta"),
        (GAMMA, {"alpha": "1"}, ModelError, "2 original parameters need as many coordinates, not 1: beta"),
        (GAMMA, {"alpha": "a + b", "beta": "a*b"}, ModelError, "alpha = a + b, beta = a*b is not invertible"),
        (GAMMA, {"alpha": "a*b", "beta": "(a*b)**2"}, ModelError, "its Jacobian determinant is zero everywhere"),
        (GAMMA, {"alpha": "-a**2"}, ModelError, "never holds"),
        (GAMMA, {"gamma": "a"}, ModelError, "gamma is not one of the original parameters (alpha, beta)"),
        (GAMMA, {"beta": "sqr(b)"}, ExpressionError, "beta: 'sqr(b)', column 1: unknown function 'sqr'"),
        (GAMMA, {"beta": "__import__('os')"}, ExpressionError, "beta: \"__import__('os')\", column 12: a string"),
        (
            GAMMA,
            {"beta": "sqrt(-1)*b"},
            ExpressionError,
            "beta: 'sqrt(-1)*b', column 1: the value",
        ),
    ],
)
def test_a_typed_chart_that_is_none_is_refused_by_name(domain, texts, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        infer_symbols(domain.parameters, texts, domain)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
