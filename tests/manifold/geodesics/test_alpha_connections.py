"""The α-connections: their duality, and the straight lines of the exponential and the mixture connection."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from tests.marks import slow

CLOSED = ["gamma", "normal", "beta", "poisson", "categorical", "inversegaussian", "binomial"]


def small(manifold: ro.Manifold, points: np.ndarray, length: float = 0.3, seed: int = 0) -> np.ndarray:
    """A vector of a given length at each point."""
    v = np.random.default_rng(seed).normal(size=points.shape)
    return length * v / manifold.norm(points, v)[:, None]


# -- duality: ∂_κ g_μν = Γ^(a)_ν,κμ + Γ^(-a)_μ,κν


@pytest.mark.parametrize("name", ["gamma", "normal", "beta", "inversegaussian", slow("vonmises")])
def test_connections_of_opposite_a_are_dual(name):
    model = ro.models.family(name)
    symbolic = ro.Manifold(model, backend="numpy").symbolic
    a = sp.Symbol("a", real=True)
    one, other = symbolic.alpha_connection(a), symbolic.alpha_connection(-a)
    n = model.dimension
    point = dict(zip(model.parameters, map(sp.Rational, ["7/5", "9/4"]), strict=True))
    for k in range(n):
        for m in range(n):
            for j in range(n):
                rest = symbolic.metric[m, j].diff(model.parameters[k]) - one[j, k, m] - other[m, k, j]
                assert sp.simplify(rest) == 0 or abs(rest.subs(point).subs(a, sp.Rational(1, 3)).evalf(30)) < 1e-25


@pytest.mark.slow
def test_connections_of_opposite_a_are_dual_where_expectations_are_integrals():
    model = ro.models.NegativeBinomial()
    manifold = ro.Manifold(model, backend="numpy")
    point, n = np.array([2.0, 0.4]), 2
    step = 1e-4
    slopes = [(manifold.metric(point + h) - manifold.metric(point - h)) / (2 * step) for h in step * np.eye(n)]

    def first_kind(a: float) -> np.ndarray:
        units = np.eye(n)
        # polarized: Γ(u, v) = (Γ(u + v) - Γ(u - v))/4
        pairs = [[(units[i] + units[j], units[i] - units[j]) for j in range(n)] for i in range(n)]
        products = manifold.connection(point, np.array(pairs), a)
        return np.moveaxis((products[:, :, 0] - products[:, :, 1]) / 4.0, -1, 0)

    one, other = first_kind(0.6), first_kind(-0.6)
    for k in range(n):
        np.testing.assert_allclose(slopes[k], one[:, k, :].T + other[:, k, :], rtol=1e-6, atol=1e-7)


# -- flatness


@pytest.mark.parametrize("name", ["gamma", "normal", "poisson", slow("vonmises")])
def test_the_exponential_connection_vanishes_in_natural_parameters(name):
    natural = ro.models.family(name).natural_chart()
    manifold = ro.Manifold(natural, backend="numpy")
    z = natural.chart.from_original(natural.original.domain.interior_points(4, spread=0.3))
    v = small(manifold, z)
    size = np.abs(manifold.connection(z, v, a=-1.0)).max()
    assert np.abs(manifold.connection(z, v, a=1.0)).max() < 1e-12 * size
    # exactly where it can be read
    if name != "vonmises":
        assert set(sp.flatten(manifold.symbolic.alpha_connection(1))) == {0}


@pytest.mark.parametrize("name", ["normal", "poisson", "categorical"])
def test_the_mixture_connection_vanishes_in_mean_parameters(name):
    manifold = ro.Manifold(ro.models.family(name).mean_chart(), backend="numpy")
    assert set(sp.flatten(manifold.symbolic.alpha_connection(-1))) == {0}


@pytest.mark.parametrize("name", ["gamma", "beta", slow("vonmises")])
def test_the_mixture_connection_vanishes_in_mean_parameters_without_a_closed_form(name):
    mean = ro.models.family(name).mean_chart()
    manifold = ro.Manifold(mean, backend="numpy")
    eta = mean.chart.from_original([[2.0, 0.5], [0.7, 3.0], [1.5, 6.0]])
    v = small(manifold, eta)
    size = np.abs(manifold.connection(eta, v)).max(axis=-1)
    assert (np.abs(manifold.connection(eta, v, a=-1.0)).max(axis=-1) < 1e-10 * size).all()


# -- straight lines


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("a", [1.0, -1.0])
@pytest.mark.slow_for("-1.0-numba")
def test_geodesics_are_straight_lines_in_their_chart(a, backend):
    model = ro.models.Gamma()
    flat = model.natural_chart() if a > 0 else model.mean_chart()
    manifold = ro.Manifold(flat, backend=backend)
    x = flat.chart.from_original([[2.0, 0.5], [0.7, 3.0]])
    v = small(manifold, x)
    np.testing.assert_array_equal(manifold.exp(x, v, a=a), x + v)
    # a line that leaves the domain
    assert np.isnan(manifold.exp(x[0], -1e3 * np.abs(x[0]), a=a)).all()


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("a", [1.0, -1.0])
def test_geodesics_in_the_familys_chart_are_those_lines_mapped(name, a):
    model = ro.models.family(name)
    flat = model.natural_chart() if a > 0 else model.mean_chart()
    manifold = ro.Manifold(model, backend="numpy")
    points = model.domain.interior_points(4, spread=0.3)
    v = small(manifold, points)
    x = flat.chart.from_original(points)
    w = np.linalg.solve(flat.chart.jacobian(x), v[..., None])[..., 0]
    np.testing.assert_allclose(manifold.exp(points, v, a=a), flat.chart.to_original(x + w), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", ["normal", "inversegaussian", "categorical"])
@pytest.mark.parametrize("a", [1.0, -1.0])
def test_the_closed_form_is_what_integration_gives(name, a):
    model = ro.models.family(name)
    manifold = ro.Manifold(model, backend="numpy")
    integrated = ro.Manifold(model, backend="numpy", closed_forms=False)
    points = model.domain.interior_points(3, spread=0.3)
    v = small(manifold, points)
    np.testing.assert_allclose(manifold.exp(points, v, a=a), integrated.exp(points, v, a=a), rtol=1e-8)
    other = model.mean_chart() if a > 0 else model.natural_chart()
    there = other.chart.from_original(points)
    w = np.linalg.solve(other.chart.jacobian(there), v[..., None])[..., 0]
    found = other.chart.to_original(ro.Manifold(other, backend="numpy").exp(there, w, a=a))
    np.testing.assert_allclose(found, manifold.exp(points, v, a=a), rtol=1e-8)


def test_a_line_keeps_its_digits_where_the_mean_is_large():
    manifold = ro.Manifold(ro.models.Normal(), backend="numpy")
    shift = np.array([1e6, 0.0])
    start, v = np.array([0.0, 1.0]), np.array([0.3, -0.2])
    for a in (1.0, -1.0):
        expected = manifold.exp(start, v, a=a) + shift
        np.testing.assert_allclose(manifold.exp(start + shift, v, a=a), expected, rtol=1e-14)


def test_a_line_ends_where_the_domain_does():
    manifold = ro.Manifold(ro.models.Normal(), backend="numpy")
    # σ² + 2σv_σ - v_μ² and 1 - 2v_σ/σ
    assert np.isnan(manifold.exp([0.0, 1.0], [1.5, 0.0], a=-1.0)).all()
    assert np.isfinite(manifold.exp([0.0, 1.0], [0.9, 0.0], a=-1.0)).all()
    assert np.isnan(manifold.exp([0.0, 1.0], [0.0, 0.6], a=1.0)).all()


def test_riemannian_euler_along_mixture_geodesics_is_mirror_descent():
    model = ro.models.Poisson()
    problem = ro.Manifold(model, backend="numpy").likelihood([2.0, 4.0, 6.0])
    path = ro.minimize(problem, ro.integrators.RiemannianEuler(a=-1.0), start=[1.0], step_size=0.5, steps=3)
    # in the mean, half the way to the mean of the samples
    np.testing.assert_allclose(path.points[:, 0], [1.0, 2.5, 3.25, 3.625], rtol=1e-14)
