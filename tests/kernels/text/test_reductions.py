"""Compiled integrals and sums: both targets against closed forms, SciPy and mpmath; and the calculus of graphs."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc
import scipy.stats
import sympy as sp

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Integral, Peak, TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets import threads
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel
from riemopt.kernels.text.algorithms.sums import BLOCK
from riemopt.status import Status
from tests.marks import slow

TARGETS = {"numpy": NumpyTarget(), "numba": NumbaTarget()}
LINE, COUNTS = None, (0.0, np.inf)

y = sp.Symbol("y", real=True)
k = sp.Symbol("k", integer=True, nonnegative=True)
mu, tau = sp.symbols("mu tau", real=True)
sigma, nu, rate, shape, size, rho = sp.symbols("sigma nu rate shape size rho", positive=True)
w, p = sp.symbols("w p", positive=True)
HALF_LOG_2PI = sp.log(2 * sp.pi) / 2


def normal(at, scale):
    return -(((y - at) / scale) ** 2) / 2 - sp.log(scale) - HALF_LOG_2PI


def bell(at, scale):
    return sp.exp(-(((y - at) / scale) ** 2) / 2) / scale


@dataclass(frozen=True, eq=False)
class Density:
    """Integrals of a density over one variable: what is integrated, and what comes out."""

    variable: sp.Symbol
    parameters: tuple[sp.Symbol, ...]
    weight: sp.Expr
    values: tuple[sp.Expr, ...]
    lattice: tuple[float, float] | None
    expected: object
    points: tuple[tuple[float, ...], ...]
    rtol: float = 1e-10

    def program(self, directions=(), normalized=True):
        """c and the integrals at a point, or their derivatives along one direction after the other."""
        inner, outer = Graph(), Graph()
        inputs = tuple(inner.input(f"inside {i}") for i in range(1 + len(self.parameters)))
        environment = dict(zip((self.variable, *self.parameters), inputs, strict=True))
        weight = inner.lower(self.weight, environment)
        terms = [inner.constant(1.0), *(inner.lower(value, environment) for value in self.values)]
        part = Integral(Program(inputs, (weight,)), Program(inputs, (weight, *terms)), self.lattice, normalized)
        theta = tuple(outer.input(f"theta {i}") for i in range(len(self.parameters)))
        status, (best, *totals) = outer.use(part, theta)
        for direction in directions:
            totals = outer.tangents(totals, dict(zip(theta, map(outer.constant, direction), strict=True)))
        return Program(theta, (status, best, *totals))

    def kernel(self, target, **options):
        argument = [("points", (len(self.parameters),))]
        return Kernel(TARGETS[target], self.program(**options), argument, [()] * (2 + len(self.values)))

    def at(self, target, points, **options):
        """The status, shape (...), and the integrals, shape (..., m)."""
        status, best, *totals = self.kernel(target, **options)(points)
        return status, np.exp(best)[..., None] * np.stack(totals, axis=-1)


def student_score(nu, mu, sigma):
    return [1, (nu + 1) / ((nu + 3) * sigma**2)]


def mixture_moments(w, mu, sigma, tau, rho):
    return [1, w * mu + (1 - w) * tau, w * (mu**2 + sigma**2) + (1 - w) * (tau**2 + rho**2)]


DENSITIES = {
    "normal": Density(
        y,
        (mu, sigma),
        normal(mu, sigma),
        (((y - mu) / sigma) ** 2, ((y - mu) / sigma) ** 3, ((y - mu) / sigma) ** 8),
        LINE,
        lambda mu, sigma: [1, 1, 0, 105],
        ((0.0, 1.0), (-40.0, 1e-3), (1e6, 30.0), (0.0, 1e30), (3e-9, 1e-9), (1e6, 1.0)),
    ),
    "student": Density(
        y,
        (nu, mu, sigma),
        sp.loggamma((nu + 1) / 2)
        - sp.loggamma(nu / 2)
        - sp.log(sp.pi * nu) / 2
        - sp.log(sigma)
        - (nu + 1) / 2 * sp.log(1 + ((y - mu) / sigma) ** 2 / nu),
        (((nu + 1) * (y - mu) / (nu * sigma**2 + (y - mu) ** 2)) ** 2,),
        LINE,
        student_score,
        ((0.1, 0.0, 1.0), (0.1, -30.0, 1e-2), (1.0, 5.0, 1e3), (300.0, -2.0, 0.5)),
    ),
    "log of a gamma variable": Density(
        y,
        (shape, rate),
        shape * (y + sp.log(rate)) - rate * sp.exp(y) - sp.loggamma(shape),
        (y, y**2, rate * sp.exp(y)),
        LINE,
        lambda a, b: [1, sc.digamma(a) - np.log(b), sc.polygamma(1, a) + (sc.digamma(a) - np.log(b)) ** 2, a],
        ((1e-3, 1.0), (1e-3, 1e5), (1.0, 1.0), (250.0, 1e-8)),
    ),
    "mixture": Density(
        y,
        (w, mu, sigma, tau, rho),
        sp.log(w * bell(mu, sigma) + (1 - w) * bell(tau, rho)) - HALF_LOG_2PI,
        (y, y**2),
        LINE,
        mixture_moments,
        (
            (0.5, -5.0, 1.0, 5.0, 1.0),
            (0.5, -50.0, 0.01, 70.0, 0.1),
            (0.999, 0.0, 1.0, 3000.0, 0.1),
            (0.2, 1e4, 1.0, -1e4, 1.0),
            (0.25, 1577.0, 20.0, 5679.0, 5.5),
            (0.7, 0.0, 3.0, 0.0, 0.3),
        ),
    ),
    "kinks": Density(
        y,
        (mu, sigma),
        -sp.Abs(y - mu) / sigma - sp.log(2 * sigma),
        (sp.Abs(y - mu), sp.Max(y - mu, 0), sp.Piecewise((1, y < mu), (3, True))),
        LINE,
        lambda mu, sigma: [1, sigma, sigma / 2, 2],
        ((0.0, 1.0), (2.5, 0.01), (-300.0, 1.0), (0.3, 1e6)),
        1e-9,
    ),
    "poisson": Density(
        k,
        (rate,),
        k * sp.log(rate) - rate - sp.loggamma(k + 1),
        (k, (k - rate) ** 2, sp.KroneckerDelta(k, 0)),
        COUNTS,
        lambda m: [1, m, m, np.exp(-m)],
        ((1e-6,), (0.7,), (40.0,), (1e4,)),
    ),
    "negative binomial": Density(
        k,
        (size, p),
        sp.loggamma(k + size) - sp.loggamma(size) - sp.loggamma(k + 1) + size * sp.log(p) + k * sp.log(1 - p),
        (k, (k - size * (1 - p) / p) ** 2),
        COUNTS,
        lambda r, p: [1, r * (1 - p) / p, r * (1 - p) / p**2],
        ((1.0, 0.5), (0.01, 0.9), (3.5, 1e-3), (300.0, 0.2), (0.2, 1e-4)),
    ),
}


@cache
def together(lattice):
    """All densities over a lattice as one, compiled once: its parameters are which, what is added to w, and theirs."""
    chosen = [d for d in DENSITIES.values() if d.lattice == lattice]
    which, excess = sp.symbols("which excess", real=True)
    count = max(len(d.parameters) for d in chosen)
    numbers = sp.symbols(f"number:{count}", positive=True)

    def merged(expressions):
        own = [
            e.xreplace(dict(zip(d.parameters, numbers, strict=False))) for e, d in zip(expressions, chosen, strict=True)
        ]
        return sp.Piecewise(*((e, sp.Eq(which, i)) for i, e in enumerate(own)), (sp.nan, True))

    values = []
    for i in range(max(len(d.values) for d in chosen)):
        values.append(merged([d.values[i] if i < len(d.values) else sp.S.Zero for d in chosen]))
    weight = merged([d.weight for d in chosen]) + excess
    return Density(chosen[0].variable, (which, excess, *numbers), weight, tuple(values), lattice, None, ())


@cache
def kernel_of_all(lattice, **options):
    return together(lattice).kernel("numba", **options)


def compiled(density, points, excess=0.0):
    """The status and the integrals of a density by the kernel that serves all of them."""
    which = [d for d in DENSITIES.values() if d.lattice == density.lattice].index(density)
    points = np.asarray(points)
    filled = np.ones((len(points), len(together(density.lattice).parameters)))
    filled[:, 0], filled[:, 1], filled[:, 2 : 2 + points.shape[1]] = which, excess, points
    status, best, *totals = kernel_of_all(density.lattice)(filled)
    return status, np.exp(best)[..., None] * np.stack(totals[: 1 + len(density.values)], axis=-1)


@pytest.mark.parametrize("name", [slow(n) if n == "log of a gamma variable" else n for n in DENSITIES])
@pytest.mark.slow_for("log of a gamma variable", "normal")
def test_integrals_are_the_known_ones_on_both_targets(name):
    density = DENSITIES[name]
    points = np.array(density.points)
    expected = np.array([density.expected(*point) for point in density.points])
    found = {"numpy": density.at("numpy", points), "numba": compiled(density, points)}
    for target, (status, values) in found.items():
        np.testing.assert_array_equal(status, Status.COMPLETED, err_msg=target)
        np.testing.assert_allclose(values, expected, rtol=density.rtol, atol=density.rtol, err_msg=target)


@pytest.mark.parametrize("name", ["student", "log of a gamma variable", "poisson", "kinks"])
def test_tangents_of_integrals_are_finite_differences(name):
    density = DENSITIES[name]
    point = np.array(density.points[1])
    direction = tuple(point * np.array([0.7, -0.2, 0.4][: len(point)]))
    steps = 1e-4 * np.array([-2.0, -1.0, 1.0, 2.0])
    _, along = density.at("numpy", point + steps[:, None] * direction)
    slopes = np.array([1, -8, 8, -1]) @ along / 12e-4
    status, found = density.at("numpy", point, directions=(direction,))
    assert status == 0 and found[0] == 0.0
    # a jump in a term moves with μ: its derivative is not that of the term
    smooth = slice(1, 3 if name == "kinks" else None)
    np.testing.assert_allclose(found[smooth], slopes[smooth], rtol=1e-7, atol=1e-9)


@pytest.mark.slow
def test_tangents_of_integrals_are_the_same_compiled():
    """E[k] = m and E[(k - m)²] = m, of which m inside is not fixed, and E[1 of k = 0] = e^-m."""
    means = np.array([[0.02], [1.0], [70.0]])
    for target in TARGETS:
        status, found = DENSITIES["poisson"].at(target, means, directions=((2.0,),))
        assert np.all(status == 0)
        expected = np.stack([0 * means, 0 * means + 2, 0 * means + 2, -2 * np.exp(-means)], axis=-1)[:, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=target)


def test_tangents_of_tangents_are_second_derivatives():
    """E[y] = ψ(a) - log(b) and E[y²] = ψ'(a) + E[y]²."""
    points = np.array([[0.3, 2.0], [5.0, 0.7]])
    status, found = DENSITIES["log of a gamma variable"].at("numpy", points, directions=((1.0, 0.0), (0.5, -1.0)))
    a, b = points.T
    mean, third = sc.digamma(a) - np.log(b), sc.polygamma(3, a)
    slope = 0.5 * sc.polygamma(1, a) + 1 / b
    second = 0.5 * third + 2 * (sc.polygamma(1, a) * slope + mean * 0.5 * sc.polygamma(2, a))
    assert np.all(status == 0)
    np.testing.assert_allclose(found, np.stack([0 * a, 0.5 * sc.polygamma(2, a), second, 0 * a], axis=-1), atol=1e-9)


@pytest.mark.parametrize("name", [slow("normal"), "poisson"])
def test_density_that_does_not_integrate_to_one_is_refused(name):
    density = DENSITIES[name]
    point = np.array([density.points[2]] if name == "poisson" else [(0.5, 2.0)])
    heavier = dataclasses.replace(density, weight=density.weight + sp.Rational(1, 10**6))
    for status, found in (heavier.at("numpy", point), compiled(density, point, excess=1e-6)):
        assert status == Status.NON_FINITE and np.isnan(found).all()
    status, found = heavier.at("numpy", point, normalized=False)
    assert status == 0
    assert found[0, 0] == pytest.approx(np.exp(1e-6), rel=1e-11)


def test_points_without_an_integral_are_refused_and_their_neighbours_are_not():
    density = DENSITIES["normal"]
    points = np.array([[0.0, 1.0], [np.nan, 1.0], [0.0, np.nan], [0.0, -1.0], [1.0, 2.0]])
    for status, found in (density.at("numpy", points), compiled(density, points)):
        np.testing.assert_array_equal(status != 0, [False, True, True, True, False])
        np.testing.assert_array_equal(np.isnan(found).all(axis=1), status != 0)
        np.testing.assert_allclose(found[[0, 4]], [[1, 1, 0, 105]] * 2, atol=1e-9)


@pytest.mark.slow
def test_peaks_are_the_largest_values_on_both_targets():
    # of y² - 2 y⁴/a⁴ + b y/100, whose two peaks are of nearly the same height; and of counts
    graph = Graph()
    inputs = tuple(graph.input(f"input {i}") for i in range(3))
    a, b = sp.symbols("a b", real=True)
    curve = graph.lower(y**2 - 2 * y**4 / a**2 + b * y / 100, dict(zip((y, a, b), inputs, strict=True)))
    counts = graph.lower(k * sp.log(a**2) - sp.loggamma(k + 1), dict(zip((k, a, b), inputs, strict=True)))
    parts = [Peak(Program(inputs, (curve,))), Peak(Program(inputs, (counts,)), COUNTS)]
    outer = Graph()
    theta = tuple(outer.input(f"theta {i}") for i in range(2))
    values = [outer.use(part, theta)[1][0] for part in parts]
    points = np.array([[2.0, 1.0], [2.0, -1.0], [1e-3, 1e-4], [1e3, 1.0], [30.0, 0.0]])
    for name, target in TARGETS.items():
        run = Kernel(target, Program(theta, (outer.constant(0.0), *values)), [("points", (2,))], [(), ()])
        _, high, most = run(points)
        for (a_, b_), found in zip(points, high, strict=True):
            roots = np.roots([-8 / a_**2, 0, 2, b_ / 100])
            roots = roots[np.abs(roots.imag) < 1e-9 * np.abs(roots).max()].real
            exact = np.max(roots**2 - 2 * roots**4 / a_**2 + b_ * roots / 100)
            assert found == pytest.approx(exact, rel=1e-10), name
        modes = np.floor(points[:, 0] ** 2)
        np.testing.assert_allclose(most, modes * np.log(points[:, 0] ** 2) - sc.gammaln(modes + 1), rtol=1e-12)


# -- sums over a table


def sums(target, nested=False):
    """Σ x, Σ exp(a x) z and, if nested, Σ (x - mean)² of the columns x and z."""
    inner, outer = Graph(), Graph()
    x, z, a = inputs = tuple(inner.input(f"inside {i}") for i in range(3))
    terms = (x, inner.mul(inner.call("exp", inner.mul(a, x)), z))
    theta, one_over = outer.input("theta"), outer.input("one over N")
    total = TableSum(Program(inputs, terms), 2)
    _, values = outer.use(total, (theta,))
    if nested:
        graph = Graph()
        row = tuple(graph.input(f"inside {i}") for i in range(3))
        rest = graph.sub(row[0], row[2])
        squares = TableSum(Program(row, (graph.mul(rest, rest),)), 2)
        values += outer.use(squares, (outer.mul(values[0], one_over),))[1]
    program = Program((theta, one_over), (outer.constant(0.0), *values))
    return Kernel(TARGETS[target], program, [("points", (1,))], [()] * len(values), constants=1)


@cache
def compiled_sums(target, nested=False):
    return sums(target, nested)


LENGTHS = (0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 8 * BLOCK + 1, 100_003)


@pytest.mark.parametrize("count", LENGTHS)
@pytest.mark.parametrize("target", TARGETS)
def test_table_sums_are_those_without_rounding(target, count):
    x, z = np.random.default_rng(0).normal(size=(2, count))
    points = np.array([[0.0], [0.5], [-1.0]])
    _, *found = compiled_sums(target)(points, constants=[0.0], table=np.ascontiguousarray([x, z]))
    for i, (a,) in enumerate(points):
        for value, terms in zip(found, (x, np.exp(a * x) * z), strict=True):
            assert value[i] == pytest.approx(math.fsum(terms), rel=1e-15, abs=3e-15 * np.abs(terms).sum() + 1e-300)


@pytest.mark.parametrize("target", TARGETS)
def test_sums_may_depend_on_sums(target):
    for count in (1, 7, 20_000):
        x, z = 1e3 + np.random.default_rng(1).normal(size=(2, count))
        run = compiled_sums(target, nested=True)
        _, *_, squares = run([[0.0]], constants=[1 / count], table=np.ascontiguousarray([x, z]))
        assert squares[0] == pytest.approx(count * np.var(x), rel=1e-10, abs=1e-15)


def test_table_sums_do_not_depend_on_the_number_of_threads(monkeypatch):
    table = np.random.default_rng(2).normal(size=(2, 123_457)) * 10.0 ** np.arange(123_457).astype(float).clip(0, 9)
    points = np.linspace(-1e-9, 1e-9, 5)[:, None]
    results = []
    for count in (1, 2, 3, 7):
        with ThreadPoolExecutor(count) as pool:
            monkeypatch.setattr(threads, "helpers", lambda pool=pool, count=count: (pool, count))
            results.append(np.stack(compiled_sums("numba")(points, constants=[0.0], table=table)))
    monkeypatch.undo()
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    # nor on the batch that a point is in
    for point, *values in zip(points, *results[0][1:], strict=True):
        alone = compiled_sums("numba")(point[None], constants=[0.0], table=table)
        np.testing.assert_array_equal(np.ravel(alone[1:]), values)


def test_tangents_of_table_sums_are_sums_of_tangents():
    x, z = np.random.default_rng(3).normal(size=(2, 5000))
    inner, outer = Graph(), Graph()
    inputs = tuple(inner.input(f"inside {i}") for i in range(3))
    term = inner.mul(inner.call("exp", inner.mul(inputs[2], inputs[0])), inputs[1])
    theta = outer.input("theta")
    _, (total,) = outer.use(TableSum(Program(inputs, (term,)), 2), (theta,))
    (slope,) = outer.tangents([total], {theta: outer.constant(2.0)})
    (bend,) = outer.tangents([slope], {theta: outer.constant(1.0)})
    program = Program((theta,), (outer.constant(0.0), total, slope, bend))
    for target in TARGETS.values():
        run = Kernel(target, program, [("points", (1,))], [(), (), ()])
        _, value, first, second = run([[0.3]], table=np.ascontiguousarray([x, z]))
        terms = np.exp(0.3 * x) * z
        for found, exact in ((value, terms), (first, 2 * x * terms), (second, 2 * x * x * terms)):
            assert found[0] == pytest.approx(math.fsum(exact), rel=1e-12)


def test_references_of_this_file_agree_with_one_another():
    """What is called a closed form above, against SciPy and mpmath."""
    assert student_score(0.1, 0.0, 1.0)[1] == pytest.approx(1.1 / 3.1)
    moment = mp.quad(lambda z: mp.exp(1e-1 * z - mp.exp(z)) * z / mp.gamma(1e-1), [-400, -50, 0, 3, 10])
    assert DENSITIES["log of a gamma variable"].expected(0.1, 1.0)[1] == pytest.approx(float(moment), rel=1e-12)
    assert scipy.stats.nbinom(0.2, 1e-4).var() == pytest.approx(DENSITIES["negative binomial"].expected(0.2, 1e-4)[2])
