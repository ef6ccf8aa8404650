"""Where and with what a measurement was made."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.measure import cores

__all__ = ["description"]

_PACKAGES = ("riemopt", "numpy", "scipy", "sympy", "numba", "matplotlib")


def description(*peers: str) -> dict[str, object]:
    """The processor, the number of cores at hand, the date, and the versions, also of peers that are installed."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "cores": len(cores()),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": dict(_versions((*_PACKAGES, *peers))),
    }


def _versions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
