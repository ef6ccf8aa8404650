"""Squares of cases from an opened network are those of derivatives taken case by case, where there is a rule."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from riemopt.autodiff.jax.squares import OpenedNetwork

pytestmark = pytest.mark.usefixtures("float64", "hasty")

CASES = 5


def drawn(*shape: int, seed: int = 0) -> Any:
    return jnp.asarray(np.random.default_rng([seed, *shape]).normal(size=shape))


def dense(p: Any, x: Any) -> Any:
    return jnp.tanh(x @ p[0].T + p[1]) @ p[2] + p[3]


def one_by_one(p: Any, x: Any) -> Any:
    return jax.vmap(lambda row: p[2] @ jax.nn.relu(p[0] @ row + p[1]))(x)


def convolution(p: Any, x: Any) -> Any:
    maps = lax.conv_general_dilated(x, p[0], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jnp.tanh(maps + p[1]).mean((1, 2)) @ p[2]


def every_moment(p: Any, x: Any) -> Any:
    """A dense layer at each of several moments: a case gives a sum."""
    return jnp.tanh(x @ p[0] + p[1]).sum(1)


def tied(p: Any, x: Any) -> Any:
    return jnp.tanh(x @ p[0] + p[1]) @ p[0].T


def weight_norm(p: Any, x: Any) -> Any:
    return jnp.tanh(x @ (p[1] * p[0] / jnp.linalg.norm(p[0]))) @ p[2]


def scaled(p: Any, x: Any) -> Any:
    return jnp.tanh(p[0] * (2.0 * x @ (0.5 * p[1])) - p[2])


@jax.jit
def compiled(p: Any, x: Any) -> Any:
    return jax.checkpoint(dense)(p, x)


NETWORKS = {
    "dense": (dense, [(4, 3), (4,), (4, 2), (2,)], (3,)),
    "a case at a time": (one_by_one, [(4, 3), (4,), (2, 4)], (3,)),
    "convolution": (convolution, [(2, 2, 2, 3), (3,), (3, 2)], (3, 3, 2)),
    "at every moment": (every_moment, [(3, 2), (2,)], (4, 3)),
    "tied weights": (tied, [(3, 2), (2,)], (3,)),
    "weight normalization": (weight_norm, [(3, 2), (2,), (2, 2)], (3,)),
    "scaled": (scaled, [(2,), (3, 2), (2,)], (3,)),
    "compiled": (compiled, [(4, 3), (4,), (4, 2), (2,)], (3,)),
}


@partial(jax.jit, static_argnums=0)
def expected(network: Any, p: Any, x: Any, covectors: Any) -> Any:
    """Σ over covectors and cases of squared derivatives, case by case."""

    def square(row: Any, covector: Any) -> Any:
        _, pull = jax.vjp(lambda q: network(q, row[None]), p)
        return [leaf**2 for leaf in pull(covector[None])[0]]

    each = jax.vmap(jax.vmap(square), (None, 0))(x, covectors)
    return [leaf.sum((0, 1)) for leaf in each]


@partial(jax.jit, static_argnums=0)
def squares(network: Any, p: Any, x: Any, covectors: Any) -> Any:
    return OpenedNetwork(network, p, x).squares(lambda z: covectors)


@pytest.mark.slow_for(
    "weight normalization", "a case at a time", "at every moment", "scaled", "compiled", "convolution", "tied weights"
)
@pytest.mark.parametrize("name", NETWORKS)
def test_squares_are_those_of_derivatives_case_by_case(name: str) -> None:
    network, shapes, width = NETWORKS[name]
    p, x = [drawn(*shape, seed=k) for k, shape in enumerate(shapes)], drawn(CASES, *width)
    covectors = drawn(2, *jax.eval_shape(network, p, x).shape)
    found = squares(network, p, x, covectors)
    assert None not in found
    for leaf, sums in zip(found, expected(network, p, x, covectors), strict=True):
        np.testing.assert_allclose(leaf, sums, rtol=1e-11, atol=1e-13)


def test_dense_layers_need_no_loop_over_cases() -> None:
    for name, slow in (("dense", set()), ("a case at a time", set()), ("compiled", set()), ("convolution", {0, 1})):
        network, shapes, width = NETWORKS[name]
        p, x = [drawn(*shape) for shape in shapes], drawn(CASES, *width)
        assert OpenedNetwork(network, p, x)._slow == slow, name


def test_a_single_case_will_do() -> None:
    p, x = [drawn(*shape, seed=k) for k, shape in enumerate(NETWORKS["dense"][1])], drawn(1, 3)
    covectors = drawn(1, 1, 2)
    for leaf, sums in zip(squares(dense, p, x, covectors), expected(dense, p, x, covectors), strict=True):
        np.testing.assert_allclose(leaf, sums, rtol=1e-11)


def recurrent(p: Any, x: Any) -> Any:
    start = jnp.zeros((x.shape[0], 2))
    last, _ = lax.scan(lambda s, now: (jnp.tanh(s @ p[0] + now), None), start, jnp.swapaxes(x, 0, 1))
    return last @ p[1]


def embedded(p: Any, x: Any) -> Any:
    return p[0][x] @ p[1]


def normalized(p: Any, x: Any) -> Any:
    """What a case gives here depends on the others."""
    h = x @ p[0]
    return (h - h.mean(0)) * (p[1] + h.mean())


def unlike_alone(p: Any, x: Any) -> Any:
    return x @ p[0] if x.shape[0] == 1 else jnp.tanh(x @ p[0])


@pytest.mark.parametrize(
    ("network", "shapes", "x", "ruled"),
    [
        (recurrent, [(2, 2), (2, 2)], (CASES, 3, 2), [False, True]),
        (embedded, [(4, 3), (3, 2)], None, [False, True]),
        (normalized, [(3, 2), (2,)], (CASES, 3), [True, False]),
        (unlike_alone, [(3, 2)], (CASES, 3), [False]),
        (lambda p, x: jnp.tanh(p[0])[None] + jnp.zeros((x.shape[0], 1)), [(2,)], (CASES, 3), [False]),
    ],
)
def test_parameters_without_a_rule_are_named(network: Any, shapes: Any, x: Any, ruled: list[bool]) -> None:
    p = [drawn(*shape, seed=k) for k, shape in enumerate(shapes)]
    inputs = jnp.arange(CASES) % 4 if x is None else drawn(*x)
    opened = OpenedNetwork(network, p, inputs)
    assert opened.ruled == ruled
    found = jax.eval_shape(lambda: opened.squares(lambda z: jnp.ones((1, *z.shape))))
    assert [leaf is not None for leaf in found] == ruled
