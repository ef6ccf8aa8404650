"""From a density to a fit, cold: ``python -m benchmarks.custom_models``.

Every density is defined, derived and fitted in a fresh process with an empty kernel cache; a small network is derived
and compiled likewise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import description
from benchmarks.records import Bound, Record, Table, command

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


def measure(quick: bool) -> Record:
    """Every time, in seconds."""
    programs = {name: HEAD + text + FIT for name, text in DENSITIES.items()} | {"network 2-3-1": HEAD + NETWORK}
    if quick:
        programs = {name: programs[name] for name in ("Laplace", "Weibull")}
    times = {name: cold(program) for name, program in programs.items()}
    return Record(
        "custom_models",
        description(),
        [Table("From a density to a fit", ["", "seconds"], [[name, value] for name, value in times.items()])],
        [Bound(f"From a density to a fit: {name}, seconds", value, most=BOUNDS[name]) for name, value in times.items()],
    )


if __name__ == "__main__":
    command(measure)
