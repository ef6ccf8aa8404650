"""The differential equations of some formulas, at a point."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.formulas import equations
from riemopt.formulas.model_geometry import formulas_of
from tests.formulas.programs import run

MANIFOLD = ro.Manifold(ro.models.Gamma(), backend="numpy")
FORMULAS = formulas_of(ro.models.Gamma(), closed_forms=True)
POINT, V, W = np.array([2.0, 3.0]), np.array([0.3, -0.4]), np.array([1.0, 0.5])


@pytest.mark.parametrize("equation", [equations.geodesic, equations.transport, equations.jacobi])
def test_an_equation_is_derived_once_for_some_formulas(equation):
    assert equation(FORMULAS) is equation(FORMULAS)
    assert equation(FORMULAS) is not equation(formulas_of(ro.models.Gamma(), closed_forms=True))


@pytest.mark.parametrize("a", [0.0, 0.5])
def test_geodesics_accelerate_by_the_raised_connection_product(a):
    status, *derivative = run(equations.geodesic(FORMULAS, a).field, POINT, V)
    turn = MANIFOLD.raise_index(POINT, MANIFOLD.connection(POINT, V, a))
    assert status == 0.0
    np.testing.assert_allclose(derivative, [*V, *-turn], rtol=1e-12)


def test_what_is_carried_turns_by_the_symbols_of_the_second_kind():
    *_, first, second = run(equations.transport(FORMULAS).field, POINT, V, W)
    expected = -np.einsum("mab,a,b", MANIFOLD.christoffel(POINT), V, W)
    np.testing.assert_allclose([first, second], expected, rtol=1e-12)


def test_variations_move_by_the_tangent_of_the_geodesic_equation():
    _, *found = run(equations.jacobi(FORMULAS).field, POINT, V, [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0])
    symbols = MANIFOLD.christoffel(POINT)
    for k, unit in enumerate(np.eye(2)):
        expected = [*unit, *(-2.0 * np.einsum("mab,a,b", symbols, V, unit))]
        np.testing.assert_allclose(found[4 * (k + 1) : 4 * (k + 2)], expected, rtol=1e-11)


def test_the_flow_follows_the_negative_natural_gradient():
    problem = MANIFOLD.likelihood([0.5, 1.0, 2.0])
    status, *derivative = run(equations.natural_gradient_flow(problem.formulas).field, POINT, problem.data)
    assert status == 0.0
    np.testing.assert_allclose(derivative, -problem.natural_gradient(POINT), rtol=1e-13)


def test_only_geodesics_say_how_fast_they_close_in_on_the_edge():
    assert equations.natural_gradient_flow(MANIFOLD.likelihood([0.5, 1.0]).formulas).approach is None
    forward, backward = run(equations.geodesic(FORMULAS).approach, POINT, V)
    # β falls towards 0, and α came from there
    assert (forward, backward) == (0.4 / 3.0, 0.3 / 2.0)
