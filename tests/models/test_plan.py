"""Quadrature plans: how supports are run through, and kinks that move with the parameters."""

import itertools

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc
import sympy as sp

import riemopt as ro
from riemopt.errors import ExpectationError
from riemopt.models.expectation import score_products
from riemopt.models.integrals.results import NotFound
from riemopt.models.plan import Plan

x, z, mu, tau = sp.symbols("x z mu tau", real=True)
t, s, a, b, rate = sp.symbols("t s a b rate", positive=True)
k = sp.Symbol("k", integer=True)


@pytest.fixture
def no_closed_forms(monkeypatch):
    """SymPy is not asked for integrals, so that all of them are taken numerically."""

    def nothing(*arguments):
        raise NotFound("not looked for")

    monkeypatch.setattr(score_products, "exact_expectations", nothing)


def plan_of(support, log_density=-(x**2) / 2 + mu * x, observation=x, parameters=(mu,)):
    return Plan.of(log_density, (observation,), (support,), parameters)


MOMENTS = {
    "normal": (-(x**2) / 2 - sp.log(2 * sp.pi) / 2, x, sp.S.Reals, [x**2, x**4], [1, 1, 3]),
    "half-line": (-t, t, sp.Interval.open(0, sp.oo), [t, t**3], [1, 1, 6]),
    "beyond 3": (sp.log(2) - 2 * (x - 3), x, sp.Interval(3, sp.oo), [x], [1, 3.5]),
    "below -2": (x + 2, x, sp.Interval.open(-sp.oo, -2), [x], [1, -3]),
    "arcsine": (
        -sp.log(sp.pi) - sp.log(x) / 2 - sp.log(1 - x) / 2,
        x,
        sp.Interval.open(0, 1),
        [x, x**2],
        [1, 0.5, 0.375],
    ),
    "arcsine from -1 to 4": (
        -sp.log(sp.pi) - sp.log(x + 1) / 2 - sp.log(4 - x) / 2,
        x,
        sp.Interval.open(-1, 4),
        [x, (4 - x) ** sp.Rational(-1, 4)],
        [1, 1.5, float(mp.beta(0.5, 0.25) / mp.pi / mp.mpf(5) ** 0.25)],
    ),
    "two pieces": (
        sp.log(sp.Rational(3, 28)) + 2 * sp.log(sp.Abs(x)),
        x,
        sp.Union(sp.Interval(-1, 0), sp.Interval(0, 3)),
        [x],
        [1, 15 / 7],
    ),
    "kink of its own": (-sp.Abs(x) - sp.log(2), x, sp.S.Reals, [sp.Abs(x), sp.Max(x, 0)], [1, 1, 0.5]),
    "jump of its own": (
        sp.Piecewise((sp.log(sp.Rational(1, 4)), x < 1), (sp.log(sp.Rational(3, 4)), True)),
        x,
        sp.Interval(0, 2),
        [x, x**2],
        [1, 1.25, 11 / 6],
    ),
    "integers": (-sp.Abs(k) * sp.log(3) - sp.log(2), k, sp.S.Integers, [k, k**2], [1, 0, 1.5]),
    "every second": (-k * sp.log(2) + sp.log(3), k, sp.Range(2, sp.oo, 2), [k], [1, 8 / 3]),
    "members": (k * sp.log(2) - sp.log(7), k, sp.FiniteSet(0, 1, 2), [k, k**2], [1, 10 / 7, 18 / 7]),
    "uneven members": (-sp.log(4), k, sp.FiniteSet(-3, 0, 1, 10), [k, k**2], [1, 2, 27.5]),
    "few": (-sp.log(10), k, sp.Range(1, 11), [k, k**2], [1, 5.5, 38.5]),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments_over_supports_of_all_kinds(name):
    density, observation, support, values, expected = MOMENTS[name]
    found = plan_of(support, density + 0 * mu, observation).expect(values, [0.0])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_moments_over_two_observations():
    """t ~ Γ(a, rate), x | t ~ N(b t, s)."""
    density = (
        a * sp.log(rate) - sp.loggamma(a) + (a - 1) * sp.log(t) - rate * t
        - (x - b * t) ** 2 / (2 * s**2) - sp.log(s) - sp.log(2 * sp.pi) / 2
    )  # fmt: skip
    plan = Plan.of(density, (t, x), (sp.Interval.open(0, sp.oo), sp.S.Reals), (a, rate, b, s))
    point = (2.5, 0.5, 3.0, 0.7)
    found = plan.expect([t, x, t * x, x**2], point)
    mean, second = 5.0, 2.5 * 3.5 / 0.25
    np.testing.assert_allclose(found, [1, mean, 3 * mean, 3 * second, 9 * second + 0.49], rtol=1e-8)
    # counts inside, and counts outside
    poisson = k * sp.log(t) - t - sp.loggamma(k + 1) + sp.log(rate) - rate * t
    for order in (1, -1):
        pair, sets = (t, k)[::order], (sp.Interval.open(0, sp.oo), sp.S.Naturals0)[::order]
        found = Plan.of(poisson, pair, sets, (rate,)).expect([k, t, k * t], [1.5])
        # E[t] = 1/1.5, E[k t] = E[t²]
        np.testing.assert_allclose(found, [1, 2 / 3, 2 / 3, 8 / 9], rtol=1e-8)


def test_plan_reads_as_what_it_does():
    assert str(plan_of(sp.S.Reals)) == "quadrature: an integral over x, taken to 1e-10 at every point"
    assert "a sum over k" in str(plan_of(sp.S.Naturals0, k * mu, k))
    both = Plan.of(x * k * mu, (x, k), (sp.S.Reals, sp.S.Naturals0), (mu,))
    assert "a sum and an integral over x, k" in str(both) or "an integral and a sum over x, k" in str(both)


def test_integral_to_read_is_what_it_stands_for():
    plan = plan_of(sp.Interval.open(0, sp.oo), sp.log(rate) - rate * t, t, (rate,))
    unevaluated = plan.unevaluated(t**2, (sp.Interval.open(0, sp.oo),))
    assert isinstance(unevaluated, sp.Integral)
    assert sp.simplify(unevaluated.doit() - 2 / rate**2) == 0
    union = sp.Union(sp.Interval(0, 1), sp.Interval(2, 3))
    assert plan.unevaluated(t, (union,)).has(sp.Integral)
    assert isinstance(plan_of(sp.S.Naturals0, k * mu, k).unevaluated(k, (sp.S.Naturals0,)), sp.Sum)


REFUSED = {
    "three observations": (
        lambda: Plan.of(x + z + t, (x, z, t), (sp.S.Reals,) * 3, (mu,)),
        r"quadrature \(it takes one or two observations, not 3\)",
    ),
    "a kink in both observations": (
        lambda: Plan.of(sp.Abs(x - mu * z), (x, z), (sp.S.Reals,) * 2, (mu,)),
        r"the density has a kink where .* is 0",
    ),
    "a kink that may leave the support": (
        lambda: plan_of(sp.Interval(0, 1), sp.Abs(x - s), parameters=(s,)),
        r"whether the density's kink at s lies in the support is not clear",
    ),
    "kinks in no order": (
        lambda: plan_of(sp.S.Reals, sp.Abs(x - mu) + sp.Abs(x - tau), parameters=(mu, tau)),
        r"which of the density's kinks at (mu and tau|tau and mu) comes first is not clear",
    ),
    "steps that move": (
        lambda: plan_of(sp.S.Reals, sp.floor(x - mu)),
        r"the density's kink where -?.* is 0 was not found",
    ),
    "a kink that is not found": (
        lambda: plan_of(sp.S.Reals, sp.Abs(x + sp.exp(x) + sp.sin(x) - mu)),
        r"the density's kink where .* is 0 was not found",
    ),
    "points among lengths": (
        lambda: plan_of(sp.Union(sp.FiniteSet(0), sp.Interval(1, 2))),
        r"the support .* has both lengths and points",
    ),
    "neither an interval nor a range": (
        lambda: plan_of(sp.S.Rationals),
        r"the support .* is neither an interval nor a range",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
@pytest.mark.slow_for("a kink that is not found")
def test_plan_that_is_not_to_be_had_is_an_expectation_error(why):
    make, message = REFUSED[why]
    with pytest.raises(ExpectationError, match=message):
        make()


LAPLACE = (-sp.Abs(x - mu) / s - sp.log(2 * s), (mu, s))
ASYMMETRIC = (
    sp.log(a * b / (a + b)) + sp.Piecewise((-a * (x - mu), x > mu), (-b * (mu - x), True)),
    (mu, a, b),
)
SPLIT = (
    sp.log(2 / (a + b)) - sp.log(2 * sp.pi) / 2 - (x - mu) ** 2 / 2 / sp.Piecewise((a**2, x < mu), (b**2, True)),
    (mu, a, b),
)


def laplace_tensors(mu, s):
    """g = 1/s² for both, and T: the scores are ± 1/s and (|x - μ|/s - 1)/s."""
    skewness = np.zeros((2, 2, 2))
    skewness[1, 1, 1] = 2 / s**3
    slopes = np.zeros((2, 2, 2))
    slopes[1] = -2 / s**3 * np.eye(2)
    return np.eye(2) / s**2, slopes, skewness


def scores_tensors(metric, moments, point):
    """g as an expression, its slopes by SymPy; T from the moments of both sides."""
    symbols = (mu, a, b)
    at = dict(zip(symbols, map(sp.Float, point), strict=True))
    g = np.array(metric.subs(at), dtype=float)
    slopes = np.array([metric.diff(p).subs(at) for p in symbols], dtype=float)
    return g, slopes, moments(*point)


def third_moments(sides):
    """T from both sides: how likely each is, and its scores as polynomials in a variable of known moments."""
    skewness = np.zeros((3, 3, 3))
    for likely, scores, moment in sides:
        for index in itertools.product(range(3), repeat=3):
            product = np.polynomial.polynomial.Polynomial([1.0])
            for i in index:
                product = product * np.polynomial.polynomial.Polynomial(scores[i])
            skewness[index] += likely * sum(c * moment(n) for n, c in enumerate(product.coef))
    return skewness


def asymmetric_tensors(*point):
    """x - μ is exponential of rate a with probability b/(a + b), and minus one of rate b otherwise."""
    metric = sp.Matrix(
        [
            [a * b, -b / (a + b), a / (a + b)],
            [-b / (a + b), (b / (a + b)) * (2 - b / (a + b)) / a**2, -1 / (a + b) ** 2],
            [a / (a + b), -1 / (a + b) ** 2, (a / (a + b)) * (2 - a / (a + b)) / b**2],
        ]
    )

    def moments(mu, a, b):
        first, second = b / (a * (a + b)), a / (b * (a + b))
        return third_moments(
            [
                (b / (a + b), [[a], [first, -1], [second]], lambda n: sc.gamma(n + 1) / a**n),
                (a / (a + b), [[-b], [first], [second, -1]], lambda n: sc.gamma(n + 1) / b**n),
            ]
        )

    return scores_tensors(metric, moments, point)


def split_tensors(*point):
    """x - μ is minus a half-normal variable of scale a with probability a/(a + b), and one of scale b otherwise."""
    c = 2 * sp.sqrt(2 / sp.pi)
    metric = sp.Matrix(
        [
            [1 / (a * b), -c / (a * (a + b)), c / (b * (a + b))],
            [-c / (a * (a + b)), 3 / (a * (a + b)) - 1 / (a + b) ** 2, -1 / (a + b) ** 2],
            [c / (b * (a + b)), -1 / (a + b) ** 2, 3 / (b * (a + b)) - 1 / (a + b) ** 2],
        ]
    )

    def half_normal(n):
        return 2 ** (n / 2) * sc.gamma((n + 1) / 2) / np.sqrt(np.pi)

    def moments(mu, a, b):
        rest = -1 / (a + b)
        return third_moments(
            [
                (a / (a + b), [[0, -1 / a], [rest, 0, 1 / a], [rest]], half_normal),
                (b / (a + b), [[0, 1 / b], [rest], [rest, 0, 1 / b]], half_normal),
            ]
        )

    return scores_tensors(metric, moments, point)


KINKED = {
    "Laplace": (LAPLACE, laplace_tensors, [(0.0, 1.0), (-3.0, 0.05), (20.0, 7.0)]),
    "asymmetric Laplace": (ASYMMETRIC, asymmetric_tensors, [(0.0, 1.0, 1.0), (2.0, 0.3, 4.0), (-1.0, 20.0, 0.5)]),
    "split normal": (SPLIT, split_tensors, [(0.0, 1.0, 1.0), (2.0, 0.3, 4.0), (-1.0, 20.0, 0.5)]),
}


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.slow_for("asymmetric Laplace", "split normal")
def test_connections_of_densities_with_a_moving_kink_are_the_closed_forms(name, no_closed_forms):
    """At a kink that moves, second derivatives of the log-density are not all there is."""
    (density, parameters), tensors, points = KINKED[name]
    model = ro.StatisticalModel(density, x, sp.S.Reals, parameters, name=name)
    assert str(model.expectation).startswith("quadrature") and model.expectation.plan.moves
    manifold = ro.Manifold(model, backend="numpy")
    for point in map(np.array, points):
        g, slopes, skewness = tensors(*point)
        unit = 1 / np.sqrt(np.diag(g))
        np.testing.assert_allclose(manifold.metric(point) * np.outer(unit, unit), g * np.outer(unit, unit), atol=1e-9)
        for vector in np.random.default_rng(0).normal(size=(2, len(point))) * unit:
            along = np.einsum("anb,a,b->n", slopes, vector, vector)
            lowered = along - np.einsum("nab,a,b->n", slopes, vector, vector) / 2
            twist = np.einsum("nab,a,b->n", skewness, vector, vector)
            for alpha in (0.0, 1.0, -1.0, 0.3):
                found = manifold.connection(point, vector, a=alpha) * unit
                np.testing.assert_allclose(found, (lowered - alpha / 2 * twist) * unit, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_moving_kink_is_the_same_compiled(no_closed_forms):
    density, parameters = LAPLACE
    manifold = ro.Manifold(ro.StatisticalModel(density, x, sp.S.Reals, parameters))
    points = np.array([[0.0, 1.0], [-3.0, 0.05], [1e3, 7.0]])
    vectors = np.array([[0.3, -0.2], [0.01, 0.02], [4.0, 5.0]])
    expected = []
    for point, vector in zip(points, vectors, strict=True):
        _, slopes, skewness = laplace_tensors(*point)
        lowered = np.einsum("anb,a,b->n", slopes, vector, vector) - np.einsum("nab,a,b->n", slopes, vector, vector) / 2
        expected.append(lowered - np.einsum("nab,a,b->n", skewness, vector, vector) / 2)
    np.testing.assert_allclose(manifold.connection(points, vectors, a=1.0), expected, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
def test_kink_that_moves_in_a_half_line_and_on_a_log_scale(no_closed_forms):
    """Log-Laplace: log(t) is Laplace, so that the metric is that of Laplace."""
    density = -sp.Abs(sp.log(t) - sp.log(rate)) / s - sp.log(2 * s) - sp.log(t)
    model = ro.StatisticalModel(density, t, sp.Interval.open(0, sp.oo), (rate, s))
    assert model.expectation.plan.moves
    manifold = ro.Manifold(model, backend="numpy")
    for r, scale in ((1.0, 1.0), (30.0, 0.2)):
        exact = np.diag([1 / (r * scale) ** 2, scale**-2])
        np.testing.assert_allclose(manifold.metric([r, scale]), exact, rtol=1e-9, atol=1e-12)
        # in log(rate) and s, Γ = (-2 u v, u² - v²)/s³; and d²(log r) adds -g u²/r² to the first
        u, v = 0.3 * r, -0.2
        flat = np.array([-2 * u * v / r, (u / r) ** 2 - v * v]) / scale**3
        flat[0] = flat[0] / r - (u / r) ** 2 / (r * scale**2)
        np.testing.assert_allclose(manifold.connection([r, scale], [u, v]), flat, rtol=1e-9)


def subbotin(s, b):
    """g of exp(-(|x|/s)^b), where (|x|/s)^b is a Gamma variable of shape k = 1/b."""
    k = 1 / b
    square = k * (k + 1) * (mp.psi(1, k + 2) + mp.psi(0, k + 2) ** 2) - (k * mp.psi(0, k + 1)) ** 2
    mixed = -k / s * (mp.psi(0, k + 1) + 1)
    return b / s**2, mixed, mixed, k**2 * square


def test_kink_that_stays_leaves_the_density_smooth_in_its_parameters(no_closed_forms):
    density = sp.log(b / (2 * s)) - sp.loggamma(1 / b) - (sp.Abs(x) / s) ** b
    model = ro.StatisticalModel(density, x, sp.S.Reals, (s, b))
    assert str(model.expectation).startswith("quadrature") and not model.expectation.plan.moves
    manifold = ro.Manifold(model, backend="numpy")
    for point in ([1.0, 1.0], [3.0, 0.4], [0.1, 6.0]):
        exact = np.array(subbotin(*map(mp.mpf, point)), dtype=float).reshape(2, 2)
        unit = 1 / np.sqrt(np.diag(exact))
        scale = np.outer(unit, unit)
        np.testing.assert_allclose(manifold.metric(point) * scale, exact * scale, atol=1e-9)
        slopes = [
            [float(mp.diff(lambda *at, i=i: subbotin(*at)[i], point, order)) for i in range(4)]
            for order in ((1, 0), (0, 1))
        ]
        slopes = np.reshape(slopes, (2, 2, 2))
        v = np.array([0.4, -0.7]) * unit
        lowered = np.einsum("anb,a,b->n", slopes, v, v) - np.einsum("nab,a,b->n", slopes, v, v) / 2
        np.testing.assert_allclose(manifold.connection(point, v) * unit, lowered * unit, rtol=1e-9, atol=1e-9)
