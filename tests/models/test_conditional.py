"""Conditional models: what they are made of, what is refused, and other charts."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, DataError, ModelError, ShapeError, UnknownNameError, UnsupportedError

u, v, w0, w1, w2 = sp.symbols("u v w0 w1 w2", real=True)
c, q = sp.symbols("c q", real=True)
scale = sp.Symbol("scale", positive=True)
LINEAR = w0 + w1 * u


def model(outputs=(LINEAR,), output="bernoulli", inputs=(u,), parameters=(w0, w1), **options):
    return ro.ConditionalModel(outputs, output, inputs, parameters, **options)


def test_model_reads_as_its_output_parameters_and_inputs():
    assert repr(model()) == "bernoulli(w0, w1 | u)"
    assert repr(model(name="logistic")) == "logistic(w0, w1 | u)"
    assert repr(model([w0], inputs=(), parameters=(w0,), output="poisson")) == "poisson(w0)"
    assert model().dimension == 2
    assert ro.ConditionalModel(LINEAR, "gaussian", u, (w0, w1)).outputs == (LINEAR,)
    z = sp.Symbol("z", negative=True)
    assert repr(ro.ExponentialFamily(-sp.log(-z), z)) == "ExponentialFamily(-log(-z), z)"


def test_domain_is_that_of_the_parameters():
    growing = model([scale * u], parameters=(scale,))
    assert growing.domain.describe() == "scale > 0"
    assert model(domain=[w0 < w1]).domain.describe() == "w0 < w1"
    problem = ro.Manifold(growing, backend="numpy").likelihood([0, 1], inputs=[1.0, 2.0])
    assert np.isnan(problem.loss([-1.0])) and np.isfinite(problem.loss([1.0]))


BAD_MODELS = {
    "no output": (dict(outputs=()), ModelError, "there is no output"),
    "no parameter": (dict(outputs=(u,), parameters=()), ModelError, "there is no parameter"),
    "a stranger": (dict(outputs=(LINEAR + v,)), ModelError, "v occurs in the outputs but is neither an input nor"),
    "a parameter too many": (dict(parameters=(w0, w1, w2)), ModelError, "the parameter w2 does not occur in the"),
    "named twice": (dict(parameters=(w0, w1, sp.Symbol("u"))), ModelError, "u is named twice among inputs"),
    "a parameter twice": (dict(parameters=(w0, w1, w1)), ModelError, "w1 is named twice"),
    "text": (dict(outputs=("w0 + w1*u",)), ModelError, "an output is not a SymPy expression"),
    "an unknown output": (dict(output="bernouli"), UnknownNameError, "'bernouli': did you mean 'bernoulli'"),
    "one category": (dict(output="categorical"), ModelError, "a categorical output needs at least two outputs"),
    "a negative scale": (dict(output="gaussian", scale=-1.0), ArgumentError, "scale must be a positive number or None"),
    "no scale": (dict(output="gaussian", scale=0.0), ArgumentError, "not 0.0"),
    "an infinite scale": (dict(output="gaussian", scale=float("inf")), ArgumentError, "not inf"),
    "scale as text": (dict(output="gaussian", scale="1"), ArgumentError, "not '1'"),
    "outputs that do not fit": (
        dict(output=ro.ExponentialFamily(c**2 / 2 + q**2 / 2, (c, q))), ModelError, "is for 2 outputs, not 1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_MODELS)
def test_model_that_is_none_is_refused_and_the_reason_named(what):
    arguments, error, message = BAD_MODELS[what]
    with pytest.raises(error, match=message):
        model(**arguments)


BAD_INPUTS = {
    "infinite": ([1.0, np.inf], DataError, "input 1: u = inf is not finite"),
    "a table": (np.zeros((2, 3)), ShapeError, r"inputs has shape \(2, 3\), but must have shape \(N,\)"),
    "text": (["a", "b"], DataError, "the inputs are not an array of numbers"),
    "none": ([], DataError, "there are no inputs"),
    "too few": ([1.0], ShapeError, r"targets has shape \(2,\), but for 1 inputs it must be \(1,\)"),
}


@pytest.mark.parametrize("what", BAD_INPUTS)
def test_inputs_that_do_not_fit_are_named(what):
    inputs, error, message = BAD_INPUTS[what]
    with pytest.raises(error, match=message):
        ro.Manifold(model(), backend="numpy").likelihood([0, 1], inputs=inputs)


def test_two_inputs_are_a_table():
    manifold = ro.Manifold(model([w0 * u + w1 * v], inputs=(u, v)), backend="numpy")
    assert manifold.likelihood([0, 1], inputs=[[1.0, 2.0], [3.0, 4.0]]).count == 2
    with pytest.raises(ShapeError, match=r"inputs has shape \(2,\), but must have shape \(N, 2\)"):
        manifold.likelihood([0, 1], inputs=[1.0, 2.0])


def test_inputs_belong_to_conditional_models():
    with pytest.raises(ArgumentError, match=r"needs inputs: likelihood\(targets, inputs=\.\.\.\)"):
        ro.Manifold(model(), backend="numpy").likelihood([0, 1])
    with pytest.raises(ArgumentError, match="Gamma has no inputs"):
        ro.Manifold(ro.models.Gamma(), backend="numpy").likelihood([1.0], inputs=[1.0])


def test_too_few_targets_for_a_scale_of_their_own():
    manifold = ro.Manifold(model(output="gaussian", scale=None), backend="numpy")
    with pytest.raises(DataError, match="2 targets do not determine 2 parameters and a scale"):
        manifold.likelihood([0.0, 1.0], inputs=[1.0, 2.0])
    assert manifold.likelihood([0.0, 1.0, 3.0], inputs=[1.0, 2.0, 3.0]).count == 3


def test_model_without_inputs_is_a_sample():
    """The mean of a Poisson sample is its best mean."""
    problem = ro.Manifold(model([w0], "poisson", (), (w0,)), backend="numpy").likelihood([3, 0, 4, 1])
    assert problem.gradient([np.log(2.0)]) == pytest.approx(0.0, abs=1e-15)
    assert problem.metric([np.log(2.0)]) == pytest.approx(2.0)


@pytest.mark.parametrize("method", ["metric", "christoffel", "scalar_curvature"])
def test_geometry_without_data_is_refused(method):
    manifold = ro.Manifold(model(), backend="numpy")
    with pytest.raises(UnsupportedError, match="is a mean over inputs: ask the problem"):
        getattr(manifold, method)([0.0, 1.0])


def test_another_chart_is_the_same_model():
    original = model(output="poisson")
    moved = original.reparametrize({w0: c + q, w1: c - 2 * q}, (c, q), name="turned")
    assert moved.name == "turned" and moved.original is original
    assert moved.parameters == (c, q) and sp.expand(moved.outputs[0] - (c + q + (c - 2 * q) * u)) == 0
    inputs = np.linspace(-1.0, 1.0, 7)
    targets = [0, 1, 0, 2, 1, 3, 2]
    here, there = (ro.Manifold(m, backend="numpy").likelihood(targets, inputs=inputs) for m in (original, moved))
    point = np.array([0.3, 0.4])
    jacobian = np.array([[1.0, 1.0], [1.0, -2.0]])
    theta = moved.chart.to_original(point)
    np.testing.assert_allclose(theta, jacobian @ point)
    assert there.loss(point) == pytest.approx(float(here.loss(theta)), rel=1e-14)
    np.testing.assert_allclose(there.gradient(point), jacobian.T @ here.gradient(theta), rtol=1e-12)
    np.testing.assert_allclose(there.metric(point), jacobian.T @ here.metric(theta) @ jacobian, rtol=1e-12)
    # a chart that is affine adds nothing to the connection
    vector = np.array([0.7, -0.2])
    for a in (0.0, 1.0):
        found = here.connection(theta, jacobian @ vector, a=a)
        np.testing.assert_allclose(there.connection(point, vector, a=a), jacobian.T @ found, rtol=1e-11)


def test_curved_chart_adds_its_own_term_to_the_connection():
    original = model(output="bernoulli")
    a, b = sp.symbols("a b", positive=True)
    moved = original.reparametrize({w0: sp.log(a), w1: b**3}, (a, b))
    assert moved.domain.describe() == "a > 0, b > 0"
    inputs, targets = np.linspace(-2.0, 2.0, 9), [0, 0, 1, 0, 1, 0, 1, 1, 1]
    here, there = (ro.Manifold(m, backend="numpy").likelihood(targets, inputs=inputs) for m in (original, moved))
    point, vector = np.array([0.7, 1.2]), np.array([0.3, -0.5])
    theta = moved.chart.to_original(point)
    jacobian = np.diag([1 / 0.7, 3 * 1.2**2])
    bend = np.array([-1 / 0.7**2, 6 * 1.2]) * vector**2
    expected = jacobian.T @ (here.connection(theta, jacobian @ vector) + here.metric(theta) @ bend)
    np.testing.assert_allclose(there.connection(point, vector), expected, rtol=1e-11)


def test_chart_that_is_none_is_refused():
    with pytest.raises(ModelError):
        model().reparametrize({w0: c + q, w1: c + q}, (c, q))


def test_chart_keeps_what_is_not_exchanged():
    moved = model().reparametrize({w1: sp.exp(c)}, (w0, c))
    assert moved.outputs == (w0 + sp.exp(c) * u,)
    again = moved.reparametrize({c: sp.log(scale)}, (w0, scale))
    np.testing.assert_allclose(again.chart.to_original([0.5, 3.0]), [0.5, 3.0])
