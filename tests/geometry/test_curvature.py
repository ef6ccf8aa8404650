"""Curvature: known values, mpmath, the symmetries of the Riemann tensor, α-connections, independence of the chart."""

from functools import cache
from itertools import product

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.geometry import connection, curvature
from tests.geometry import reference
from tests.marks import slow

models = ro.models


@cache
def symbolic(make):
    return ro.Manifold(make(), backend="numpy").symbolic


@pytest.fixture(autouse=True, scope="module")
def many_digits():
    with mp.workdps(reference.DIGITS):
        yield


def digits(expression, values, count=30):
    expression = sp.sympify(expression)
    return mp.mpf(expression.evalf(count, subs=values)) if expression else mp.mpf(0)


# -- conventions


def test_sphere_has_curvature_one():
    """Against the sign and index conventions: R_σν = R^ρ_σρν is the metric itself on the unit sphere."""
    polar, azimuth = sp.symbols("polar azimuth", real=True)
    g = np.array([[1, 0], [0, sp.sin(polar) ** 2]], dtype=object) * sp.S.One
    inverse = np.array([[1, 0], [0, sp.sin(polar) ** -2]], dtype=object) * sp.S.One
    lowered = connection.first_kind(g, (polar, azimuth))
    riemann = curvature.lowered_riemann(inverse, lowered, (polar, azimuth))
    assert sp.simplify(riemann[0, 1, 0, 1]) == sp.sin(polar) ** 2
    ricci = curvature.ricci(inverse, riemann)
    assert sp.Matrix(ricci - g).applyfunc(sp.simplify).is_zero_matrix
    assert sp.simplify(curvature.scalar_curvature(inverse, ricci)) == 2
    u, v = np.array([1, 2]), np.array([3, -1])
    above, below = curvature.sectional_parts(g, riemann, u, v)
    assert sp.simplify(above / below) == 1


@pytest.mark.parametrize("name", ["exponential", "poisson"])
def test_one_parameter_models_are_flat(name):
    manifold = ro.Manifold(models.family(name), backend="numpy")
    assert manifold.symbolic.riemann[0, 0, 0, 0] == 0
    assert manifold.symbolic.scalar_curvature == 0
    assert manifold.symbolic.constant_curvature is None
    np.testing.assert_array_equal(manifold.scalar_curvature([[0.5], [3.0]]), 0.0)


# -- known values


CONSTANT = {
    "normal": (models.Normal, -sp.Rational(1, 2)),
    "log-normal": (models.LogNormal, -sp.Rational(1, 2)),
    "inverse Gaussian": (models.InverseGaussian, -sp.Rational(1, 2)),
    "Cauchy": (models.Cauchy, -2),
    "Weibull": (models.Weibull, -6 / sp.pi**2),
    "categorical, 3": (lambda: models.Categorical(3), sp.Rational(1, 4)),
    "categorical, 4": (lambda: models.Categorical(4), sp.Rational(1, 4)),
    "multinomial": (lambda: models.Multinomial(trials=5, categories=4), sp.Rational(1, 20)),
}


@pytest.mark.slow_for("categorical, 4", "multinomial")
@pytest.mark.parametrize("case", CONSTANT)
def test_constant_curvature(case):
    """The half-planes in μ and σ, and for k categories and N trials a sphere of radius 2√N."""
    make, expected = CONSTANT[case]
    geometry = symbolic(make)
    n = geometry.model.dimension
    assert sp.simplify(geometry.constant_curvature - expected) == 0
    assert sp.simplify(geometry.scalar_curvature - n * (n - 1) * expected) == 0
    u, v = sp.symbols(f"u:{n}"), sp.symbols(f"v:{n}")
    assert geometry.sectional_curvature(u, v) == geometry.constant_curvature
    assert (geometry.ricci - (n - 1) * expected * geometry.metric).applyfunc(sp.simplify).is_zero_matrix


@pytest.mark.parametrize("make", [models.Gamma, models.MultivariateNormal])
@pytest.mark.slow_for("MultivariateNormal")
def test_curvature_that_varies_is_not_called_constant(make):
    assert symbolic(make).constant_curvature is None


def test_gamma_curvature_is_the_published_one():
    """As in Arwini and Dodson, Information Geometry (Springer LNM 1953, 2008), chapter 3, with shape ν = α.

    R = (ψ'(ν) + ν ψ''(ν)) / (2 (ν ψ'(ν) - 1)²), from -1/2 for ν → 0 to -1 for ν → ∞.
    """
    geometry = symbolic(models.Gamma)
    alpha, _ = geometry.model.parameters
    first, second = sp.polygamma(1, alpha), sp.polygamma(2, alpha)
    assert geometry.scalar_curvature == (first + alpha * second) / (2 * (alpha * first - 1) ** 2)
    assert digits(geometry.scalar_curvature, {alpha: sp.Rational(1, 10**8)}) == pytest.approx(-0.5, abs=1e-7)
    assert digits(geometry.scalar_curvature, {alpha: sp.Rational(10**9 + 1, 10)}, 60) == pytest.approx(-1.0, abs=1e-7)


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


# -- against mpmath

REFERENCES = {
    "gamma": (models.Gamma, reference.gamma, ("5/3", "0.75")),
    "beta": (models.Beta, reference.beta, ("0.4", "2.5")),
    "inverse Gaussian": (models.InverseGaussian, reference.inverse_gaussian, ("1.5", "0.7")),
    "Nakagami": (models.Nakagami, reference.nakagami, ("0.6", "2")),
    "Student's t": (models.StudentT, reference.student_t, ("3.5", "-1", "0.8")),
    "von Mises": (models.VonMises, reference.von_mises, ("0.3", "1.25")),
    "Weibull": (models.Weibull, reference.weibull, ("1.5", "0.4")),
    "categorical": (lambda: models.Categorical(4), reference.categorical, ("0.125", "0.25", "0.4")),
    "Dirichlet": (models.Dirichlet, reference.beta, ("0.5", "1.75", "3")),
    "bivariate normal": (models.MultivariateNormal, reference.bivariate_normal, ("0.5", "-1", "1.5", "0.25", "0.75")),
}


@pytest.mark.parametrize("case", [slow(c) if c in ("Dirichlet", "Student's t") else c for c in REFERENCES])
@pytest.mark.slow_for("Dirichlet", "Student's t", "bivariate normal", "beta")
def test_riemann_tensor_against_mpmath(case):
    make, metric, where = REFERENCES[case]
    geometry = symbolic(make)
    point = [sp.Rational(x) for x in where]
    exact = [mp.mpf(x.p) / x.q for x in point]
    raised, g, n = reference.riemann(metric, exact), mp.matrix(metric(*exact)), len(point)
    values = dict(zip(geometry.model.parameters, point, strict=True))
    lowered = {(r, *rest): mp.fsum(g[r, k] * raised[(k, *rest)] for k in range(n)) for r, *rest in raised}
    size = max(abs(value) for value in lowered.values())
    for index, value in lowered.items():
        assert abs(digits(geometry.riemann_lowered[index], values) - value) < mp.mpf(10) ** -18 * size
    compiled = ro.Manifold(geometry.model, backend="numpy").riemann([float(x) for x in point])
    for index, value in raised.items():
        assert abs(compiled[index] - float(value)) < 1e-11 * float(max(abs(value) for value in raised.values()))
    if n == 2:
        for index, value in raised.items():
            assert abs(digits(geometry.riemann[index], values) - value) < mp.mpf(10) ** -18 * abs(1 + value)


# -- symmetries


@pytest.mark.parametrize("make", [models.Dirichlet, models.MultivariateNormal])
@pytest.mark.slow_for("Dirichlet")
def test_riemann_tensor_has_its_symmetries(make):
    """Antisymmetric in either pair, symmetric under their exchange, and the first Bianchi identity."""
    geometry = symbolic(make)
    n = geometry.model.dimension
    tensor = geometry.riemann_lowered
    some = sp.Rational(1, 3)
    values = {p: 1 + some * k if p.is_positive else some for k, p in enumerate(geometry.model.parameters)}
    numbers = {index: digits(tensor[index], values) for index in product(range(n), repeat=4)}
    scale = mp.mpf(10) ** -25 * max(abs(x) for x in numbers.values())
    for r, s, m, v in numbers:
        value = numbers[r, s, m, v]
        assert value == -numbers[s, r, m, v] == -numbers[r, s, v, m] == numbers[m, v, r, s]
        assert abs(value + numbers[r, m, v, s] + numbers[r, v, s, m]) < scale


@pytest.mark.slow
def test_second_bianchi_identity():
    """∇_λ R_ρσμν + ∇_μ R_ρσνλ + ∇_ν R_ρσλμ = 0, in three dimensions."""
    geometry = symbolic(models.Dirichlet)
    theta = geometry.model.parameters
    values = dict(zip(theta, (sp.Rational(1, 2), sp.Rational(7, 4), 3), strict=True))
    tensor, symbols = geometry.riemann_lowered, geometry.christoffel
    every = range(3)
    r = {index: digits(tensor[index], values) for index in product(every, repeat=4)}
    gamma = {index: digits(symbols[index], values) for index in product(every, repeat=3)}

    def covariant(k, *index):
        total = digits(tensor[index].diff(theta[k]), values)
        for place, i in enumerate(index):
            for j in every:
                total -= gamma[j, k, i] * r[(*index[:place], j, *index[place + 1 :])]
        return total

    for a, b in ((0, 1), (1, 2)):
        terms = [covariant(0, a, b, 1, 2), covariant(1, a, b, 2, 0), covariant(2, a, b, 0, 1)]
        assert max(map(abs, terms)) > 1e-3
        assert abs(sum(terms)) < 1e-24


# -- the α-connections


FLAT = [models.Gamma, models.Beta, models.Normal, models.InverseGaussian, slow(models.Dirichlet), models.VonMises,
        lambda: models.Categorical(4)]  # fmt: skip


@pytest.mark.parametrize("make", FLAT)
@pytest.mark.slow_for("Dirichlet", "VonMises", "<lambda>")
def test_exponential_families_are_flat_in_either_sense(make):
    """The connections with a = 1 and a = -1 are flat, and in between R^(a) = (1 - a²) R."""
    geometry = symbolic(make)
    for a in (1, -1):
        assert not any(sp.flatten(geometry.alpha_curvature(a)))
    a = sp.Symbol("a")
    between = geometry.alpha_curvature(a)
    for index in product(range(geometry.model.dimension), repeat=4):
        assert sp.simplify(between[index] - (1 - a**2) * geometry.riemann_lowered[index]) == 0


@pytest.mark.slow
def test_other_families_are_not():
    geometry = symbolic(models.Logistic)
    assert any(sp.flatten(geometry.alpha_curvature(1)))


@pytest.mark.parametrize("make", [models.Logistic, models.Gumbel])
@pytest.mark.slow_for("Logistic")
def test_curvatures_of_dual_connections(make):
    """R^(a)_ρσμν = -R^(-a)_σρμν; and a = 0 is Levi-Civita."""
    geometry = symbolic(make)
    a = sp.Symbol("a")
    plus, minus, none = (geometry.alpha_curvature(value) for value in (a, -a, 0))
    for r, s, m, v in product(range(2), repeat=4):
        assert sp.simplify(plus[r, s, m, v] + minus[s, r, m, v]) == 0
        assert sp.simplify(none[r, s, m, v] - geometry.riemann_lowered[r, s, m, v]) == 0


# -- other charts


coordinate = st.floats(-1.5, 1.5).map(lambda t: float(np.exp(t)))


@given(st.tuples(coordinate, coordinate))
def test_scalar_curvature_does_not_depend_on_the_chart(chart_case, gamma, point):
    here = gamma.numpy.scalar_curvature(chart_case.model.chart.to_original(point))
    assert chart_case.numpy.scalar_curvature(point) == pytest.approx(float(here), rel=1e-8)


@pytest.fixture(scope="module")
def three():
    """The Dirichlet model, and in a chart that mixes its coordinates."""
    model = models.Dirichlet()
    x, y, z = sp.symbols("x y z", positive=True)
    moved = model.reparametrize(dict(zip(model.parameters, (x**2, x * y, z / y), strict=True)), (x, y, z))
    return ro.Manifold(model, backend="numpy"), ro.Manifold(moved, backend="numpy")


@pytest.mark.slow
def test_sectional_curvature_for_reading_does_not_depend_on_the_chart(three):
    here, there = three
    chart = there.model.chart
    values = dict(zip(chart.parameters, (sp.Rational(3, 4), sp.Rational(5, 4), 2), strict=True))
    theta = [e.xreplace(values) for e in chart.expressions]
    jacobian = sp.Matrix(chart.expressions).jacobian(chart.parameters).xreplace(values)
    u, v = sp.Matrix([1, 0, 2]), sp.Matrix([0, 3, -1])
    moved = there.symbolic.sectional_curvature(list(u), list(v))
    original = here.symbolic.sectional_curvature(list(jacobian * u), list(jacobian * v))
    at = dict(zip(here.model.parameters, theta, strict=True))
    assert abs(digits(moved, values) - digits(original, at)) < 1e-25


component = st.integers(-8, 8).map(lambda k: k / 4)
vector = st.tuples(component, component, component)


@given(st.tuples(coordinate, coordinate, coordinate), vector, vector)
@pytest.mark.slow
def test_sectional_curvature_does_not_depend_on_the_chart(three, point, u, v):
    here, there = three
    chart = there.model.chart
    theta = chart.to_original(point)
    pushed = chart.push_forward(point, u), chart.push_forward(point, v)
    first, second = here.norm(theta, pushed[0]), here.norm(theta, pushed[1])
    cosine = here.inner(theta, *pushed) / max(first * second, 1e-300)
    if first == 0 or second == 0 or abs(cosine) > 0.99:
        return
    assert there.sectional_curvature(point, u, v) == pytest.approx(
        float(here.sectional_curvature(theta, *pushed)), rel=1e-7, abs=1e-9
    )
