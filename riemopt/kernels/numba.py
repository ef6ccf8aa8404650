"""The Numba target: the generated text inside compiled loops, shared among the processor's cores."""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from riemopt.kernels import cache, elementary, lanes, loops, reductions, scalar, special, stepping, straight, tableaux
from riemopt.kernels.lanes import MEMORY
from riemopt.kernels.loops import (
    LANES,
    OUTCOMES,
    TRAJECTORY_ARGUMENTS,
    Text,
    parts_text,
    pointwise_text,
    queued_text,
    table_sums_text,
    trajectory_text,
)
from riemopt.kernels.lowering import FUNCTIONS, Node, Ode, Part, Program, TableSum, nodes_of, parts_of
from riemopt.kernels.reductions import BLOCK, KRONROD, PANEL_ERROR
from riemopt.kernels.statements import indented
from riemopt.kernels.stepping import STEP_CONTROL, library_source
from riemopt.kernels.straight import PRIMITIVES, Straight, functions_of
from riemopt.kernels.target import Target, TrajectoryProgram

__all__ = ["NumbaTarget"]

_SMALL_BATCH = 64
"""Up to here one thread is faster than handing out work, where an entry takes no longer than some formulas."""

_MATH_NAMES = {"loggamma": "lgamma"}

_jit = functools.partial(numba.njit, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
_jit_inner = functools.partial(_jit, no_cpython_wrapper=True)


@functools.lru_cache
def _library(several: bool) -> dict[str, Any]:
    """Every function that generated text may call, compiled on first use; for one entry, or several side by side."""
    names: dict[str, Any] = {"NAN": math.nan, "INFINITY": math.inf, **KRONROD, **MEMORY}
    ours = {name: _MATH_NAMES.get(name, name) for name in FUNCTIONS}
    names |= {name: getattr(math, known) for name, known in ours.items() if hasattr(math, known) and name != "isfinite"}
    if several:
        own = {name: function for name, function in names.items() if name not in elementary.__all__}
        names = own | _compiled(inspect.getsource(elementary), elementary.__name__, own, several)
    names |= _compiled(PRIMITIVES, straight.__name__, names, several)
    for module in (scalar, special):
        names |= _compiled(inspect.getsource(module), module.__name__, names, several)
    names |= _compiled(STEP_CONTROL, stepping.__name__, names, several)
    names |= _compiled(PANEL_ERROR, reductions.__name__, names, several)
    return names | _compiled(OUTCOMES, loops.__name__, names, several)


@functools.lru_cache
def _stepping_library(dimension: int, several: bool) -> dict[str, Any]:
    """The functions that the solvers of a dimension call."""
    text, smaller = library_source(dimension)
    names = _library(several)
    for size in smaller:
        names = {**names, **_stepping_library(size, several)}
    return _compiled(text, stepping.__name__, names, several)


def _compiled(text: str, module: str, names: Mapping[str, Any], several: bool) -> dict[str, Any]:
    """The functions that a text defines beside those that are known by their names, which they may call.

    The module's name must be that of one that can be imported: compiled functions are pickled with it.
    """
    namespace: dict[str, Any] = {"__name__": module}
    exec(compile(text, "<riemopt library>", "exec"), namespace)
    own = {}
    for name, definition in functions_of(text).items():
        if name not in names:
            is_straight = Straight.takes(definition)
            own[name] = (
                Straight(definition, namespace, several, inline=True).intrinsic
                if is_straight
                else _jit_inner(namespace[name])
            )
    namespace.update({**names, **own})
    return own


@functools.lru_cache
def _library_text() -> str:
    """All that compiled text depends on besides itself and the versions."""
    modules = (scalar, special, elementary, straight, lanes, loops, stepping, tableaux, reductions)
    return "\0".join(inspect.getsource(module) for module in modules)


def _load(head: str, text: Text, signature: Any, parts: Sequence[Part], several: bool) -> Any:
    """The compiled function ``run`` of a text, with the parts that it uses; for one entry, or several side by side."""
    known, functions = parts_text(parts)
    names = {**_library(several), "plain": _jit_inner}
    for dimension in {part.dimension for part in known if isinstance(part, Ode)}:
        names.update(_stepping_library(dimension, several))
    whole = "\n\n".join([functions, *text.functions, "\n".join(["@kernel", head, *indented(text.body, 1), ""])])
    definitions = functions_of(whole)
    names["straight"] = lambda f: Straight(definitions[f.__name__], f.__globals__, several).intrinsic
    try:
        with _cache_beside_the_source():
            return cache.load(whole, {**names, "kernel": _jit(signature, cache=True)}, _library_text()).run
    except OSError as error:
        return cache.load_unsaved(whole, {**names, "kernel": _jit(signature)}, _library_text(), error).run


@contextlib.contextmanager
def _cache_beside_the_source() -> Iterator[None]:
    """Keep compiled code in the directory of kernels, which was checked, wherever ``NUMBA_CACHE_DIR`` points."""
    with _cache_lock:
        elsewhere, numba.config.CACHE_DIR = numba.config.CACHE_DIR, ""
        try:
            yield
        finally:
            numba.config.CACHE_DIR = elsewhere


_cache_lock = threading.RLock()


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
        names, several = parts_text(program.parts)[0], _side_by_side(program.parts)
        calls = [node for node in nodes_of(program.outputs, program.inputs) if node.op == "part"]
        if several and len(calls) == 1:
            text = queued_text(program, sizes, constants, calls[0], names)
        else:
            text = _loop(pointwise_text(program, sizes, constants, names), several)
        head = f"def run(start, stop, {_arrays(sizes)}constants, table, out):"
        tables = [_input(2)] * len(sizes)
        signature = numba.void(numba.int64, numba.int64, *tables, _input(1), _TABLE, numba.float64[:, ::1])
        compiled = _load(head, text, signature, program.parts, several)
        grain = _grain(program.parts, several)

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
        (functions, body), width = table_sums_text(program, sizes, constants, calls, parts_text(parts)[0])
        text = Text(
            functions,
            [
                "for task in range(start, stop):",
                "    count = table.shape[1]",
                "    piece = task // batch",
                "    i = task % batch",
                "    first = piece * rows",
                "    last = min(count, first + rows)",
                *indented(body, 1),
            ],
        )
        head = f"def run(start, stop, {_arrays(sizes)}constants, table, rows, batch, out):"
        tables = [_input(2)] * len(sizes)
        signature = numba.void(
            *(numba.int64, numba.int64, *tables, _input(1), _TABLE, numba.int64, numba.int64, numba.float64[:, :, ::1])
        )
        compiled = _load(head, text, signature, parts, several=False)
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
        several = _side_by_side(parts)
        text = _loop(trajectory_text(program, parts_text(parts)[0]), several)
        head = f"def run(start, stop, {', '.join(TRAJECTORY_ARGUMENTS)}):"
        compiled = _load(head, text, _TRAJECTORY_SIGNATURE, parts, several)
        grain = _grain(parts, several)
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
            _share_out(compiled, len(starts), starts, step_sizes, *settings, points, losses, status, grain=grain)
            return points, losses, status

        return run


def _side_by_side(parts: Sequence[Part]) -> bool:
    """Whether entries are taken side by side: where their parts are not in need of decisions of their own."""
    return all(isinstance(part, Ode) and not part.field.parts for part in parts)


def _loop(text: Text, several: bool) -> Text:
    """The loop over the entries, or over as many at a time as there are lanes."""
    head = [f"for first in range(start, stop, {LANES}):", "    i = (first, stop)"]
    return Text(text.functions, [*(head if several else ["for i in range(start, stop):"]), *indented(text.body, 1)])


def _grain(parts: Sequence[Part], several: bool) -> int:
    """How many entries are worth handing out."""
    if not parts:
        return _SMALL_BATCH
    return LANES if several else 1


def _arrays(sizes: Sequence[int]) -> str:
    return "".join(f"a{k}, " for k in range(len(sizes)))


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
    """Run a kernel on all its entries, in pieces over the cores, each of some grains of entries."""
    if count <= grain:
        compiled(0, count, *arguments)
        return
    pool, cores = _workers()
    # more pieces than cores, so that a slow piece does not keep the others waiting
    grains = -(-count // grain)
    pieces = min(8 * cores, grains)
    bounds = [min(count, grain * (grains * piece // pieces)) for piece in range(pieces + 1)]
    for future in [pool.submit(compiled, a, b, *arguments) for a, b in itertools.pairwise(bounds)]:
        future.result()
