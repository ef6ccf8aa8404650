"""Curvature, volume and the Amari–Chentsov tensor as functions of points: against formulas for reading and mpmath."""

from itertools import product

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from tests.geometry import reference
from tests.marks import slow

models = ro.models
CLOSED = [models.Gamma, models.Beta, models.VonMises, models.Gumbel, lambda: models.Categorical(4),
          slow(models.Dirichlet), slow(models.MultivariateNormal), models.Poisson]  # fmt: skip


def at(model, tensor, point):
    function = sp.lambdify(model.parameters, tensor.tolist(), "scipy")
    return np.array(function(*point), dtype=float)


@pytest.mark.parametrize("make", CLOSED)
@pytest.mark.slow_for("Dirichlet", "MultivariateNormal", "Gumbel", "Beta", "VonMises", "<lambda>")
def test_numbers_are_those_of_the_formulas(make):
    model = make()
    manifold = ro.Manifold(model, backend="numpy")
    symbolic, n = manifold.symbolic, model.dimension
    points = np.array(model.some_points())
    g = manifold.metric(points)
    lowered = np.einsum("...ri,...ismv->...rsmv", g, manifold.riemann(points))
    for k, point in enumerate(points):
        expected = at(model, symbolic.riemann_lowered, point)
        np.testing.assert_allclose(lowered[k], expected, rtol=0, atol=1e-9 * (1e-3 + np.abs(expected).max()))
        twist = at(model, symbolic.amari_chentsov, point)
        np.testing.assert_allclose(manifold.amari_chentsov(point), twist, rtol=1e-9, atol=1e-10 * np.abs(twist).max())
    scalar = np.einsum("...ij,...ji", np.linalg.inv(g), manifold.ricci(points))
    np.testing.assert_allclose(scalar, manifold.scalar_curvature(points), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(manifold.volume_element(points), np.sqrt(np.linalg.det(g)), rtol=1e-9)
    if n == 2:
        u, v = [0.75, -0.5], [1.0, 2.0]
        np.testing.assert_allclose(manifold.sectional_curvature(points, u, v), scalar / 2, rtol=1e-8)


@pytest.mark.parametrize("alpha", [1e-3, 0.7, 20.0, 1e3, 1e6])
def test_no_digits_are_lost_where_the_metric_is_nearly_singular(gamma, alpha):
    """α ψ₁(α) - 1 is about 1/(2α) for large α."""
    point, beta = [alpha, 3.0], 3
    with mp.workdps(reference.DIGITS):
        first, second = mp.polygamma(1, mp.mpf(alpha)), mp.polygamma(2, mp.mpf(alpha))
        det = alpha * first - 1
        curvature, volume = (alpha * second + first) / (4 * det**2), mp.sqrt(det) / beta
        expected = [curvature, curvature * first, -curvature / beta, curvature * alpha / beta**2, volume, second]
        expected = [float(value) for value in expected]
    m = gamma.numpy
    ricci, riemann = m.ricci(point), m.riemann(point)
    numbers = [m.sectional_curvature(point, [1, 2], [0, 1]), ricci[0, 0], ricci[0, 1], ricci[1, 1]]
    numbers += [m.volume_element(point), m.amari_chentsov(point)[0, 0, 0]]
    np.testing.assert_allclose(numbers, expected, rtol=1e-13)
    np.testing.assert_allclose(riemann[0, 1, 0, 1], ricci[1, 1], rtol=1e-15)


@pytest.fixture(scope="module")
def kumaraswamy():
    """A model whose expectations are integrals, taken at every point."""
    return ro.Manifold(models.Kumaraswamy(), backend="numpy")


POINT = [1.75, 3.5]


@pytest.mark.slow
def test_curvature_by_quadrature_against_mpmath(kumaraswamy):
    with mp.workdps(reference.DIGITS):
        expected = reference.riemann(reference.kumaraswamy, POINT)
        g = np.array(reference.kumaraswamy(*map(mp.mpf, POINT)), dtype=float)
    expected = np.array([float(expected[index]) for index in product(range(2), repeat=4)]).reshape((2,) * 4)
    np.testing.assert_allclose(kumaraswamy.metric(POINT), g, rtol=1e-12)
    np.testing.assert_allclose(kumaraswamy.riemann(POINT), expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(kumaraswamy.ricci(POINT), np.einsum("rsrv", expected), rtol=1e-9)
    curvature = np.einsum("r,rj,jsmv,s,m,v", [1, 0], g, expected, [0, 1], [1, 0], [0, 1]) / np.linalg.det(g)
    assert kumaraswamy.sectional_curvature(POINT, [1, 0], [0, 1]) == pytest.approx(curvature, rel=1e-9)
    assert kumaraswamy.volume_element(POINT) == pytest.approx(np.sqrt(np.linalg.det(g)), rel=1e-12)


def contracted(manifold, point, v):
    """T_κ(v, v) from the connections with a = -1 and a = 1."""
    return manifold.connection(point, v, -1.0) - manifold.connection(point, v, 1.0)


def test_amari_chentsov_tensor_by_quadrature_is_the_difference_of_connections(kumaraswamy):
    tensor = kumaraswamy.amari_chentsov(POINT)
    for axes in ((1, 0, 2), (2, 1, 0)):
        np.testing.assert_allclose(tensor, tensor.transpose(axes), rtol=1e-12)
    for v in ([1.0, 0.0], [0.5, -2.0], [1.0, 1.0]):
        expected = contracted(kumaraswamy, POINT, v)
        np.testing.assert_allclose(np.einsum("ijk,i,j", tensor, v, v), expected, rtol=1e-10)


def test_riemann_tensor_has_its_symmetries():
    """Of numbers, in three dimensions: in either pair, under their exchange, and the first Bianchi identity."""
    manifold = ro.Manifold(models.Dirichlet(), backend="numpy")
    points = [[0.5, 1.75, 3.0], [0.1, 0.2, 0.3], [20.0, 3.0, 7.0]]
    riemann = manifold.riemann(points)
    lowered = np.einsum("...ri,...ismv->...rsmv", manifold.metric(points), riemann)
    scale = 1e-11 * np.abs(lowered).max(axis=(1, 2, 3, 4), keepdims=True)
    for other in (-lowered.swapaxes(1, 2), -lowered.swapaxes(3, 4), lowered.transpose(0, 3, 4, 1, 2)):
        assert np.all(np.abs(lowered - other) <= scale)
    cyclic = riemann + riemann.transpose(0, 1, 3, 4, 2) + riemann.transpose(0, 1, 4, 2, 3)
    assert np.all(np.abs(cyclic) <= 1e-11 * np.abs(riemann).max(axis=(1, 2, 3, 4), keepdims=True))


@pytest.mark.parametrize("name", ["riemann", "ricci", "volume_element", "amari_chentsov", "sectional_curvature"])
def test_compiled_tensors_are_the_same_and_broadcast(gamma, name):
    vectors = ([1.0, 0.0], [0.5, -1.0]) if name == "sectional_curvature" else ()
    points = gamma.points.reshape(2, 2, 2)
    numba, numpy = (getattr(m, name)(points, *vectors) for m in (gamma.numba, gamma.numpy))
    order = {"riemann": 4, "ricci": 2, "amari_chentsov": 3}.get(name, 0)
    assert numba.shape == (2, 2, *[2] * order)
    np.testing.assert_allclose(numba, numpy, rtol=1e-9, atol=1e-12)
    outside = getattr(gamma.numpy, name)([[-1.0, 1.0], gamma.points[0]], *vectors)
    assert np.isnan(outside[0]).all()
    np.testing.assert_array_equal(outside[1], numpy[0, 0])


@pytest.mark.slow
def test_tensors_transform_in_a_chart_whose_metric_is_not_written_out():
    """T_ξ = T_θ(J·, J·, J·), and the volume picks up det J."""
    x, y, z = sp.symbols("x y z", positive=True)
    model = models.Dirichlet()
    moved = model.reparametrize(dict(zip(model.parameters, (x**2, x * y, z / y), strict=True)), (x, y, z))
    here, there = (ro.Manifold(m, backend="numpy") for m in (model, moved))
    point = np.array([0.75, 1.25, 2.0])
    theta, jacobian = moved.chart.to_original(point), moved.chart.jacobian(point)
    expected = np.einsum("ijk,ia,jb,kc", here.amari_chentsov(theta), jacobian, jacobian, jacobian)
    np.testing.assert_allclose(there.amari_chentsov(point), expected, rtol=1e-9, atol=1e-11)
    volume = here.volume_element(theta) * abs(np.linalg.det(jacobian))
    assert there.volume_element(point) == pytest.approx(volume, rel=1e-11)
    ricci = jacobian.T @ here.ricci(theta) @ jacobian
    np.testing.assert_allclose(there.ricci(point), ricci, rtol=1e-8, atol=1e-10)


def test_there_are_no_planes_in_one_dimension():
    with pytest.raises(ro.errors.ArgumentError, match="no planes"):
        ro.Manifold(models.Poisson(), backend="numpy").sectional_curvature([1.0], [1.0], [2.0])


def test_a_conditional_model_has_its_curvature_at_data_only():
    x, w = sp.symbols("x w", real=True)
    manifold = ro.Manifold(ro.ConditionalModel([w * x], output="bernoulli", inputs=(x,), parameters=(w,)))
    for name in ("riemann", "ricci", "volume_element", "amari_chentsov"):
        with pytest.raises(ro.errors.UnsupportedError):
            getattr(manifold, name)([1.0])
