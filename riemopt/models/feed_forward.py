"""FeedForward: a small fully connected network as a conditional model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.models.conditional import ConditionalModel
from riemopt.models.outputs import ExponentialFamily

__all__ = ["FeedForward"]

_ACTIVATIONS = {
    "tanh": sp.tanh,
    "logistic": lambda u: 1 / (1 + sp.exp(-u)),
    "softplus": lambda u: sp.log(1 + sp.exp(u)),
    "linear": lambda u: u,
}


def FeedForward(
    layers: Sequence[int],
    activation: str = "tanh",
    output: str | ExponentialFamily = "gaussian",
    scale: float | None = 1.0,
) -> ConditionalModel:
    """A small fully connected network, its last layer linear.

    Parameters
    ----------
    layers : sequence of int
        The number of inputs, of units in each hidden layer, and of outputs.
    activation : {"tanh", "logistic", "softplus", "linear"}, optional
        Of the hidden units.
    output : str or ExponentialFamily, optional
        As in :class:`~riemopt.ConditionalModel`.
    scale : float, optional
        The standard deviation of a gaussian output, or None.

    Returns
    -------
    ConditionalModel
        Its parameters are the weights of each layer, unit by unit, each unit's bias after its weights.

    Examples
    --------
    >>> FeedForward([2, 3, 1]).dimension
    13
    """
    sizes = list(layers)
    if len(sizes) < 2 or not all(isinstance(s, (int, np.integer)) and s > 0 for s in sizes):
        raise ArgumentError(f"layers must be at least two positive whole numbers, not {layers!r}")
    if activation not in _ACTIVATIONS:
        raise UnknownNameError("activation", activation, _ACTIVATIONS)
    inputs = sp.symbols(f"x_1:{sizes[0] + 1}", real=True)
    units: list[sp.Expr] = list(inputs)
    parameters: list[sp.Symbol] = []
    for layer, (before, count) in enumerate(itertools.pairwise(sizes), start=1):
        sums = []
        for unit in range(1, count + 1):
            weights = [sp.Symbol(f"w_{layer}_{unit}_{k}", real=True) for k in range(1, before + 1)]
            bias = sp.Symbol(f"b_{layer}_{unit}", real=True)
            parameters += [*weights, bias]
            sums.append(sp.Add(*(w * u for w, u in zip(weights, units, strict=True))) + bias)
        units = sums if layer == len(sizes) - 1 else [_ACTIVATIONS[activation](s) for s in sums]
    return ConditionalModel(units, output, inputs, parameters, scale=scale, name="FeedForward")
