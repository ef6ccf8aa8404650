"""Geometries in the graph: what is differentiated there is what SymPy derives."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.geometry.connection import first_kind


@pytest.mark.parametrize(
    "model, point",
    [(ro.models.Dirichlet(5), [2.0, 3.0, 0.5, 1.5, 40.0]), (ro.models.Categorical(6), [0.1, 0.2, 0.05, 0.3, 0.15])],
    ids=["Dirichlet", "Categorical"],
)
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


def test_connection_product_of_twenty_parameters_needs_no_expressions(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("derived n³ terms")

    monkeypatch.setattr("riemopt.geometry.connection.lowered_product", refuse)
    model = ro.models.Dirichlet(20)
    shapes, v = np.linspace(0.5, 10.0, 20), np.linspace(-1.0, 1.0, 20)
    # half of ψ₂(α) v² less half of ψ₂(Σα) (Σv)²
    from scipy.special import polygamma

    expected = (polygamma(2, shapes) * v**2 - polygamma(2, shapes.sum()) * v.sum() ** 2) / 2
    product = ro.Manifold(model, backend="numpy").connection(shapes, v)
    np.testing.assert_allclose(product, expected, rtol=1e-11)
