"""Distances, geodesics and transport by other libraries and by published formulas: what ``test_libraries.py`` reads.

    python tests/manifold/geodesics/libraries.py [LIBRARY]...

writes into ``libraries.json`` what these libraries give, or all that are installed; the values of the others stay. In
one environment,

    pip install geomstats==2.8.0 "numpy<2.4" pyriemann==0.12 pymanopt==2.2.1 liudist==1.0.0 mpmath

because geomstats does not load with a newer NumPy, and in another one, because it wants an older NumPy still,

    pip install pyBregMan==0.1.1

A value is a quantity at arguments: metric(point), exp(point, vector), log(point, target), distance(point, target),
midpoint(point, target), half-way on the geodesic, and transport(point, along, vector). All are in riemopt's parameters;
``chart`` says what the library's are. ``tolerance`` is the value's own error, in units of the larger of its components
and the point's (the target's, for log), of the value for distances, and of √(g_ii g_jj) for metrics: for an equation
that was solved, from solving it twice; 1e-12 for a closed form, which is its rounding; and what a library that
approximates promises. ``wrong`` says why a value is not to be compared with.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("libraries.json")

ROUNDING = 1e-12
"""The tolerance of a closed form."""

Value = dict[str, Any]


def scale(quantity: str, arguments: list[np.ndarray], value: np.ndarray) -> np.ndarray:
    """The unit of a tolerance."""
    if quantity == "metric":
        return np.sqrt(np.outer(np.diag(value), np.diag(value)))
    if quantity == "distance":
        return np.abs(value)
    return np.maximum(np.abs(value), np.abs(arguments[1 if quantity == "log" else 0]))


def entry(
    via: str, model: str, quantity: str, arguments: list, value: Any, tolerance: float = ROUNDING, **more: Any
) -> Value:
    """One line of the file."""
    lists = [np.asarray(argument, dtype=float).tolist() for argument in arguments]
    return {
        "via": via,
        "model": model,
        "quantity": quantity,
        "arguments": lists,
        "value": np.asarray(value, dtype=float).tolist(),
        "tolerance": float(f"{tolerance:.2g}"),
        **more,
    }


def solved(
    via: str,
    model: str,
    quantity: str,
    arguments: list,
    values: Callable[[float], np.ndarray],
    best: float = 1e-11,
    **more: Any,
) -> Value:
    """A value of an equation solved twice; its error is ten times what the better solution changed."""
    rough, value = (np.asarray(values(tolerance)) for tolerance in (100 * best, best))
    change = np.max(np.abs(value - rough) / scale(quantity, [np.asarray(a) for a in arguments], value))
    return entry(via, model, quantity, arguments, value, max(10 * change, ROUNDING), **more)


PLANE = [
    ([0.0, 1.0], [1.0, 2.0], [0.5, -0.25]),
    ([-1.5, 0.25], [3.0, 2.0], [0.125, 0.5]),
    ([2.0, 3.0], [-4.0, 0.5], [-3.0, -2.0]),
]
"""Two normal distributions by mean and standard deviation, and a vector at the first."""

FAR = ([100.0, 0.01], [100.5, 0.03], [0.02, 0.01])
"""The same, in a place where formulas lose digits."""

# -- geomstats


def geomstats() -> Iterator[Value]:
    """All of geomstats.information_geometry that has a Fisher metric of its own."""
    yield from _geomstats_closed()
    yield from _geomstats_solved()


def _geomstats_closed() -> Iterator[Value]:
    from geomstats.information_geometry.binomial import BinomialDistributions
    from geomstats.information_geometry.categorical import CategoricalDistributions
    from geomstats.information_geometry.exponential import ExponentialDistributions
    from geomstats.information_geometry.geometric import GeometricDistributions
    from geomstats.information_geometry.multinomial import MultinomialDistributions
    from geomstats.information_geometry.normal import NormalDistributions
    from geomstats.information_geometry.poisson import PoissonDistributions

    lines = {
        "exponential": (ExponentialDistributions(), "rate", [(1.0, 3.5, 0.7), (0.125, 20.0, -0.3)]),
        "poisson": (PoissonDistributions(), "mean", [(1.0, 3.5, 0.7), (0.125, 20.0, 0.3), (20.0, 12.5, -9.0)]),
        "geometric": (GeometricDistributions(), "probability", [(0.5, 0.125, 0.2), (0.9, 0.3, -0.5)]),
        "binomial": (BinomialDistributions(10), "probability, of 10 draws", [(0.5, 0.125, 0.2), (0.1, 0.97, -0.05)]),
    }
    for model, (space, chart, cases) in lines.items():
        name = f"geomstats.{type(space).__name__}.metric"
        for x, y, v in cases:
            point, target, vector = (np.array([number]) for number in (x, y, v))
            for quantity, arguments, value in (
                ("metric", [point], space.metric.metric_matrix(point)),
                ("exp", [point, vector], space.metric.exp(vector, point)),
                ("log", [point, target], space.metric.log(target, point)),
                ("distance", [point, target], np.sqrt(space.metric.squared_dist(point, target))),
            ):
                yield entry(f"{name}.{quantity}", model, quantity, arguments, value, chart=chart)

    space = NormalDistributions(1)
    for point, target, vector in PLANE:
        yield from _four("normal", space, "mean and standard deviation", *map(np.array, (point, target, vector)))
    note = "takes differences of means that are far from 0: off by 1e-10 and 1e-7 from the formula by mpmath"
    for line in _four("normal", space, "mean and standard deviation", *map(np.array, FAR)):
        loose = {"exp": 1e-9, "log": 1e-6}.get(line["quantity"])
        yield line if loose is None else {**line, "tolerance": loose, "note": note}

    simplex = {
        "categorical": (CategoricalDistributions(2), "all probabilities"),
        "multinomial": (MultinomialDistributions(2, 10), "all probabilities, of 10 draws"),
    }
    for model, (space, chart) in simplex.items():
        for point, target, vector in (
            ([0.2, 0.3], [0.5, 0.125], [0.1, -0.3]),
            ([0.01, 0.04], [0.3, 0.6], [0.02, 0.05]),
        ):
            arrays = map(np.array, (point, target, vector))
            yield from _four(model, space, chart, *arrays, embed=_simplex, push=_tangent)

    # entries of the covariance, the lower triangle by rows
    for d, point, target, vector in (
        (2, [2.0, 0.5, 1.0], [1.0, -0.25, 3.0], [0.5, 0.25, -0.5]),
        (2, [0.01, 0.02, 5.0], [0.5, 1.0, 4.0], [0.01, 0.0, -3.0]),
        (3, [2.0, 0.5, 1.0, 0.25, -0.5, 1.5], [1.0, 0.125, 3.0, 0.5, 0.0, 0.75], [0.5, 0.0, -0.5, 0.25, 0.5, 1.0]),
    ):
        space = NormalDistributions(d, distribution_type="centered")
        arrays = map(np.array, (point, target, vector))
        model = f"zero-mean normal {d}"
        yield from _four(model, space, "covariance", *arrays, embed=_symmetric, push=_symmetric, metric=False)

    # the means, then the variances; its exp and log take the variances' velocities for those of standard deviations
    space = NormalDistributions(2, distribution_type="diagonal")
    for a, b in (([0.0, 1.0, 1.0, 4.0], [1.0, 0.5, 4.0, 0.25]), ([-3.0, 2.0, 0.01, 9.0], [-2.9, 7.0, 0.04, 1.0])):
        value = space.metric.dist(np.array(a), np.array(b))
        points = [np.array([p[0], np.sqrt(p[2]), p[1], np.sqrt(p[3])]) for p in (a, b)]
        yield entry(
            "geomstats.DiagonalNormalDistributions.metric.dist",
            "two normals",
            "distance",
            points,
            value,
            chart="means, then variances",
            note="its exp and log take velocities of variances for those of standard deviations",
        )


def _same(x: np.ndarray) -> np.ndarray:
    return x


def _simplex(p: np.ndarray) -> np.ndarray:
    """All probabilities, from all but the last."""
    return np.array([*p, 1.0 - p.sum()])


def _tangent(v: np.ndarray) -> np.ndarray:
    return np.array([*v, -v.sum()])


def _symmetric(triangle: np.ndarray) -> np.ndarray:
    """A symmetric matrix, from its lower triangle by rows."""
    d = int(np.sqrt(2 * len(triangle)))
    lower = np.zeros((d, d))
    lower[np.tril_indices(d)] = triangle
    return lower + np.tril(lower, -1).T


def _back(x: np.ndarray, n: int) -> np.ndarray:
    """The other way: what is left of probabilities or of a matrix."""
    return x[np.tril_indices(len(x))] if x.ndim == 2 else x[:n]


def _four(
    model: str,
    space: Any,
    chart: str,
    point: np.ndarray,
    target: np.ndarray,
    vector: np.ndarray,
    embed: Callable[[np.ndarray], np.ndarray] = _same,
    push: Callable[[np.ndarray], np.ndarray] = _same,
    metric: bool = True,
) -> Iterator[Value]:
    name, n = f"geomstats.{type(space).__name__}.metric", len(point)
    x, y, v = embed(point), embed(target), push(vector)
    if metric:
        basis = np.array([push(unit) for unit in np.eye(n)])
        value = basis @ space.metric.metric_matrix(x) @ basis.T
        yield entry(f"{name}.metric_matrix", model, "metric", [point], value, chart=chart)
    yield entry(f"{name}.exp", model, "exp", [point, vector], _back(space.metric.exp(v, x), n), chart=chart)
    yield entry(f"{name}.log", model, "log", [point, target], _back(space.metric.log(y, x), n), chart=chart)
    yield entry(f"{name}.dist", model, "distance", [point, target], np.squeeze(space.metric.dist(x, y)), chart=chart)


def _geomstats_solved() -> Iterator[Value]:
    """Those whose geodesics geomstats finds by solving the equation."""
    from geomstats.information_geometry.beta import BetaDistributions
    from geomstats.information_geometry.dirichlet import DirichletDistributions
    from geomstats.information_geometry.gamma import GammaDistributions

    def gamma_point(x: np.ndarray) -> np.ndarray:
        return np.array([x[0], x[0] / x[1]])

    def gamma_vector(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.array([v[0], v[0] / x[1] - x[0] * v[1] / x[1] ** 2])

    def same_vector(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return v

    spaces = {
        "gamma": (GammaDistributions(), "shape and mean (α, α/β)", gamma_point, gamma_vector),
        "beta": (BetaDistributions(), "the same", _same, same_vector),
        "dirichlet": (DirichletDistributions(3), "the same", _same, same_vector),
    }
    cases = {
        "gamma": [
            ([1.0, 1.0], [2.0, 0.5], [0.5, -0.25]),
            ([2.5, 0.75], [5.0, 5.0], [1.0, 2.0]),
            ([20.0, 20.0], [12.0, 25.0], [-8.0, 3.0]),
            ([0.25, 5.0], [0.75, 1.0], [0.25, 2.5]),
        ],
        "beta": [
            ([1.0, 1.0], [2.0, 0.5], [0.5, -0.25]),
            ([2.5, 0.75], [5.0, 5.0], [1.0, 2.0]),
            ([20.0, 20.0], [12.0, 25.0], [-8.0, 3.0]),
            ([0.25, 5.0], [0.75, 1.0], [0.25, 2.5]),
        ],
        "dirichlet": [
            ([1.0, 1.0, 1.0], [2.0, 0.5, 1.5], [0.5, -0.25, 0.5]),
            ([2.5, 0.75, 6.0], [5.0, 5.0, 5.0], [1.0, 2.0, -3.0]),
            ([0.25, 5.0, 0.5], [0.75, 1.0, 0.25], [0.25, 2.5, 0.5]),
        ],
    }
    for model, (space, chart, to, push) in spaces.items():
        for case in cases[model]:
            point, target, vector = map(np.array, case)
            yield from _solved_case(model, space, chart, to, push, point, target, vector)


def _solved_case(
    model: str,
    space: Any,
    chart: str,
    to: Callable[[np.ndarray], np.ndarray],
    push: Callable[[np.ndarray, np.ndarray], np.ndarray],
    point: np.ndarray,
    target: np.ndarray,
    vector: np.ndarray,
) -> Iterator[Value]:
    """`to` and `push` are involutions where they are not the identity."""
    from geomstats.numerics.bvp import ScipySolveBVP
    from geomstats.numerics.geodesic import ExpODESolver, LogODESolver
    from geomstats.numerics.ivp import ScipySolveIVP

    name, metric = f"geomstats.{type(space).__name__}.metric", space.metric
    x, y, v = to(point), to(target), push(point, vector)
    basis = np.array([push(point, unit) for unit in np.eye(len(point))])
    matrix = basis @ metric.metric_matrix(x) @ basis.T
    yield entry(f"{name}.metric_matrix", model, "metric", [point], matrix, chart=chart)

    def exp(tolerance: float) -> np.ndarray:
        integrator = ScipySolveIVP(method="DOP853", rtol=tolerance, atol=1e-3 * tolerance)
        return to(ExpODESolver(space, integrator=integrator).exp(v, x))

    @cache
    def library_log(tolerance: float) -> np.ndarray:
        integrator = ScipySolveBVP(tol=tolerance, max_nodes=20_000)
        return LogODESolver(space, n_nodes=200, integrator=integrator).log(y, x)

    def log(tolerance: float) -> np.ndarray:
        return push(x, library_log(tolerance))

    def distance(tolerance: float) -> np.ndarray:
        velocity = library_log(tolerance)
        return np.sqrt(velocity @ metric.metric_matrix(x) @ velocity)

    end, velocity, length = to(metric.exp(v, x)), push(x, metric.log(y, x)), metric.dist(x, y)
    for quantity, arguments, values, best, default in (
        ("exp", [point, vector], exp, 1e-13, end),
        ("log", [point, target], log, 1e-9, velocity),
        ("distance", [point, target], distance, 1e-9, length),
    ):
        line = solved(f"{name}.{quantity}", model, quantity, arguments, values, best, chart=chart)
        value = np.asarray(line["value"])
        loose = np.max(np.abs(value - default) / scale(quantity, arguments, value))
        yield {**line, "note": f"its solvers as they come are off by {loose:.0e}"}


# -- matrices: pyriemann and pymanopt

MATRICES = [
    ([2.0, 0.5, 1.0], [1.0, -0.25, 3.0], [0.5, 0.25, -0.5], [1.0, 0.0, -2.0]),
    ([0.01, 0.02, 5.0], [0.5, 1.0, 4.0], [0.01, 0.0, -3.0], [0.02, 0.05, 1.0]),
    ([1.0, 0.9, 1.0], [1.0, -0.9, 1.0], [1.0, 1.0, 1.0], [0.5, 0.0, -0.5]),
    (
        [2.0, 0.5, 1.0, 0.25, -0.5, 1.5],
        [1.0, 0.125, 3.0, 0.5, 0.0, 0.75],
        [0.5, 0.0, -0.5, 0.25, 0.5, 1.0],
        [1.0, 0.5, 0.0, -1.0, 0.25, 0.0],
    ),
]
"""Lower triangles by rows: two covariances and two vectors at the first."""


def pyriemann() -> Iterator[Value]:
    """The affine-invariant geometry of covariances; a Fisher–Rao distance is 1/√2 of its distance."""
    from pyriemann.geometry.distance import distance_riemann
    from pyriemann.geometry.geodesic import geodesic_riemann
    from pyriemann.geometry.tangentspace import exp_map_riemann, log_map_riemann, transport_riemann

    chart = "covariance"
    for a, b, v, w in MATRICES:
        A, B, V, W = map(_symmetric, map(np.array, (a, b, v, w)))
        model = f"zero-mean normal {len(A)}"
        note = "divided by √2"
        yield entry(
            "pyriemann.distance_riemann", model, "distance", [a, b], distance_riemann(A, B) / np.sqrt(2), note=note
        )
        end = exp_map_riemann(V, A, Cm12=True)
        for name, quantity, arguments, value in (
            ("geodesic_riemann", "midpoint", [a, b], geodesic_riemann(A, B, 0.5)),
            ("exp_map_riemann", "exp", [a, v], end),
            ("log_map_riemann", "log", [a, b], log_map_riemann(B, A, C12=True)),
            ("transport_riemann", "transport", [a, v, w], transport_riemann(W, A, end)),
        ):
            yield entry(f"pyriemann.{name}", model, quantity, arguments, _back(value, len(a)), chart=chart)


def pymanopt() -> Iterator[Value]:
    """Covariances; great circles of √p; the ball that is the plane of normal distributions; and positive numbers."""
    from pymanopt.manifolds import PoincareBall, Positive, Sphere, SymmetricPositiveDefinite

    for a, b, v, _ in MATRICES:
        A, B, V = map(_symmetric, map(np.array, (a, b, v)))
        space = SymmetricPositiveDefinite(len(A))
        name, model, note = "pymanopt.SymmetricPositiveDefinite", f"zero-mean normal {len(A)}", "divided by √2"
        yield entry(f"{name}.dist", model, "distance", [a, b], space.dist(A, B) / np.sqrt(2), note=note)
        yield entry(f"{name}.exp", model, "exp", [a, v], _back(space.exp(A, V), len(a)), chart="covariance")
        yield entry(
            f"{name}.log",
            model,
            "log",
            [a, b],
            _back(space.log(A, B), len(a)),
            chart="covariance",
            note="its transport is not the parallel one: it returns the vector as it is",
        )

    space, name, chart = Sphere(3), "pymanopt.Sphere", "square roots of probabilities, on a sphere of radius 1, not 2"
    for p, q, v in (([0.2, 0.3], [0.5, 0.125], [0.1, -0.3]), ([0.01, 0.04], [0.3, 0.6], [0.02, 0.05])):
        x, y = (np.sqrt(_simplex(np.array(point))) for point in (p, q))
        velocity = _tangent(np.array(v)) / (2 * x)
        end, log = space.exp(x, velocity) ** 2, 2 * x * space.log(x, y)
        yield entry(f"{name}.dist", "categorical", "distance", [p, q], 2 * space.dist(x, y), chart=chart)
        yield entry(f"{name}.exp", "categorical", "exp", [p, v], end[:2], chart=chart)
        note = "its transport is not the parallel one: it is a projection"
        yield entry(f"{name}.log", "categorical", "log", [p, q], log[:2], chart=chart, note=note)

    def ball(point: list[float]) -> np.ndarray:
        z = complex(point[0] / np.sqrt(2), point[1])
        w = (z - 1j) / (z + 1j)
        return np.array([w.real, w.imag])

    def plane(w: np.ndarray) -> np.ndarray:
        z = 1j * (1 + complex(*w)) / (1 - complex(*w))
        return np.array([np.sqrt(2) * z.real, z.imag])

    space, name = PoincareBall(2), "pymanopt.PoincareBall"
    chart = "(z - i)/(z + i) with z = μ/√2 + iσ; its unit of length is 1/√2 of that of Fisher and Rao"
    for p, q, v in PLANE:
        x, y = ball(p), ball(q)
        z = complex(p[0] / np.sqrt(2), p[1])
        speed = complex(v[0] / np.sqrt(2), v[1]) * 2j / (z + 1j) ** 2
        arrow = np.array([speed.real, speed.imag])
        back = complex(*space.log(x, y)) * (z + 1j) ** 2 / 2j
        log = [np.sqrt(2) * back.real, back.imag]
        yield entry(f"{name}.dist", "normal", "distance", [p, q], np.sqrt(2) * space.dist(x, y), chart=chart)
        yield entry(f"{name}.exp", "normal", "exp", [p, v], plane(space.exp(x, arrow)), chart=chart)
        yield entry(f"{name}.log", "normal", "log", [p, q], log, chart=chart)

    space, name = Positive(1, 1, use_parallel_transport=True), "pymanopt.Positive"
    for x, y, v, w in ((1.0, 3.5, 0.7, 1.0), (0.125, 20.0, -0.3, 0.5)):
        a, b, velocity, carried = (np.array([[number]]) for number in (x, y, v, w))
        end = space.exp(a, velocity)
        yield entry(f"{name}.dist", "exponential", "distance", [[x], [y]], space.dist(a, b))
        yield entry(f"{name}.exp", "exponential", "exp", [[x], [v]], end[0])
        moved = space.transport(a, end, carried)[0]
        yield entry(f"{name}.transport", "exponential", "transport", [[x], [v], [w]], moved)


# -- liudist and pyBregMan


def liudist() -> Iterator[Value]:
    """Distances between Dirichlet distributions; the scale of its Liouville distributions is left at 1."""
    from liudist import distance_x
    from liudist.reference import distance_x_reference

    for x, y in (
        ([1.0, 1.0], [2.0, 0.5]),
        ([2.5, 0.75], [5.0, 5.0]),
        ([0.25, 5.0], [0.75, 1.0]),
        ([1.0, 1.0, 1.0], [2.0, 0.5, 1.5]),
        ([2.5, 0.75, 6.0], [5.0, 5.0, 5.0]),
        ([0.25, 5.0, 0.5], [0.75, 1.0, 0.25]),
    ):
        model = "beta" if len(x) == 2 else "dirichlet"
        r = np.full(len(x), 0.125)
        offsets = [np.array(point) - r for point in (x, y)]
        chart = "α - r and r, here r = 1/8"

        def shot(tolerance: float, offsets: list[np.ndarray] = offsets, r: np.ndarray = r) -> np.ndarray:
            return np.array(
                distance_x_reference(*offsets, r, rtol=1e-2 * tolerance, atol=1e-4 * tolerance, tol=tolerance)
            )

        yield solved("liudist.reference.distance_x_reference", model, "distance", [x, y], shot, chart=chart)

        def straightened(pieces: int, offsets: list[np.ndarray] = offsets, r: np.ndarray = r) -> float:
            return distance_x(*offsets, r, K=pieces, gtol=1e-12, maxiter=5000, fast_special=False)

        value, rough = straightened(64), straightened(32)
        error = max(abs(value / rough - 1), 1e-10)
        loose = abs(distance_x(*offsets, r) / value - 1)
        note = f"a path of 2·64 pieces; as it comes, with 2·16, it is off by {loose:.0e}"
        yield entry("liudist.distance_x", model, "distance", [x, y], value, error, chart=chart, note=note)


NORMALS = [
    ([0.0, 0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.25, 0.0, 0.25]),
    ([0.0, 0.0, 1.0, 0.0, 0.1], [1.0, 1.0, 0.1, 0.0, 1.0], [2.0, 0.25, -1.0, 0.25, 0.125]),
    ([-1.0, 2.0, 2.0, 0.5, 1.0], [0.5, 1.5, 1.0, -0.25, 3.0], [0.5, -1.5, 3.0, 1.0, -1.0]),
]
"""Means and then lower triangles of covariances: two distributions and a vector at the first."""


def bregman() -> Iterator[Value]:
    """Geodesics and distances of multivariate normal and of categorical distributions."""
    from bregman.application.distribution.exponential_family.categorical.categorical import CategoricalManifold
    from bregman.application.distribution.exponential_family.gaussian.dissimilarity import GaussianFisherRaoDistance
    from bregman.application.distribution.exponential_family.gaussian.gaussian import GaussianManifold
    from bregman.application.distribution.exponential_family.gaussian.geodesic import FisherRaoKobayashiGeodesic
    from bregman.application.distribution.exponential_family.multinomial.dissimilarity import (
        FisherRaoMultinomialDistance,
    )
    from bregman.base import LAMBDA_COORDS, Point

    manifold = GaussianManifold(2)

    def to_point(x: list[float]) -> Point:
        return Point(LAMBDA_COORDS, np.array([x[0], x[1], x[2], x[3], x[3], x[4]]))

    chart = "mean and all entries of the covariance"
    wrong = "half-way from N((0, 0), 1) to N((1, 1), 1) its mean is not (1/2, 1/2)"
    for p, q, _ in NORMALS:
        a, b = map(to_point, (p, q))
        middle = FisherRaoKobayashiGeodesic(manifold, a, b)(0.5).data[[0, 1, 2, 4, 5]]
        name = "pyBregMan.FisherRaoKobayashiGeodesic"
        yield entry(name, "multivariatenormal", "midpoint", [p, q], middle, chart=chart, wrong=wrong)
        value = GaussianFisherRaoDistance(manifold).dissimilarity(a, b, 1e-4)
        name = "pyBregMan.GaussianFisherRaoDistance"
        along = "a sum along a curve that is not the geodesic: " + wrong
        yield entry(name, "multivariatenormal", "distance", [p, q], value, 1e-4, chart=chart, wrong=along)

    manifold = CategoricalManifold(3)
    p, q = [0.2, 0.3], [0.5, 0.125]
    value = FisherRaoMultinomialDistance(manifold)(*(Point(LAMBDA_COORDS, _simplex(np.array(x))) for x in (p, q)))
    wrong = "a factor √3, from the number of categories, in the place of the number of draws"
    name = "pyBregMan.FisherRaoMultinomialDistance"
    yield entry(name, "categorical", "distance", [p, q], value, chart="all probabilities", wrong=wrong)


# -- formulas

SURVEY = "Miyamoto, Meneghetti, Pinele and Costa, On closed-form expressions for the Fisher–Rao distance, 2024"
COSTA = "Costa, Santos and Strapasson, Fisher information distance: a geometrical reading, 2015"
OLLER = "Oller, Information metric for extreme value and logistic probability distributions, 1987"
LAURITZEN = "Lauritzen, Statistical manifolds, 1987: the inverse Gaussian model is hyperbolic"
HALF_PLANE = "Atkinson and Mitchell, Rao's distance measure, 1981: the normal model is the hyperbolic plane"
ERIKSEN = "Eriksen, Geodesics connected with the Fischer metric on the multivariate normal manifold, 1987"


def formulas() -> Iterator[Value]:
    """Published formulas by mpmath."""
    import mpmath as mp

    with mp.workdps(40):
        for source, model, formula, pairs in _distances(mp):
            for p, q in pairs:
                value = formula(*([mp.mpf(x) for x in point] for point in (p, q)))
                yield entry(source, model, "distance", [p, q], value, 1e-15)
        for p, q, v in [*PLANE, FAR]:
            for quantity, other, value in (("exp", v, _plane_exp(mp, p, v)), ("log", q, _plane_log(mp, p, q))):
                yield entry(HALF_PLANE, "normal", quantity, [p, other], value, 1e-15)
        for p, _, v in NORMALS:
            yield entry(ERIKSEN, "multivariatenormal", "exp", [p, v], _eriksen(mp, p, v), 1e-15)


def _distances(mp: Any) -> Iterator[tuple]:
    def hyperbolic(a: Any, b: Any) -> Callable:
        """The distance of (a dx² + b dy²)/y²."""

        def distance(p: list, q: list) -> Any:
            (x, s), (y, t) = p, q
            return mp.sqrt(b) * mp.acosh(1 + (mp.mpf(a) / b * (x - y) ** 2 + (s - t) ** 2) / (2 * s * t))

        return distance

    def moved(distance: Callable, to: Callable) -> Callable:
        return lambda p, q: distance(to(*p), to(*q))

    def difference(primitive: Callable) -> Callable:
        return lambda p, q: abs(primitive(p[0]) - primitive(q[0]))

    def costa(p: list, q: list) -> Any:
        (x, s), (y, t) = p, q
        F = mp.sqrt(((x - y) ** 2 + 2 * (s - t) ** 2) * ((x - y) ** 2 + 2 * (s + t) ** 2))
        return mp.sqrt(2) * mp.log((F + (x - y) ** 2 + 2 * (s * s + t * t)) / (4 * s * t))

    def angle(draws: int) -> Callable:
        def distance(p: list, q: list) -> Any:
            p, q = [*p, 1 - mp.fsum(p)], [*q, 1 - mp.fsum(q)]
            cosine = mp.fsum(mp.sqrt(x * y) for x, y in zip(p, q, strict=True))
            return 2 * mp.sqrt(draws) * mp.acos(cosine)

        return distance

    positive = [([1.0], [3.5]), ([0.125], [20.0]), ([4.0], [3.999])]
    unit = [([0.5], [0.125]), ([0.1], [0.97]), ([0.3], [0.30001])]
    planes = [([0.0, 1.0], [1.0, 2.0]), ([-1.5, 0.25], [3.0, 2.0]), ([100.0, 0.01], [100.5, 0.03])]
    planes += [([0.0, 1.0], [30.0, 1.0]), ([2.0, 1.0], [2.0, 1.001])]
    simplex = [([0.2, 0.3], [0.5, 0.125]), ([0.01, 0.04], [0.3, 0.6]), ([0.25, 0.5], [0.25, 0.501])]
    shapes = [([1.0, 1.0], [2.0, 3.0]), ([0.5, 10.0], [1.5, 4.0]), ([8.0, 0.1], [5.0, 0.125])]
    yield SURVEY, "exponential", difference(mp.log), positive
    yield SURVEY, "rayleigh", difference(lambda x: 2 * mp.log(x)), positive
    yield SURVEY, "pareto", difference(mp.log), positive
    yield SURVEY, "poisson", difference(lambda x: 2 * mp.sqrt(x)), positive
    yield SURVEY, "bernoulli", difference(lambda x: 2 * mp.asin(mp.sqrt(x))), unit
    yield SURVEY, "binomial", difference(lambda x: 2 * mp.sqrt(10) * mp.asin(mp.sqrt(x))), unit
    yield SURVEY, "geometric", difference(lambda x: 2 * mp.atanh(mp.sqrt(1 - x))), unit
    yield SURVEY, "categorical", angle(1), simplex
    yield SURVEY, "multinomial", angle(10), simplex
    yield COSTA, "normal", costa, planes
    yield SURVEY, "lognormal", costa, planes
    yield SURVEY, "cauchy", hyperbolic(mp.mpf(1) / 2, mp.mpf(1) / 2), planes
    logistic = hyperbolic(mp.mpf(1) / 3, (3 + mp.pi**2) / 9)
    yield OLLER, "logistic", logistic, planes
    yield OLLER, "loglogistic", moved(logistic, lambda alpha, beta: (mp.log(alpha), 1 / beta)), shapes
    extreme = hyperbolic(1, mp.pi**2 / 6)
    yield OLLER, "gumbel", moved(extreme, lambda mu, beta: (mu - (1 - mp.euler) * beta, beta)), planes
    yield OLLER, "weibull", moved(extreme, lambda k, size: (mp.log(size) + (1 - mp.euler) / k, 1 / k)), shapes
    inverse = hyperbolic(4, 2)
    yield LAURITZEN, "inversegaussian", moved(inverse, lambda mu, shape: (1 / mp.sqrt(mu), 1 / mp.sqrt(shape))), shapes


def _plane_exp(mp: Any, p: list[float], v: list[float]) -> list:
    """The end of a geodesic in the plane of z = μ/√2 + iσ, turned into the disc that has p in the middle."""
    (m, s), (a, b) = ([mp.mpf(x) for x in pair] for pair in (p, v))
    z, speed = mp.mpc(m / mp.sqrt(2), s), mp.mpc(a / mp.sqrt(2), b) / mp.mpc(0, 2 * s)
    w = speed / abs(speed) * mp.tanh(abs(speed))
    end = (z - mp.conj(z) * w) / (1 - w)
    return [mp.sqrt(2) * end.real, end.imag]


def _plane_log(mp: Any, p: list[float], q: list[float]) -> list:
    """The inverse."""
    (m, s), (n, t) = ([mp.mpf(x) for x in pair] for pair in (p, q))
    z, end = mp.mpc(m / mp.sqrt(2), s), mp.mpc(n / mp.sqrt(2), t)
    w = (end - z) / (end - mp.conj(z))
    velocity = w / abs(w) * mp.atanh(abs(w)) * mp.mpc(0, 2 * s)
    return [mp.sqrt(2) * velocity.real, velocity.imag]


def _eriksen(mp: Any, p: list[float], v: list[float]) -> list:
    """The end of a geodesic of normal distributions, moved to start from the mean 0 and the covariance 1.

    With x and B the velocities of mean and covariance, the upper left blocks Δ and δ of the exponential of
    [[-B, x, 0], [xᵀ, 0, -xᵀ], [0, -x, B]] are the inverse covariance and its product with the mean.
    """

    def split(numbers: list[float]) -> tuple[Any, Any]:
        m1, m2, a, b, c = map(mp.mpf, numbers)
        return mp.matrix([m1, m2]), mp.matrix([[a, b], [b, c]])

    (mean, covariance), (x, B) = split(p), split(v)
    root = mp.cholesky(covariance)
    inverse = root**-1
    x, B = inverse * x, inverse * B * inverse.T
    A = mp.zeros(5)
    A[0:2, 0:2], A[3:5, 3:5] = -B, B
    for i in range(2):
        A[i, 2] = A[2, i] = x[i]
        A[3 + i, 2] = A[2, 3 + i] = -x[i]
    E = mp.expm(A, method="taylor")
    end = mp.matrix(E[0:2, 0:2]) ** -1
    mean = mean + root * end * mp.matrix([E[0, 2], E[1, 2]])
    end = root * end * root.T
    return [mean[0], mean[1], end[0, 0], end[1, 0], end[1, 1]]


SOURCES: dict[str, tuple[str, Callable[[], Iterator[Value]]]] = {
    "geomstats": ("geomstats", geomstats),
    "pyriemann": ("pyriemann", pyriemann),
    "pymanopt": ("pymanopt", pymanopt),
    "liudist": ("liudist", liudist),
    "pyBregMan": ("bregman", bregman),
    "mpmath": ("mpmath", formulas),
}
"""What each distribution is imported as, and its values."""


def main(names: list[str]) -> None:
    """Write the file."""
    old: dict[str, dict] = json.loads(FILE.read_text()) if FILE.exists() else {}
    found: dict[str, dict] = {}
    for name, (module, values) in SOURCES.items():
        if (names and name not in names) or importlib.util.find_spec(module) is None:
            print(f"{name}: its values stay as they are", flush=True)
            if name in old:
                found[name] = old[name]
            continue
        versions = {package: version(package) for package in dict.fromkeys([name, "numpy"])}
        found[name] = {"versions": versions, "values": list(values())}
        print(f"{name}: {len(found[name]['values'])} values", flush=True)
    with FILE.open("w") as file:
        file.write("{\n")
        for i, (name, part) in enumerate(found.items()):
            file.write(f'{json.dumps(name)}: {{"versions": {json.dumps(part["versions"])}, "values": [\n')
            lines = [json.dumps(line, ensure_ascii=False) for line in part["values"]]
            file.write(",\n".join(lines) + "\n]}" + ("\n" if i == len(found) - 1 else ",\n"))
        file.write("}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
