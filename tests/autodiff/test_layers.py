"""Layers: activations against many digits, and passes against derivatives taken case by case from differences."""

import mpmath as mp
import numpy as np
import pytest

from riemopt.autodiff.layers import ACTIVATIONS, ForwardPass, Layer
from tests.autodiff.nets import parameters

EXACT = {
    "tanh": mp.tanh,
    "logistic": lambda s: 1 / (1 + mp.exp(-s)),
    "softplus": lambda s: mp.log(1 + mp.exp(s)),
    "linear": lambda s: s,
}
SIZES = (3, 4, 2, 2)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("s", [-300.0, -41.0, -3.0, -0.2, 1e-8, 0.7, 5.0, 41.0, 300.0])
def test_activations_and_their_slopes_keep_their_digits_where_units_saturate(name, s):
    activation, units = ACTIVATIONS[name], np.array([s])
    a = activation.value(np, units)
    slope = activation.slope(np, units, a)
    with mp.workdps(700):
        value, first, second = (mp.diff(EXACT[name], mp.mpf(s), k) for k in range(3))
        assert float(a[0]) == pytest.approx(float(value), rel=4e-15)
        assert float(np.ravel(slope)[0]) == pytest.approx(float(first), rel=1e-13, abs=1e-300)
        bend = float(np.ravel(activation.bend(np, a, slope))[0])
        # near its zero φ'' has the digits of φ'
        assert bend == pytest.approx(float(second), rel=1e-13, abs=1e-15 * float(first) + 1e-300)


def test_a_rectified_unit_is_linear_on_either_side():
    activation, units = ACTIVATIONS["relu"], np.array([-2.0, 0.0, 3.0])
    a = activation.value(np, units)
    np.testing.assert_array_equal(a, [0.0, 0.0, 3.0])
    np.testing.assert_array_equal(activation.slope(np, units, a), [0.0, 0.0, 1.0])
    assert activation.bend(np, a, a) == 0.0


@pytest.fixture(scope="module", params=["tanh", "logistic", "softplus"])
def network(request):
    """A network's outputs as a function of layers, forward passes of it, layers and a direction."""
    hidden = [ACTIVATIONS[request.param], ACTIVATIONS["tanh"]]
    inputs = np.random.default_rng(5).normal(size=(4, SIZES[0]))

    def at(layers, rows=slice(None)):
        return ForwardPass(np, layers, hidden, inputs[rows])

    layers, direction = ([Layer(*pair) for pair in parameters(SIZES, seed)] for seed in (0, 1))
    return at, layers, direction


def moved(layers, direction, h):
    return [Layer(w + h * v, b + h * c) for (w, b), (v, c) in zip(layers, direction, strict=True)]


def flat(layers):
    return np.concatenate([part.ravel() for layer in layers for part in layer])


def slope_of(function, h=1e-3):
    """The derivative at 0, by differences of order 6."""
    weights = ((1, 45), (2, -9), (3, 1))
    return sum(c * (function(k * h) - function(-k * h)) for k, c in weights) / (60 * h)


def test_first_and_second_derivatives_of_the_outputs_are_limits_of_differences(network):
    at, layers, direction = network
    first, second = at(layers).push_twice(direction)
    np.testing.assert_allclose(first, slope_of(lambda h: at(moved(layers, direction, h)).z), rtol=1e-9, atol=1e-10)
    rate = slope_of(lambda h: at(moved(layers, direction, h)).push(direction))
    np.testing.assert_allclose(second, rate, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(at(layers).push(direction), first)


def test_pulling_back_is_the_transpose_of_pushing(network):
    at, layers, direction = network
    run = at(layers)
    covector = np.random.default_rng(2).normal(size=run.z.shape)
    assert flat(run.pull(covector)) @ flat(direction) == pytest.approx(
        np.sum(covector * run.push(direction)), rel=1e-13
    )


def test_algorithm_3_is_the_derivative_of_pulling_back_a_fixed_covector(network):
    at, layers, direction = network
    covector = np.random.default_rng(2).normal(size=at(layers).z.shape)
    rate = slope_of(lambda h: flat(at(moved(layers, direction, h)).pull(covector)))
    np.testing.assert_allclose(flat(at(layers).pull_rate(direction, covector)), rate, rtol=1e-9, atol=1e-9)


def test_squares_are_those_of_the_cases_one_by_one(network):
    at, layers, _ = network
    covector = np.random.default_rng(2).normal(size=at(layers).z.shape)
    rows = [slice(k, k + 1) for k in range(len(covector))]
    each = [flat(at(layers, row).pull(covector[row])) for row in rows]
    np.testing.assert_allclose(flat(at(layers).pull_squares(covector)), np.sum(np.square(each), axis=0), rtol=1e-13)


def test_a_single_layer_has_no_second_derivative():
    layers = [Layer(*pair) for pair in parameters((2, 3))]
    run = ForwardPass(np, layers, [], np.ones((4, 2)))
    first, second = run.push_twice(layers)
    np.testing.assert_array_equal(first, run.z)
    np.testing.assert_array_equal(second, np.zeros((4, 3)))
    np.testing.assert_array_equal(flat(run.pull_rate(layers, first)), np.zeros(9))
