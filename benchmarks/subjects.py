"""What orders and costs are measured on: five models with data, a start, a final time and other charts."""

from __future__ import annotations

import sys

import numpy as np
import sympy as sp

import riemopt as ro
from riemopt.experiments import Subject
from riemopt.experiments.settings import default_charts, typed_chart

__all__ = ["FEW", "MODELS", "beta", "gamma", "logistic", "network", "normal", "tell"]

SAMPLES = 2000


def gamma() -> Subject:
    """Data of Gamma(20, 20), from (2, 1)."""
    return _family(ro.models.Gamma(), [20.0, 20.0], [2.0, 1.0])


def normal() -> Subject:
    """Data of N(1, 2), from (3, 3)."""
    return _family(ro.models.Normal(), [1.0, 2.0], [3.0, 3.0])


def beta() -> Subject:
    """Data of Beta(3, 2), from the uniform distribution."""
    return _family(ro.models.Beta(), [3.0, 2.0], [1.0, 1.0])


def _family(model: ro.StatisticalModel, truth: list[float], start: list[float]) -> Subject:
    charts = {text: typed_chart(model, text) for text in default_charts(model)}
    return Subject.of(model, model.sample(truth, SAMPLES, rng=0), charts, start=start, time=2.0)


def logistic() -> Subject:
    """A logistic regression with two weights on 60 observations."""
    rng = np.random.default_rng(0)
    u, weights, moved = sp.Symbol("u", real=True), sp.symbols("w0 w1", real=True), sp.symbols("q0 q1", real=True)
    model = ro.ConditionalModel([weights[0] + weights[1] * u], "bernoulli", (u,), weights, name="Logistic regression")
    inputs = rng.normal(size=60)
    targets = (rng.random(60) < 1 / (1 + np.exp(-1 - 2 * inputs))).astype(int)
    twisted = {weights[0]: moved[0] + moved[1] ** 3 / 3, weights[1]: moved[1] + moved[1] ** 3 / 6}
    charts = {
        "sinh": model.reparametrize({weights[0]: sp.sinh(moved[0])}, (moved[0], weights[1])),
        "cubic": model.reparametrize(twisted, moved),
    }
    return Subject.of(model, targets, charts, inputs=inputs, start=[0.0, 0.5], time=2.0)


def network() -> Subject:
    """A network with two inputs, three hidden units and one output: 13 weights, 80 observations of another such.

    Its hidden units differ, so that the metric's condition number is 1,900 at the start; it is 4e6 for random weights.
    """
    rng = np.random.default_rng(0)
    model = ro.models.FeedForward([2, 3, 1], scale=1.0)
    moved = [sp.Symbol(f"{weight}_new", real=True) for weight in model.parameters]
    inputs = 2.0 * rng.normal(size=(80, 2))
    start = np.array([1.0, 0.3, -1.0, -0.4, 1.2, 0.2, 0.8, -0.9, 1.1, 1.5, -1.0, 0.7, 0.2])
    truth = start + 0.2 * rng.normal(size=13)
    predict = sp.lambdify([*model.inputs, *model.parameters], model.outputs[0], "numpy")
    targets = predict(*inputs.T, *truth) + 0.3 * rng.normal(size=80)
    sinh = model.reparametrize({w: sp.sinh(q) for w, q in zip(model.parameters, moved, strict=True)}, moved)
    return Subject.of(model, targets, {"sinh": sinh}, inputs=inputs, start=start, time=0.5, name="Network 2-3-1")


MODELS = (gamma, normal, beta, logistic, network)
FEW = (normal, logistic)
"""What is enough to see that a comparison runs."""


def tell(done: int, total: int, what: str) -> None:
    """Progress, a line each."""
    print(f"{done} / {total}  {what}", file=sys.stderr)
