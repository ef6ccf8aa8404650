"""Evaluations of the natural gradient flow for an accuracy, beside SciPy's: ``python -m benchmarks.adaptive``.

An evaluation is a gradient and a linear solve. The error is the Fisher–Rao distance, to first order, between the end
and that of the exact flow. Each of SciPy's explicit methods runs at many tolerances; of all those runs the one with the
fewest evaluations counts whose error is no larger than the one ``ng-adaptive`` has made. Its own is one run at one
tolerance.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate
import sympy as sp

import riemopt as ro
from benchmarks.machine import description
from benchmarks.records import Bound, Cell, Record, Table, command

METHODS = ("RK23", "RK45", "DOP853", "LSODA")

TOLERANCES = [10.0**-k for k in range(2, 11)]

ROUNDING = 1e-13
"""Errors below this are those of the reference."""


class Flow(NamedTuple):
    """A flow to follow."""

    name: str
    problem: Any
    start: list[float]
    time: float


class Counting(ro.Problem):
    """A problem that counts its natural gradients."""

    offers = frozenset({"loss", "gradient", "raise_index", "lower_index"})

    def __init__(self, problem: Any) -> None:
        self.problem, self.count = problem, 0
        self.loss, self.lower_index, self.contains = problem.loss, problem.lower_index, problem.contains

    def natural_gradient(self, theta: Any) -> Any:
        """See :class:`riemopt.Problem`."""
        self.count += 1
        return self.problem.natural_gradient(theta)


def flows() -> Iterator[Flow]:
    """Likelihoods of models, each from a start or two for two times."""
    rng = np.random.default_rng(0)
    models = ro.models
    starts: dict[str, tuple[Any, Any, list[list[float]]]] = {
        "Gamma": (models.Gamma(), rng.gamma(20.0, 1 / 20.0, 1000), [[1.0, 1.0], [3.0, 0.5]]),
        "Normal": (models.Normal(), rng.normal(1.0, 2.0, 1000), [[0.0, 1.0], [2.0, 3.0]]),
        "Beta": (models.Beta(), rng.beta(3.0, 5.0, 1000), [[1.0, 1.0], [0.5, 0.5]]),
        "Weibull": (models.Weibull(), 2.0 * rng.weibull(1.5, 1000), [[1.0, 1.0], [3.0, 3.0]]),
    }
    for name, (model, samples, points) in starts.items():
        problem = ro.Manifold(model).likelihood(samples, rtol=1e-13)
        yield from (Flow(name, problem, point, time) for point in points for time in (1.0, 5.0))

    inputs = rng.normal(size=(500, 2))
    u, w = sp.symbols("u1:3", real=True), sp.symbols("w0:3", real=True)
    logistic = ro.ConditionalModel([w[0] + w[1] * u[0] + w[2] * u[1]], "bernoulli", u, w)
    targets = (rng.random(500) < 1 / (1 + np.exp(-0.5 - inputs @ [1.5, -2.0]))).astype(float)
    problem = ro.Manifold(logistic).likelihood(targets, inputs=inputs, rtol=1e-13)
    yield from (Flow("logistic regression", problem, [0.0] * 3, time) for time in (1.0, 5.0))

    # for short times only: where the metric of a network is nearly singular, explicit methods get nowhere
    targets = np.sin(2 * inputs[:, 0]) + inputs[:, 1] / 2 + rng.normal(scale=0.1, size=500)
    problem = ro.Manifold(models.FeedForward([2, 3, 1])).likelihood(targets, inputs=inputs, rtol=1e-13)
    start = np.random.default_rng(4).normal(size=13).tolist()
    yield from (Flow("network 2-3-1", problem, start, time) for time in (0.01, 0.03))


def distance(flow: Flow, reference: np.ndarray, end: np.ndarray) -> float:
    """The Fisher–Rao distance of an end, to first order."""
    error = end - reference
    return float(np.sqrt(error @ flow.problem.lower_index(reference, error)))


def adaptive(flow: Flow, reference: np.ndarray, tolerance: float) -> tuple[float, int]:
    """The error of ``ng-adaptive``, and its evaluations."""
    counting = Counting(flow.problem)
    rule = ro.integrators.AdaptiveFlow(tolerance)
    end = ro.minimize(counting, rule, flow.start, step_size=flow.time, steps=1, keep="last").x
    return distance(flow, reference, end), counting.count


def theirs(flow: Flow, reference: np.ndarray, finest: int) -> list[tuple[float, int]]:
    """The error and the evaluations of each run of SciPy's."""
    runs = []
    for method in METHODS:
        for rtol in 10.0 ** -np.arange(0.25, finest, 0.25):
            if method == "RK23" and rtol < 1e-7:
                continue  # thousands of evaluations
            counting = Counting(flow.problem)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # of tolerances below rounding
                try:
                    result = scipy.integrate.solve_ivp(
                        lambda _, point, counting=counting: -counting.natural_gradient(point),
                        (0.0, flow.time),
                        flow.start,
                        method=method,
                        rtol=rtol,
                        atol=rtol,
                    )
                except ValueError:  # a tolerance so coarse that it leaves the domain
                    continue
            if result.success and np.all(np.isfinite(result.y[:, -1])):
                runs.append((distance(flow, reference, result.y[:, -1]), counting.count))
    return runs


def measure(quick: bool) -> Record:
    """Evaluations for each flow and tolerance."""
    tolerances = TOLERANCES[1:7:2] if quick else TOLERANCES
    counts: list[list[Cell]] = []
    errors: list[list[Cell]] = []
    ratios, excesses = [], []
    for flow in list(flows())[: 4 if quick else None]:
        reference = flow.problem.flow(flow.start, flow.time)
        runs = theirs(flow, reference, 8 if quick else 13)
        name = (
            f"{flow.name} from {flow.start}, time {flow.time:g}"
            if len(flow.start) == 2
            else f"{flow.name}, time {flow.time:g}"
        )
        counts.append([name])
        errors.append([name])
        for tolerance in tolerances:
            error, count = adaptive(flow, reference, tolerance)
            best = min((n for other, n in runs if other <= max(error, ROUNDING)), default=None)
            counts[-1].append(f"{count} / {'–' if best is None else best}")
            errors[-1].append(error / tolerance)
            excesses.append(error / tolerance)
            if best is not None:
                ratios.append(count / best)
    columns = ["", *(f"{tolerance:.0e}" for tolerance in tolerances)]
    return Record(
        "adaptive",
        description(),
        [
            Table("Evaluations by tolerance: ng-adaptive / the best of SciPy's at the same error", columns, counts),
            Table("Error by tolerance, as a multiple of it", columns, errors),
        ],
        [
            Bound("Flow: evaluations / best of SciPy's, mean", float(np.exp(np.mean(np.log(ratios)))), most=0.85),
            Bound("Flow: evaluations / best of SciPy's, largest", max(ratios), most=2.0),
            Bound("Flow: share with no more evaluations", float(np.mean(np.array(ratios) <= 1.0)), least=0.85),
            Bound("Flow: error / tolerance, largest", max(excesses), most=10.0),
            Bound(
                "Flow: share of errors up to 3 times the tolerance",
                float(np.mean(np.array(excesses) <= 3.0)),
                least=0.95,
            ),
            Bound("Flow: error / tolerance, median", float(np.median(excesses)), least=0.01),
        ],
    )


if __name__ == "__main__":
    command(measure)
