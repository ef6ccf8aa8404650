"""Small fully connected networks and data for them, drawn from a seed: what several tests look at."""

import itertools
from typing import Any

import numpy as np

OUTPUTS = ("gaussian", "bernoulli", "categorical", "poisson")
SCALE = 0.7


def parameters(sizes: tuple[int, ...], seed: int = 0, dtype: Any = np.float64) -> list[tuple[Any, Any]]:
    """Weights and biases of layers of such sizes."""
    rng = np.random.default_rng(seed)
    pairs = itertools.pairwise(sizes)
    return [
        (rng.normal(size=(after, before)).astype(dtype), rng.normal(size=after).astype(dtype))
        for before, after in pairs
    ]


def data(output: str, sizes: tuple[int, ...], cases: int = 7, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets."""
    rng = np.random.default_rng(seed)
    inputs, shape = rng.normal(size=(cases, sizes[0])), (cases, sizes[-1])
    targets = {
        "gaussian": rng.normal(size=shape),
        "bernoulli": rng.integers(0, 2, size=shape).astype(float),
        "categorical": rng.integers(0, sizes[-1], size=cases),
        "poisson": rng.poisson(2.0, size=shape).astype(float),
    }
    return inputs, targets[output]
