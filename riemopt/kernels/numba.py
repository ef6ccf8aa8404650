"""The Numba target: the generated text inside compiled loops, shared among the processor's cores."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from riemopt.kernels.compiled import Compiler
from riemopt.kernels.loops import (
    TABLE_SUMS_ARGUMENTS,
    TRAJECTORY_ARGUMENTS,
    after_sums,
    first_sums,
    indented,
    parts_text,
    pointwise_body,
    table_sums_body,
    trajectory_body,
)
from riemopt.kernels.lowering import Node, Part, Program, parts_of
from riemopt.kernels.reductions import BLOCK
from riemopt.kernels.target import Target, TrajectoryProgram

__all__ = ["NumbaTarget"]

_SMALL_BATCH = 64
"""Up to here one thread is faster than handing out work."""

_jit = functools.partial(numba.njit, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
_jit_inner = functools.partial(_jit, no_cpython_wrapper=True)
_jit_inner_inlined = functools.partial(_jit_inner, forceinline=True)


_COMPILER = Compiler(_jit_inner_inlined, _jit_inner)


def _load(lines: Sequence[str], signature: Any, parts: Sequence[Part]) -> Any:
    return _COMPILER.load(lines, functools.partial(_jit, signature), parts)


def _input(axes: int) -> Any:
    """The type of an array that is only read: of any layout, so that a broadcast view is not copied."""
    return numba.types.Array(numba.float64, axes, "A", readonly=True)


_TABLE = numba.types.Array(numba.float64, 2, "C", readonly=True)


_NO_TABLE = np.empty((0, 0))


class NumbaTarget(Target):
    """Programs compiled for the processor, batches spread over its cores."""

    name = "numba"

    def pointwise(self, program: Program, sizes: Sequence[int], constants: int) -> Callable[..., Any]:
        """A program as a function of arrays; see :meth:`Target.pointwise`."""
        calls = first_sums(program)
        if calls:
            return self._in_two_passes(program, sizes, constants, calls)
        body = pointwise_body(program, sizes, constants, parts_text(program.parts)[0])
        lines = [
            "@kernel",
            f"def run(start, stop, {''.join(f'a{k}, ' for k in range(len(sizes)))}constants, table, out):",
            "    for i in range(start, stop):",
            *indented(body, 2),
        ]
        tables = [_input(2)] * len(sizes)
        signature = numba.void(numba.int64, numba.int64, *tables, _input(1), _TABLE, numba.float64[:, ::1])
        compiled = _load(lines, signature, program.parts)
        grain = 1 if program.parts else _SMALL_BATCH

        def run(*arguments: Any, table: np.ndarray | None = None) -> np.ndarray:
            out = np.empty((len(arguments[0]), len(program.outputs)))
            _share_out(compiled, len(out), *arguments, _NO_TABLE if table is None else table, out, grain=grain)
            return out

        return run

    def _in_two_passes(
        self, program: Program, sizes: Sequence[int], constants: int, calls: Sequence[Node]
    ) -> Callable[..., Any]:
        """A program whose sums over the table are taken first, blocks of rows spread over the cores.

        The second pass finds the sums among its arguments. Which rows make a block depends on their number alone, so
        the result does not depend on the number of cores.
        """
        parts = [call.value for call in calls]
        body, width = table_sums_body(program, sizes, constants, calls, parts_text(parts)[0])
        lines = [
            "@kernel",
            f"def run(start, stop, {''.join(f'a{k}, ' for k in range(len(sizes)))}{', '.join(TABLE_SUMS_ARGUMENTS)}):",
            "    for task in range(start, stop):",
            *indented(body, 2),
        ]
        tables = [_input(2)] * len(sizes)
        signature = numba.void(
            *(numba.int64, numba.int64, *tables, _input(1), _TABLE, numba.int64, numba.int64, numba.float64[:, :, ::1])
        )
        compiled = _load(lines, signature, parts)
        finish = self.pointwise(after_sums(program, sizes, calls), [*sizes, width], constants)

        def run(*arguments: Any, table: np.ndarray) -> np.ndarray:
            *arrays, data = arguments
            batch, count = len(arrays[0]), table.shape[1]
            rows = max(8 * BLOCK, -(-count // 256))
            pieces = -(-count // rows)
            out = np.empty((pieces, batch, width))
            _share_out(compiled, pieces * batch, *arguments, table, rows, batch, out, grain=1)
            return finish(*arrays, out.sum(axis=0), data)

        return run

    def trajectories(self, program: TrajectoryProgram) -> Callable[..., Any]:
        """A kernel that takes every trajectory of a batch from start to finish; see :class:`TrajectoryProgram`."""
        parts = parts_of((*program.begun, *program.seen, *program.stepped))
        body = trajectory_body(program, parts_text(parts)[0])
        lines = [
            "@kernel",
            f"def run(start, stop, {', '.join(TRAJECTORY_ARGUMENTS)}):",
            "    for i in range(start, stop):",
            *indented(body, 2),
        ]
        compiled = _load(lines, _TRAJECTORY_SIGNATURE, parts)
        n = len(program.point)

        def run(
            starts: np.ndarray,
            step_sizes: np.ndarray,
            data: np.ndarray,
            steps: int,
            keep_all: bool,
            tolerance: float,
            table: np.ndarray | None = None,
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            kept = steps + 1 if keep_all else 1
            points = np.empty((len(starts), kept, n))
            losses = np.empty((len(starts), kept))
            status = np.empty(len(starts), dtype=np.int64)
            settings = (data, _NO_TABLE if table is None else table, steps, keep_all, tolerance * abs(tolerance))
            grain = 1 if parts else _SMALL_BATCH
            _share_out(compiled, len(starts), starts, step_sizes, *settings, points, losses, status, grain=grain)
            return points, losses, status

        return run


_TRAJECTORY_SIGNATURE = numba.void(
    numba.int64,
    numba.int64,
    _input(2),
    _input(1),
    _input(1),
    _TABLE,
    numba.int64,
    numba.boolean,
    numba.float64,
    numba.float64[:, :, ::1],
    numba.float64[:, ::1],
    numba.int64[::1],
)


@functools.lru_cache
def _workers() -> tuple[ThreadPoolExecutor, int]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ThreadPoolExecutor(cores, thread_name_prefix="riemopt"), cores


if hasattr(os, "register_at_fork"):
    # a forked child inherits the pool and none of its threads
    os.register_at_fork(after_in_child=_workers.cache_clear)


def _share_out(compiled: Callable[..., None], count: int, *arguments: Any, grain: int) -> None:
    """Run a kernel on all its entries, in pieces over the cores; `grain` entries are worth handing out."""
    if count <= grain:
        compiled(0, count, *arguments)
        return
    pool, cores = _workers()
    # more pieces than cores, so that a slow piece does not keep the others waiting
    pieces = min(8 * cores, -(-count // grain))
    bounds = [count * piece // pieces for piece in range(pieces + 1)]
    for future in [pool.submit(compiled, a, b, *arguments) for a, b in itertools.pairwise(bounds)]:
        future.result()
