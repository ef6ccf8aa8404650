"""The text of programs on the arrays of frameworks, against the reference target."""

import array_api_compat.torch
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
import pytest
import scipy.special
import sympy as sp
import torch

from riemopt.errors import UnsupportedError
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.arrays import array_function
from riemopt.kernels.targets.numpy import NumpyTarget

X, Y = sp.symbols("x y", positive=True)
EXPRESSIONS = [
    sp.log(1 + sp.exp(X - Y)),
    sp.Max(X, 2) * sp.Min(Y, 1),
    sp.asin(X / 9) + sp.acosh(1 + Y) + sp.atan2(X, Y),
    sp.Abs(X - Y) + sp.sign(X - Y) + sp.floor(3 * X),
    sp.erf(X) * sp.erfc(Y) + sp.loggamma(X) * sp.digamma(Y),
    sp.polygamma(1, X) + sp.polygamma(3, Y),
    sp.Piecewise((X, X < Y), (Y**2, True)),
    sp.sqrt(X) * sp.tanh(Y) + sp.exp(X) - 1,
    sp.Float(2.5),
]


def program(expressions):
    graph = Graph()
    inputs = [graph.input(name) for name in "xy"]
    outputs = [graph.lower(e, dict(zip((X, Y), inputs, strict=True))) for e in expressions]
    return Program(tuple(inputs), tuple(outputs))


@pytest.mark.parametrize(
    ("arrays", "special", "made"),
    [
        (np, scipy.special, np.asarray),
        (jnp, jax.scipy.special, jnp.asarray),
        (array_api_compat.torch, torch.special, torch.as_tensor),
    ],
    ids=["numpy", "jax", "torch"],
)
def test_the_text_gives_the_numbers_of_the_reference(arrays, special, made):
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        points = np.random.default_rng(0).uniform(0.1, 5.0, size=(20, 2))
        expected = NumpyTarget().pointwise(program(EXPRESSIONS), [2], 0)(points, [])
        found = array_function(program(EXPRESSIONS), arrays, special)(made(points[:, 0]), made(points[:, 1]))
        for k, value in enumerate(found):
            np.testing.assert_allclose(np.broadcast_to(np.asarray(value), 20), expected[:, k], rtol=1e-12, atol=1e-14)


def test_a_function_that_a_framework_lacks_is_named():
    with pytest.raises(UnsupportedError, match="scaled_bessel_i is not among the functions of"):
        array_function(program([sp.besseli(0, X)]), array_api_compat.torch, torch.special)
