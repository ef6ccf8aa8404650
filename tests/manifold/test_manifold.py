"""Manifold: Numba against NumPy, closed forms, and what geodesics, transport and distances must satisfy."""

import itertools

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.errors import ArgumentError, ShapeError, UnknownNameError
from tests import catalogue
from tests.marks import slow

LENGTH = 0.5
"""Shorter than the way to the edge of the Poisson model from any of the points."""

TENSORS = {
    "metric": lambda m, p, u, v: m.metric(p),
    "christoffel": lambda m, p, u, v: m.christoffel(p),
    "connection": lambda m, p, u, v: m.connection(p, u),
    "exponential connection": lambda m, p, u, v: m.connection(p, u, a=1.0),
    "mixture connection": lambda m, p, u, v: m.connection(p, u, a=-1.0),
    "connection of a = 0.3": lambda m, p, u, v: m.connection(p, u, a=0.3),
    "raise_index": lambda m, p, u, v: m.raise_index(p, u / p.mean()),
    "inner": lambda m, p, u, v: m.inner(p, u, v),
    "norm": lambda m, p, u, v: m.norm(p, u),
    "scalar_curvature": lambda m, p, u, v: m.scalar_curvature(p),
}
GEODESICS = {
    "exp": lambda m, p, u, v: m.exp(p, u),
    "geodesic": lambda m, p, u, v: m.geodesic(p, u, [-0.5, 0.0, 0.25, 1.0]),
    "transport": lambda m, p, u, v: m.transport(p, u, v),
    "log": lambda m, p, u, v: m.log(p, m.exp(p, u)),
    "distance": lambda m, p, u, v: m.distance(p, m.exp(p, u)),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name.startswith("gamma by") else [])
        for name in catalogue.WITH_POINTS
    ],
)
def case(request):
    """Each model that has points in turn; geodesics of the Gamma model take seconds to compile in every chart."""
    return catalogue.case(request.param)


@pytest.fixture(scope="module", params=[slow(c) if c != "gamma by mean" else c for c in catalogue.GAMMA_CHARTS])
def chart_case(request):
    """Another chart of the Gamma model."""
    return catalogue.case(request.param)


def both(case, method):
    arguments = case.points, case.vectors(LENGTH, seed=1), case.vectors(2.0, seed=2)
    return method(case.numba, *arguments), method(case.numpy, *arguments)


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.slow_for("poisson", "christoffel", "exponential connection", "mixture connection")
def test_tensors_are_the_same_compiled(case, name):
    compiled, reference = both(case, TENSORS[name])
    assert compiled.shape == reference.shape
    # the last digits of what cancels are those of the terms
    terms = np.abs(reference).reshape(len(case.points), -1).max(axis=1)
    scale = terms.reshape(-1, *[1] * (reference.ndim - 1))
    assert np.all(np.abs(compiled - reference) <= 2e-11 * scale + 1e-13)


@pytest.mark.parametrize("name", GEODESICS)
@pytest.mark.slow_for("gamma by squares", "poisson", "log", "transport", "geodesic")
def test_geodesics_are_the_same_compiled(case, name):
    compiled, reference = both(case, GEODESICS[name])
    assert np.isfinite(reference).all()
    np.testing.assert_allclose(compiled, reference, rtol=2e-8, atol=1e-9)


# -- axes


def test_leading_axes_broadcast(gamma):
    manifold, n = gamma.numba, 2
    points = np.random.default_rng(0).uniform(0.5, 3.0, (3, 1, n))
    u, v = np.random.default_rng(1).normal(size=(2, 4, n)) * 0.1
    shapes = {
        "metric": (manifold.metric(points), (3, 1, n, n)),
        "christoffel": (manifold.christoffel(points), (3, 1, n, n, n)),
        "connection": (manifold.connection(points, u), (3, 4, n)),
        "raise_index": (manifold.raise_index(points, u), (3, 4, n)),
        "inner": (manifold.inner(points, u, v), (3, 4)),
        "norm": (manifold.norm(points, u), (3, 4)),
        "scalar_curvature": (manifold.scalar_curvature(points), (3, 1)),
        "exp": (manifold.exp(points, u), (3, 4, n)),
        "geodesic": (manifold.geodesic(points, u, [0.0, 0.5]), (3, 4, 2, n)),
        "transport": (manifold.transport(points, u, v), (3, 4, n)),
        "log": (manifold.log(points, points[0] + np.abs(u)), (3, 4, n)),
        "distance": (manifold.distance(points, points[0] + np.abs(u)), (3, 4)),
    }
    for name, (result, shape) in shapes.items():
        assert result.shape == shape, name
    for i, j in itertools.product(range(3), range(4)):
        np.testing.assert_array_equal(shapes["inner"][0][i, j], manifold.inner(points[i, 0], u[j], v[j]))
        np.testing.assert_array_equal(shapes["exp"][0][i, j], manifold.exp(points[i, 0], u[j]))
        halfway = manifold.exp(points[i, 0], 0.5 * u[j])
        np.testing.assert_allclose(shapes["geodesic"][0][i, j, 1], halfway, rtol=1e-13)
        np.testing.assert_allclose(
            shapes["log"][0][i, j], manifold.log(points[i, 0], points[0, 0] + np.abs(u[j])), rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_empty_batches_and_lists_of_numbers_are_arrays_too(gamma, backend):
    manifold = getattr(gamma, backend)
    assert manifold.metric(np.empty((0, 2))).shape == (0, 2, 2)
    assert manifold.exp(np.empty((0, 2)), [0.1, 0.2]).shape == (0, 2)
    assert manifold.geodesic([1, 2], [0, 0], []).shape == (0, 2)
    np.testing.assert_array_equal(manifold.metric([1, 2]), manifold.metric(np.array([1.0, 2.0])))


def test_results_do_not_depend_on_the_size_of_the_batch(gamma):
    """Large batches are shared out among threads."""
    points = np.random.default_rng(0).uniform(0.5, 3.0, (1000, 2))
    vectors = np.random.default_rng(1).normal(size=(1000, 2)) * 0.1
    together = gamma.numba.exp(points, vectors)
    for i in (0, 1, 499, 998, 999):
        np.testing.assert_array_equal(together[i], gamma.numba.exp(points[i], vectors[i]))
    strided = gamma.numba.exp(np.asfortranarray(points)[::-1], vectors[::-1])[::-1]
    np.testing.assert_array_equal(together, strided)


MISFITS = {
    "metric": (lambda m: m.metric([1.0, 2.0, 3.0]), r"points has shape \(3,\), but its axes must be \(\.\.\., 2\)"),
    "a number": (lambda m: m.metric(1.0), r"points has shape \(\), but its axes must be \(\.\.\., 2\)"),
    "vectors": (lambda m: m.connection([1.0, 2.0], [1.0]), r"vectors has shape \(1,\)"),
    "leading axes": (
        lambda m: m.inner(np.ones((3, 2)), np.ones((4, 2)), [1.0, 1.0]),
        r"the leading axes do not broadcast: points \(3, 2\), vectors \(4, 2\), vectors \(2,\)",
    ),
    "text": (lambda m: m.metric("here"), "points is not an array of numbers: 'here'"),
    "ragged": (lambda m: m.metric([[1.0, 2.0], [1.0]]), "points is not an array of numbers"),
    "log": (lambda m: m.log([1.0], [2.0, 3.0]), r"points has shape \(1,\)"),
    "distance": (lambda m: m.distance([1.0, 2.0], [2.0]), r"targets has shape \(1,\)"),
    "targets": (lambda m: m.log(np.ones((3, 2)), np.ones((4, 2))), "the leading axes do not broadcast: points"),
    "times": (lambda m: m.geodesic([1.0, 2.0], [1.0, 0.0], 0.5), r"times has shape \(\), but must have one axis"),
    "geodesic": (lambda m: m.geodesic(1.0, [1.0, 0.0], [0.5]), r"points has shape \(\)"),
}


@pytest.mark.parametrize("what", MISFITS)
def test_axes_that_do_not_fit_are_named(gamma, what):
    call, message = MISFITS[what]
    for manifold in (gamma.numpy, gamma.numba):
        with pytest.raises(ShapeError, match=message):
            call(manifold)


@pytest.mark.parametrize(("rtol", "atol"), [(-1e-6, 1e-6), (1e-6, -1e-6), (0.0, 0.0), (np.nan, 1e-6), (np.inf, 1.0)])
def test_tolerances_that_make_no_sense_are_refused(gamma, rtol, atol):
    for method in (gamma.numpy.exp, gamma.numpy.log, gamma.numpy.distance):
        with pytest.raises(ArgumentError, match="rtol and atol must be at least 0"):
            method([1.0, 1.0], [1.1, 1.2], rtol=rtol, atol=atol)


@pytest.mark.slow
def test_tolerance_is_kept():
    manifold = ro.Manifold(ro.models.Normal(), closed_forms=False)
    exact = np.array([np.sqrt(2) * np.tanh(3.0), 1 / np.cosh(3.0)])
    errors = []
    for rtol in (1e-4, 1e-7, 1e-10, 1e-13):
        end = manifold.exp([0.0, 1.0], [3 * np.sqrt(2), 0.0], rtol=rtol, atol=rtol)
        errors.append(np.abs(end - exact).max())
        assert errors[-1] <= 100 * rtol
    assert errors[-1] < 1e-6 * errors[0]


# -- outside the domain


@pytest.mark.parametrize("backend", [slow("numpy"), "numba"])
def test_points_outside_are_nan_and_leave_their_neighbours_alone(gamma, backend):
    manifold = getattr(gamma, backend)
    points = np.array([[1.0, 2.0], [-1.0, 2.0], [2.0, 1.0], [1.0, 0.0], [np.nan, 1.0], [1.0, np.inf], [3.0, 0.5]])
    u, v = np.full((7, 2), 0.125), np.tile([0.25, -0.125], (7, 1))
    inside = [0, 2, 6]
    outside = [1, 3, 4, 5]
    everything = {**TENSORS, **GEODESICS, "log": lambda m, p, u, v: m.log(p, [1.5, 1.5])}
    everything["from outside"] = lambda m, p, u, v: m.distance([1.5, 1.5], p)
    for name, method in everything.items():
        result = method(manifold, points, u, v) if name != "raise_index" else manifold.raise_index(points, u)
        assert np.isnan(result[outside]).all(), name
        alone = method(manifold, points[inside], u[inside], v[inside])
        if name == "raise_index":
            alone = manifold.raise_index(points[inside], u[inside])
        np.testing.assert_array_equal(result[inside], alone, err_msg=name)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_vectors_that_are_not_finite_give_nan(gamma, backend):
    manifold = getattr(gamma, backend)
    ends = manifold.exp([1.0, 1.0], [[np.nan, 0.0], [0.1, 0.0], [np.inf, 1.0]])
    assert np.isnan(ends[[0, 2]]).all() and np.isfinite(ends[1]).all()


@pytest.fixture(scope="module")
def roots():
    """The Poisson model by the square root of its mean, and by its inverse root: straight lines, and lines that end."""
    poisson = ro.models.Poisson()
    b = sp.Symbol("b", positive=True)
    models = [poisson.reparametrize({poisson.parameters[0]: e}, (b,)) for e in (b**2, 1 / b**2)]
    return {backend: [ro.Manifold(model, backend=backend) for model in models] for backend in ("numpy", "numba")}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_geodesic_that_leaves_the_domain_in_finite_time_is_nan_from_there_on(roots, backend):
    root, inverse = roots[backend]
    # the root of the mean falls from 1 at a speed of 1
    times = np.array([-1.0, 0.0, 0.5, 0.9, 0.999, 1.001, 2.0, 10.0])
    left = 1.0 - times
    expected = np.where(left > 0, left, np.nan)
    np.testing.assert_allclose(root.geodesic([1.0], [-1.0], times)[:, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(inverse.geodesic([1.0], [1.0], times)[:, 0], 1 / expected, rtol=1e-7)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_geodesic_that_touches_the_edge_does_not_come_back(backend):
    """By mean, a geodesic of the Poisson model is a parabola: its way ends where it touches 0."""
    manifold = ro.Manifold(ro.models.Poisson(), backend=backend)
    times = np.array([-3.0, 0.5, 0.9, 0.999, 1.001, 1.5, 3.0, 100.0])
    expected = np.where(times < 1, (1 - times) ** 2, np.nan)
    np.testing.assert_allclose(manifold.geodesic([1.0], [-2.0], times)[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(manifold.geodesic([1.0], [2.0], -times)[:, 0], expected, rtol=1e-6)
    carried = manifold.transport([1.0], [[-1.0], [-3.0]], [1.0])
    np.testing.assert_allclose(carried, [[0.5], [np.nan]], rtol=1e-8)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_transport_along_a_geodesic_that_leaves_is_nan(roots, backend):
    root, _ = roots[backend]
    carried = root.transport([[1.0], [1.0]], [[-0.5], [-1.5]], [1.0])
    np.testing.assert_allclose(carried, [[1.0], [np.nan]], rtol=1e-9)


# -- closed forms


def half_plane_exp(point, vector):
    """The exponential map of the Normal model: a half-plane of curvature -1/2 in (μ/√2, σ), by a Möbius map."""
    x, y = point[0] / np.sqrt(2), point[1]
    u, w = vector[0] / np.sqrt(2), vector[1]
    # from i, in direction e^(iφ): rotate the vertical line i e^s about i, then move i to (x, y)
    speed = np.hypot(u, w) / y
    angle = -np.arctan2(u, w) / 2
    up = 1j * np.exp(speed)
    z = (np.cos(angle) * up + np.sin(angle)) / (-np.sin(angle) * up + np.cos(angle))
    return np.array([np.sqrt(2) * (x + y * z.real), y * z.imag])


def half_plane_distance(p, q):
    rise = ((p[0] - q[0]) ** 2 / 2 + (p[1] - q[1]) ** 2) / (2 * p[1] * q[1])
    return np.sqrt(2) * np.log1p(rise + np.sqrt(rise * (rise + 2)))


mean = st.floats(-3.0, 3.0)
positive = st.floats(-1.5, 1.5).map(lambda t: float(np.exp(t)))
component = st.floats(-2.0, 2.0)


@given(mean, positive, component, component)
def test_geodesics_of_the_normal_model_are_half_circles(normal, mu, sigma, u, w):
    point, vector = np.array([mu, sigma]), sigma * np.array([u, w])
    expected = half_plane_exp(point, vector)
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(normal.numba.exp(point, vector), expected, rtol=0, atol=2e-9 * scale)


@given(mean, positive, mean, positive)
def test_distances_of_the_normal_model_are_hyperbolic(normal, mu, sigma, nu, tau):
    p, q = [mu, sigma], [nu, tau]
    rounding = 1e-15 * (1.0 + max(abs(mu), abs(nu))) / min(sigma, tau)
    assert normal.numba.distance(p, q) == pytest.approx(half_plane_distance(p, q), rel=1e-8, abs=rounding)


ARC_LENGTHS = {
    "exponential": (np.log, np.exp),
    "poisson": (lambda t: 2 * np.sqrt(t), lambda s: (s / 2) ** 2),
}


@pytest.mark.parametrize("name", ARC_LENGTHS)
def test_one_parameter_models_are_measured_by_arc_length(name):
    arc, point_at = ARC_LENGTHS[name]
    manifold = ro.Manifold(ro.models.family(name))
    points = np.array([0.5, 1.0, 7.0])
    targets = np.array([0.75, 1e-2, 3.0])
    length = arc(targets) - arc(points)
    distance = manifold.distance(points[:, None], targets[:, None])
    np.testing.assert_allclose(distance, np.abs(length), rtol=1e-8)
    speed = np.sqrt(manifold.metric(points[:, None])[:, 0, 0])
    for fraction in (0.5, 1.0, -0.25):
        ends = manifold.exp(points[:, None], (fraction * length / speed)[:, None])[:, 0]
        np.testing.assert_allclose(ends, point_at(arc(points) + fraction * length), rtol=1e-8)


# -- laws


@pytest.mark.slow_for("gamma by squares")
def test_log_is_the_inverse_of_exp(case):
    for length in (1e-3, LENGTH):
        vectors = case.vectors(length, seed=3)
        ends = case.numba.exp(case.points, vectors)
        found = case.numba.log(case.points, ends)
        assert np.all(case.numba.norm(case.points, found - vectors) <= 1e-8 * length)
        back = case.numba.exp(case.points, found)
        assert np.all(case.numba.norm(ends, back - ends) <= 1e-9)


def test_geodesic_begins_at_its_point_with_its_velocity(case):
    vectors = case.vectors(LENGTH, seed=4)
    h = 1e-4
    before, at, after = np.moveaxis(case.numba.geodesic(case.points, vectors, [-h, 0.0, h], rtol=1e-13), -2, 0)
    # closed forms go through other coordinates and back
    np.testing.assert_allclose(at, case.points, rtol=5e-16)
    slope = (after - before) / (2 * h)
    assert np.all(case.numba.norm(case.points, slope - vectors) <= 1e-6 * LENGTH)


def test_geodesics_keep_their_speed(case):
    vectors = case.vectors(LENGTH, seed=5)
    # the velocity at the end is the initial one carried along
    ends = case.numba.exp(case.points, vectors)
    velocities = case.numba.transport(case.points, vectors, vectors)
    np.testing.assert_allclose(case.numba.norm(ends, velocities), LENGTH, rtol=1e-8)
    # and it leads back
    returned = case.numba.exp(ends, -velocities)
    assert np.all(case.numba.norm(case.points, returned - case.points) <= 1e-8)


def test_pieces_of_a_geodesic_fit_together(case):
    vectors = case.vectors(LENGTH, seed=6)
    halfway = case.numba.exp(case.points, vectors / 2)
    carried = case.numba.transport(case.points, vectors / 2, vectors / 2)
    ends = case.numba.exp(case.points, vectors)
    assert np.all(case.numba.norm(ends, case.numba.exp(halfway, carried) - ends) <= 1e-8)
    parts = case.numba.distance(case.points, halfway) + case.numba.distance(halfway, ends)
    np.testing.assert_allclose(parts, LENGTH, rtol=1e-8)


def test_transport_keeps_inner_products(case):
    along, u, v = (case.vectors(length, seed) for length, seed in ((LENGTH, 7), (1.0, 8), (2.0, 9)))
    ends = case.numba.exp(case.points, along)
    carried = [case.numba.transport(case.points, along, w) for w in (u, v)]
    expected = case.numba.inner(case.points, u, v)
    np.testing.assert_allclose(case.numba.inner(ends, *carried), expected, rtol=0, atol=2e-8)
    combined = case.numba.transport(case.points, along, 2 * u - v)
    assert np.all(case.numba.norm(ends, combined - 2 * carried[0] + carried[1]) <= 1e-8)


def test_distance_is_symmetric_and_zero_only_to_itself(case):
    distances = case.numba.distance(case.points[:, None], case.points[None, :])
    np.testing.assert_allclose(distances, distances.T, rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(np.diag(distances), 0.0)
    assert np.all(distances + np.eye(len(distances)) > 1e-3)
    over = distances[:, :, None] + distances[None, :, :]
    assert np.all(distances[:, None, :] <= over * (1 + 1e-8) + 1e-12)


def test_tiny_distances_are_those_of_the_metric(case):
    """Down to rounding: a few units in the last place of each coordinate."""
    vectors, g = case.vectors(1.0, seed=10), case.numpy.metric(case.points)
    rounding = 2e-15 * np.einsum("...ii,...i->...i", g, case.points**2) ** 0.5
    for size in (1e-5, 1e-8, 1e-10):
        targets = case.points + size * vectors
        step = targets - case.points
        expected = case.numpy.norm(case.points + step / 2, step)
        found = case.numba.distance(case.points, targets)
        assert np.all(np.abs(found - expected) <= 1e-9 * size + rounding.sum(axis=-1))


@pytest.mark.slow_for("gamma by scale", "gamma by cube")
def test_distances_and_exponential_map_do_not_depend_on_the_chart(chart_case, gamma):
    """The last chart mixes the coordinates."""
    chart, manifold = chart_case.model.chart, chart_case.numpy
    distances = manifold.distance(chart_case.points[:1], chart_case.points[1:])
    expected = gamma.numba.distance(gamma.points[:1], gamma.points[1:])
    np.testing.assert_allclose(distances, expected, rtol=1e-8)
    vectors = chart_case.vectors(LENGTH, seed=11)
    ends = chart.to_original(manifold.exp(chart_case.points, vectors))
    there = gamma.numba.exp(gamma.points, chart.push_forward(chart_case.points, vectors))
    assert np.all(gamma.numba.norm(there, ends - there) <= 1e-8)


def test_far_points_of_the_gamma_model_are_found(gamma):
    """From the start of the paper's experiment to its end, and much farther."""
    targets = np.array([[20.0, 20.0], [1e-2, 5.0], [300.0, 0.01], [1e3, 1e3], [1e6, 1e-3], [1e8, 1e-5]])
    vectors, info = gamma.numba.log([1.0, 1.0], targets, full_output=True)
    assert info.message == "6 of 6: found"
    # as far as 23 units of length away, where geodesics that began a rounding apart are 1e-8 of their coordinates apart
    np.testing.assert_allclose(gamma.numba.exp([1.0, 1.0], vectors), targets, rtol=1e-7)


def test_what_log_does_not_find_has_a_reason(gamma):
    targets = np.array([[2.0, 3.0], [-1.0, 3.0], [1e-300, 1e300]])
    vectors, info = gamma.numba.log([1.0, 1.0], targets, full_output=True)
    np.testing.assert_array_equal(info.status, [ro.Status.COMPLETED, ro.Status.LEFT_DOMAIN, ro.Status.DIVERGED])
    np.testing.assert_array_equal(np.isnan(vectors).any(axis=-1), [False, True, True])
    assert info.error[0] <= 1e-9 and np.isnan(info.error[1:]).all()
    assert "1 of 3: no geodesic to the target was found" in info.message
    for manifold in (gamma.numba, gamma.numpy):
        assert manifold.log([1.0, 1.0], [2.0, 3.0], full_output=True)[1].status is ro.Status.COMPLETED
        assert manifold.log([1.0, 1.0], [2.0, -3.0], full_output=True)[1].status is ro.Status.LEFT_DOMAIN


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_no_absolute_tolerance_is_needed(gamma, backend):
    manifold = getattr(gamma, backend)
    np.testing.assert_allclose(manifold.exp([1.0, 1.0], [1.0, 0.0], atol=0.0), manifold.exp([1.0, 1.0], [1.0, 0.0]))
    there, back = manifold.distance([1.0, 1.0], [2.0, 3.0], atol=0.0), manifold.distance([2.0, 3.0], [1.0, 1.0])
    assert there == pytest.approx(back, rel=1e-9)


# -- backends


def test_unknown_backend_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown backend 'nmuba': did you mean 'numba'"):
        ro.Manifold(ro.models.Gamma(), backend="nmuba")


def test_manifold_reads_as_its_model_and_backend():
    text = "Manifold(Gamma(alpha, beta): alpha > 0, beta > 0, backend='numba')"
    assert repr(ro.Manifold(ro.models.Gamma())) == text
