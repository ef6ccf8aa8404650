"""
A network from four products
============================

Natural-gradient methods do not need a metric as a matrix. This script trains a small network with four of them, and gives
:class:`riemopt.OperatorProblem` nothing but four functions, written here in JAX:

- the loss and its differential,
- the **Fisher product** :math:`g v`, the metric applied to a vector,
- the **connection product** :math:`\\Gamma_\\nu(v) = \\Gamma_{\\nu\\alpha\\beta} v^\\alpha v^\\beta`, by which geodesics bend.

Neither product forms a matrix, so the same lines serve a network of any size. For one with JAX or PyTorch outputs of the
usual kinds, nobody has to write them: this is how to bring one's own.

Run it with ``python examples/network_from_products.py``; ``--output losses.png`` saves a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

import riemopt as ro

# JAX computes in single precision unless told otherwise, and the differences between the methods are small at the start.
jax.config.update("jax_enable_x64", True)

INTEGRATORS = ("ng", "mid", "geo", "geof")
LAYERS = (2, 8, 8, 1)

# %%
# The data
# --------
# Two arms of a spiral, each a class: no straight line parts them, and a network has to bend its way in between.


def two_spirals(count: int = 200, turns: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points of two interleaved spirals, shape (count, 2), and which arm each is on, shape (count, 1)."""
    rng = np.random.default_rng(seed)
    arm = np.arange(count) % 2
    radius = np.sqrt(rng.uniform(0.02, 1.0, count))
    angle = 2 * np.pi * turns * radius + np.pi * arm
    points = 2 * radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + rng.normal(scale=0.05, size=points.shape), arm[:, None].astype(float)


# %%
# The network
# -----------
# Integrators move a point, and a point is one flat vector: the weights and biases of all layers, one after the other. The
# network returns the *logit* z, the natural parameter of its Bernoulli output, and not the probability.


def initial_weights(layers: Sequence[int] = LAYERS, seed: int = 0) -> np.ndarray:
    """Weights of variance 1 / (inputs of the layer), biases zero."""
    rng = np.random.default_rng(seed)
    parts = [
        np.concatenate([rng.normal(scale=fan_in**-0.5, size=fan_in * fan_out), np.zeros(fan_out)])
        for fan_in, fan_out in zip(layers[:-1], layers[1:], strict=True)
    ]
    return np.concatenate(parts)


def logits(theta: jax.Array, inputs: jax.Array, layers: Sequence[int] = LAYERS) -> jax.Array:
    """The outputs z of a network with tanh units, before the last activation."""
    activity, used = inputs, 0
    for k, (fan_in, fan_out) in enumerate(zip(layers[:-1], layers[1:], strict=True)):
        weights, used = theta[used : used + fan_in * fan_out], used + fan_in * fan_out
        biases, used = theta[used : used + fan_out], used + fan_out
        activity = (jnp.tanh(activity) if k else activity) @ weights.reshape(fan_in, fan_out) + biases
    return activity


# %%
# The products
# ------------
# A Bernoulli output with logit z is an exponential family with log-partition function A(z) = log(1 + eᶻ). Its mean is
# y = A'(z), its variance H = A''(z) = y(1 - y), and A'''(z) = y(1 - y)(1 - 2y). Let J = ∂z/∂θ, and let Dz and D²z be the first
# and the second derivative of z along v. Then, with averages over the inputs,
#
# - the differential of the loss is E[Jᵀ(y - t)];
# - the Fisher product is E[JᵀH Dz]: forwards along v for Dz = Jv, and backwards for Jᵀ;
# - the connection product is E[Jᵀ(H D²z + ½ A'''[Dz, Dz])]: forwards along v twice, and backwards once.
#
# No product divides by y(1 - y), so none overflows for an output that is sure of itself.


def products(inputs: np.ndarray, targets: np.ndarray, layers: Sequence[int] = LAYERS) -> dict[str, Callable[..., Any]]:
    """The loss, its gradient, the Fisher product and the connection product, each compiled."""

    def outputs(theta: jax.Array) -> jax.Array:
        return logits(theta, inputs, layers)

    def loss(theta: jax.Array) -> jax.Array:
        z = outputs(theta)
        return jnp.sum(jnp.logaddexp(0.0, z) - targets * z) / len(inputs)

    def fisher_product(theta: jax.Array, v: jax.Array) -> jax.Array:
        z, pull_back = jax.vjp(outputs, theta)
        dz = jax.jvp(outputs, (theta,), (v,))[1]
        y = jax.nn.sigmoid(z)
        (covector,) = pull_back(y * (1 - y) * dz / len(inputs))
        return covector

    def connection(theta: jax.Array, v: jax.Array) -> jax.Array:
        def along(point: jax.Array) -> tuple[jax.Array, jax.Array]:
            return jax.jvp(outputs, (point,), (v,))

        (z, dz), (_, d2z) = jax.jvp(along, (theta,), (v,))
        _, pull_back = jax.vjp(outputs, theta)
        y = jax.nn.sigmoid(z)
        variance = y * (1 - y)
        (covector,) = pull_back(variance * (d2z + (1 - 2 * y) * dz**2 / 2) / len(inputs))
        return covector

    functions = {"loss": loss, "gradient": jax.grad(loss), "fisher_product": fisher_product, "connection": connection}
    return {name: jax.jit(function) for name, function in functions.items()}
