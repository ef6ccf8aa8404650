"""Networks in plain arrays: precision, chunks, parts of the data, what is kept at a point, and what is refused."""

import sys
from types import ModuleType

import numpy as np
import pytest
from scipy.special import gammaln

import riemopt as ro
from riemopt.autodiff import layers
from riemopt.autodiff.feedforward import NetworkProblem
from riemopt.errors import ArgumentError, DataError, ModelError, ShapeError, UnknownNameError
from tests.autodiff.nets import OUTPUTS, SCALE, data, parameters
from tests.kernels import device

SIZES = (3, 4, 2)


def made(output="bernoulli", sizes=SIZES, dtype=np.float64, cases=7, **options):
    return NetworkProblem(
        parameters(sizes, dtype=dtype), *data(output, sizes, cases), output=output, scale=SCALE, **options
    )


def primitives(net, theta, v):
    """Everything that is a sum over cases."""
    here = net.at(theta)
    return {
        "loss": here.loss,
        "gradient": here.gradient,
        "product": here.metric.product(v),
        "connection": here.connection(v),
        "1-connection": here.connection(v, 1.0),
        "third term": net.third_term(theta, v),
        "squares": here.squares,
        "diagonal": here.metric.diagonal(),
    }


def direction(net, seed=3):
    return np.random.default_rng(seed).normal(size=net.dimension).astype(net.dtype)


def test_parameters_lie_layer_by_layer_and_come_back():
    given = parameters(SIZES)
    net = made()
    np.testing.assert_array_equal(net.start, np.concatenate([p.ravel() for layer in given for p in layer]))
    for (weights, biases), (w, b) in zip(net.unflatten(net.start), given, strict=True):
        np.testing.assert_array_equal(weights, w)
        np.testing.assert_array_equal(biases, b)
    net.unflatten(net.start)[0][0][:] = 7.0
    np.testing.assert_array_equal(net.start[:12], given[0][0].ravel())


def test_coordinates_are_named_by_layer_and_place():
    names = made().parameters
    assert names[:4] == ["W1[0,0]", "W1[0,1]", "W1[0,2]", "W1[1,0]"]
    assert names[-4:] == ["W2[1,2]", "W2[1,3]", "b2[0]", "b2[1]"]
    assert len(names) == made().dimension


def test_a_fit_estimates_the_scale_and_standard_errors():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2))
    y = x @ [[1.0], [-2.0]] + 0.5 + rng.normal(scale=0.3, size=(50, 1))
    fit = ro.fit(NetworkProblem([(np.zeros((1, 2)), np.zeros(1))], x, y))
    table = np.column_stack([x, np.ones(50)])
    solution, residuals, *_ = np.linalg.lstsq(table, y[:, 0])
    np.testing.assert_allclose(fit.x, solution, rtol=1e-8)
    covariance = np.linalg.inv(table.T @ table) * residuals / 47
    np.testing.assert_allclose(fit.standard_errors, np.sqrt(np.diagonal(covariance)), rtol=1e-7)
    assert list(fit.parameters) == ["W1[0,0]", "W1[0,1]", "b1[0]"]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_chunks_of_any_size_give_the_same_numbers(output, chunk):
    whole, cut = made(output), made(output, chunk=chunk)
    v = direction(whole)
    expected = primitives(whole, whole.start, v)
    for name, value in primitives(cut, whole.start, v).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("output", OUTPUTS)
def test_single_precision_stays_single_and_agrees(output):
    single, double = made(output, dtype=np.float32, weight_decay=1e-3), made(output, weight_decay=1e-3)
    double_start = single.start.astype(np.float64)
    v = direction(single)
    expected = primitives(double, double_start, v.astype(np.float64))
    for name, value in primitives(single, single.start, v).items():
        assert name == "loss" or value.dtype == np.float32, name
        size = np.abs(expected[name]).max()
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=2e-5 * size, err_msg=name)
    assert single.at(single.start).metric.damped(0.1).solve(v).dtype == np.float32
    assert ro.minimize(single, "geo", single.start, step_size=0.1, steps=1).x.dtype == np.float32


def test_losses_in_single_precision_are_added_up_in_double():
    x = np.zeros((100_000, 1), np.float32)
    net = NetworkProblem([(np.zeros((1, 1), np.float32), np.zeros(1, np.float32))], x, x + 1.0)
    case = float(np.float32(0.5) + np.float32(0.5 * np.log(2 * np.pi)))
    assert net.loss(net.start) == pytest.approx(case, rel=1e-12)


@pytest.mark.parametrize("output", OUTPUTS)
def test_squares_and_the_diagonal_are_those_of_the_cases_one_by_one(output):
    net = made(output, weight_decay=0.01)
    inputs, targets = data(output, SIZES)
    alone = [
        NetworkProblem(parameters(SIZES), inputs[k : k + 1], targets[k : k + 1], output=output, scale=SCALE)
        for k in range(len(inputs))
    ]
    squares = np.mean([one.gradient(net.start) ** 2 for one in alone], axis=0)
    np.testing.assert_allclose(net.at(net.start).squares, squares, rtol=1e-12, atol=1e-18)
    metric = net.at(net.start).metric
    np.testing.assert_allclose(metric.diagonal(), np.diagonal(metric.dense()), rtol=1e-12, atol=1e-16)


def test_the_metric_of_a_part_moves_with_the_iteration():
    net = made(metric_cases=3)
    inputs, targets = data("bernoulli", SIZES)
    v = direction(net)
    for iteration, first in ((0, 0), (1, 3), (2, 4), (3, 0), (4, 3)):
        seen = net.seen_at(iteration)
        part = slice(first, first + 3)
        alone = NetworkProblem(parameters(SIZES), inputs[part], targets[part], output="bernoulli")
        found, expected = (primitives(n, net.start, v) for n in (seen, alone))
        for name in set(found) - {"loss", "gradient"}:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-15, err_msg=name)
        assert seen.loss(net.start) == net.loss(net.start)
        np.testing.assert_array_equal(seen.gradient(net.start), net.gradient(net.start))


@pytest.mark.parametrize("decay", [0.3, np.linspace(0.0, 1.0, 26)], ids=["number", "array"])
def test_weight_decay_is_in_loss_gradient_and_metric(decay):
    plain, decayed = made(), made(weight_decay=decay)
    theta, v = plain.start, direction(plain)
    assert decayed.loss(theta) == pytest.approx(plain.loss(theta) + 0.5 * np.sum(decay * theta**2), rel=1e-13)
    np.testing.assert_allclose(decayed.gradient(theta), plain.gradient(theta) + decay * theta, rtol=1e-13, atol=1e-15)
    product = plain.fisher_product(theta, v) + decay * v
    np.testing.assert_allclose(decayed.fisher_product(theta, v), product, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(decayed.connection(theta, v), plain.connection(theta, v))


@pytest.fixture
def passes(monkeypatch):
    """The forward passes made, as the number of cases of each."""
    counted = []
    original = layers.ForwardPass.__init__

    def counting(self, arrays, parameters, activations, inputs):
        counted.append(len(inputs))
        original(self, arrays, parameters, activations, inputs)

    monkeypatch.setattr(layers.ForwardPass, "__init__", counting)
    return counted


def test_there_is_one_forward_pass_for_all_products_at_a_point(passes):
    net = made(metric_cases=3)
    here = net.at(net.start)
    here.metric.damped(0.1).solve(here.gradient)
    here.connection(here.gradient)
    assert here.loss > 0
    assert passes == [7, 3]
    net.at(net.start + 1.0).loss  # noqa: B018
    here.metric.product(here.gradient)
    assert passes == [7, 3, 7]


def test_an_array_that_changes_in_place_is_another_point(passes):
    net = made()
    theta = net.start.copy()
    before = net.loss(theta)
    theta[0] += 1.0
    assert net.loss(theta) != before
    assert net.loss(net.start) == before


def test_numbers_that_overflow_are_answered_not_warned_of():
    net = made("poisson")
    far = 1e4 * net.start
    assert not np.isfinite(net.loss(far))
    assert not np.all(np.isfinite(net.gradient(far)))
    assert np.isnan(net.at(far).metric.damped(1.0).solve(direction(net))).all()


class Cupy(ModuleType):
    """A stand-in for the module ``cupy``, whose arrays are those of :mod:`tests.kernels.device`."""

    def __getattr__(self, name):
        return getattr(device.Arrays if hasattr(device.Arrays, name) else np, name)


@pytest.fixture
def cupy(monkeypatch):
    stand_in, special = Cupy("cupy"), ModuleType("cupyx.scipy.special")
    special.gammaln = lambda t: device.on_device(gammaln(device.on_host(t)))
    monkeypatch.setattr(device.DeviceArray, "__array_namespace__", lambda self: stand_in, raising=False)
    monkeypatch.setitem(sys.modules, "cupyx.scipy.special", special)
    monkeypatch.setattr(device, "copies", 0)
    return stand_in


@pytest.mark.parametrize("output", OUTPUTS)
def test_arrays_on_a_gpu_stay_there(cupy, output):
    host = made(output, weight_decay=0.01)
    layers = [tuple(map(cupy.asarray, layer)) for layer in parameters(SIZES)]
    inputs, targets = map(cupy.asarray, data(output, SIZES))
    net = NetworkProblem(layers, inputs, targets, output=output, scale=SCALE, weight_decay=0.01)
    v = direction(host)
    found, expected = primitives(net, net.start, cupy.asarray(v)), primitives(host, host.start, v)
    solved = net.at(net.start).metric.damped(0.1).solve(found["gradient"])
    assert device.copies == 0
    assert isinstance(solved, device.DeviceArray)
    np.testing.assert_allclose(solved.get(), host.at(host.start).metric.damped(0.1).solve(expected["gradient"]))
    for name in set(found) - {"loss"}:
        np.testing.assert_allclose(found[name].get(), expected[name], rtol=1e-13, err_msg=name)
    assert found["loss"] == expected["loss"]
    assert net.digest == host.digest


def test_a_network_learns_with_every_rule():
    net = made()
    for key in ("ng", "mid", "geo", "geof"):
        trajectory = ro.minimize(net, key, net.start, 1.0, 8, damping=ro.LevenbergMarquardt(initial=1.0))
        assert trajectory.loss < 0.6 * trajectory.losses[0], key


def test_each_hidden_layer_may_have_an_activation_of_its_own():
    sizes = (3, 2, 2, 1)
    net = made("gaussian", sizes, activation=["softplus", "logistic"])
    x, _ = data("gaussian", sizes)
    (w1, b1), (w2, b2), (w3, b3) = parameters(sizes)
    hidden = 1 / (1 + np.exp(-(np.log1p(np.exp(x @ w1.T + b1)) @ w2.T + b2)))
    np.testing.assert_allclose(net._pass(net.start, 0, 7).z, hidden @ w3.T + b3, rtol=1e-13)


LAYER = [(np.ones((2, 3)), np.zeros(2))]
X, T = np.ones((5, 3)), np.ones((5, 2))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([], X, T), {}, ModelError, "has no layer"),
        ((5, X, T), {}, ModelError, "pairs"),
        (([(np.ones((2, 3)), np.zeros(3))], X, T), {}, ShapeError, "layer 1: weights and biases"),
        (([*LAYER, (np.ones((1, 3)), np.zeros(1))], X, T), {}, ShapeError, "layer 2: weights are for 3 inputs"),
        (([(np.full((2, 3), np.nan), np.zeros(2))], X, T), {}, ModelError, "not finite"),
        ((LAYER, np.ones((5, 2)), T), {}, ShapeError, r"inputs has shape \(5, 2\)"),
        ((LAYER, np.ones((0, 3)), T), {}, ShapeError, r"inputs has shape \(0, 3\)"),
        ((LAYER, np.full((5, 3), np.inf), T), {}, DataError, "inputs contains a number that is not finite"),
        ((LAYER, X, np.ones((5, 1))), {}, ShapeError, r"targets has shape \(5, 1\)"),
        ((LAYER, X, 2.0 * T), {"output": "bernoulli"}, DataError, "between 0 and 1"),
        ((LAYER, X, T), {"output": "gausian"}, UnknownNameError, "gaussian"),
        ((LAYER, X, T), {"activation": "tahn"}, UnknownNameError, "tanh"),
        ((LAYER, X, T), {"activation": ["tanh"]}, ArgumentError, "each of 0 hidden layers"),
        ((LAYER, X, T), {"weight_decay": np.ones(3)}, ShapeError, "8 parameters"),
    ],
)
def test_what_does_not_fit_is_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        NetworkProblem(*arguments, **options)


def test_a_point_of_another_length_is_refused():
    net = made()
    with pytest.raises(ShapeError, match="26 parameters"):
        net.loss(np.zeros(3))
    with pytest.raises(ShapeError, match="26 parameters"):
        net.connection(net.start, np.zeros((26, 1)))
