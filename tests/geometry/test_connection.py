"""Connections: the lowered product, both kinds of symbols and the α-connections are one object."""

from itertools import product

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.geometry import connection
from riemopt.geometry.metric import fisher_metric

RATIONALS = [sp.Rational(3, 2), sp.Rational(5, 7)]


def numbers(case, expressions):
    """Expressions at a rational point, to 30 digits."""
    point = dict(zip(case.model.parameters, RATIONALS, strict=False))
    return np.array([sp.sympify(e).xreplace(point).evalf(30) for e in expressions])


def assert_equal(first, second):
    size = max(1, *(abs(value) for value in second))
    assert all(abs(u - v) < sp.Float("1e-25", 30) * size for u, v in zip(first, second, strict=True))


def test_product_is_the_contraction_of_either_kind_of_symbols(case):
    parameters, n = case.model.parameters, case.model.dimension
    g = fisher_metric(case.model)
    v = [sp.Rational(2, 3), sp.Rational(-7, 4)][:n]
    velocity = sp.symbols("u0 u1", real=True)[:n]
    given_by = connection.lowered_product(g, parameters, velocity)
    lowered = numbers(case, [e.subs(dict(zip(velocity, v, strict=True))) for e in given_by])

    first = connection.first_kind(g, parameters)
    pairs = list(product(range(n), repeat=2))
    contracted = [sum(first[nu, a, b] * v[a] * v[b] for a, b in pairs) for nu in range(n)]
    assert_equal(lowered, numbers(case, contracted))

    second = connection.second_kind(np.array(g.inv(), dtype=object), first)
    again = [sum(g[nu, mu] * second[mu, a, b] * v[a] * v[b] for mu in range(n) for a, b in pairs) for nu in range(n)]
    assert_equal(lowered, numbers(case, again))


def test_symbols_are_symmetric_in_the_last_two_indices(case):
    first, second = case.numpy.symbolic.christoffel_first, case.numpy.symbolic.christoffel
    for i, j, k in product(range(case.model.dimension), repeat=3):
        assert sp.simplify(first[i, j, k] - first[i, k, j]) == 0
        assert sp.simplify(second[i, j, k] - second[i, k, j]) == 0


def test_symbols_for_reading_are_the_compiled_ones(case):
    symbolic, manifold = case.numpy.symbolic, case.numpy
    n = case.model.dimension
    for point in case.points[:2]:
        second = np.array(
            sp.lambdify(case.model.parameters, symbolic.christoffel.tolist(), "scipy")(*point), dtype=float
        )
        np.testing.assert_allclose(manifold.christoffel(point), second, rtol=1e-9, atol=1e-11)
        for a in (0.0, 1.0, -1.0, 0.3):
            first = sp.lambdify(case.model.parameters, symbolic.alpha_connection(a).tolist(), "scipy")(*point)
            v = np.array([0.5, -0.75])[:n]
            expected = np.einsum("nab,a,b", np.array(first, dtype=float), v, v)
            scale = np.abs(np.array(first, dtype=float)).max()
            np.testing.assert_allclose(manifold.connection(point, v, a), expected, rtol=1e-10, atol=1e-11 * (1 + scale))
        values = {
            **dict(zip(case.model.parameters, point, strict=True)),
            **dict(zip(symbolic.velocity, v, strict=True)),
        }
        product_for_reading = [float(e.evalf(subs=values)) for e in symbolic.connection_product]
        np.testing.assert_allclose(manifold.connection(point, v), product_for_reading, rtol=1e-10, atol=1e-12)


def test_velocity_has_names_that_no_parameter_has():
    a, taken, x = sp.symbols("a v_a x", real=True)
    density = -((x - a) ** 2) * sp.exp(-2 * taken) / 2 - taken - sp.log(2 * sp.pi) / 2
    model = ro.StatisticalModel(density, x, sp.S.Reals, (a, taken))
    manifold = ro.Manifold(model, backend="numpy")
    assert not set(manifold.symbolic.velocity) & set(model.parameters)
    # g = diag(e^(-2s), 2): Γ_0(v) = -2 e^(-2s) v0 v1, Γ_1(v) = e^(-2s) v0²
    expected = np.exp(-0.6) * np.array([-2 * 1.5 * 2.0, 1.5**2])
    np.testing.assert_allclose(manifold.connection([0.0, 0.3], [1.5, 2.0]), expected, rtol=1e-13)


# -- the connections of an exponential family


p, q = sp.Symbol("p", positive=True), sp.Symbol("q", negative=True)
m = sp.Symbol("m", positive=True)


@pytest.mark.parametrize("name", ["gamma", "exponential", "poisson"])
def test_exponential_connection_vanishes_in_natural_parameters(name):
    model = ro.models.family(name)
    expressions, parameters = {
        "gamma": ((p, -q), (p, q)),
        "exponential": ((-q,), (q,)),
        "poisson": ((sp.exp(sp.Symbol("z", real=True)),), (sp.Symbol("z", real=True),)),
    }[name]
    moved = model.reparametrize(dict(zip(model.parameters, expressions, strict=True)), parameters)
    symbols = ro.Manifold(moved, backend="numpy").symbolic.alpha_connection(1)
    assert all(sp.simplify(entry) == 0 for entry in symbols.reshape(len(parameters) ** 3))


@pytest.mark.parametrize("name", ["normal", "exponential", "poisson"])
def test_mixture_connection_vanishes_in_mean_parameters(name):
    model = ro.models.family(name)
    square = sp.Symbol("square", real=True)
    mean = sp.Symbol("mean", real=True)
    expressions, parameters, domain = {
        "normal": ((mean, sp.sqrt(square - mean**2)), (mean, square), [square > mean**2]),
        "exponential": ((1 / m,), (m,), []),
        "poisson": ((m,), (m,), []),
    }[name]
    if name == "normal":  # the moments have a domain of their own
        density = model.log_density.subs(dict(zip(model.parameters, expressions, strict=True)), simultaneous=True)
        moved = ro.StatisticalModel(density, model.observation, model.support, parameters, domain=domain)
    else:
        moved = model.reparametrize(dict(zip(model.parameters, expressions, strict=True)), parameters)
    symbols = ro.Manifold(moved, backend="numpy").symbolic.alpha_connection(-1)
    assert all(sp.simplify(entry) == 0 for entry in symbols.reshape(len(parameters) ** 3))


def test_levi_civita_is_the_mean_of_dual_connections(case):
    symbolic = case.numpy.symbolic
    a = sp.Symbol("a", real=True)
    both = symbolic.alpha_connection(a) + symbolic.alpha_connection(-a)
    for index in product(range(case.model.dimension), repeat=3):
        assert sp.simplify(both[index] / 2 - symbolic.christoffel_first[index]) == 0


@pytest.mark.parametrize("a", [0, 1, sp.Rational(3, 10)])
def test_connections_of_opposite_a_are_dual(case, a):
    """∂_κ g_μν = Γ^(a)_νκμ + Γ^(-a)_μκν: together they keep inner products."""
    g = fisher_metric(case.model)
    skewness, parameters = case.model.expectation.skewness, case.model.parameters
    lowered = connection.first_kind(g, parameters)
    skewness = np.array(skewness.tolist(), dtype=object)
    plus, minus = (connection.alpha_first_kind(lowered, skewness, sign * a) for sign in (1, -1))
    indices = list(product(range(len(parameters)), repeat=3))
    change = [g[mu, nu].diff(parameters[kappa]) for kappa, mu, nu in indices]
    parts = [plus[nu, kappa, mu] + minus[mu, kappa, nu] for kappa, mu, nu in indices]
    assert_equal(numbers(case, parts), numbers(case, change))


@pytest.mark.parametrize("a", [0.0, 1.0, -0.4])
@pytest.mark.slow_for("gamma by cube", "gamma by squares")
def test_connection_is_the_expectation_of_proposition_1(case, a):
    """Γ^(a)_ν(v) = E[∂_νℓ (∂_α∂_βℓ + ((1-a)/2) ∂_αℓ ∂_βℓ)] v^α v^β, by mpmath."""
    model, point = case.model, case.points[1]
    v = np.array([0.75, -0.5])[: model.dimension] * point
    ell, parameters = model.log_density, model.parameters
    along = sp.Add(*(ell.diff(s) * w for s, w in zip(parameters, v, strict=True)))
    twice = sp.Add(*(along.diff(s) * w for s, w in zip(parameters, v, strict=True)))
    bracket = twice + (1 - sp.Float(a)) / 2 * along**2
    expected = [case.mean(ell.diff(parameter) * bracket, point) for parameter in parameters]
    np.testing.assert_allclose(case.numpy.connection(point, v, a), expected, rtol=1e-7, atol=1e-8)


# -- the transformation law


coordinate = st.floats(-2.0, 2.0).map(lambda t: float(np.exp(t)))
component = st.integers(-12, 12).map(lambda k: k / 4)


@given(st.tuples(coordinate, coordinate), st.tuples(component, component), st.sampled_from([0.0, 1.0, -1.0, 0.3]))
def test_connection_picks_up_the_second_derivative_of_the_chart(chart_case, gamma, point, v, a):
    """Γ_ξ(v) = Jᵀ (Γ_θ(J v) + g_θ ∂²θ[v, v]): all of its terms are of the size of the metric times v²."""
    chart = chart_case.model.chart
    theta, jacobian = chart.to_original(point), chart.jacobian(point)
    bent = chart_case.bend(point, v)
    pushed = jacobian @ v
    g = gamma.numpy.metric(theta)
    expected = jacobian.T @ (gamma.numpy.connection(theta, pushed, a) + g @ bent)
    # the size of the terms, which may cancel
    lengths = np.sqrt(np.diag(chart_case.numpy.metric(point)))
    size = lengths * (lengths @ np.abs(v)) ** 2 + np.abs(jacobian).T @ np.abs(g) @ np.abs(bent)
    assert np.all(np.abs(chart_case.numpy.connection(point, v, a) - expected) <= 1e-10 * size)


@given(st.tuples(coordinate, coordinate), st.tuples(component, component))
def test_acceleration_along_a_curve_does_not_depend_on_the_chart(chart_case, gamma, point, v):
    """θ̈ + g⁻¹Γ(θ̇) transforms as a vector although neither term does; here ξ(t) = ξ + v t, so that ξ̈ = 0."""
    chart = chart_case.model.chart
    theta, pushed = chart.to_original(point), chart.push_forward(point, v)
    curving = chart_case.bend(point, v)
    here = curving + gamma.numpy.raise_index(theta, gamma.numpy.connection(theta, pushed))
    there = chart_case.numpy.raise_index(point, chart_case.numpy.connection(point, v))
    difference = chart.push_forward(point, there) - here
    scale = (
        1e-3 + gamma.numpy.norm(theta, curving) + gamma.numpy.norm(theta, here) + gamma.numpy.norm(theta, pushed) ** 2
    )
    assert gamma.numpy.norm(theta, difference) <= 1e-9 * scale
