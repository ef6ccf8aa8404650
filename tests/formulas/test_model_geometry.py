"""Which geometry a model gets, and that none is derived which nobody asks for."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.formulas import model_geometry
from riemopt.formulas.charted import ChartedGeometry
from riemopt.formulas.closed_form import ClosedForm
from riemopt.formulas.model_geometry import formulas_of, geometry_of
from riemopt.formulas.quadrature import QuadratureGeometry
from riemopt.formulas.regression import DataAverage
from tests.marks import slow

U, W = sp.symbols("u w", real=True)


def squared(model):
    new = sp.symbols(f"q1:{model.dimension + 1}", positive=True)
    return model.reparametrize({p: q**2 for p, q in zip(model.parameters, new, strict=True)}, parameters=new)


@pytest.mark.parametrize(
    "model, kind",
    [
        (ro.models.Gamma(), ClosedForm),
        (ro.models.Kumaraswamy(), QuadratureGeometry),
        (ro.ConditionalModel((W * U,), "poisson", (U,), (W,)), DataAverage),
        # short fractions are written out, long ones are not, and where φ is no formula there is nothing to write out
        (squared(ro.models.Gamma()), ClosedForm),
        (squared(ro.models.Categorical(4)), ChartedGeometry),
        (ro.models.Gamma().mean_chart(), ChartedGeometry),
    ],
    ids=["closed form", "quadrature", "data", "short chart", "long chart", "implicit chart"],
)
@pytest.mark.slow_for("quadrature")
def test_a_model_gets_the_geometry_of_its_kind(model, kind):
    assert isinstance(geometry_of(model), kind)


def test_geodesics_in_closed_form_derive_no_geometry(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("derived a geometry")

    monkeypatch.setattr(model_geometry, "geometry_of", refuse)
    # an identity that no program on disk has
    model = ro.StatisticalModel(
        -sp.log(2 * sp.pi) / 2 - (U - W) ** 2 / 2 - sp.sqrt(5) + sp.sqrt(5), U, sp.Reals, (W,), "Unit normal"
    )
    manifold = ro.Manifold(model, backend="numpy")
    assert manifold.exp([1.0], [2.0]).tolist() == [3.0]
    with pytest.raises(AssertionError, match="derived a geometry"):
        manifold.metric([1.0])


def test_a_geometry_is_derived_once():
    formulas = formulas_of(ro.models.Gamma(), closed_forms=True)
    assert formulas.geometry() is formulas.geometry()


@pytest.mark.parametrize("count", [10, slow(20)])
def test_connection_product_of_many_parameters_needs_no_expressions(count, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("derived n³ terms")

    monkeypatch.setattr("riemopt.geometry.connection.lowered_product", refuse)
    model = ro.models.Dirichlet(count)
    shapes, v = np.linspace(0.5, 10.0, count), np.linspace(-1.0, 1.0, count)
    # half of ψ₂(α) v² less half of ψ₂(Σα) (Σv)²
    from scipy.special import polygamma

    expected = (polygamma(2, shapes) * v**2 - polygamma(2, shapes.sum()) * v.sum() ** 2) / 2
    product = ro.Manifold(model, backend="numpy").connection(shapes, v)
    np.testing.assert_allclose(product, expected, rtol=1e-11)
