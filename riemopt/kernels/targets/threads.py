"""A batch shared among the processor's cores."""

from __future__ import annotations

import collections
import functools
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["helpers", "share_out"]


@functools.lru_cache
def helpers() -> tuple[ThreadPoolExecutor | None, int]:
    """Threads for the other cores, and how many."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return (ThreadPoolExecutor(cores - 1, thread_name_prefix="riemopt") if cores > 1 else None), cores - 1


if hasattr(os, "register_at_fork"):
    # a forked child inherits the pool and none of its threads
    os.register_at_fork(after_in_child=helpers.cache_clear)


def share_out(compiled: Callable[..., None], count: int, *arguments: Any, grain: int) -> None:
    """Run a kernel on all its entries, in pieces over the cores, each of some grains of entries."""
    pool, others = helpers()
    if count <= grain or pool is None:
        compiled(0, count, *arguments)
        return
    # more pieces than cores, so that a slow piece does not keep the others waiting
    grains = -(-count // grain)
    pieces = min(8 * (others + 1), grains)
    bounds = [min(count, grain * (grains * piece // pieces)) for piece in range(pieces + 1)]
    waiting = collections.deque(itertools.pairwise(bounds))

    def work() -> None:
        """Take piece after piece until none is left."""
        while True:
            try:
                first, last = waiting.popleft()
            except IndexError:
                return
            compiled(first, last, *arguments)

    helping = [pool.submit(work) for _ in range(min(others, pieces - 1))]
    try:
        work()
    finally:
        waiting.clear()
        # whoever has not begun is busy with another call, and not needed any more
        for helper in helping:
            if not helper.cancel():
                helper.result()
