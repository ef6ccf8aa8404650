"""One network, its primitives written several times: in JAX, in plain arrays, symbolically, as the paper prints them.

They agree in double precision, wherever outputs are: in their middle, or so saturated that y(1 - y) has no digits.
"""

import copy
import itertools
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import riemopt as ro
from riemopt.autodiff import feedforward
from tests.autodiff.nets import OUTPUTS, SCALE, data, parameters

pytestmark = pytest.mark.usefixtures("float64", "hasty")

SIZES = (2, 2, 2)
RTOL = 1e-10
ACTIVATIONS = {
    "tanh": jnp.tanh,
    "logistic": lambda s: 1.0 / (1.0 + jnp.exp(-s)),
    "softplus": lambda s: jnp.log1p(jnp.exp(s)),
}
# what is added to the last layer's biases: saturated outputs have logits beyond ±40, mixed ones one of them
LEVELS = {
    "middle": (0.0, 0.0, 0.0),
    "mixed": (-45.0, 0.5, 0.0),
    "saturated": (-45.0, 47.0, 0.0),
}


def network(layers: Any, inputs: Any, *activations: str) -> Any:
    """Fully connected layers in JAX, with hyperbolic tangents by default."""
    *hidden, (weights, biases) = layers
    for (w, b), name in zip(hidden, activations or ["tanh"] * len(hidden), strict=True):
        inputs = ACTIVATIONS[name](inputs @ w.T + b)
    return inputs @ weights.T + biases


class Subject(NamedTuple):
    """One network on one set of data, in three ways; θ and a direction in the order of the layers."""

    plain: Any
    jax: Any
    output: str
    sizes: tuple[int, ...]
    theta: np.ndarray
    v: np.ndarray
    order: np.ndarray
    """Where the symbolic model has its coordinates: unit by unit, each unit's bias after its weights."""
    outputs: Any
    """θ ↦ z of all cases."""

    @property
    def symbolic(self) -> Any:
        return manifold(self.output, "tanh", self.sizes).likelihood(self.plain.targets, inputs=self.plain.inputs)


@cache
def manifold(output: str, activation: str, sizes: tuple[int, ...]) -> Any:
    model = ro.models.FeedForward(sizes, activation, output, scale=SCALE)
    return ro.Manifold(model, backend="numpy")


def unit_by_unit(sizes: tuple[int, ...]) -> np.ndarray:
    """Which entry of layers laid end to end each coordinate of the symbolic model is."""
    first, places = 0, []
    for before, after in itertools.pairwise(sizes):
        for unit in range(after):
            places += [first + unit * before + k for k in range(before)] + [first + before * after + unit]
        first += (before + 1) * after
    return np.array(places)


@cache
def problems(output: str, sizes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """One network in plain arrays, in JAX, and its outputs as a function: each is compiled once."""
    layers, (inputs, targets) = parameters(sizes), data(output, sizes)
    options = {"output": output, "scale": SCALE}
    plain = feedforward.NetworkProblem(layers, inputs, targets, **options)
    framework = ro.autodiff.jax.NetworkProblem(network, layers, inputs, targets, **options)
    return plain, framework, jax.jit(lambda theta: network(framework.unflatten(theta), inputs))


def subject(output: str, level: str = "middle", sizes: tuple[int, ...] | None = None) -> Subject:
    sizes = sizes or ((2, 2, 3) if output == "categorical" else SIZES)
    plain, framework, outputs = problems(output, sizes)
    theta, v = plain.start.copy(), np.random.default_rng(2).normal(size=plain.dimension)
    theta[-sizes[-1] :] += LEVELS[level][: sizes[-1]]
    return Subject(plain, framework, output, sizes, theta, v, unit_by_unit(sizes), outputs)


def agree(found: Any, expected: Any, rtol: float = RTOL) -> None:
    """Entries agree up to a part of the largest one."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=rtol * np.abs(expected).max())


CASES = [(output, level) for output in OUTPUTS for level in LEVELS if output != "gaussian" or level == "middle"]


@pytest.fixture(params=CASES, ids="-".join)
def net(request: pytest.FixtureRequest) -> Subject:
    return subject(*request.param)


def test_products_in_jax_plain_arrays_and_symbols_agree(net: Subject) -> None:
    theta, v, order = net.theta, net.v, net.order
    for a in (0.0, 1.0, -1.0):
        product = net.plain.connection(theta, v, a)
        agree(net.jax.connection(theta, v, a), product)
        agree(net.symbolic.connection(theta[order], v[order], a), product[order])
    product = net.plain.fisher_product(theta, v)
    agree(net.jax.fisher_product(theta, v), product)
    agree(net.symbolic.lower_index(theta[order], v[order]), product[order])
    agree(net.jax.third_term(theta, v), net.plain.third_term(theta, v))


def test_losses_and_gradients_in_jax_plain_arrays_and_symbols_agree(net: Subject) -> None:
    theta, order = net.theta, net.order
    assert net.jax.loss(theta) == pytest.approx(net.plain.loss(theta), rel=RTOL)
    agree(net.jax.gradient(theta), net.plain.gradient(theta))
    assert net.symbolic.loss(theta[order]) == pytest.approx(net.plain.loss(theta), rel=RTOL)
    agree(net.symbolic.gradient(theta[order]), net.plain.gradient(theta)[order])


@pytest.mark.parametrize("output", ["bernoulli", "categorical"])
def test_saturated_outputs_that_are_right_keep_their_losses_and_gradients(output: str) -> None:
    net = subject(output, "saturated")
    targets = np.ones(7, int) if output == "categorical" else np.tile([0.0, 1.0], (7, 1))
    right = [copy.copy(problem) for problem in (net.plain, net.jax)]
    for problem in right:
        problem.targets = problem.output.targets(targets, problem.arrays.zeros((7, net.sizes[-1])))
    plain, framework = right
    assert 0.0 < plain.loss(net.theta) < 1e-16
    assert framework.loss(net.theta) == pytest.approx(plain.loss(net.theta), rel=RTOL)
    agree(framework.gradient(net.theta), plain.gradient(net.theta))
    symbolic = manifold(output, "tanh", net.sizes).likelihood(targets, inputs=net.plain.inputs)
    assert symbolic.loss(net.theta[net.order]) == pytest.approx(plain.loss(net.theta), rel=RTOL)
    agree(symbolic.gradient(net.theta[net.order]), plain.gradient(net.theta)[net.order])


def test_saturated_hidden_units_agree() -> None:
    net = subject("bernoulli")
    theta = 40.0 * net.theta
    agree(net.jax.fisher_product(theta, net.v), net.plain.fisher_product(theta, net.v))
    agree(net.jax.connection(theta, net.v), net.plain.connection(theta, net.v))


def test_a_deeper_network_of_other_activations_agrees_with_jax() -> None:
    sizes, names = (3, 4, 2, 2), ("softplus", "logistic")
    layers, (inputs, targets) = parameters(sizes), data("poisson", sizes)
    plain = feedforward.NetworkProblem(layers, inputs, targets, "poisson", activation=names)
    framework = ro.autodiff.jax.NetworkProblem(lambda p, x: network(p, x, *names), layers, inputs, targets, "poisson")
    v = np.random.default_rng(2).normal(size=plain.dimension)
    agree(framework.connection(plain.start, v), plain.connection(plain.start, v))
    agree(framework.third_term(plain.start, v), plain.third_term(plain.start, v))


@pytest.mark.parametrize("activation", ["logistic", "softplus", "linear"])
def test_all_activations_agree_with_the_symbolic_network(activation: str) -> None:
    inputs, targets = data("bernoulli", SIZES)
    plain = feedforward.NetworkProblem(parameters(SIZES), inputs, targets, "bernoulli", activation=activation)
    symbolic = manifold("bernoulli", activation, SIZES).likelihood(targets, inputs=inputs)
    theta, v, order = plain.start, np.random.default_rng(2).normal(size=plain.dimension), unit_by_unit(SIZES)
    assert symbolic.loss(theta[order]) == pytest.approx(plain.loss(theta), rel=RTOL)
    agree(symbolic.gradient(theta[order]), plain.gradient(theta)[order])
    agree(symbolic.lower_index(theta[order], v[order]), plain.fisher_product(theta, v)[order])
    agree(symbolic.connection(theta[order], v[order]), plain.connection(theta, v)[order])


# -- differences


def slope(function: Any, theta: np.ndarray, direction: np.ndarray, h: float = 2e-3) -> Any:
    """The derivative along a direction, by differences of order 6."""
    weights = ((1, 45.0), (2, -9.0), (3, 1.0))
    parts = (c * (function(theta + k * h * direction) - function(theta - k * h * direction)) for k, c in weights)
    return sum(parts) / (60.0 * h)


def test_the_gradient_is_the_limit_of_differences_of_the_loss(net: Subject) -> None:
    found = [slope(net.plain.loss, net.theta, unit) for unit in np.eye(len(net.theta))]
    agree(net.plain.gradient(net.theta), found, rtol=1e-9)


def test_the_connection_is_made_of_differences_of_the_metric(net: Subject) -> None:
    """Γ_ν(v) = ∂_α g_νβ v^α v^β - ½ ∂_ν g_αβ v^α v^β."""
    v, product = net.v, net.plain.fisher_product
    along = [slope(lambda x: v @ product(x, v), net.theta, unit) for unit in np.eye(len(v))]
    found = slope(lambda x: product(x, v), net.theta, v) - 0.5 * np.array(along)
    agree(net.plain.connection(net.theta, v), found, rtol=1e-8)


def test_the_metric_is_made_of_the_whole_jacobian(net: Subject) -> None:
    columns = np.stack([slope(net.outputs, net.theta, unit) for unit in np.eye(len(net.v))], axis=-1)
    output, z = net.plain.output, np.asarray(net.outputs(net.theta))
    hessian = np.stack([output.hessian(z, np.broadcast_to(unit, z.shape)) for unit in np.eye(z.shape[-1])], axis=-1)
    metric = np.einsum("xom,xop,xpn->mn", columns, hessian, columns) / len(z)
    agree(net.plain.metric(net.theta), metric, rtol=1e-9)


# -- the paper's own formulas, in y


class InMeans(NamedTuple):
    """Proposition 2 in means y: g v = E[λ₁ ∂y Dy], Γ(v) = E[∂y (λ₁ D²y + λ₂ (Dy)²)]."""

    mean: Any
    first: Any
    second: Any


PROPOSITION_2 = {
    "gaussian": InMeans(lambda z: z, lambda y: 0.0 * y + 1.0 / SCALE**2, lambda y: 0.0 * y),
    "bernoulli": InMeans(
        lambda z: 1.0 / (1.0 + jnp.exp(-z)),
        lambda y: 1.0 / (y * (1.0 - y)),
        lambda y: (2.0 * y - 1.0) / (2.0 * y**2 * (1.0 - y) ** 2),
    ),
    "categorical": InMeans(
        lambda z: jnp.exp(z) / jnp.exp(z).sum(-1, keepdims=True), lambda y: 1.0 / y, lambda y: -1.0 / (2.0 * y**2)
    ),
    # not in the paper: Var y = y
    "poisson": InMeans(jnp.exp, lambda y: 1.0 / y, lambda y: -1.0 / (2.0 * y**2)),
}


def proposition_2(net: Subject, output: str) -> tuple[Any, Any]:
    """The Fisher and the connection product as the paper prints them."""
    formulas = PROPOSITION_2[output]

    def mean(x: Any) -> Any:
        return formulas.mean(net.outputs(x))

    theta, v = jnp.asarray(net.theta), jnp.asarray(net.v)
    with jax.disable_jit():
        y, pull = jax.vjp(mean, theta)
        _, dy = jax.jvp(mean, (theta,), (v,))
        _, d2y = jax.jvp(lambda x: jax.jvp(mean, (x,), (v,))[1], (theta,), (v,))
        first, second = formulas.first(y), formulas.second(y)
        fisher, connection = pull(first * dy)[0], pull(first * d2y + second * dy**2)[0]
    return fisher / len(y), connection / len(y)


def algorithms(net: Subject, output: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Algorithms 1, 2 and 3 of the paper, line by line, a case at a time; the means over the cases."""
    formulas, inputs = PROPOSITION_2[output], net.plain.inputs
    layers, rates = net.plain.unflatten(net.theta), net.plain.unflatten(net.v)
    last = len(layers) - 1
    hidden = np.tanh, lambda a: 1 - a**2, lambda a: -2 * a * (1 - a**2)
    own = {
        "gaussian": (lambda s: s, lambda a: 1.0 + 0 * a, lambda a: 0.0 * a),
        "bernoulli": (lambda s: 1 / (1 + np.exp(-s)), lambda a: a * (1 - a), lambda a: a * (1 - a) * (1 - 2 * a)),
        "poisson": (np.exp, lambda a: a, lambda a: a),
    }[output]
    terms: list[list[np.ndarray]] = [[], [], []]
    for x in inputs:
        a, ra, sa = [x], [0 * x], [0 * x]
        rs, d1, d2 = [], [], []
        for i, ((w, b), (rw, rb)) in enumerate(zip(layers, rates, strict=True)):
            phi, slope_of, bend_of = own if i == last else hidden
            r = rw @ a[i] + w @ ra[i] + rb
            ss = 2 * rw @ ra[i] + w @ sa[i]
            a.append(phi(w @ a[i] + b))
            d1.append(slope_of(a[-1]))
            d2.append(bend_of(a[-1]))
            rs.append(r)
            ra.append(d1[i] * r)
            sa.append(d2[i] * r**2 + d1[i] * ss)
        y, first, second = a[-1], formulas.first(a[-1]), formulas.second(a[-1])
        for term, da in enumerate((first * sa[-1], second * ra[-1] ** 2, first * ra[-1])):
            rda = 0 * y
            parts = []
            for i in range(last, -1, -1):
                ds = da * d1[i]
                rds = rda * d1[i] + da * d2[i] * rs[i]
                if term < 2:
                    parts.append((np.outer(ds, a[i]), ds))
                else:
                    parts.append((np.outer(rds, a[i]) + np.outer(ds, ra[i]), rds))
                rda = rates[i][0].T @ ds + layers[i][0].T @ rds
                da = layers[i][0].T @ ds
            terms[term].append(np.concatenate([p.ravel() for layer in parts[::-1] for p in layer]))
    first_term, second_term, third_term = (np.mean(term, axis=0) for term in terms)
    return first_term, second_term, third_term


@pytest.mark.slow_for("gaussian", "poisson", "categorical")
@pytest.mark.parametrize("output", OUTPUTS)
def test_proposition_2_agrees_where_it_does_not_overflow(output: str) -> None:
    net = subject(output)
    fisher, connection = proposition_2(net, output)
    agree(net.plain.fisher_product(net.theta, net.v), fisher)
    agree(net.plain.connection(net.theta, net.v), connection)


def test_proposition_2_has_no_number_where_an_output_saturates() -> None:
    net = subject("bernoulli", "saturated")
    assert not np.isfinite(proposition_2(net, "bernoulli")).all()
    assert np.isfinite(net.plain.connection(net.theta, net.v)).all()


@pytest.mark.parametrize("output", ["gaussian", "bernoulli", "poisson"])
def test_the_algorithms_of_the_paper_agree(output: str) -> None:
    net = subject(output, sizes=(2, 3, 2, 2))
    first, second, third = algorithms(net, output)
    agree(net.plain.connection(net.theta, net.v), first + second)
    # L_mn ∂_μ∂_j z^m ∂_k z^n, by Propositions 4 and 5
    agree(net.plain.third_term(net.theta, net.v), third + 2.0 * second)
