"""How long a user waits for the first result: ``python -m benchmarks.start_up``.

Measured in fresh processes: ``import riemopt``; ``riemopt invariance`` from an empty kernel cache and again; and the
same experiment with all its kernels compiled. Writes ``benchmarks/results/start_up.json``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import description

RESULTS = Path(__file__).parent / "results"
BOUNDS = {"import": 1.0, "invariance, empty cache": 25.0, "invariance, second time": 4.0}
"""What is promised, in seconds on two cores."""

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


def seconds(command: list[str], environment: dict[str, str], folder: str) -> float:
    """The wall time of a command that must succeed."""
    began = time.perf_counter()
    subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure() -> dict[str, float]:
    """Every time, in seconds; the median of five where nothing is compiled."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RIEMOPT_CACHE": str(Path(folder) / "kernels"), "MPLCONFIGDIR": folder}
        invariance = [sys.executable, "-m", "riemopt.cli", "invariance"]
        compiled = [sys.executable, "-c", COMPILED]
        bare = [sys.executable, "-c", "pass"]
        importing = [sys.executable, "-c", "import riemopt"]

        def median(command: list[str]) -> float:
            return statistics.median(seconds(command, environment, folder) for _ in range(5))

        seconds(importing, environment, folder)  # the first run writes Python's own caches
        times = {"import": median(importing) - median(bare)}
        times["invariance, empty cache"] = seconds(invariance, environment, folder)
        times["invariance, second time"] = median(invariance)
        times["compiled experiment, empty cache"] = seconds(compiled, environment, folder)
        times["compiled experiment, second time"] = median(compiled)
        return times


def main() -> int:
    """Measure, print, keep; the exit status says whether every bound was met."""
    times = measure()
    for name, value in times.items():
        bound = f"(at most {BOUNDS[name]:g} s)" if name in BOUNDS else ""
        print(f"{name:34s} {value:7.2f} s  {bound}")
    RESULTS.mkdir(exist_ok=True)
    record = {"machine": description(), "seconds": times, "bounds": BOUNDS}
    (RESULTS / "start_up.json").write_text(json.dumps(record, indent=2) + "\n")
    return int(any(times[name] > bound for name, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
