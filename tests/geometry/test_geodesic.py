"""The geodesic equation, as it is read: known geodesics solve it."""

from itertools import product

import pytest
import sympy as sp

import riemopt as ro
from riemopt.geometry.geodesic import time


def residuals(model, curves):
    """What is left of the geodesic equations on curves, a function of time for each coordinate."""
    functions = {sp.Function(p.name, **p.assumptions0)(time): c for p, c in zip(model.parameters, curves, strict=True)}
    equations = ro.Manifold(model, backend="numpy").symbolic.geodesic_equations
    return [sp.simplify(equation.lhs.subs(functions).doit() - equation.rhs) for equation in equations]


def test_half_circles_solve_the_equations_of_the_normal_model():
    center, radius = sp.Symbol("center", real=True), sp.Symbol("radius", positive=True)
    curves = (center + sp.sqrt(2) * radius * sp.tanh(time), radius / sp.cosh(time))
    assert residuals(ro.models.Normal(), curves) == [0, 0]


def test_vertical_lines_solve_the_equations_of_the_normal_model():
    assert residuals(ro.models.Normal(), (sp.Integer(3), sp.exp(2 * time))) == [0, 0]


def test_exponentials_solve_the_equation_of_the_exponential_model():
    assert residuals(ro.models.Exponential(), (sp.exp(1 - 3 * time),)) == [0]


def test_squares_solve_the_equation_of_the_poisson_model():
    assert residuals(ro.models.Poisson(), ((1 + time / 2) ** 2,)) == [0]


def test_other_curves_do_not():
    assert residuals(ro.models.Poisson(), (1 + time,)) != [0]
    assert residuals(ro.models.Normal(), (time, sp.Integer(1)))[1] != 0


@pytest.mark.slow_for("gamma by squares", "gamma by cube")
def test_equations_hold_the_symbols_of_the_second_kind(case):
    symbolic, n = case.numpy.symbolic, case.model.dimension
    curves = [sp.Function(p.name, **p.assumptions0)(time) for p in case.model.parameters]
    for mu, equation in enumerate(symbolic.geodesic_equations):
        assert equation.rhs == 0
        for a, b in product(range(n), repeat=2):
            twice = sp.expand(equation.lhs).diff(curves[a].diff(time)).diff(curves[b].diff(time))
            entry = symbolic.christoffel[mu, a, b].xreplace(dict(zip(case.model.parameters, curves, strict=True)))
            assert sp.simplify(twice - 2 * entry) == 0


def test_coordinate_may_have_the_name_of_the_time():
    t, x = sp.symbols("t x", real=True)
    other = sp.Symbol("s", real=True)
    density = -((x - other) ** 2) * sp.exp(-2 * t) / 2 - t - sp.log(2 * sp.pi) / 2
    model = ro.StatisticalModel(density, x, sp.S.Reals, (other, t))
    assert time == t
    # the logarithm of the standard deviation along a half-circle of the normal model
    assert residuals(model, (sp.sqrt(2) * sp.tanh(time), -sp.log(sp.cosh(time)))) == [0, 0]
