"""Preimages under maps without a closed inverse, as SymPy expressions."""

import pickle
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.numerics.boxes import Box
from riemopt.symbolic.implicit import ImplicitMap, Preimage


@cache
def charts(name: str) -> tuple[ro.StatisticalModel, ro.StatisticalModel, ro.StatisticalModel, np.ndarray]:
    """A family, its natural and its mean chart, and some points."""
    model = ro.models.family(name)
    return model, model.natural_chart(), model.mean_chart(), model.domain.interior_points(5, spread=0.4)


def test_a_preimage_is_an_expression_like_others():
    mean = charts("gamma")[2]
    alpha, beta = mean.chart.expressions
    first, second = mean.parameters
    assert str(alpha) == "alpha(eta_1, eta_2)"
    assert sp.latex(alpha**2) == r"\alpha^{2}\left(\eta_{1}, \eta_{2}\right)"
    again = pickle.loads(pickle.dumps(mean.chart))
    assert again == mean.chart
    assert hash(again) == hash(mean.chart)
    at = {first: sp.digamma(2) - sp.log(4), second: sp.Rational(1, 2)}
    assert float(alpha.subs(at)) == pytest.approx(2.0, rel=1e-12)
    # ∂α/∂η_2 at β = α/η_2 and ψ(α) - log(β) = η_1
    slope = float(alpha.diff(second).subs(at))
    a = mp.mpf(2)
    assert slope == pytest.approx(float((-1 / mp.mpf(0.5)) / (mp.psi(1, a) - 1 / a)), rel=1e-9)
    assert beta.free_symbols == {first, second}
    assert isinstance(alpha, Preimage)


def test_preimages_under_different_maps_have_an_order():
    a, b, x = sp.Symbol("a", positive=True), sp.Symbol("b", positive=True), sp.Symbol("x", real=True)
    line = Box((0.0,), (np.inf,))
    first, second = (Preimage(ImplicitMap([p], [sp.digamma(p)], line, [0.0]), 0, x) for p in (a, b))
    assert first * second == second * first
