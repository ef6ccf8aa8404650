"""Networks written in JAX: of any kind, cut into chunks, solved with in one loop, and never on the host."""

import copy
import importlib.util
import sys
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import riemopt as ro
from riemopt.autodiff import feedforward
from riemopt.autodiff.jax import NetworkProblem
from riemopt.autodiff.network import geometric
from riemopt.errors import ArgumentError, BackendError, DataError, ModelError, ShapeError, UnknownNameError
from tests.autodiff.nets import data, parameters

pytestmark = pytest.mark.usefixtures("float64", "hasty")

SIZES = (3, 2, 2)
CASES = 7


def network(layers: Any, inputs: Any) -> Any:
    (w1, b1), (w2, b2) = layers
    return jnp.tanh(inputs @ w1.T + b1) @ w2.T + b2


def made(output: str = "bernoulli", apply: Any = network, dtype: Any = np.float64, **options: Any) -> NetworkProblem:
    return NetworkProblem(apply, parameters(SIZES, dtype=dtype), *data(output, SIZES, CASES), output=output, **options)


@cache
def plain() -> NetworkProblem:
    return made()


def direction(net: Any, seed: int = 3) -> Any:
    return jnp.asarray(np.random.default_rng(seed).normal(size=net.dimension), net.dtype)


ALL = ("loss", "gradient", "product", "connection", "third term")


def primitives(net: Any, theta: Any, v: Any, names: tuple[str, ...] = ALL) -> dict[str, Any]:
    """What is a sum over cases; each is a program to be compiled."""
    here = net.at(theta)
    values = {
        "loss": lambda: here.loss,
        "gradient": lambda: here.gradient,
        "product": lambda: here.metric.product(v),
        "connection": lambda: here.connection(v),
        "third term": lambda: net.third_term(theta, v),
    }
    return {name: values[name]() for name in names}


def same(found: dict[str, Any], expected: dict[str, Any], rtol: float = 1e-12) -> None:
    for name, value in expected.items():
        size = np.abs(np.asarray(value)).max()
        np.testing.assert_allclose(found[name], value, rtol=0, atol=rtol * size, err_msg=name)


# -- networks of any kind


def cell(p: Any, state: Any, x: Any) -> Any:
    return jnp.tanh(state @ p["state"] + x @ p["input"])


def scanned(p: Any, x: Any) -> Any:
    start = jnp.zeros((x.shape[0], 2), x.dtype)
    last, _ = lax.scan(lambda state, now: (cell(p, state, now), None), start, jnp.swapaxes(x, 0, 1))
    return last @ p["output"]


def written_out(p: Any, x: Any) -> Any:
    state = jnp.zeros((x.shape[0], 2), x.dtype)
    for k in range(x.shape[1]):
        state = cell(p, state, x[:, k])
    return state @ p["output"]


def test_a_scanned_recurrent_network_is_the_loop_written_out() -> None:
    rng = np.random.default_rng(0)
    p = {"state": rng.normal(size=(2, 2)), "input": rng.normal(size=(1, 2)), "output": rng.normal(size=(2, 2))}
    x, t = rng.normal(size=(CASES, 3, 1)), rng.integers(0, 2, size=CASES)
    loop, scan = (NetworkProblem(f, p, x, t, "categorical") for f in (written_out, scanned))
    v = direction(loop)
    names = ("connection",)
    same(primitives(scan, loop.start, v, names), primitives(loop, loop.start, v, names))


def test_an_equinox_module_is_a_network() -> None:
    import equinox as eqx  # slow to import

    module = eqx.nn.MLP(3, 2, 2, 1, activation=jnp.tanh, key=jax.random.key(0))
    inputs, targets = data("bernoulli", SIZES)
    net = NetworkProblem(lambda m, x: jax.vmap(m)(x), module, inputs, targets, "bernoulli")
    layers = [(np.asarray(layer.weight), np.asarray(layer.bias)) for layer in module.layers]
    reference = feedforward.NetworkProblem(layers, inputs, targets, "bernoulli")
    np.testing.assert_array_equal(net.start, reference.start)
    v = direction(net)
    names = ("loss", "connection")
    same(primitives(net, net.start, v, names), primitives(reference, reference.start, np.asarray(v), names))
    moved = net.unflatten(net.start + 1.0)
    assert isinstance(moved, eqx.nn.MLP)
    np.testing.assert_allclose(moved.layers[0].weight, module.layers[0].weight + 1.0)


def test_parameters_may_be_nested_as_those_of_flax_are() -> None:
    def apply(variables: Any, x: Any) -> Any:
        tree = variables["params"]
        hidden = jnp.tanh(x @ tree["layers_0"]["kernel"] + tree["layers_0"]["bias"])
        return hidden @ tree["layers_2"]["kernel"] + tree["layers_2"]["bias"]

    (w1, b1), (w2, b2) = parameters(SIZES)
    variables = {"params": {"layers_0": {"kernel": w1.T, "bias": b1}, "layers_2": {"kernel": w2.T, "bias": b2}}}
    inputs, targets = data("bernoulli", SIZES)
    net = NetworkProblem(apply, variables, inputs, targets, "bernoulli")

    def pairs(theta: Any) -> Any:
        tree = net.unflatten(theta)["params"]
        return [(np.asarray(tree[name]["kernel"]).T, np.asarray(tree[name]["bias"])) for name in sorted(tree)]

    def flat(theta: Any) -> np.ndarray:
        return np.concatenate([part.ravel() for pair in pairs(theta) for part in pair])

    reference = feedforward.NetworkProblem(pairs(net.start), inputs, targets, "bernoulli")
    v = direction(net)
    assert net.loss(net.start) == pytest.approx(reference.loss(reference.start), rel=1e-13)
    product = reference.connection(reference.start, flat(v))
    np.testing.assert_allclose(flat(net.connection(net.start, v)), product, rtol=1e-12, atol=1e-15)


def test_a_tree_may_hold_what_is_no_parameter() -> None:
    def apply(p: Any, x: Any) -> Any:
        return p["act"](x["a"] @ p["w"]) ** p["power"]

    tree = {"w": jnp.ones((3, 2)), "act": jnp.tanh, "power": 2, "steps": np.arange(3)}
    net = NetworkProblem(apply, tree, {"a": np.ones((4, 3))}, np.zeros((4, 2)))
    assert net.dimension == 6
    assert net.parameters == [f"w[{i},{j}]" for i in range(3) for j in range(2)]
    assert net.unflatten(net.start)["power"] == 2
    assert net.loss(net.start) == pytest.approx(np.tanh(3.0) ** 4 + np.log(2 * np.pi))


# -- precision, chunks, parts, decay


@pytest.mark.slow
def test_single_precision_stays_single() -> None:
    net = made(dtype=np.float32, weight_decay=1e-3)  # inputs and targets are in double precision
    v = direction(net)
    names = ("loss", "connection")
    found = primitives(net, net.start, v, names)
    assert net.inputs.dtype == net.targets.dtype == np.float32
    for name in set(found) - {"loss"}:
        assert found[name].dtype == np.float32, name
    double = feedforward.NetworkProblem(parameters(SIZES), *data("bernoulli", SIZES), "bernoulli", weight_decay=1e-3)
    expected = primitives(double, double.start, np.asarray(v, np.float64), names)
    same(found, expected, rtol=1e-5)
    assert ro.minimize(net, "geo", net.start, step_size=0.1, steps=1).x.dtype == np.float32


def test_losses_in_single_precision_are_added_up_with_twice_the_digits() -> None:
    x = np.zeros((100_000, 1), np.float32)
    net = NetworkProblem(lambda p, x: x + p, np.zeros(1, np.float32), x, x + 1.0)
    case = float(np.float32(0.5) + np.float32(0.5 * np.log(2 * np.pi)))
    assert net.loss(net.start) == pytest.approx(case, rel=1e-12)


@pytest.mark.slow
def test_chunks_of_any_size_give_the_same_numbers() -> None:
    net, v = plain(), direction(plain())
    names = ("loss", "gradient", "connection")
    same(primitives(made(chunk=3), net.start, v, names), primitives(net, net.start, v, names))
    assert made(chunk=1).loss(net.start) == pytest.approx(net.loss(net.start), rel=1e-14)
    assert made(chunk=100).chunk is None


def test_the_metric_of_a_part_moves_with_the_iteration() -> None:
    net, v, names = made(metric_cases=3), direction(plain()), ("product", "connection")
    inputs, targets = data("bernoulli", SIZES, CASES)
    layers = parameters(SIZES)
    for iteration, first in ((0, 0), (1, 3), (2, 4), (3, 0)):
        seen, part = net.seen_at(iteration), slice(first, first + 3)
        alone = feedforward.NetworkProblem(layers, inputs[part], targets[part], "bernoulli")
        expected = primitives(alone, alone.start, np.asarray(v), names)
        same(primitives(seen, net.start, v, names), expected)
    assert net.seen_at(1)._data == net._data  # loss and gradient


def test_weight_decay_is_in_loss_gradient_and_metric() -> None:
    net, v = plain(), direction(plain())
    decay = jnp.linspace(0.0, 1.0, net.dimension)
    decayed = copy.copy(net)
    decayed.weight_decay = decay
    expected = primitives(net, net.start, v)
    expected["loss"] += 0.5 * float(jnp.sum(decay * net.start**2))
    expected["gradient"] += decay * net.start
    expected["product"] += decay * v
    same(primitives(decayed, net.start, v), expected)
    assert made(weight_decay=np.asarray(decay)).weight_decay.dtype == net.dtype


# -- solving


SOLVERS = {
    "to the end": ro.ConjugateGradient(tolerance=1e-9),
    "truncated": ro.ConjugateGradient(max_iterations=50, progress=0.01, keep=geometric),
    "cut off": ro.ConjugateGradient(max_iterations=3, keep=lambda i: i % 2 == 0),
}


@pytest.mark.slow_for("cut off", "to the end")
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("helped", [False, True], ids=["from 0", "warm and preconditioned"])
def test_a_solve_in_one_loop_is_the_one_run_step_by_step(name: str, helped: bool) -> None:
    net, c = plain(), direction(plain())
    metric = net.at(net.start).metric.damped(0.5).solved_by(SOLVERS[name])
    given = {"start": direction(net, 4), "preconditioner": (net.at(net.start).squares + 0.5) ** 0.75} if helped else {}
    one = net._solution(metric, c, given.get("start"), given.get("preconditioner"))
    steps = metric.solver(metric.product, c, **given)
    assert (one.status, one.iterations) == (steps.status, steps.iterations)
    assert set(one.iterates) == set(steps.iterates)
    assert name == "to the end" or one.iterates
    tolerance = 1e-9 * np.abs(steps.x).max()
    np.testing.assert_allclose(one.x, steps.x, rtol=0, atol=tolerance)
    for i, x in steps.iterates.items():
        np.testing.assert_allclose(one.iterates[i], x, rtol=0, atol=tolerance, err_msg=str(i))


@pytest.mark.slow
def test_a_solve_in_chunks_is_the_same() -> None:
    net, c = plain(), direction(plain())
    solver = ro.ConjugateGradient(tolerance=1e-9)
    expected = net.at(net.start).metric.damped(0.5).solved_by(solver).solve(c)
    found = made(chunk=3, solver=solver, preconditioned=False).at(net.start).metric.damped(0.5).solve(c)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.slow
def test_squares_and_the_diagonal_are_exact_in_dense_layers() -> None:
    options: dict[str, Any] = {"chunk": 2, "metric_cases": 5}
    net = made("categorical", **options)
    exact = feedforward.NetworkProblem(parameters(SIZES), *data("categorical", SIZES), "categorical", **options)
    np.testing.assert_allclose(net.at(net.start).squares, exact.at(exact.start).squares, rtol=1e-12)
    diagonal = exact.at(exact.start).metric.diagonal()
    np.testing.assert_allclose(net.at(net.start).metric.diagonal(), diagonal, rtol=1e-12)


@pytest.mark.slow
def test_squares_are_estimated_and_the_diagonal_is_made_of_products_where_there_is_no_rule() -> None:
    rng = np.random.default_rng(0)
    table, w = rng.normal(size=(4, 2)), rng.normal(size=(2, 2))
    labels, t = rng.integers(0, 4, size=200), rng.integers(0, 2, size=(200, 2))
    net = NetworkProblem(lambda p, x: p["table"][x] @ p["w"], {"table": table, "w": w}, labels, t, "bernoulli")
    same_net = feedforward.NetworkProblem(
        [(table.T, np.zeros(2)), (w.T, np.zeros(2))], np.eye(4)[labels], t, "bernoulli", activation="linear"
    )
    (exact, _), (last, _) = same_net.unflatten(same_net.at(same_net.start).squares)
    found = net.unflatten(net.at(net.start).squares)
    np.testing.assert_allclose(found["w"], last.T, rtol=1e-12)
    ratio = np.asarray(found["table"]).sum() / exact.sum()
    assert 0.4 < ratio < 2.5
    metric = net.at(net.start).metric
    np.testing.assert_allclose(metric.diagonal(), np.diagonal(metric.dense()))


# -- on the device


def test_nothing_becomes_an_array_of_numpy_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    net = plain()
    for name in ("asarray", "array", "copy"):
        original = getattr(np, name)

        def watched(value: Any, *args: Any, original: Any = original, **options: Any) -> Any:
            assert not (isinstance(value, jax.Array) and value.ndim), "an array has come to the host"
            return original(value, *args, **options)

        monkeypatch.setattr(np, name, watched)
    here = net.at(net.start)
    here.loss  # noqa: B018
    here.metric.damped(0.1).solution(here.gradient)
    here.connection(here.gradient)
    with pytest.raises(AssertionError, match="host"):
        np.asarray(net.start)


def test_problems_of_other_data_have_other_digests() -> None:
    def digest(images: Any, targets: Any) -> str:
        def dense(w: Any, x: Any) -> Any:
            return x.reshape(-1, 4) @ w

        return NetworkProblem(dense, jnp.ones((4, 1), images.dtype), images, targets, output="bernoulli").digest

    images, targets = np.random.default_rng(0).normal(size=(3, 2, 2)), np.array([0.0, 1.0, 1.0])
    nudged = images.copy()
    nudged[1, 0, 1] = np.nextafter(nudged[1, 0, 1], 9.0)
    others = [
        (images[[0, 2, 1]], targets),
        (images.transpose(0, 2, 1), targets),
        (nudged, targets),
        (images.astype(np.float32), targets),
        (images, targets[[1, 0, 2]]),
    ]
    digests = [digest(images, targets), *(digest(*other) for other in others)]
    assert digests[0] == digest(images.copy(), targets.copy())
    assert len(set(digests)) == len(digests)


def test_data_are_arguments_not_constants() -> None:
    net, v = plain(), direction(plain())
    inputs, targets = data("bernoulli", SIZES, CASES, seed=9)
    other = copy.copy(net)
    other.inputs, other.targets = jnp.asarray(inputs), jnp.asarray(targets)
    reference = feedforward.NetworkProblem(parameters(SIZES), inputs, targets, "bernoulli")
    same(primitives(other, net.start, v), primitives(reference, reference.start, np.asarray(v)))


def test_a_network_is_traced_once_for_all_points() -> None:
    traced = []

    def apply(layers: Any, inputs: Any) -> Any:
        traced.append(1)
        return network(layers, inputs)

    net = made(apply=apply)
    net.gradient(net.start)
    before = len(traced)
    net.gradient(net.start + 1.0)
    assert len(traced) == before


# -- errors


X, T = np.ones((5, 3)), np.ones((5, 2))
W = np.ones((3, 2))


def linear(w: Any, x: Any) -> Any:
    return x @ w


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((linear, {"n": 3}, X, T), {}, ModelError, "no array of floating-point numbers"),
        ((linear, W * np.nan, X, T), {}, ModelError, "not finite"),
        ((linear, W, X * np.inf, T), {}, DataError, "inputs contains a number that is not finite"),
        ((linear, W, {"a": X, "b": X[:4]}, T), {}, ShapeError, "as many rows as there are cases"),
        ((linear, W, np.float64(3.0), T), {}, ShapeError, "as many rows as there are cases"),
        ((lambda w, x: (x @ w)[:3], W, X, T), {}, ShapeError, r"outputs of shape \(3, 2\) for 5 cases"),
        ((lambda w, x: (x @ w).sum(), W, X, T), {}, ShapeError, r"outputs of shape \(\) for 5 cases"),
        ((linear, W, X, T[:4]), {}, ShapeError, r"targets has shape \(4, 2\)"),
        ((linear, W, X, T * np.nan), {}, DataError, "target 0: nan is not finite"),
        ((linear, W, X, T + 1), {"output": "bernoulli"}, DataError, "between 0 and 1"),
        ((linear, W, X, T), {"output": "bernouli"}, UnknownNameError, "bernoulli"),
        ((linear, W, X, T), {"chunk": 0}, ArgumentError, "chunk"),
        ((linear, W, X, T), {"weight_decay": np.ones(3)}, ShapeError, "6 parameters"),
    ],
)
def test_what_does_not_fit_is_named(arguments: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        NetworkProblem(*arguments, **options)


def test_a_point_of_another_length_is_refused() -> None:
    for point in (np.zeros(3), np.zeros((14, 1)), "theta"):
        with pytest.raises(ShapeError, match="14"):
            plain().loss(point)


def test_jax_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    spec = importlib.util.spec_from_file_location("another", ro.autodiff.jax.__file__)
    assert spec is not None and spec.loader is not None
    with pytest.raises(BackendError, match=r"pip install 'riemopt\[jax\]'"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
