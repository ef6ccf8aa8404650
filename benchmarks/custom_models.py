"""From a density to a fit, cold, and what a step costs: ``python -m benchmarks.custom_models``.

Every density is defined, derived and fitted in a fresh process with an empty kernel cache; a small network is derived
and compiled likewise. Then, in one process: how the time of a step depends on the number of samples, with and without
an exponential form, and how sums over data compare with the same sums in NumPy. Writes
``benchmarks/results/custom_models.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sympy as sp

from benchmarks.machine import description

RESULTS = Path(__file__).parent / "results"

HEAD = """
import time
import numpy as np, sympy as sp, riemopt as ro
rng = np.random.default_rng(1)
x, m = sp.symbols("x m", real=True)
t, a, b, s, w = sp.symbols("t a b s w", positive=True)
k = sp.Symbol("k", integer=True, nonnegative=True)
line, half = sp.S.Reals, sp.Interval.open(0, sp.oo)
began = time.perf_counter()
"""

DENSITIES = {
    "Laplace": """
data = rng.laplace(1, 2, 2000)
model = ro.StatisticalModel(-sp.Abs(x - m) / b - sp.log(2 * b), x, line, (m, b))""",
    "skew normal": """
data = np.abs(rng.normal(size=2000)) * 1.9 + rng.normal(size=2000) * 0.6 + 1
density = sp.log(sp.erfc(-a * (x - m) / s / sp.sqrt(2))) - (x - m) ** 2 / (2 * s**2) - sp.log(s) - sp.log(2 * sp.pi) / 2
model = ro.StatisticalModel(density, x, line, (m, s, a))""",
    "zero-inflated Poisson": """
data = np.where(rng.random(2000) < 0.3, 0, rng.poisson(4, 2000)).astype(float)
some = sp.log(1 - w) - a + k * sp.log(a) - sp.loggamma(k + 1)
density = sp.Piecewise((sp.log(w + (1 - w) * sp.exp(-a)), sp.Eq(k, 0)), (some, True))
model = ro.StatisticalModel(density, k, sp.S.Naturals0, (w, a), domain=[w < 1])""",
    "Weibull": """
data = rng.weibull(1.5, 2000) * 2
model = ro.StatisticalModel(sp.log(a / s) + (a - 1) * sp.log(t / s) - (t / s) ** a, t, half, (a, s))""",
    "Gompertz": """
data = np.log1p(rng.exponential(size=2000) / 0.5) * 2
model = ro.StatisticalModel(sp.log(a * b) + b * t + a - a * sp.exp(b * t), t, half, (a, b))""",
    "two observations": """
first = rng.exponential(1, 2000)
data = np.stack([first, rng.normal(np.sin(1.5 * first), 0.5)], axis=1)
density = sp.log(a) - a * t - (x - sp.sin(m * t)) ** 2 / (2 * s**2) - sp.log(s) - sp.log(2 * sp.pi) / 2
model = ro.StatisticalModel(density, (t, x), (half, line), (a, m, s))""",
}

FIT = """
fit = ro.fit(model, data)
assert fit.success, fit.message
print(time.perf_counter() - began)
"""

NETWORK = """
net = ro.models.FeedForward([2, 3, 1])
problem = ro.Manifold(net).likelihood(rng.normal(size=500), inputs=rng.normal(size=(500, 2)))
theta, v = rng.normal(size=13), rng.normal(size=13)
for name in ("loss", "gradient", "metric", "natural_gradient"):
    assert np.isfinite(getattr(problem, name)(theta)).all()
assert np.isfinite(problem.connection(theta, v)).all()
print(time.perf_counter() - began)
"""

BOUNDS = {**dict.fromkeys(DENSITIES, 10.0), "network 2-3-1": 20.0}
"""What is promised, in seconds."""


def cold(program: str) -> float:
    """The seconds that a program prints, run in a fresh process with an empty kernel cache."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RIEMOPT_CACHE": str(Path(folder) / "kernels")}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
        )
    return float(done.stdout)


def shortest(function: Callable[[], object], repeats: int = 7) -> float:
    """The shortest of some runs, in seconds."""
    function()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def gradients() -> dict[str, dict[str, float]]:
    """Microseconds of one gradient for 10² to 10⁶ samples."""
    import riemopt as ro

    result: dict[str, dict[str, float]] = {}
    for family in ("gamma", "gumbel"):
        model = ro.models.family(family)
        manifold = ro.Manifold(model)
        result[family] = {}
        for count in (10**2, 10**4, 10**6):
            problem = manifold.likelihood(model.sample([2.0, 3.0], count))
            result[family][f"{count:.0e}"] = 1e6 * shortest(lambda p=problem: p.gradient([1.5, 2.5]))
    return result


def metrics() -> dict[str, float]:
    """Nanoseconds a row of the metric of a regression with 10⁶ rows: compiled, and in NumPy as one would write it."""
    import riemopt as ro

    u, *p = sp.symbols("u a b c d", real=True)
    model = ro.ConditionalModel([p[0] * sp.exp(-p[1] * u) + p[2] * sp.exp(-p[3] * u)], "gaussian", (u,), p, scale=1.0)
    rng = np.random.default_rng(0)
    rows = 10**6
    inputs, targets = rng.random(rows), rng.normal(size=rows)
    theta = np.array([1.0, 0.5, 2.0, 3.0])
    problem = ro.Manifold(model).likelihood(targets, inputs=inputs)

    def by_hand() -> np.ndarray:
        first, second = np.exp(-theta[1] * inputs), np.exp(-theta[3] * inputs)
        jacobian = np.stack([first, -theta[0] * inputs * first, second, -theta[2] * inputs * second])
        return jacobian @ jacobian.T / rows

    np.testing.assert_allclose(problem.metric(theta), by_hand(), rtol=1e-10)
    ours, theirs = shortest(lambda: problem.metric(theta)), shortest(by_hand)
    return {"compiled": 1e9 * ours / rows, "NumPy": 1e9 * theirs / rows, "NumPy / compiled": theirs / ours}


def main() -> int:
    """Measure, print, keep; the exit status says whether every bound was met."""
    times = {name: cold(HEAD + text + FIT) for name, text in DENSITIES.items()}
    times["network 2-3-1"] = cold(HEAD + NETWORK)
    for name, value in times.items():
        print(f"{name:24s} {value:6.2f} s  (at most {BOUNDS[name]:g} s)")
    steps, sums = gradients(), metrics()
    for family, row in steps.items():
        print(f"gradient, {family:14s}", "  ".join(f"{count}: {value:.0f} µs" for count, value in row.items()))
    print("metric of a regression  ", "  ".join(f"{name}: {value:.2f}" for name, value in sums.items()))
    RESULTS.mkdir(exist_ok=True)
    record = {
        "machine": description(),
        "seconds, cold": times,
        "bounds": BOUNDS,
        "microseconds of a gradient by number of samples": steps,
        "nanoseconds a row of a metric": sums,
    }
    (RESULTS / "custom_models.json").write_text(json.dumps(record, indent=2) + "\n")
    return int(any(times[name] > bound for name, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
