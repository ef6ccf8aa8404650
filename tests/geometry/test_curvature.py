"""Curvature: known values, the symmetries of the Riemann tensor, and independence of the chart."""

from itertools import product

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.geometry import connection, curvature


def test_normal_model_is_a_hyperbolic_plane_of_curvature_minus_one_half(normal):
    symbolic = normal.numpy.symbolic
    assert symbolic.scalar_curvature == -1
    lowered = sum(symbolic.metric[0, r] * symbolic.riemann[r, 1, 0, 1] for r in range(2))
    assert sp.simplify(lowered / symbolic.metric.det()) == -sp.Rational(1, 2)
    assert (symbolic.ricci + symbolic.metric / 2).is_zero_matrix
    np.testing.assert_array_equal(normal.numpy.scalar_curvature(normal.points), -1.0)


def test_sphere_has_curvature_one():
    """Against the sign and index conventions: R_σν = R^ρ_σρν is the metric itself on the unit sphere."""
    polar, azimuth = sp.symbols("polar azimuth", real=True)
    g = sp.ImmutableMatrix([[1, 0], [0, sp.sin(polar) ** 2]])
    symbols = connection.second_kind(g, (polar, azimuth))
    riemann = curvature.riemann(symbols, (polar, azimuth)).applyfunc(sp.simplify)
    assert riemann[0, 1, 0, 1] == sp.sin(polar) ** 2
    ricci = curvature.ricci(riemann)
    assert (ricci - g).applyfunc(sp.simplify).is_zero_matrix
    assert sp.simplify(curvature.scalar_curvature(g, ricci)) == 2


@pytest.mark.parametrize("name", ["exponential", "poisson"])
def test_one_parameter_models_are_flat(name):
    manifold = ro.Manifold(ro.models.family(name), backend="numpy")
    assert manifold.symbolic.riemann[0, 0, 0, 0] == 0
    assert manifold.symbolic.scalar_curvature == 0
    np.testing.assert_array_equal(manifold.scalar_curvature([[0.5], [3.0]]), 0.0)


def gamma_scalar_curvature(alpha):
    """Twice the Gaussian curvature of ds² = α du² + (ψ₁(α) - 1/α) dα², the Gamma metric in u = log(α/β) and α."""
    with mp.workdps(40):

        def root(t):
            return mp.sqrt(mp.polygamma(1, t) - 1 / t)

        bent = mp.diff(lambda t: 1 / (2 * mp.sqrt(t) * root(t)), mp.mpf(alpha))
        return float(-2 * bent / (mp.sqrt(alpha) * root(mp.mpf(alpha))))


@pytest.mark.parametrize("alpha", [0.05, 0.25, 1.0, 2.5, 20.0])
def test_gamma_curvature_is_that_of_its_orthogonal_chart(gamma, alpha):
    value = gamma.numpy.scalar_curvature([alpha, 3.0])
    assert value == pytest.approx(gamma_scalar_curvature(alpha), rel=1e-9)


def test_riemann_tensor_has_its_symmetries(case):
    """Antisymmetric in either pair, symmetric under their exchange, and the first Bianchi identity."""
    symbolic, n = case.numpy.symbolic, case.model.dimension
    point = dict(zip(case.model.parameters, [sp.Rational(3, 2), sp.Rational(5, 7)], strict=False))
    riemann = np.empty((n,) * 4, dtype=float)
    for index in product(range(n), repeat=4):
        riemann[index] = float(symbolic.riemann[index].xreplace(point).evalf(30))
    g = np.array(symbolic.metric.xreplace(point).evalf(30), dtype=float)
    lowered = np.einsum("ir,rjkl->ijkl", g, riemann)
    scale = 1e-14 * (1.0 + np.abs(lowered).max())
    for other in (-lowered.transpose(1, 0, 2, 3), -lowered.transpose(0, 1, 3, 2), lowered.transpose(2, 3, 0, 1)):
        np.testing.assert_allclose(lowered, other, rtol=0, atol=scale)
    cyclic = riemann + riemann.transpose(0, 2, 3, 1) + riemann.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(cyclic, 0.0, atol=1e-14 * (1.0 + np.abs(riemann).max()))


coordinate = st.floats(-1.5, 1.5).map(lambda t: float(np.exp(t)))


@given(st.tuples(coordinate, coordinate))
def test_scalar_curvature_does_not_depend_on_the_chart(chart_case, gamma, point):
    here = gamma.numpy.scalar_curvature(chart_case.model.chart.to_original(point))
    assert chart_case.numpy.scalar_curvature(point) == pytest.approx(float(here), rel=1e-8)
