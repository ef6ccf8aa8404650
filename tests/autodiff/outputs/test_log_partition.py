"""Log-partitions of one's own, as formulas and as functions, in plain arrays, JAX and PyTorch, and symbolically."""

from functools import cache

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
import scipy.special
import sympy as sp
import torch

import riemopt as ro
from riemopt.autodiff import feedforward
from riemopt.autodiff.outputs import Framework, output_of
from riemopt.errors import ArgumentError, ShapeError, UnsupportedError
from tests.autodiff.nets import parameters
from tests.autodiff.test_agreement import unit_by_unit
from tests.marks import slow

pytestmark = pytest.mark.usefixtures("float64", "hasty")

CASES = 6
A, B, C = sp.symbols("a b c", real=True)
NEGATIVE = sp.Symbol("z", negative=True)
SHAPE = sp.Symbol("s", positive=True)
FORMULAS = {
    "coin": ro.ExponentialFamily(sp.log(1 + sp.exp(A)), A),
    "choice": ro.ExponentialFamily(sp.log(sp.exp(A) + sp.exp(B) + sp.exp(C)), (A, B, C)),
    "gamma": ro.ExponentialFamily(sp.loggamma(SHAPE) - SHAPE * sp.log(-NEGATIVE), (SHAPE, NEGATIVE)),
}
FUNCTIONS = {
    "coin": (lambda z: jax.nn.softplus(z).sum(-1), lambda z: torch.nn.functional.softplus(z, threshold=1e3).sum(-1)),
    "choice": (lambda z: jax.nn.logsumexp(z, axis=-1), lambda z: torch.logsumexp(z, -1)),
    "gamma": (
        lambda z: jax.scipy.special.gammaln(z[:, 0]) - z[:, 0] * jnp.log(-z[:, 1]),
        lambda z: torch.lgamma(z[:, 0]) - z[:, 0] * torch.log(-z[:, 1]),
    ),
}
WIDTHS = {"coin": 1, "choice": 3, "gamma": 2}


def data(name):
    """Layers whose outputs lie in the domain, inputs and targets."""
    rng = np.random.default_rng(3)
    sizes = (2, 2, WIDTHS[name])
    layers = parameters(sizes)
    if name == "gamma":
        layers[-1] = (0.2 * layers[-1][0], np.array([2.0, -1.5]))
    choices = np.eye(3)[rng.integers(0, 3, size=CASES)]
    waits = rng.gamma(2.0, size=CASES)
    targets = {
        "coin": rng.integers(0, 2, size=(CASES, 1)).astype(float),
        "choice": choices,
        "gamma": np.stack([np.log(waits), waits], axis=1),
    }
    return sizes, layers, rng.normal(size=(CASES, 2)), targets[name]


@cache
def plain(name, output=None):
    _, layers, inputs, targets = data(name)
    return feedforward.NetworkProblem(layers, inputs, targets, output or FORMULAS[name])


def in_jax(name, output):
    _, layers, inputs, targets = data(name)

    def network(layers, x):
        (w, b), (v, c) = layers
        return jnp.tanh(x @ w.T + b) @ v.T + c

    return ro.autodiff.jax.NetworkProblem(network, layers, inputs, targets, output=output)


def in_torch(name, output):
    sizes, layers, inputs, targets = data(name)
    module = torch.nn.Sequential(torch.nn.Linear(*sizes[:2]), torch.nn.Tanh(), torch.nn.Linear(*sizes[1:])).double()
    with torch.no_grad():
        for layer, (weights, biases) in zip(module[::2], layers, strict=True):
            layer.weight.copy_(torch.from_numpy(weights))
            layer.bias.copy_(torch.from_numpy(biases))
    return ro.autodiff.torch.NetworkProblem(module, torch.from_numpy(inputs), torch.from_numpy(targets), output=output)


def primitives(problem, v):
    """Loss, gradient, products, squares and diagonal, as arrays of NumPy."""
    theta = problem.start
    here = problem.at(theta)
    vector = problem._direction(v)
    values = [here.gradient, here.metric.product(vector), here.connection(vector), here.squares, here.metric.diagonal()]
    return [np.array([here.loss]), *(problem._host(value) for value in values)]


@pytest.mark.parametrize(
    ("name", "framework", "way"),
    [
        *((name, "torch", way) for name in FORMULAS for way in ("formula", "function")),
        *(("gamma", "jax", "formula"), ("choice", "jax", "function")),
        *(slow(*case) for case in (("coin", "jax", "formula"), ("choice", "jax", "formula"))),
        *(slow(*case) for case in (("coin", "jax", "function"), ("gamma", "jax", "function"))),
    ],
)
def test_frameworks_agree_with_plain_arrays(name, framework, way):
    v = np.random.default_rng(2).normal(size=plain(name).dimension)
    made, k = (in_jax, 0) if framework == "jax" else (in_torch, 1)
    problem = made(name, FORMULAS[name] if way == "formula" else FUNCTIONS[name][k])
    # PyTorch differentiates log Γ to a trigamma of nine digits
    rtol = 1e-8 if (name, framework, way) == ("gamma", "torch", "function") else 1e-10
    for found, expected in zip(primitives(problem, v), primitives(plain(name), v), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=rtol * np.abs(expected).max())


@pytest.mark.parametrize("name", FORMULAS)
def test_plain_arrays_agree_with_the_symbolic_model(name):
    sizes, _, inputs, targets = data(name)
    model = ro.models.FeedForward(sizes, "tanh", FORMULAS[name])
    symbolic = ro.Manifold(model, backend="numpy").likelihood(targets, inputs=inputs)
    net, order = plain(name), unit_by_unit(sizes)
    theta, v = net.start, np.random.default_rng(2).normal(size=net.dimension)
    pairs = [
        (symbolic.loss(theta[order]), net.loss(theta)),
        (symbolic.gradient(theta[order]), net.gradient(theta)[order]),
        (symbolic.lower_index(theta[order], v[order]), net.fisher_product(theta, v)[order]),
        (symbolic.connection(theta[order], v[order]), net.connection(theta, v)[order]),
        (symbolic.connection(theta[order], v[order], -1.0), net.connection(theta, v, -1.0)[order]),
    ]
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize(("name", "known"), [("coin", "bernoulli"), ("choice", "categorical")])
def test_a_formula_that_has_a_name_is_the_output_of_that_name(name, known):
    v = np.random.default_rng(2).normal(size=plain(name).dimension)
    for found, expected in zip(primitives(plain(name), v), primitives(plain(name, known), v), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("z", [-800.0, -45.0, 0.0, 0.3, 45.0, 800.0])
def test_a_formula_keeps_its_digits_where_an_output_saturates(z):
    output = output_of(FORMULAS["coin"], Framework(np, scipy.special))
    z, one = np.array([[z]]), np.ones((1, 1))
    with mp.workdps(400):
        y = 1 / (1 + mp.exp(-mp.mpf(z[0, 0])))
        expected = [y, y * (1 - y), y * (1 - y) * (1 - 2 * y)]
        expected = [float(value) for value in expected]
    found = [output.slope(z, 0.0 * one), output.hessian(z, one), output.third(z, one, one)]
    np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-14, atol=1e-300)


def test_one_symbol_is_each_output_alike():
    z, t = np.array([[0.5, -1.0, 2.0]]), np.array([[1.0, 0.0, 1.0]])
    framework = Framework(np, scipy.special)
    formula, known = (output_of(output, framework) for output in (FORMULAS["coin"], "bernoulli"))
    np.testing.assert_allclose(formula.losses(z, t), known.losses(z, t), rtol=1e-14)
    np.testing.assert_allclose(formula.third(z, z, t), known.third(z, z, t), rtol=1e-13)
    assert [h.tolist() for h in formula.factors(z[:, :1])] == [[[np.sqrt(formula.hessian(z, 1.0)[0, 0])]]]


def test_outside_the_domain_there_is_no_loss():
    net = plain("gamma")
    theta = net.start.copy()
    theta[-1] = 9.0  # of -β
    assert np.isnan(net.loss(theta))
    with pytest.raises(ShapeError, match="is for 2 outputs, but the network gives 3"):
        plain("choice", FORMULAS["gamma"])


def test_what_cannot_be_computed_is_refused():
    with pytest.raises(ArgumentError, match=r"must be a riemopt\.ExponentialFamily"):
        plain("coin", FUNCTIONS["coin"][0])
    bessel = ro.ExponentialFamily(sp.log(sp.besseli(0, A)), A)
    with pytest.raises(UnsupportedError, match="scaled_bessel_i is not among the functions"):
        in_torch("coin", bessel)
    with pytest.raises(ShapeError, match=r"gives an array of shape \(6, 1\)"):
        in_torch("coin", torch.nn.functional.softplus)


def test_other_log_partitions_are_other_problems():
    assert plain("coin").digest != plain("coin", "bernoulli").digest
    softplus = FUNCTIONS["coin"][0]
    once, again, thrice = (in_jax("coin", f).digest for f in (softplus, softplus, lambda z: 3.0 * softplus(z)))
    assert once == again != thrice


def test_the_diagonal_is_that_of_outputs_that_a_function_couples():
    module = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Unflatten(1, (2, 2))).double()
    inputs, targets = torch.randn(5, 2).double(), torch.zeros(5, 2, 2).double()
    net = ro.autodiff.torch.NetworkProblem(module, inputs, targets, output=lambda z: torch.logsumexp(z.flatten(1), 1))
    metric = net.at(net.start).metric
    np.testing.assert_allclose(metric.diagonal().numpy(), np.diag(metric.dense()), rtol=1e-12)
