"""The Numba target: the generated text inside compiled loops, shared among the processor's cores."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from riemopt.kernels import reductions, scalar, special, stepping, tableaux
from riemopt.kernels.loops import (
    TRAJECTORY_ARGUMENTS,
    indented,
    parts_text,
    pointwise_body,
    table_sums_body,
    trajectory_body,
)
from riemopt.kernels.lowering import (
    FUNCTIONS,
    Node,
    Ode,
    Part,
    Program,
    TableSum,
    nodes_of,
    parts_of,
)
from riemopt.kernels.precompiled import load_or_compile
from riemopt.kernels.reductions import BLOCK, KRONROD, PANEL_ERROR
from riemopt.kernels.stepping import STEP_CONTROL, library_source
from riemopt.kernels.target import Target, TrajectoryProgram

__all__ = ["NumbaTarget"]

_SMALL_BATCH = 64
"""Up to here one thread is faster than handing out work."""

_MATH_NAMES = {"absolute": None, "select": None, "sign": None, "minimum": None, "maximum": None, "loggamma": "lgamma"}

_jit = functools.partial(numba.njit, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
_jit_inner = functools.partial(_jit, no_cpython_wrapper=True)
_jit_inner_inlined = functools.partial(_jit_inner, forceinline=True)


@functools.lru_cache
def _library() -> dict[str, Any]:
    """Every function that generated text may call, compiled on first use."""
    names: dict[str, Any] = {"NAN": math.nan, "INFINITY": math.inf}
    for name in FUNCTIONS:
        ours = _MATH_NAMES.get(name, name)
        if ours is not None and hasattr(math, ours):
            names[name] = getattr(math, ours)
    for library in (scalar, special):
        names.update(_jitted(inspect.getsource(library), {"__name__": library.__name__}))
    names.update(_jitted(STEP_CONTROL, {**names, "__name__": stepping.__name__}))
    names.update(_jitted(PANEL_ERROR, {**names, "__name__": reductions.__name__}))
    return {**names, **KRONROD}


@functools.lru_cache
def _stepping_library(dimension: int) -> dict[str, Any]:
    """The functions that the solvers of a dimension call."""
    names = {**_library(), "__name__": stepping.__name__}
    text, smaller = library_source(dimension)
    for size in smaller:
        names.update(_stepping_library(size))
    return _jitted(text, names)


def _jitted(text: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """The functions that a text of plain scalar Python defines, each compiled, calling one another's compiled forms.

    The namespace's ``__name__`` must be that of a module that can be imported: compiled functions are pickled with it.
    """
    before = set(namespace)
    exec(compile(text, "<riemopt library>", "exec"), namespace)
    functions = {name: f for name, f in namespace.items() if name not in before and inspect.isfunction(f)}
    # the loops over a batch run fastest where the calls in them vanish
    compiled = {name: _jit_inner_inlined(f) for name, f in functions.items()}
    namespace.update(compiled)
    return compiled


@functools.lru_cache
def _library_text() -> str:
    """All that compiled text depends on besides itself and the versions."""
    return "\0".join(inspect.getsource(module) for module in (scalar, special, stepping, tableaux, reductions))


def _load(lines: Iterable[str], signature: Any, parts: Sequence[Part]) -> Any:
    """The compiled function ``run`` of a text, with the parts that it uses."""
    known, text = parts_text(parts)
    names = {**_library(), "inner": _jit_inner_inlined, "plain": _jit_inner}
    for dimension in {part.dimension for part in known if isinstance(part, Ode)}:
        names.update(_stepping_library(dimension))
    whole = "\n".join([text, *lines, ""])
    return load_or_compile(whole, names, _jit, signature, _library_text())


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
        sums = [part for part in program.parts if isinstance(part, TableSum)]
        calls = [n for n in nodes_of(program.outputs, program.inputs) if n.op == "part" and n.value in sums]
        if sums and not any(_uses_table(call.args, program.inputs) for call in calls):
            return self._in_two_passes(program, sizes, constants, calls)
        body = pointwise_body(program, sizes, constants, parts_text(program.parts)[0])
        lines = [
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
            f"def run(start, stop, {''.join(f'a{k}, ' for k in range(len(sizes)))}constants, table, rows, batch, out):",
            "    for task in range(start, stop):",
            "        count = table.shape[1]",
            "        piece = task // batch",
            "        i = task % batch",
            "        first = piece * rows",
            "        last = min(count, first + rows)",
            *indented(body, 2),
        ]
        tables = [_input(2)] * len(sizes)
        signature = numba.void(
            *(numba.int64, numba.int64, *tables, _input(1), _TABLE, numba.int64, numba.int64, numba.float64[:, :, ::1])
        )
        compiled = _load(lines, signature, parts)
        arrays_end = sum(sizes)
        found = [value for call in calls for value in call.graph.values(call)]
        inputs = (*program.inputs[:arrays_end], *found, *program.inputs[arrays_end:])
        finish = self.pointwise(Program(inputs, program.outputs), [*sizes, width], constants)

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


def _uses_table(outputs: Iterable[Node], known: Sequence[Node]) -> bool:
    return any(part.uses_table for part in parts_of(outputs, known))


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
