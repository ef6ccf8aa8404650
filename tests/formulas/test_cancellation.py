"""Sums with polygammas in their remainders: the same numbers, and a form in which the leading terms are gone."""

import mpmath as mp
import pytest
import sympy as sp

import riemopt as ro
from riemopt.formulas.cancellation import factors, without_cancellation, without_cancellation_along
from riemopt.kernels.graph.polygamma import PolygammaRemainder

alpha, beta = sp.symbols("alpha beta", positive=True)
psi = sp.polygamma
DIGITS = 60


def gamma_by_logarithms() -> ro.StatisticalModel:
    family, logarithms = ro.models.Gamma(), sp.symbols("a b", real=True)
    exponentials = map(sp.exp, logarithms)
    return family.reparametrize(dict(zip(family.parameters, exponentials, strict=True)), parameters=logarithms)


FAMILIES = {
    "Gamma": ro.models.Gamma,
    "Gamma by logarithms": gamma_by_logarithms,
    "Nakagami": ro.models.Nakagami,
    "Beta": ro.models.Beta,
    "StudentT": ro.models.StudentT,
    "Dirichlet": lambda: ro.models.Dirichlet(3),
}


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest) -> ro.StatisticalModel:
    return FAMILIES[request.param]()


def numbers(e: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> list[mp.mpf]:
    """Values at some points, of order 1 and large, the remainders taken from polygammas."""
    function = sp.lambdify(symbols, e.rewrite(psi), "mpmath")
    with mp.workdps(DIGITS):
        return [function(*(mp.mpf(scale) * (k + 2) / (k + 3) for k in range(len(symbols)))) for scale in (0.01, 1, 40)]


def agree(e: sp.Expr, other: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> bool:
    pairs = zip(numbers(e, symbols), numbers(other, symbols), strict=True)
    return all(mp.almosteq(x, y, rel_eps=mp.mpf(10) ** (-DIGITS // 2), abs_eps=0) for x, y in pairs)


def test_leading_terms_of_the_gamma_determinant_are_gone():
    expected = 1 / (2 * alpha) + alpha * PolygammaRemainder(1, alpha, 2)
    assert without_cancellation(alpha * psi(1, alpha) - 1) == expected


def test_terms_that_cancel_twice_are_gone_too():
    """k²ψ₁² - ψ₁ - 1, the determinant of the generalized gamma model, is 1/(12k²) for large k."""
    e = without_cancellation(alpha**2 * psi(1, alpha) ** 2 - psi(1, alpha) - 1)
    assert all(abs(term.subs(alpha, 1e6).evalf()) < 1e-12 for term in e.args)


def test_difference_of_neighbours_is_short():
    expected = (
        beta / (alpha * (alpha + beta)) + PolygammaRemainder(1, alpha, 1) - PolygammaRemainder(1, alpha + beta, 1)
    )
    assert without_cancellation(psi(1, alpha) - psi(1, alpha + beta)) == expected


@pytest.mark.parametrize(
    "e",
    [
        (alpha * psi(2, alpha) + psi(1, alpha)) / (2 * (alpha * psi(1, alpha) - 1) ** 2),
        sp.sqrt(alpha * psi(1, alpha) - 1) / beta,
        psi(3, alpha) - 2 / alpha**3,
        alpha * psi(1, alpha) - 1 / (psi(1, alpha) + beta),
        sp.sqrt(alpha) * psi(1, sp.sqrt(alpha)) - 1,
        sp.exp(2 * alpha) * psi(1, sp.exp(alpha)) - sp.exp(alpha),
        psi(1, alpha / 2) / 4 - psi(1, alpha / 2 + sp.S.Half) / 4 - 1 / (2 * alpha**2),
        (sp.log(alpha) - psi(0, alpha)) ** 2 + psi(1, alpha) - 1 / alpha,
        sp.pi * psi(1, alpha) - sp.pi / alpha + 0.5,
    ],
    ids=str,
)
def test_value_is_the_same(e):
    new = without_cancellation(e)
    assert new.has(PolygammaRemainder)
    assert agree(e, new, (alpha, beta))


@pytest.mark.parametrize(
    "e",
    [
        alpha + beta,
        psi(1, alpha),
        -beta * psi(2, alpha) / alpha,
        psi(0, alpha) - sp.log(alpha),
        psi(1, sp.Rational(1, 3)) + alpha,
        psi(7, alpha) - 720 / alpha**7,
        psi(beta, alpha) + 1,
    ],
    ids=str,
)
def test_what_has_no_sum_with_a_polygamma_in_reach_is_left_as_it_is(e):
    assert without_cancellation(e) == e


def test_quadratic_form_is_rewritten_by_coefficients():
    u, v = sp.symbols("u v", real=True)
    e = u * (psi(2, alpha) * u + (psi(1, alpha) - 1 / alpha) * v) + v * (v / beta - psi(2, alpha) * u / 2)
    new = without_cancellation_along(e, (u, v))
    assert new.coeff(u, 2) == psi(2, alpha)
    assert new.coeff(v, 2) == 1 / beta
    assert agree(e, new, (alpha, beta, u, v))
    assert without_cancellation_along(u**2 / alpha, (u, v)) == u**2 / alpha


@pytest.mark.slow_for("StudentT", "Dirichlet")
def test_factors_are_those_of_the_metric(model):
    """L D Lᵀ = g on the blocks that are factorized."""
    g, n = model.expectation.metric, model.dimension
    found = factors(g)
    places = sorted({i for i, _ in found})
    with mp.workdps(DIGITS):
        lower, pivots = sp.eye(n), sp.zeros(n)
        for (i, j), e in found.items():
            (pivots if i == j else lower)[i, j] = e
        product = lower * pivots * lower.T
        for i in places:
            for j in places:
                if g[i, j] == 0:
                    assert product[i, j] == 0
                else:
                    assert agree(product[i, j], g[i, j], model.parameters), (i, j)


@pytest.mark.slow
def test_only_blocks_with_polygammas_and_few_rows_are_factorized():
    block = sp.Matrix([[psi(1, alpha), -1 / beta], [-1 / beta, alpha / beta**2]])
    other = sp.Matrix([[alpha, 1], [1, beta]])
    assert set(factors(sp.diag(other, block))) == {(2, 2), (3, 2), (3, 3)}
    assert factors(other) == {}
    assert factors(ro.models.Dirichlet(4).expectation.metric) == {}
    assert set(factors(ro.models.StudentT().expectation.metric)) == {(0, 0), (2, 0), (2, 2)}
