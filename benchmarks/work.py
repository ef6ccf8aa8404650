"""The tasks that riemopt is given, each for as many geodesics, trajectories or samples as wanted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp

import riemopt as ro
from riemopt.manifold.likelihood import LikelihoodProblem

__all__ = [
    "STEPS",
    "STEP_SIZE",
    "Task",
    "dirichlet",
    "exponential_map",
    "gamma_fit",
    "gamma_gradient",
    "geodesics",
    "logistic_gradient",
    "starts",
    "trajectories",
    "weibull_gradient",
]

STEPS, STEP_SIZE = 10, 0.1

Task = Callable[[], np.ndarray]


def geodesics(manifold: ro.Manifold, low: list[float], high: list[float], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts in a box, and vectors of unit length."""
    rng = np.random.default_rng(0)
    points = rng.uniform(low, high, (count, 2))
    vectors = rng.normal(size=points.shape)
    return points, vectors / manifold.norm(points, vectors)[:, None]


def exponential_map(count: int) -> Task:
    """Geodesics of the Gamma model."""
    manifold = ro.Manifold(ro.models.Gamma())
    points, vectors = geodesics(manifold, [0.5, 0.5], [5.0, 5.0], count)
    return lambda: manifold.exp(points, vectors)


def gamma_fit() -> tuple[LikelihoodProblem, np.ndarray]:
    """The likelihood of 10,000 samples under the Gamma model, and the samples."""
    samples = np.random.default_rng(0).gamma(20.0, 1 / 20.0, 10_000)
    return ro.Manifold(ro.models.Gamma()).likelihood(samples), samples


def starts(count: int) -> np.ndarray:
    """Where trajectories start."""
    return np.random.default_rng(1).uniform(0.5, 3.0, (count, 2))


def trajectories(count: int) -> Task:
    """The ends of trajectories of the geodesic correction."""
    problem, _ = gamma_fit()
    start = starts(count)
    return lambda: ro.minimize(problem, "geo", start=start, step_size=STEP_SIZE, steps=STEPS, keep="last").x


def weibull_gradient(count: int) -> Task:
    """A natural gradient of a likelihood that is a sum over samples."""
    model = ro.models.Weibull()
    problem = ro.Manifold(model).likelihood(model.sample([1.5, 2.0], count))
    return lambda: problem.natural_gradient([1.2, 2.5])


def gamma_gradient(count: int) -> Task:
    """A natural gradient of a likelihood that depends on two means."""
    model = ro.models.Gamma()
    problem = ro.Manifold(model).likelihood(model.sample([2.0, 3.0], count))
    return lambda: problem.natural_gradient([1.5, 2.5])


def logistic_gradient(count: int, weights: int = 2) -> Task:
    """A natural gradient of a logistic regression."""
    u, w = sp.symbols(f"u1:{weights}", real=True), sp.symbols(f"w0:{weights}", real=True)
    output = w[0] + sum(slope * entry for slope, entry in zip(w[1:], u, strict=True))
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(count, weights - 1)), rng.integers(0, 2, count).astype(float)
    problem = ro.Manifold(ro.ConditionalModel([output], "bernoulli", u, w)).likelihood(targets, inputs=inputs)
    return lambda: problem.natural_gradient(np.zeros(weights))


def dirichlet(method: str, count: int, parameters: int) -> Task:
    """A method of the manifold of Dirichlet distributions that takes points and vectors."""
    rng = np.random.default_rng(0)
    points, vectors = rng.uniform(0.5, 5.0, (count, parameters)), rng.uniform(-0.1, 0.1, (count, parameters))
    function = getattr(ro.Manifold(ro.models.Dirichlet(parameters)), method)
    return lambda: function(points, vectors)
