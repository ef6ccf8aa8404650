"""Elements of a field written as a person might write them."""

from functools import cache

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.geometry.field import Field
from riemopt.geometry.writing import Writer

models = ro.models
x, y = sp.symbols("x y", positive=True)


def symbolic(model):
    return ro.Manifold(model, backend="numpy").symbolic


@cache
def known(make):
    return symbolic(make())


def written(model, *names):
    geometry = symbolic(model)
    results = []
    for name in names:
        name, *index = name.split()
        value = getattr(geometry, name)
        results.append(str(value[tuple(map(int, index))] if index else value))
    return results


def test_gamma_as_in_books():
    assert written(models.Gamma(), "volume_element", "christoffel 1 1 1", "riemann_lowered 0 1 0 1") == [
        "sqrt(alpha*polygamma(1, alpha) - 1)/beta",
        "(-2*alpha*polygamma(1, alpha) + 1)/(2*beta*(alpha*polygamma(1, alpha) - 1))",
        "(alpha*polygamma(2, alpha) + polygamma(1, alpha))/(4*beta**2*(alpha*polygamma(1, alpha) - 1))",
    ]


def test_probabilities_are_subtracted_from_one():
    assert written(models.Categorical(3), "metric 0 0", "metric 0 1", "riemann_lowered 0 1 0 1") == [
        "(1 - p_2)/(p_1*(-p_1 - p_2 + 1))",
        "1/(-p_1 - p_2 + 1)",
        "1/(4*p_1*p_2*(-p_1 - p_2 + 1))",
    ]


def test_the_constant_of_euler_comes_as_its_difference_from_one():
    assert written(models.Gumbel(), "metric 1 1", "christoffel 1 0 0", "ricci 1 1") == [
        "(6*(1 - EulerGamma)**2 + pi**2)/(6*beta**2)",
        "6/(pi**2*beta)",
        "-(6*(1 - EulerGamma)**2 + pi**2)/(pi**2*beta**2)",
    ]


@pytest.mark.slow
def test_fractions_are_taken_apart_where_that_is_shorter():
    assert written(models.StudentT(), "metric 0 0", "metric 0 2") == [
        "(polygamma(1, nu/2) - polygamma(1, nu/2 + 1/2))/4 - (nu + 5)/(2*nu*(nu + 1)*(nu + 3))",
        "-2/(sigma*(nu + 1)*(nu + 3))",
    ]


def test_bessel_functions_are_those_of_order_zero_and_one():
    geometry = known(models.VonMises)
    kappa = geometry.model.parameters[1]
    ratio = sp.besseli(1, kappa) / sp.besseli(0, kappa)
    assert geometry.metric[1, 1] == 1 - ratio**2 - ratio / kappa
    orders = {f.order for e in sp.flatten(geometry.riemann) for f in e.atoms(sp.besseli)}
    assert orders == {0, 1}


def test_relations_that_the_field_does_not_know_are_found():
    t = sp.Symbol("t", positive=True)
    model = models.Exponential().reparametrize({models.Exponential().parameters[0]: sp.sinh(t)}, (t,))
    assert symbolic(model).metric[0, 0] in (sp.coth(t) ** 2, sp.tanh(t) ** -2)


coefficient = st.integers(-3, 3)


@given(
    st.lists(st.tuples(coefficient, st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5), st.integers(1, 5)
)
def test_writing_changes_nothing(terms, k):
    above = sum((c * x**i * sp.polygamma(1, y) ** j for c, i, j in terms), sp.S.Zero)
    expression = above / (x * (1 - x) ** 2 * sp.polygamma(1, y) ** (k % 2) * k)
    field = Field.of((x, y), [expression])
    result = Writer(field, [(0.25, 0.5)])(field(expression))
    assert field(result).element == field(expression).element
    assert sp.count_ops(result) <= sp.count_ops(sp.factor(expression)) + 1
