"""Small fully connected networks as conditional models."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import ArgumentError, ModelError, UnknownNameError


def test_network_has_weights_and_biases_unit_by_unit():
    network = ro.models.FeedForward([2, 3, 1])
    assert network.dimension == 3 * 3 + 4
    names = [p.name for p in network.parameters]
    assert names[:3] == ["w_1_1_1", "w_1_1_2", "b_1_1"] and names[-4:] == ["w_2_1_1", "w_2_1_2", "w_2_1_3", "b_2_1"]
    assert [x.name for x in network.inputs] == ["x_1", "x_2"]
    assert repr(network).startswith("FeedForward(w_1_1_1, ")


@pytest.mark.parametrize("activation", ["tanh", "logistic", "softplus", "linear"])
def test_network_computes_what_a_network_computes(activation):
    functions = {
        "tanh": np.tanh,
        "logistic": lambda z: 1 / (1 + np.exp(-z)),
        "softplus": lambda z: np.log1p(np.exp(z)),
        "linear": lambda z: z,
    }
    network = ro.models.FeedForward([2, 3, 2, 1], activation=activation, scale=0.5)
    rng = np.random.default_rng(0)
    theta, inputs, targets = rng.normal(size=network.dimension), rng.normal(size=(6, 2)), rng.normal(size=6)
    values, start = inputs, 0
    for layer, (before, after) in enumerate(((2, 3), (3, 2), (2, 1))):
        block = theta[start : start + after * (before + 1)].reshape(after, before + 1)
        values = values @ block[:, :-1].T + block[:, -1]
        values = values if layer == 2 else functions[activation](values)
        start += block.size
    problem = ro.Manifold(network, backend="numpy").likelihood(targets, inputs=inputs)
    expected = np.mean((targets - values[:, 0]) ** 2) / (2 * 0.25) + 0.5 * np.log(2 * np.pi * 0.25)
    assert problem.loss(theta) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("layers", "options", "error", "message"),
    [
        ([3], {}, ArgumentError, "layers must be at least two positive whole numbers"),
        ([2, 0, 1], {}, ArgumentError, r"not \[2, 0, 1\]"),
        ([2, 1.5], {}, ArgumentError, "whole numbers"),
        ([2, 1], {"activation": "relu"}, UnknownNameError, "unknown activation 'relu'"),
        ([2, 1], {"output": "categorical"}, ModelError, "at least two outputs"),
    ],
)
def test_network_that_is_none_is_refused(layers, options, error, message):
    with pytest.raises(error, match=message):
        ro.models.FeedForward(layers, **options)


def test_saturated_units_have_derivatives():
    """A logistic unit a thousand away from its middle is flat, and not a quotient of infinities."""
    network = ro.models.FeedForward([1, 1, 1], activation="logistic")
    problem = ro.Manifold(network, backend="numpy").likelihood([0.0, 1.0], inputs=[-1.0, 1.0])
    theta = np.array([1500.0, 0.0, 2.0, 0.5])
    np.testing.assert_allclose(problem.gradient(theta), [0, 0, 0.75, 1.0], atol=1e-12)
    assert np.isfinite(problem.metric(theta)).all() and np.isfinite(problem.connection(theta, np.ones(4))).all()
