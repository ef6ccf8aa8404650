"""How times and memory are taken."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Timing", "best", "cores", "in_process", "memory", "side_by_side"]


@dataclass(frozen=True)
class Timing:
    """The shortest of some runs of a function."""

    seconds: float
    busy: float
    """Processor time by wall time: how many cores it kept busy."""
    result: Any


def side_by_side(functions: Mapping[str, Callable[[], Any]], repeats: int = 5) -> dict[str, Timing]:
    """Time functions in turns, so that what slows the machine down for a while meets all of them.

    The first call of each, which may compile, is not timed.
    """
    results = {name: function() for name, function in functions.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            began, worked = time.perf_counter(), time.process_time()
            function()
            times[name].append((time.perf_counter() - began, time.process_time() - worked))
    shortest = {name: min(pairs) for name, pairs in times.items()}
    return {name: Timing(wall, work / wall, results[name]) for name, (wall, work) in shortest.items()}


def best(function: Callable[[], Any], repeats: int = 5) -> Timing:
    """Time one function."""
    return side_by_side({"": function}, repeats)[""]


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def in_process(
    function: Callable[..., Any],
    *arguments: Any,
    on: Sequence[int] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """What a function returns in a process of its own, which may use certain cores only."""
    context = multiprocessing.get_context("spawn")
    before = dict(os.environ)
    os.environ.update(environment or {})  # some of it is read when a process begins
    try:
        with ProcessPoolExecutor(1, context, initializer=_begin, initargs=(on,)) as pool:
            return pool.submit(function, *arguments).result()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _begin(on: Sequence[int] | None) -> None:
    if on is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, on)


def memory(function: Callable[[], Any]) -> int | None:
    """The most bytes that a function holds at a time, its result included; None where the system does not tell."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return None

    def told(entry: str) -> int:
        (line,) = (line for line in status.read_text().splitlines() if line.startswith(f"{entry}:"))
        return 1024 * int(line.split()[1])

    reset.write_text("5")  # the peak is what is held now
    before = told("VmRSS")
    result = function()
    held = told("VmHWM") - before
    del result
    return held
