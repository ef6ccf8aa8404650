"""Geometries in closed form: what is differentiated in the graph is what SymPy derives."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.formulas.closed_form import ClosedForm, ClosedSkewness
from riemopt.geometry.connection import first_kind
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import point_in, values


@pytest.mark.parametrize(
    "model, point",
    [(ro.models.Dirichlet(5), [2.0, 3.0, 0.5, 1.5, 40.0]), (ro.models.Categorical(6), [0.1, 0.2, 0.05, 0.3, 0.15])],
    ids=["Dirichlet", "Categorical"],
)
@pytest.mark.slow_for("Dirichlet")
def test_connection_products_of_many_parameters_are_those_of_the_expressions(model, point):
    n, rng = model.dimension, np.random.default_rng(0)
    assert n > 4
    manifold = ro.Manifold(model, backend="numpy")
    values = dict(zip(model.parameters, map(sp.Float, point), strict=True))
    symbols = first_kind(model.expectation.metric, model.parameters)
    exact = np.array([float(e.subs(values).evalf(30)) for e in symbols.flat]).reshape(n, n, n)
    u, v = rng.normal(size=(2, n))
    np.testing.assert_allclose(manifold.connection(point, v), np.einsum("nab,a,b->n", exact, v, v), rtol=1e-11)
    raised = manifold.christoffel(point)
    lowered = np.einsum("nm,mab->nab", manifold.metric(point), raised)
    np.testing.assert_allclose(lowered @ v @ u, np.einsum("nab,a,b->n", exact, u, v), rtol=1e-8, atol=1e-9)


def test_the_amari_chentsov_tensor_is_asked_for_only_where_a_connection_needs_it():
    x, v = sp.symbols("x v", positive=True)
    asked = []

    def skewness():
        asked.append(True)
        return ClosedSkewness((x,), (v,), (x * v**2,))

    geometry, (point, _) = ClosedForm((x,), (v,), sp.Matrix([[x]]), (v**2 / 2,), skewness), point_in(Graph(), 1)
    vector = [point.graph.input("v")]
    geometry.connection(point, vector, 0.0)
    assert not asked
    twisted = geometry.connection(point, vector, 2.0)
    assert values(point.graph, [*point.coordinates, *vector], twisted, [3.0], [2.0]) == [4.0 / 2 - 3.0 * 4.0]
    assert geometry.has_closed_skewness
