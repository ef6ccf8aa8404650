"""Networks in PyTorch: the same numbers as symbolic models and finite differences, in any chunks, modules untouched."""

import copy
import functools
import importlib.util
import itertools
import logging
import sys

import numpy as np
import pytest
import torch
from torch import nn

import riemopt as ro
from riemopt.errors import ArgumentError, BackendError, DataError, ModelError, ShapeError
from tests.autodiff import nets

ROWS, OUTPUTS = 7, ("gaussian", "bernoulli", "categorical", "poisson")


def perceptron(sizes, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    layers = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after, dtype=dtype), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def targets_of(output, rng, width):
    return {
        "gaussian": rng.normal(size=(ROWS, width)),
        "bernoulli": rng.integers(0, 2, size=(ROWS, width)).astype(float),
        "categorical": rng.integers(0, width, size=ROWS),
        "poisson": rng.poisson(2.0, size=(ROWS, width)).astype(float),
    }[output]


@functools.cache
def pair(output):
    """The same small network as a module and as a symbolic model, and the order of its parameters there."""
    width = 3 if output == "categorical" else 2
    sizes = [2, 2, width]
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(ROWS, 2)), targets_of(output, rng, width)
    module = perceptron(sizes)
    net = ro.autodiff.torch.NetworkProblem(module, x, t, output, scale=0.7)
    model = ro.models.FeedForward(sizes, "tanh", output, scale=0.7)
    targets = np.eye(width)[t] if output == "categorical" else t
    problem = ro.Manifold(model, backend="numpy").likelihood(targets, inputs=x)
    # unit by unit there, each bias after its weights
    places, first = [], 0
    for before, after in itertools.pairwise(sizes):
        weights = first + np.arange(before * after).reshape(after, before)
        biases = first + before * after + np.arange(after)
        places.append(np.concatenate([weights, biases[:, None]], axis=1).ravel())
        first += (before + 1) * after
    return net, problem, np.concatenate(places)


@pytest.mark.parametrize("size", [0.8, 40.0])
@pytest.mark.parametrize("output", OUTPUTS)
def test_primitives_are_those_of_the_symbolic_model(output, size):
    net, problem, order = pair(output)
    rng = np.random.default_rng(2)
    theta, v = rng.normal(size=(2, net.dimension))
    theta *= size if output != "poisson" else min(size, 2.0)  # saturated logits
    there, w = theta[order], v[order]

    def close(found, expected):
        expected = np.asarray(expected)
        found = np.asarray(found)[order] if expected.ndim else found
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.max(np.abs(expected)))

    close(net.loss(theta), problem.loss(there))
    close(net.gradient(theta), problem.gradient(there))
    close(net.fisher_product(theta, v), problem.metric(there) @ w)
    for a in (0.0, 1.0, -1.0):
        close(net.connection(theta, v, a), problem.connection(there, w, a=a))


@pytest.mark.parametrize("level", [0.0, 45.0])
@pytest.mark.parametrize("output", OUTPUTS)
def test_squares_diagonals_and_third_terms_are_those_of_plain_arrays(output, level):
    sizes = (3, 4, 3)
    layers, (inputs, targets) = nets.parameters(sizes), nets.data(output, sizes)
    layers[-1][1][0] -= level
    plain = ro.autodiff.feedforward.NetworkProblem(layers, inputs, targets, output)
    net = ro.autodiff.torch.NetworkProblem(perceptron(sizes), inputs, targets, output)
    here, there = net.at(plain.start), plain.at(plain.start)
    v = direction(net).numpy()
    for found, expected in (
        (here.squares, there.squares),
        (here.metric.diagonal(), there.metric.diagonal()),
        (net.third_term(plain.start, v), plain.third_term(plain.start, v)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


class Block(nn.Module):
    """A residual block."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.LayerNorm((4, 4))

    def forward(self, x):
        out = self.conv(x)
        out = self.norm(out)
        out += x
        return torch.relu_(out) + 0.1 * torch.tanh(out)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))
        self.shift = nn.Parameter(torch.randn(4))

    def forward(self, x):
        return torch.sigmoid(x.flatten(1)[:, :3] @ self.weight + self.shift) @ self.weight.t()


def convolutional():
    module = nn.Sequential(Block(), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
    module[1].running_var.fill_(2.0)
    return module


def frozen():
    module = nn.Sequential(nn.Flatten(), nn.Linear(32, 3), nn.Softplus(), nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 3))
    module[1].requires_grad_(False)
    return module


class Unruled(nn.Module):
    """Through nested forward mode."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(32, 3)

    def forward(self, x):
        return torch.sinc(self.layer(x.flatten(1)))


class Normalized(Unruled):
    """Through reverse mode."""

    def forward(self, x):
        return nn.functional.layer_norm(super().forward(x), (3,))


NETWORKS = {
    "convolutional": convolutional,
    "tied": Tied,
    "frozen": frozen,
    "unruled": Unruled,
    "normalized": Normalized,
}


@functools.cache
def network(name, output="categorical", **options):
    torch.manual_seed(3)
    module = NETWORKS[name]().double().eval()
    x = torch.randn(ROWS, 2, 4, 4, dtype=torch.float64)
    t = torch.from_numpy(targets_of(output, np.random.default_rng(4), 3))
    return ro.autodiff.torch.NetworkProblem(module, x, t, output, **options)


def direction(net, seed=5):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(net.start.shape, generator=generator, dtype=torch.float64).to(net.dtype)


def slope_of(function, h=1e-4):
    """The derivative at 0, by Richardson's extrapolation of central differences."""
    near, far = ((function(step) - function(-step)) / (2.0 * step) for step in (h, 2.0 * h))
    return (4.0 * near - far) / 3.0


@pytest.mark.parametrize("name", NETWORKS)
def test_connections_are_derivatives_of_the_metric(name):
    net = network(name)
    assert net.taylor == (name not in ("unruled", "normalized"))
    v, w, theta = 0.1 * direction(net), 0.1 * direction(net, 6), net.start

    def difference(u, along):
        """(∂_along g)(u, ·)."""
        return slope_of(lambda step: net.fisher_product(theta + step * along, u))

    # Γ_ν(v) w^ν = (∂_v g)(v, w) - ½ (∂_w g)(v, v)
    expected = difference(v, v) @ w - 0.5 * difference(v, w) @ v
    found = net.connection(theta, v) @ w
    assert float(found) == pytest.approx(float(expected), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_and_third_terms_are_derivatives(name):
    net = network(name)
    v, theta = 0.1 * direction(net), net.start
    slope = slope_of(lambda step: net.loss(theta + step * v))
    assert slope == pytest.approx(float(net.gradient(theta) @ v), rel=1e-7, abs=1e-9)

    # E[(D_v J)ᵀ H Dz]·v is E[D²z·H Dz], of which Γ^(1)·v is the same
    assert float(net.third_term(theta, v) @ v) == pytest.approx(float(net.connection(theta, v, a=1.0) @ v), rel=1e-9)


@pytest.fixture
def jax():
    import jax  # slow to import

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


def test_third_terms_are_those_of_jax(jax):
    net, _, _ = pair("categorical")
    jnp = jax.numpy

    def apply(p, x):
        return jnp.tanh(x @ p["0.weight"].T + p["0.bias"]) @ p["2.weight"].T + p["2.bias"]

    start = {name: jnp.asarray(value.numpy()) for name, value in net.unflatten(net.start).items()}
    other = ro.autodiff.jax.NetworkProblem(apply, start, net.inputs.numpy(), net.targets.numpy(), "categorical")
    v, order = direction(net).numpy(), np.concatenate(in_the_order_of(net, sorted(start)))
    found = net.third_term(net.start, v).numpy()
    np.testing.assert_allclose(found[order], np.asarray(other.third_term(other.start, v[order])), rtol=1e-10)


def in_the_order_of(net, names):
    """Where the parameters of some names are in a flat vector."""
    places = net.unflatten(torch.arange(net.dimension, dtype=torch.float64))
    return [places[name].reshape(-1).long().numpy() for name in names]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("chunk", [1, 3, ROWS, 100])
def test_chunks_of_any_size_give_the_same_numbers(name, chunk):
    net, other = network(name), network(name, chunk=chunk)
    theta, v = net.start, direction(net)
    assert other.loss(theta) == pytest.approx(net.loss(theta), rel=1e-13)
    for method in (
        lambda p: p.gradient(theta),
        lambda p: p.fisher_product(theta, v),
        lambda p: p.connection(theta, v, a=-1.0),
        lambda p: p.third_term(theta, v),
        lambda p: p.at(theta).metric.diagonal(),
    ):
        torch.testing.assert_close(method(other), method(net), rtol=1e-11, atol=1e-12)
    if name != "tied":
        torch.testing.assert_close(other.at(theta).squares, net.at(theta).squares, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("name", ["convolutional", "frozen"])
def test_the_diagonal_is_that_of_the_metric(name, output):
    net = network(name, output)
    here = net.at(0.3 * net.start)
    assert net._diagonal(here.theta) is not None
    expected = torch.stack([here.metric.product(unit)[k] for k, unit in enumerate(torch.eye(net.dimension))])
    torch.testing.assert_close(here.metric.diagonal(), expected.double(), rtol=1e-10, atol=1e-12)


def test_the_diagonal_of_outputs_with_several_axes_is_that_of_the_metric():
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    x, t = torch.randn(4, 5, 2, dtype=torch.float64), torch.randint(0, 3, (4, 5))
    here = ro.autodiff.torch.NetworkProblem(module, x, t).at
    metric = here(torch.randn(21, dtype=torch.float64)).metric
    np.testing.assert_allclose(metric.diagonal().numpy(), np.diagonal(metric.dense()), rtol=1e-10)


def test_squares_are_those_of_single_cases():
    net = network("convolutional", "bernoulli")
    theta = net.start
    single = [
        ro.autodiff.torch.NetworkProblem(net._function._module, net.inputs[k], net.targets[k], "bernoulli")
        for k in (slice(k, k + 1) for k in range(ROWS))
    ]
    expected = sum(problem.gradient(theta) ** 2 for problem in single) / ROWS
    torch.testing.assert_close(net.at(theta).squares, expected)


def test_the_metric_looks_at_the_part_whose_turn_it_is():
    net = network("frozen", metric_cases=3, chunk=2)
    v, theta = direction(net), net.start
    for iteration, rows in enumerate((slice(0, 3), slice(3, 6), slice(4, 7), slice(0, 3))):
        part = ro.autodiff.torch.NetworkProblem(net._function._module, net.inputs[rows], net.targets[rows])
        seen = net.seen_at(iteration)
        torch.testing.assert_close(seen.fisher_product(theta, v), part.fisher_product(theta, v))
        torch.testing.assert_close(seen.connection(theta, v), part.connection(theta, v))
        torch.testing.assert_close(seen.gradient(theta), net.gradient(theta))


def test_all_products_at_a_point_use_one_forward_pass(monkeypatch):
    net = network("frozen", "gaussian")
    assert len(net._ruled) == 4  # found with a forward pass of its own
    calls = []
    whole = type(net._function).__call__
    monkeypatch.setattr(type(net._function), "__call__", lambda *args: calls.append(1) or whole(*args))
    here = net.at(1.1 * net.start)
    v = direction(net)
    for _ in range(3):
        here.metric.product(v)
        here.connection(v)
    assert here.gradient.shape == here.squares.shape
    assert here.loss > 0
    assert len(calls) == 1
    moved = here.theta.clone()
    before = net.fisher_product(moved, v)
    moved.mul_(1.1)
    assert not torch.allclose(net.fisher_product(moved, v), before)


def test_weight_decay_is_added():
    net, decay = network("frozen"), torch.linspace(0.0, 1.0, 24, dtype=torch.float64)
    other = ro.autodiff.torch.NetworkProblem(net._function._module, net.inputs, net.targets, weight_decay=decay)
    theta, v = net.start, direction(net)
    assert other.loss(theta) == pytest.approx(net.loss(theta) + float(0.5 * (decay * theta**2).sum()))
    torch.testing.assert_close(other.gradient(theta), net.gradient(theta) + decay * theta)
    torch.testing.assert_close(other.fisher_product(theta, v), net.fisher_product(theta, v) + decay * v)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_everything_is_in_the_precision_of_the_parameters_and_modules_stay_as_they_are(dtype):
    module = perceptron([3, 4, 3], dtype)
    before = copy.deepcopy(module.state_dict())
    x, t = torch.randn(20, 3, dtype=torch.float64), torch.randint(0, 3, (20,))
    net = ro.autodiff.torch.NetworkProblem(module, x, t, weight_decay=1e-3)
    here, v = net.at(net.start), direction(net)
    results = (net.start, here.gradient, here.metric.product(v), here.connection(v), here.squares)
    results += (here.metric.diagonal(), here.metric.damped(0.1).solve(here.gradient), net.third_term(net.start, v))
    assert {result.dtype for result in results} == {dtype}
    assert isinstance(here.loss, float)
    for by in ("identity", "diagonal"):
        trajectory = ro.minimize(
            net,
            "geof",
            start=net.start,
            step_size=1.0,
            steps=5,
            damping=ro.LevenbergMarquardt(1.0, by=by),
            line_search=ro.Backtracking(),
        )
        assert trajectory.success
        assert trajectory.points.dtype == dtype
        assert (np.diff(trajectory.losses) < 0).all()
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.grad is None and p.requires_grad for p in module.parameters())


@pytest.mark.slow_for("convolutional", "normalized", "poisson", "gaussian")
@pytest.mark.parametrize("name", ["convolutional", "tied", "unruled", "normalized"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_everything_stays_where_the_parameters_are_and_nothing_becomes_an_array_of_numpy(name, output, monkeypatch):
    def refused(self, *args, **kwargs):
        raise AssertionError("an array of NumPy")

    data = network(name, output)
    monkeypatch.setattr(torch.Tensor, "__array__", refused)
    monkeypatch.setattr(torch.Tensor, "numpy", refused)
    # what is not made beside the parameters is made on another device, whose tensors cannot be mixed with theirs
    with torch.device("meta"):
        options = {"weight_decay": 1e-3, "chunk": 3}
        net = ro.autodiff.torch.NetworkProblem(data._function._module, data.inputs, data.targets, output, **options)
        here, v = net.at(net.start), net.start
        results = [here.gradient, here.metric.product(v), here.connection(v), here.squares, net.third_term(v, v)]
        results += [here.metric.diagonal()] if name == "convolutional" else []
        damping, line_search = ro.LevenbergMarquardt(1.0), ro.Backtracking()
        results.append(ro.minimize(net, "geof", v, 1.0, 2, damping=damping, line_search=line_search).x)
    assert {result.device for result in results} == {net.start.device}


@pytest.mark.parametrize("missing", ["torch", "array_api_compat.torch"])
def test_what_is_not_installed_is_named(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    spec = importlib.util.spec_from_file_location("another", ro.autodiff.torch.__file__)
    with pytest.raises(BackendError, match=r"pip install 'riemopt\[torch\]'"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_a_flat_vector_is_a_state_of_the_module():
    module = perceptron([3, 4, 3])
    net = ro.autodiff.torch.NetworkProblem(module, torch.randn(5, 3), torch.randint(0, 3, (5,)))
    other = perceptron([3, 4, 3], seed=1)
    other.load_state_dict(net.unflatten(net.start), strict=False)
    for name, value in other.state_dict().items():
        assert torch.equal(value, module.state_dict()[name])


class Curve(nn.Module):
    """A number a case."""

    def __init__(self):
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        self.weights = nn.Parameter(torch.ones(2, dtype=torch.float64))

    def forward(self, x):
        return self.weights[0] * torch.exp(-self.rate * x[:, 0]) + self.weights[1]


def test_a_fit_estimates_parameters_and_their_scale():
    rng = np.random.default_rng(0)
    x = np.linspace(0.0, 2.0, 40)
    t = 2.0 * np.exp(-1.5 * x) + 0.3 + 0.1 * rng.normal(size=40)
    x.setflags(write=False)
    net = ro.autodiff.torch.NetworkProblem(Curve(), x[:, None], t, output="gaussian")
    assert net.parameters == ["rate", "weights[0]", "weights[1]"]
    fit = ro.fit(net)

    # nonlinear least squares
    rate, scale, shift = fit.x
    rise = np.exp(-rate * x)
    residuals = scale * rise + shift - t
    jacobian = np.stack([-x * scale * rise, rise, np.ones_like(x)], axis=1)
    np.testing.assert_allclose(jacobian.T @ residuals, 0.0, atol=1e-8)
    covariance = residuals @ residuals / (40 - 3) * np.linalg.inv(jacobian.T @ jacobian)
    np.testing.assert_allclose(fit.standard_errors, np.sqrt(np.diagonal(covariance)), rtol=1e-8)

    profiled = ro.autodiff.torch.NetworkProblem(Curve(), x[:, None], t, output="gaussian", scale=None)
    assert profiled.loss(fit.x) == pytest.approx(-fit.log_likelihood / 40)
    assert slope_of(lambda h: profiled.loss(fit.x + h)) == pytest.approx(
        float(profiled.gradient(fit.x).sum()), abs=1e-9
    )


def test_an_optimizer_of_pytorch_moves_a_network():
    net = network("frozen")
    rule = ro.autodiff.torch.OptimizerStep(lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    found = ro.minimize(net, rule, net.start, 1.0, 3).x
    torch.testing.assert_close(found, ro.minimize(net, "gd", net.start, 0.1, 3).x)


def test_the_exponential_map_is_an_integration_of_the_connection():
    net = pair("gaussian")[0]
    v = 0.03 * direction(net)
    damped = {"weight_decay": 0.5, "solver": ro.ConjugateGradient(tolerance=1e-13)}
    net = ro.autodiff.torch.NetworkProblem(net._function._module, net.inputs, net.targets, "gaussian", **damped)
    end = net.exp(net.start, v)
    assert end.dtype == torch.float64
    straight = net.start + v + 0.5 * net.acceleration(net.start, v)
    assert float((end - straight).norm()) < 0.1 * float((end - net.start - v).norm())


def test_the_way_of_differentiating_is_logged(caplog):
    with caplog.at_level(logging.INFO, logger="riemopt"):
        network.__wrapped__("frozen")
        network.__wrapped__("unruled")
    assert [record.getMessage() for record in caplog.records] == [
        "Sequential is differentiated by Taylor rules",
        "Unruled is differentiated in forward mode: sinc has no rule",
    ]


def test_problems_of_other_data_have_other_digests():
    assert network("frozen").digest == network("frozen", chunk=3).digest
    assert network("frozen").digest != network("frozen", "gaussian").digest

    def digest(images, labels):
        module = nn.Sequential(nn.Flatten(), nn.Linear(9, 3, bias=False, dtype=images.dtype))
        return ro.autodiff.torch.NetworkProblem(module, images, labels, output="categorical").digest

    generator = torch.Generator().manual_seed(0)
    images, labels = torch.randn(5, 3, 3, generator=generator), torch.tensor([0, 1, 1, 0, 0])
    order = torch.tensor([0, 2, 1, 3, 4])
    nudged = images.clone()
    nudged[3, 1, 2] = torch.nextafter(nudged[3, 1, 2], torch.tensor(9.0))
    others = [
        (images[order], labels),
        (images.transpose(1, 2), labels),
        (nudged, labels),
        (images.double(), labels),
        (images, labels[torch.tensor([1, 0, 2, 3, 4])]),
        (images, torch.tensor([0, 2, 0, 0, 0])),
    ]
    digests = [digest(images, labels), *(digest(*other) for other in others)]
    assert digests[0] == digest(images.clone(), labels.clone())
    assert len(set(digests)) == len(digests)


X, T = torch.ones(4, 3), torch.tensor([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("module", "inputs", "targets", "options", "error", "message"),
    [
        (nn.Linear(3, 2), X * torch.nan, T, {}, DataError, "inputs contains a number that is not finite"),
        (nn.Linear(3, 2), X, T + 5, {}, DataError, "target 0: 5 is not a label"),
        (nn.Linear(3, 2), X, T[:3], {}, ShapeError, r"targets has shape \(3,\)"),
        (nn.Linear(3, 1), X, T, {}, ModelError, "at least two outputs"),
        (nn.Linear(3, 2), X, X, {"output": "gaussian"}, ShapeError, r"but the outputs have shape \(4, 2\)"),
        (nn.Sequential(nn.Linear(3, 2), nn.Flatten(0)), X, T, {}, ShapeError, "the network gives outputs of shape"),
        (nn.Linear(3, 2), X, T, {"chunk": 0}, ArgumentError, "chunk must be a whole number"),
        (nn.Linear(3, 2), X, T, {"weight_decay": -1.0}, ArgumentError, "weight_decay must be at least 0"),
        (nn.Linear(3, 2), X, T, {"weight_decay": torch.ones(3)}, ShapeError, "the network has 8 parameters"),
        (nn.Sequential(nn.Linear(3, 2), nn.Dropout()), X, T, {}, ModelError, r"call .eval\(\) first"),
        (nn.Linear(3, 2).requires_grad_(False), X, T, {}, ModelError, "no parameter that requires a gradient"),
    ],
)
def test_what_does_not_fit_is_said(module, inputs, targets, options, error, message):
    with pytest.raises(error, match=message):
        ro.autodiff.torch.NetworkProblem(module, inputs, targets, **options)


@pytest.mark.parametrize("theta", [np.zeros(3), "here", [[0.0]]])
def test_what_is_no_point_is_said(theta):
    with pytest.raises(ShapeError, match="a point or vector"):
        network("frozen").loss(theta)
