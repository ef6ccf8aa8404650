"""Accuracy where closed forms cancel: the inverse metric, the connection and the curvature of models with polygammas.

Everything is compared with the same expressions at 80 digits.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from tests.marks import slow

DIGITS = 80
BACKENDS = ["numpy", "numba"]

SHAPES = np.logspace(-3, 6, 19)
WIDE = np.logspace(-3, 6, 10)
GAMMA_POINTS = [(alpha, beta) for alpha in SHAPES for beta in (0.01, 1.0, 37.0)]

a, b = sp.symbols("a b", positive=True)
u, v = sp.symbols("u v", real=True)
CHARTS = {
    "own": (),
    "scale": (a, 1 / b),
    "cube": (a, b**3),
    "squares": (a**2, b**2),
    "mean": (b, b / a),
    "root": (sp.sqrt(a), b),
    "logarithms": (sp.exp(u), sp.exp(v)),
}

FAMILIES = {
    # points, the bound for solutions, the bound for tensors, the bound for the scalar curvature
    "Gamma": (ro.models.Gamma, GAMMA_POINTS, 2e-14, 2e-15, 5e-15),
    "InverseGamma": (ro.models.InverseGamma, GAMMA_POINTS, 2e-14, 2e-15, 5e-15),
    "Nakagami": (ro.models.Nakagami, GAMMA_POINTS, 2e-15, 2e-15, 5e-15),
    # where one shape is small the difference of two large polygammas is, too: the error is about 1e-16 over it
    "Beta": (ro.models.Beta, [(x, y) for x in WIDE for y in WIDE], 1e-12, 1e-12, 1e-10),
    # the larger nu is the less can be known of it: the error is about 1e-16 nu
    "StudentT": (
        ro.models.StudentT,
        [(nu, 0.5, sigma) for nu in np.logspace(-1, 3, 9) for sigma in (1.0, 5.0)],
        2e-13,
        1e-13,
        5e-11,
    ),
    "Dirichlet": (
        lambda: ro.models.Dirichlet(3),
        [(x, y, z) for x in (0.01, 2.0, 1e6) for y in (0.01, 1e3, 1e6) for z in (0.5, 1e6)],
        2e-14,
        2e-14,
        1e-13,
    ),
}
COMPILED = ("Gamma", "Beta")
"""The kernels of the others differ in which of the same functions they call."""
ON_BOTH = [
    slow(name, backend) if backend == "numba" and name not in COMPILED else (name, backend)
    for name in FAMILIES
    for backend in BACKENDS
]


@cache
def family(name: str) -> ro.StatisticalModel:
    return FAMILIES[name][0]()


@cache
def manifold_of(name: str, backend: str) -> ro.Manifold:
    return ro.Manifold(family(name), backend=backend)


@cache
def gamma_model(chart: str) -> ro.StatisticalModel:
    model, expressions = family("Gamma"), CHARTS[chart]
    if not expressions:
        return model
    new = (u, v) if chart == "logarithms" else (a, b)
    return model.reparametrize(dict(zip(model.parameters, expressions, strict=True)), parameters=new)


def exact(expressions: sp.Expr | Sequence[sp.Expr], symbols: Sequence[sp.Symbol], points: Iterable[np.ndarray]) -> list:
    function = sp.lambdify(symbols, expressions, "mpmath")
    with mp.workdps(DIGITS):
        return [function(*map(mp.mpf, np.asarray(point, dtype=float).tolist())) for point in points]


def metrics(model: ro.StatisticalModel, points: np.ndarray) -> list[mp.matrix]:
    return [mp.matrix(rows) for rows in exact(model.expectation.metric.tolist(), model.parameters, points)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_norms_along_the_nearly_null_direction(backend):
    """Where shape and rate move together the terms of g(v, v) cancel to 1/(2α) of their size."""
    points = np.array(GAMMA_POINTS)
    vectors = points * [1.0, 1.0 + 1e-9]
    found = manifold_of("Gamma", backend).norm(points, vectors)
    for point, vector, norm, g in zip(points, vectors, found, metrics(family("Gamma"), points), strict=True):
        with mp.workdps(DIGITS):
            x = mp.matrix([mp.mpf(float(e)) for e in vector])
            expected = mp.sqrt((x.T * g * x)[0, 0])
        assert relative(norm, expected) <= 1e-14, point


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("chart", ["own", "scale", "mean", "squares"])
@pytest.mark.slow_for("scale-numba", "squares-numba")
def test_accelerations_along_the_nearly_null_direction(chart, backend):
    """Γ^μ(v, v) from the symbols of the second kind at 80 digits, where its terms cancel."""
    model = gamma_model(chart)
    manifold = ro.Manifold(model, backend=backend)
    points = model.chart.from_original(np.array([(alpha, 2.0) for alpha in SHAPES]))
    pushed = model.chart.to_original(points) * [1.0, 1.0 + 1e-6]
    vectors = np.linalg.solve(model.chart.jacobian(points), pushed[..., None])[..., 0]
    found = manifold.likelihood([1.0, 2.0]).acceleration(points, vectors)
    symbols = exact(sp.Array(manifold.symbolic.christoffel).tolist(), model.parameters, points)
    g = metrics(model, points)
    for i, vector in enumerate(vectors):
        with mp.workdps(DIGITS):
            x = [mp.mpf(float(e)) for e in vector]
            expected = [-sum(symbols[i][m][k][j] * x[k] * x[j] for k in range(2) for j in range(2)) for m in range(2)]
            gap = mp.matrix([mp.mpf(float(f)) - e for f, e in zip(found[i], expected, strict=True)])
            error = mp.sqrt((gap.T * g[i] * gap)[0, 0])
            speed = mp.sqrt((mp.matrix(x).T * g[i] * mp.matrix(x))[0, 0])
        assert error <= 1e-12 * max(speed, speed**2), points[i]


def relative(value: float, expected: mp.mpf) -> float:
    with mp.workdps(DIGITS):
        return float(abs(mp.mpf(float(value)) - expected) / abs(expected)) if expected else abs(float(value))


def errors_of_solutions(manifold: ro.Manifold, points: np.ndarray) -> tuple[float, float]:
    """The largest error of raise_index relative to the length of the vector, and relative to each component."""
    n = manifold.dimension
    # of the sizes that the covectors of unit vectors have, and none of them special
    covectors = np.random.default_rng(5).normal(size=(len(points), n))
    covectors = covectors * np.sqrt(np.einsum("kii->ki", manifold.metric(points)))
    found = manifold.raise_index(points, covectors)
    by_length = by_component = 0.0
    with mp.workdps(DIGITS):
        for g, c, x in zip(metrics(manifold.model, points), covectors, found, strict=True):
            expected = mp.lu_solve(g, mp.matrix([mp.mpf(float(k)) for k in c]))
            wrong = [mp.mpf(float(x[i])) - expected[i] for i in range(n)]
            length = mp.sqrt(sum(g[i, i] * expected[i] ** 2 for i in range(n)))
            by_length = max(by_length, float(mp.sqrt(sum(g[i, i] * wrong[i] ** 2 for i in range(n))) / length))
            by_component = max(by_component, *(float(abs(wrong[i] / expected[i])) for i in range(n)))
    return by_length, by_component


@pytest.mark.parametrize(("name", "backend"), ON_BOTH)
@pytest.mark.slow_for("StudentT-numba", "Beta-numba", "StudentT-numpy")
def test_raising_an_index_keeps_its_accuracy(name, backend):
    _, points, bound, *_ = FAMILIES[name]
    by_length, by_component = errors_of_solutions(manifold_of(name, backend), np.array(points))
    assert by_length < bound
    # a component is as small as the covector makes it
    assert by_component < 20 * bound


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.slow_for("logarithms-numba", "scale-numba", "root-numba", "squares-numba", "cube-numba")
def test_raising_an_index_keeps_its_accuracy_in_every_chart_of_the_gamma_model(chart, backend):
    model = gamma_model(chart)
    points = np.array(GAMMA_POINTS)
    if chart != "own":
        points = model.chart.from_original(points)
    by_length, by_component = errors_of_solutions(ro.Manifold(model, backend=backend), points)
    assert by_length < 5e-14
    assert by_component < 1e-12


@pytest.mark.parametrize("backend", BACKENDS)
def test_natural_gradient_of_the_gamma_model_keeps_its_accuracy(backend):
    samples = [0.3, 1.1, 2.5, 0.7]
    problem = manifold_of("Gamma", backend).likelihood(samples)
    points = np.array(GAMMA_POINTS)
    found = problem.natural_gradient(points)
    with mp.workdps(DIGITS):
        mean = mp.fsum(map(mp.mpf, samples)) / len(samples)
        logarithm = mp.fsum(mp.log(mp.mpf(x)) for x in samples) / len(samples)
        for g, point, x in zip(metrics(family("Gamma"), points), points, found, strict=True):
            alpha, beta = map(mp.mpf, point.tolist())
            slope = mp.matrix([mp.digamma(alpha) - mp.log(beta) - logarithm, mean - alpha / beta])
            expected = mp.lu_solve(g, slope)
            assert max(relative(x[i], expected[i]) for i in range(2)) < 2e-14, point


@pytest.mark.parametrize(("name", "backend"), ON_BOTH)
@pytest.mark.slow_for("Nakagami-numba", "Beta-numba", "StudentT-numpy")
def test_metric_and_connection_keep_their_accuracy(name, backend):
    _, points, _, bound, _ = FAMILIES[name]
    model, manifold, points = family(name), manifold_of(name, backend), np.array(points)
    for g, expected in zip(manifold.metric(points), metrics(model, points), strict=True):
        assert max(relative(g[index], expected[index]) for index in np.ndindex(g.shape)) < bound
    rows = model.expectation.metric
    for k, parameter in enumerate(model.parameters):
        # along one coordinate, Γ_k(v) = ½ ∂_k g_kk
        unit = np.eye(model.dimension)[k]
        found = manifold.connection(points, unit)[:, k]
        slopes = exact(rows[k, k].diff(parameter) / 2, model.parameters, points)
        assert max(map(relative, found, slopes)) < bound


@cache
def exact_curvatures(name):
    """Computed once for all targets."""
    symbolic = manifold_of(name, "numpy").symbolic
    return exact(symbolic.scalar_curvature, symbolic.model.parameters, FAMILIES[name][1])


@pytest.mark.parametrize(("name", "backend"), ON_BOTH)
@pytest.mark.slow_for("Dirichlet", "StudentT-numpy", "Beta-numpy", "Beta-numba", "Dirichlet-numpy")
def test_scalar_curvature_keeps_its_accuracy(name, backend):
    _, points, *_, bound = FAMILIES[name]
    manifold = manifold_of(name, backend)
    found = manifold.scalar_curvature(np.array(points))
    assert max(map(relative, found, exact_curvatures(name))) < bound


def test_tensors_to_read_are_in_ordinary_polygammas():
    symbolic = manifold_of("Beta", "numpy").symbolic
    functions = set().union(*(e.atoms(sp.Function) for e in (*symbolic.metric, symbolic.scalar_curvature)))
    assert all(isinstance(f, sp.polygamma) for f in functions)
