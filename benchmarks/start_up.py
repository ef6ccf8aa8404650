"""How long a user waits for the first result: ``python -m benchmarks.start_up``.

Measured in fresh processes: ``import riemopt``; the first ``exp`` after it; ``riemopt invariance``; and the same
experiment with all its kernels compiled. Each from an empty kernel cache, and again.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import description
from benchmarks.records import Bound, Record, Table, command

BOUNDS = {
    "import": 1.0,
    "first exp after the import, second time": 0.3,
    "invariance, empty cache": 25.0,
    "invariance, second time": 4.0,
}
"""What is promised, in seconds on two cores."""

FIRST = """
import riemopt as ro
import time
began = time.perf_counter()
ro.Manifold(ro.models.Gamma()).exp([2.0, 3.0], [0.1, 0.2])
print(time.perf_counter() - began)
"""

COMPILED = """
import numpy as np, sympy as sp, riemopt as ro
gamma = ro.models.Gamma()
alpha, beta = gamma.parameters
a, b = sp.symbols("a b", positive=True)
charts = {
    "beta = 1/b": gamma.reparametrize({alpha: a, beta: 1 / b}, parameters=(a, b)),
    "beta = b**3": gamma.reparametrize({alpha: a, beta: b**3}, parameters=(a, b)),
    "alpha = a**2, beta = b**2": gamma.reparametrize({alpha: a**2, beta: b**2}, parameters=(a, b)),
}
samples = np.random.RandomState(1234).gamma(20, 1 / 20, 10000)
keys = ("ng", "mid", "geo", "geof", "ng-exact", "geo-exact")
result = ro.experiments.invariance(gamma, samples, charts, integrators=keys, start=(1.0, 1.0), backend="numba")
assert max(result.gap[key].max() for key in ("ng-exact", "geo-exact")) < 1e-8
"""


def measure(quick: bool) -> Record:
    """Every time, in seconds; the median of five where nothing is compiled."""
    repeats = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RIEMOPT_CACHE": str(Path(folder) / "kernels"), "MPLCONFIGDIR": folder}

        def output(*arguments: str) -> str:
            """What a Python process prints that must succeed."""
            python = [sys.executable, *arguments]
            done = subprocess.run(python, env=environment, cwd=folder, check=True, capture_output=True, text=True)
            return done.stdout

        def wall(*arguments: str) -> float:
            began = time.perf_counter()
            output(*arguments)
            return time.perf_counter() - began

        def told(*arguments: str) -> float:
            return float(output(*arguments))

        def median(seconds: object, *arguments: str) -> float:
            return statistics.median(seconds(*arguments) for _ in range(repeats))  # type: ignore[operator]

        importing = ("-c", "import riemopt")
        wall(*importing)  # the first run writes Python's own caches
        times = {"import": median(wall, *importing) - median(wall, "-c", "pass")}
        for name, seconds, arguments in (
            ("first exp after the import", told, ("-c", FIRST)),
            ("invariance", wall, ("-m", "riemopt.cli", "invariance")),
            ("compiled experiment", wall, ("-c", COMPILED)),
        ):
            times[f"{name}, empty cache"] = seconds(*arguments)
            times[f"{name}, second time"] = median(seconds, *arguments)
    return Record(
        "start_up",
        description(),
        [Table("From a fresh process", ["", "seconds"], [[name, value] for name, value in times.items()])],
        [Bound(f"Start-up: {name}, seconds", times[name], most=bound) for name, bound in BOUNDS.items()],
    )


if __name__ == "__main__":
    command(measure)
