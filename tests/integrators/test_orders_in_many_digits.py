"""The orders of the methods in 50 digits: in doubles, some errors meet rounding before their leading term shows."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest

import riemopt as ro
from riemopt.numerics.tableaux import _density, _trees

mp = mpmath.mp.clone()
mp.dps = 50
NEARLY_ZERO = mp.mpf(10) ** -45
exp, log, tanh, sinh, asinh, cosh, cbrt = (
    np.frompyfunc(f, 1, 1) for f in (mp.exp, mp.log, mp.tanh, mp.sinh, mp.asinh, mp.cosh, mp.cbrt)
)
digits = np.frompyfunc(lambda x: mp.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mp.mpf(x), 1, 1)


# -- tableaux with more digits than a double has


def residuals(rows, order):
    """What is left of the order conditions, for coefficients whose last row has the weights."""
    elementary = {}
    for tree in (tree for size in range(1, order + 1) for tree in _trees(size)):
        factors = [rows[:-1] @ elementary[subtree] for subtree in tree]
        elementary[tree] = np.prod(factors, axis=0) if factors else np.ones(len(rows) - 1, dtype=int)
    exact = Fraction if rows.dtype == object else float
    return np.array([rows[-1] @ phi - 1 / exact(_density(tree)) for tree, phi in elementary.items()])


def published(key):
    return np.vstack(ro.integrators.RungeKutta(key).tableau._dense)


@cache
def exact(key):
    """The coefficients that the doubles round."""
    if key == "dop853":
        return refined(published(key), order=8)
    return np.frompyfunc(lambda x: Fraction(x).limit_denominator(10**5), 1, 1)(published(key))


def refined(rows, order):
    """The nearest coefficients, relative to their sizes, that meet the order conditions: Newton with one derivative."""
    entries, step = np.nonzero(rows), 1e-30j
    scale = abs(rows[entries])
    columns = []
    for i, j in zip(*entries, strict=True):
        moved = rows.astype(complex)
        moved[i, j] += step
        columns.append(residuals(moved, order).imag / step.imag)
    # the conditions depend on one another and leave freedom: the least singular values are rounding
    inverse = np.linalg.pinv(np.transpose(columns) * scale, rcond=1e-12)
    rows = digits(rows)
    while (size := max(abs(left := residuals(rows, order)))) > NEARLY_ZERO:
        rows[entries] -= size * (scale * (inverse @ (left / size).astype(float)))
    return rows


def rule(key):
    """A method of the library, with all digits of its tableau."""
    found = ro.integrators.by_name(key)
    if isinstance(found, ro.integrators.RungeKutta):
        *stages, weights = ({j: a for j, a in enumerate(row) if a} for row in digits(exact(key))[1:])
        found.tableau = SimpleNamespace(stages=stages, weights=weights, order=found.tableau.order)
    return found


@pytest.mark.parametrize("key", ["heun", "rk4", "rk5", "dopri5"])
def test_the_fractions_that_the_doubles_round_meet_the_order_conditions_exactly(key):
    order = ro.integrators.by_name(key).orders.flow
    assert not residuals(exact(key), order).any()
    assert residuals(exact(key), order + 1).any()
    np.testing.assert_array_equal(exact(key).astype(float), published(key))


def test_dop853_is_within_a_unit_in_the_last_place_of_a_tableau_of_order_8():
    assert max(abs(residuals(exact("dop853"), 8))) < NEARLY_ZERO
    assert (abs(exact("dop853") - published("dop853")) <= np.spacing(abs(published("dop853")))).all()


def test_the_errors_of_dopri5_that_follow_the_leading_ones_are_large_beside_them():
    """They can hide its order in doubles: where the leading errors prevail at last, they are rounding."""

    def ratio(key):
        sixth, seventh = (residuals(exact(key), size)[-len(_trees(size)) :].astype(float) for size in (6, 7))
        return np.linalg.norm(seventh) / np.linalg.norm(sixth)

    assert ratio("dopri5") == pytest.approx(15.3, rel=0.01)
    assert ratio("rk5") == pytest.approx(2.43, rel=0.01)


# -- problems on arrays of numbers with 50 digits


def solved(matrix, vector):
    """Cholesky's method, in sums of products of mpmath, which are faster than NumPy's of objects."""
    rows = []
    for known, row in enumerate((*matrix, vector)):
        entries = []
        for j in range(known):
            entries.append((row[j] - mp.fdot(entries, rows[j])) / rows[j][j])
        if known < len(vector):
            entries.append(mp.sqrt(row[known] - mp.fdot(entries, entries)))
        rows.append(entries)
    *lower, solution = rows
    for i in reversed(range(len(vector))):
        above = [row[i] for row in lower[i + 1 :]]
        solution[i] = (solution[i] - mp.fdot(above, solution[i + 1 :])) / lower[i][i]
    return np.array(solution)


class Problem:
    def raise_index(self, theta, covector):
        return solved(self.metric(theta), covector)

    def natural_gradient(self, theta):
        return self.raise_index(theta, self.gradient(theta))

    def acceleration(self, theta, v):
        return -self.raise_index(theta, self.connection(theta, v))


class Charted(Problem):
    """A problem in a chart θ = φ(ξ), coordinate by coordinate."""

    def __init__(self, problem, chart):
        self.problem, (self.phi, self.first, self.second, self.inverse) = problem, chart

    def gradient(self, xi):
        return self.first(xi) * self.problem.gradient(self.phi(xi))

    def metric(self, xi):
        return np.outer(self.first(xi), self.first(xi)) * self.problem.metric(self.phi(xi))

    def connection(self, xi, v):
        theta, first = self.phi(xi), self.first(xi)
        straightened = self.problem.metric(theta) @ (self.second(xi) * v**2)
        return first * (self.problem.connection(theta, first * v) + straightened)


CUBES = (lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x, cbrt)
SINH = (sinh, cosh, sinh, asinh)


class Family(Problem):
    """The likelihood of an exponential family, given the means of its statistics."""

    def __init__(self, statistics, start):
        self.statistics, self.start = digits(statistics), digits(start)

    def gradient(self, theta):
        return self.means(theta) - self.statistics

    def flow(self, time):
        """Where the flow is, which the means follow in a straight line: η̂ + (η₀ - η̂) e^-t."""
        means = self.statistics + (self.means(self.start) - self.statistics) * exp(-time)
        there, theta = type(self)(means, self.start), self.start
        # in natural parameters, the natural gradient is Newton's method
        while max(abs(step := there.natural_gradient(theta))) > NEARLY_ZERO:
            theta = theta - step
        return theta


class Normal(Family):
    def means(self, theta):
        mu, sigma = theta
        return np.array([mu, mu**2 + sigma**2])

    def gradient(self, theta):
        (mu, sigma), (mean, square) = theta, self.statistics
        spread = square - 2 * mean * mu + mu**2
        return np.array([(mu - mean) / sigma**2, 1 / sigma - spread / sigma**3])

    def metric(self, theta):
        return np.diag([1, 2]) / theta[1] ** 2

    def connection(self, theta, v):
        return np.array([-2 * v[0] * v[1], v[0] ** 2 - 2 * v[1] ** 2]) / theta[1] ** 3

    def exp(self, theta, v):
        """A half-circle over μ/√2, on which the half-plane's distance √(v_μ²/2 + v_σ²)/σ is covered at even speed."""
        (mu, sigma), (across, up) = theta, v / theta[1]
        distance = mp.sqrt(across**2 / 2 + up**2)
        stretch = mp.sinh(distance) / distance
        height = sigma / (mp.cosh(distance) - up * stretch)
        return np.array([mu + across * stretch * height, height])


class Gamma(Family):
    def means(self, theta):
        alpha, beta = theta
        return np.array([mp.psi(0, alpha) - log(beta), -alpha / beta])

    def metric(self, theta):
        alpha, beta = theta
        return np.array([[mp.psi(1, alpha), -1 / beta], [-1 / beta, alpha / beta**2]])

    def connection(self, theta, v):
        (alpha, beta), (a, b) = theta, v
        return np.array([mp.psi(2, alpha) * a**2 + b**2 / beta**2, 2 * b * (a - alpha * b / beta) / beta**2]) / 2


class Beta(Family):
    def means(self, theta):
        a, b = theta
        return np.array([mp.psi(0, a), mp.psi(0, b)]) - mp.psi(0, a + b)

    def metric(self, theta):
        a, b = theta
        return np.diag([mp.psi(1, a), mp.psi(1, b)]) - mp.psi(1, a + b)

    def connection(self, theta, v):
        third = np.array([mp.psi(2, theta[0]), mp.psi(2, theta[1])])
        return (third * v**2 - mp.psi(2, theta.sum()) * v.sum() ** 2) / 2


class Conditional(Problem):
    """Outputs z of inputs and a constant 1, with the derivatives of their log-partition."""

    def __init__(self, inputs, targets, start):
        self.inputs = digits(np.column_stack([inputs, np.ones(len(inputs))]))
        self.targets, self.start = digits(targets), digits(start)

    def flow(self, time, steps=16):
        theta = self.start
        for _ in range(steps):
            theta, _memory = rule("dop853").step(self, theta, time / steps, None)
        return theta

    def gradient(self, theta):
        z, jacobian = self.outputs(theta)
        return jacobian.T @ (self.mean(z) - self.targets) / len(z)

    def metric(self, theta):
        z, jacobian = self.outputs(theta)
        weighted, matrix = jacobian.T * (self.variance(z) / mp.mpf(len(z))), np.empty(2 * theta.shape, dtype=object)
        for i, j in zip(*np.tril_indices(len(theta)), strict=True):
            matrix[i, j] = matrix[j, i] = mp.fdot(weighted[i], jacobian[:, j])
        return matrix


class Logistic(Conditional):
    def outputs(self, theta):
        return self.inputs @ theta, self.inputs

    def mean(self, z):
        return 1 / (1 + exp(-z))

    def variance(self, z):
        return self.mean(z) * (1 - self.mean(z))

    def connection(self, theta, v):
        z = self.inputs @ theta
        third = self.variance(z) * (1 - 2 * self.mean(z))
        return self.inputs.T @ (third * (self.inputs @ v) ** 2) / (2 * len(z))


class Network(Conditional):
    """Two inputs, three tanh and one output with normal noise."""

    def outputs(self, theta):
        hidden, weights = tanh(self.inputs @ theta[:9].reshape(3, 3)), theta[9:12]
        inner = self.inputs[:, :, None] * (weights * (1 - hidden**2))[:, None, :]
        return hidden @ weights + theta[12], np.column_stack([inner.reshape(-1, 9), hidden, self.inputs[:, 2]])

    def mean(self, z):
        return z

    def variance(self, z):
        return np.ones(len(z), dtype=int)

    def connection(self, theta, v):
        _, jacobian = self.outputs(theta)
        hidden, inner = tanh(self.inputs @ theta[:9].reshape(3, 3)), self.inputs @ v[:9].reshape(3, 3)
        first = (1 - hidden**2) * inner
        second = 2 * first @ v[9:12] - (2 * hidden * first * inner) @ theta[9:12]
        return jacobian.T @ second / len(second)


# -- the slopes

ANGLES = np.arange(12)
POINTS = [
    *[[-0.7, 0.6], [0.1, 1.2], [0.9, 2.2], [0.5, 0.2], [1.6, -1.7], [-2.4, -2.5], [-0.1, -0.7], [-1.9, -0.9]],
    *[[1.0, 1.3], [1.4, -1.2], [-2.9, 1.6], [0.9, -0.2], [-0.7, 1.2], [2.3, -2.1], [-1.5, -0.9], [2.7, -2.6]],
    *[[-0.2, -1.3], [2.1, 2.4], [2.3, -0.5], [-2.5, 0.5]],
]
OUTPUTS = [-0.7, 1.2, 2, -2, -2.1, 1.4, -1.5, 1.7, 0.6, -2.3, -1.6, -2.4, -1, -2, 1.5, -1.5, -1.7, -0.2, -0.3, 0.3]
CASES = {
    "normal": (Normal([1, 2], start=[0.5, 2]), SINH),
    "gamma": (Gamma([Fraction(1, 5), -1.5], start=[2, 1]), CUBES),
    "beta": (Beta([-1, -0.75], start=[1.5, 2]), CUBES),
    "logistic regression": (
        Logistic(
            np.column_stack([np.cos(2.4 * ANGLES + 0.3), np.sin(3.7 * ANGLES**2 + 1)]).round(2),
            [1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0],
            start=[0.5, 1, -0.5],
        ),
        SINH,
    ),
    "network": (
        Network(POINTS, OUTPUTS, start=[-1.4, 0.5, 1.6, 0.9, 1.8, 1.5, 0.1, 0.1, -1.4, 1.9, -1.5, 2, 0.1]),
        SINH,
    ),
}
TIME = mp.mpf(1) / 8
KEYS = ("ng", "geo", "geof", "mid", "heun", "rk4", "rk5", "dopri5", "dop853")


def steps_of(key, case):
    """Two numbers of steps; the leading errors of dopri5 are so small that the next ones hide them for long."""
    coarse = 8 if ro.integrators.by_name(key).orders.flow <= 2 else 16 if key == "dopri5" and case != "network" else 4
    return coarse, 2 * coarse


@cache
def flow(case):
    return CASES[case][0].flow(TIME)


def after(integrator, problem, theta, steps):
    memory = integrator.init(problem, theta, TIME / steps)
    for _ in range(steps):
        theta, memory = integrator.step(problem, theta, TIME / steps, memory)
    return theta


def slope(distances):
    coarse, fine = distances
    return float(mp.log(coarse / fine, 2))


@pytest.mark.parametrize("case", CASES)
def test_connections_are_those_of_the_metrics(case):
    problem, small = Charted(*CASES[case]), mp.mpf(10) ** -20
    xi = problem.inverse(problem.problem.start)
    v = digits(np.cos(np.arange(len(xi))))

    def change(direction):
        return (problem.metric(xi + small * direction) - problem.metric(xi - small * direction)) @ v / (2 * small)

    expected = change(v) - np.array([change(axis) @ v for axis in np.eye(len(xi), dtype=int)]) / 2
    assert max(abs(problem.connection(xi, v) - expected)) < mp.mpf(10) ** -25


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("case", ["normal", *(pytest.param(name, marks=pytest.mark.slow) for name in list(CASES)[1:])])
@pytest.mark.slow_for("normal-dop853")
def test_order_for_the_flow_and_order_of_invariance(case, key):
    (problem, chart), integrator = CASES[case], rule(key)
    charted, metric = Charted(problem, chart), problem.metric(flow(case))
    errors, gaps = [], []
    for steps in steps_of(key, case):
        own = after(integrator, problem, problem.start, steps)
        other = charted.phi(after(integrator, charted, charted.inverse(problem.start), steps))
        for distances, difference in ((errors, own - flow(case)), (gaps, own - other)):
            distances.append(mp.sqrt(difference @ metric @ difference))
    assert slope(errors) == pytest.approx(integrator.orders.flow, abs=0.1)
    assert slope(gaps) == pytest.approx(integrator.orders.invariance, abs=0.1)


@pytest.mark.parametrize("key", KEYS)
def test_order_for_the_riemannian_euler_method(key):
    problem, integrator = CASES["normal"][0], rule(key)
    distances = []
    for steps in (8, 16):
        euler = after(rule("geo-exact"), problem, problem.start, steps)
        distances.append(max(abs(after(integrator, problem, problem.start, steps) - euler)))
    assert slope(distances) == pytest.approx(integrator.orders.riemannian_euler, abs=0.1)


def test_riemannian_euler_has_order_1_for_the_flow():
    problem, integrator = CASES["normal"][0], rule("geo-exact")
    errors = [max(abs(after(integrator, problem, problem.start, steps) - flow("normal"))) for steps in (8, 16)]
    assert slope(errors) == pytest.approx(1, abs=0.1)
