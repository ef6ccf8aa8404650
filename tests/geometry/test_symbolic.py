"""Tensors for reading: what they say, and when they are derived."""

from functools import cache

import pytest
import sympy as sp

import riemopt as ro
from riemopt.geometry.metric import fisher_metric

models = ro.models
x, y = sp.symbols("x y", positive=True)


def symbolic(model):
    return ro.Manifold(model, backend="numpy").symbolic


@cache
def known(make):
    return symbolic(make())


def categorical():
    return models.Categorical(4)


SOME = [models.Gamma, models.Dirichlet, models.VonMises, models.MultivariateNormal, categorical]


@pytest.mark.parametrize("make", SOME)
def test_metric_inverse_and_volume_belong_together(make):
    geometry = known(make)
    model = geometry.model
    g, n = fisher_metric(model), model.dimension
    where = dict(zip(model.parameters, map(sp.nsimplify, model.some_points()[0]), strict=True))
    here, inverse, raw = (m.xreplace(where).evalf(30) for m in (geometry.metric, geometry.inverse_metric, g))
    assert (here - raw).norm() < 1e-25 * raw.norm()
    assert (here * inverse - sp.eye(n)).norm() < 1e-24
    volume = geometry.volume_element.xreplace(where).evalf(30)
    assert volume > 0
    assert abs(volume**2 / raw.det() - 1) < 1e-24


@pytest.mark.slow
def test_sectional_curvature_is_that_of_the_plane():
    geometry = known(models.MultivariateNormal)
    first, second, third, *_ = geometry.model.parameters
    u, v = (1, 0, 2, 0, first), (0, 1, 0, third, 0)
    other = [a + 3 * b for a, b in zip(u, v, strict=True)]
    assert sp.simplify(geometry.sectional_curvature(u, v) - geometry.sectional_curvature(other, v)) == 0
    assert geometry.sectional_curvature(u, v) == geometry.sectional_curvature(v, u)
    along = geometry.sectional_curvature(first, third)
    assert along == geometry.sectional_curvature([1, 0, 0, 0, 0], [0, 0, 1, 0, 0])
    assert geometry.sectional_curvature(first, second) == sp.Rational(1, 4)


def test_sectional_curvature_of_a_surface_needs_no_vectors():
    geometry = known(models.Beta)
    alpha, beta = geometry.model.parameters
    assert geometry.sectional_curvature() == geometry.sectional_curvature(beta, alpha)
    assert sp.simplify(2 * geometry.sectional_curvature() - geometry.scalar_curvature) == 0


@pytest.mark.parametrize(
    ("vectors", "error", "message"),
    [
        ((), ro.errors.ArgumentError, "two vectors"),
        (([1, 0, 0],), ro.errors.ArgumentError, "two vectors"),
        (([1, 0, 0], [2, 0, 0]), ro.errors.ArgumentError, "do not span a plane"),
        (([1, 0], [0, 1, 0]), ro.errors.ShapeError, "u has 2 components"),
        (([1, 0, 0], x), ro.errors.ArgumentError, "x is not a coordinate"),
    ],
)
def test_vectors_that_span_no_plane_are_refused(vectors, error, message):
    with pytest.raises(error, match=message):
        known(categorical).sectional_curvature(*vectors)


def test_a_text_is_no_component():
    with pytest.raises(sp.SympifyError):
        known(models.Beta).sectional_curvature(["1", "0"], [0, 1])


def test_time_is_not_spent_twice():
    """Nothing is derived before it is asked for, and then once."""
    geometry = symbolic(models.Gamma())
    assert geometry.riemann is geometry.riemann
    assert "ricci" not in vars(geometry)


def test_a_notebook_shows_formulas():
    manifold = ro.Manifold(models.Normal(), backend="numpy")
    shown = manifold.symbolic._repr_latex_()
    assert shown.startswith("$$\\begin{aligned}")
    assert all(piece in shown for piece in (r"g &= ", r"\Gamma^{\sigma}_{\mu \mu} &= \frac{1}{2 \sigma}", "R &= -1"))
    assert r"\log p(x) &= " in manifold._repr_latex_()
    conditional = ro.ConditionalModel([x * y], output="poisson", inputs=(x,), parameters=(y,))
    assert ro.Manifold(conditional)._repr_latex_() is None
    assert ro.Manifold(conditional).symbolic._repr_latex_() is None
