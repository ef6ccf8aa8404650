"""Sums and integrals of score products that SymPy finds, and what becomes of wrong ones."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.models.expectation import score_products

x = sp.Symbol("x", positive=True)
a, b = sp.symbols("a b", positive=True)
HALF_LINE = sp.Interval.open(0, sp.oo)
MU = sp.Symbol("mu", positive=True)
T = sp.Symbol("t", real=True)
EULER = sp.EulerGamma
OTHERWISE = {
    "curved normal": (
        -((T - MU) ** 2) / (2 * MU**2) - sp.log(MU) - sp.log(2 * sp.pi) / 2,
        T,
        (MU,),
        "exact integrals over t",
        [[3 / MU**2]],
    ),
    "Cauchy": (-sp.log(1 + (T - MU) ** 2) - sp.log(sp.pi), T, (MU,), "exact integrals over t", [[sp.Rational(1, 2)]]),
    "Weibull": (
        sp.log(b / a) + (b - 1) * sp.log(x / a) - (x / a) ** b,
        x,
        (a, b),
        "exact integrals over x",
        [[b**2 / a**2, (EULER - 1) / a], [(EULER - 1) / a, (sp.pi**2 / 6 + (EULER - 1) ** 2) / b**2]],
    ),
}


@pytest.mark.parametrize("name", OTHERWISE)
@pytest.mark.slow_for("Cauchy", "Weibull")
def test_integrals_that_sympy_finds_are_the_closed_forms_of_the_textbooks(name):
    density, observation, parameters, way, expected = OTHERWISE[name]
    support = HALF_LINE if observation == x else sp.S.Reals
    model = ro.StatisticalModel(density, observation, support, parameters, name=name)
    assert str(model.expectation) == way
    difference = (sp.Matrix(expected) - model.expectation.metric).applyfunc(sp.simplify)
    assert difference.is_zero_matrix


def test_finite_support_gives_exact_sums():
    k = sp.Symbol("k", integer=True, nonnegative=True)
    # a binomial distribution and a point mass: no exponential family
    density = sp.log(a / (1 + a) * sp.binomial(2, k) / 4 + sp.KroneckerDelta(k, 0) / (1 + a))
    model = ro.StatisticalModel(density, k, sp.FiniteSet(0, 1, 2), (a,))
    assert str(model.expectation) == "exact sums over k"
    p = [(a / 4 + 1) / (1 + a), a / 2 / (1 + a), a / 4 / (1 + a)]
    expected = sum(q.diff(a) ** 2 / q for q in p)
    for value in (0.3, 2.0):
        assert float(model.expectation.metric[0, 0].subs(a, value)) == pytest.approx(float(expected.subs(a, value)))


def test_wrong_integral_is_found_out(monkeypatch):
    """Exact expectations are compared with numbers; here the search is off by one part in a thousand."""
    found = score_products.exact_expectations

    def wrong(*arguments):
        return tuple(value * sp.Rational(1001, 1000) for value in found(*arguments))

    monkeypatch.setattr(score_products, "exact_expectations", wrong)
    density, *rest = OTHERWISE["Weibull"][:3]
    model = ro.StatisticalModel(density, rest[0], HALF_LINE, rest[1])
    assert str(model.expectation).startswith("quadrature: an integral over x")
    metric = ro.Manifold(model, backend="numpy").metric([2.0, 3.0])
    expected = sp.Matrix(OTHERWISE["Weibull"][4]).subs({a: 2, b: 3}).evalf()
    np.testing.assert_allclose(metric, np.array(expected, dtype=float), rtol=1e-11)


def test_closed_form_with_gaps_is_not_used():
    """Of the Kumaraswamy model it is 0/0 at b = 1 and b = 2."""
    assert str(ro.models.Kumaraswamy().expectation).startswith("quadrature")


def test_integrals_nobody_has_taken_can_be_read():
    symbolic = ro.Manifold(ro.models.NegativeBinomial(), backend="numpy").symbolic
    entry = ro.models.NegativeBinomial().expectation.metric[0, 0]
    assert isinstance(entry, sp.Sum) and not entry.free_symbols - {*ro.models.NegativeBinomial().parameters}
    assert symbolic is not None
