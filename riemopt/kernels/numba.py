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

from riemopt.kernels import cache, scalar, special, stepping, tableaux
from riemopt.kernels.lowering import FUNCTIONS, Ode, Program, emit, odes_of
from riemopt.kernels.stepping import STEP_CONTROL, library_source, solver_source
from riemopt.kernels.target import Target, TrajectoryProgram
from riemopt.status import Status

__all__ = ["NumbaTarget"]

_SMALL_BATCH = 64
"""Up to here one thread is faster than handing out work."""

_MATH_NAMES = {"absolute": None, "select": None, "sign": None, "minimum": None, "maximum": None, "loggamma": "lgamma"}

_jit = functools.partial(numba.njit, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
_jit_inner = functools.partial(_jit, no_cpython_wrapper=True)


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
    return names


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
    compiled = {name: _jit_inner(f, forceinline=True) for name, f in functions.items()}
    namespace.update(compiled)
    return compiled


@functools.lru_cache
def _library_text() -> str:
    """All that compiled text depends on besides itself and the versions."""
    return "\0".join(inspect.getsource(module) for module in (scalar, special, stepping, tableaux))


def _load(lines: Iterable[str], signature: Any, odes: Sequence[Ode]) -> Any:
    """The compiled function ``run`` of a text, with the solvers that it calls."""
    solvers, text = _solvers(odes)
    names = {**_library(), "inner": _jit_inner}
    for dimension in {ode.dimension for ode in solvers}:
        names.update(_stepping_library(dimension))
    whole = "\n".join([text, *lines, ""])
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


def _solvers(odes: Sequence[Ode]) -> tuple[dict[Ode, str], str]:
    """The names and the text of the solvers of some equations, their fields and the equations those need solved."""
    names: dict[Ode, str] = {}
    parts: list[str] = []

    def add(ode: Ode) -> None:
        for needed in ode.field.odes:
            if needed not in names:
                add(needed)
        name = names[ode] = f"ode_{len(names)}"
        lines, (status, *derivative) = body(ode.field, ode.dimension)
        lines.append(f"return {status}, ({''.join(f'{x}, ' for x in derivative)})")
        parts.append("\n".join(["@inner", f"def {name}_field(y, p):", *_indented(lines, 1), ""]))
        if ode.approach is not None:
            lines, rates = body(ode.approach, ode.dimension)
            lines.append(f"return {', '.join(rates)}")
            parts.append("\n".join(["@inner", f"def {name}_approach(y, p):", *_indented(lines, 1), ""]))
        approach = f"{name}_approach" if ode.approach is not None else ""
        parts.append("@inner\n" + solver_source(ode, name, f"{name}_field", approach))

    def body(program: Program, dimension: int) -> tuple[list[str], list[str]]:
        """The statements of a program of y and p, and the names of its outputs."""
        inputs = {node: f"x{i}" for i, node in enumerate(program.inputs)}
        state, constants = list(inputs.values())[:dimension], list(inputs.values())[dimension:]
        lines = [f"{''.join(f'{x}, ' for x in state)} = y"]
        lines += [f"{''.join(f'{x}, ' for x in constants)} = p"] if constants else []
        lines += emit(program.outputs, inputs, names)
        return lines, [inputs[node] for node in program.outputs]

    for ode in odes:
        if ode not in names:
            add(ode)
    return names, "\n\n".join(parts)


def _indented(lines: Iterable[str], depth: int) -> list[str]:
    return [depth * "    " + line for line in lines]


def _input(axes: int) -> Any:
    """The type of an array that is only read: of any layout, so that a broadcast view is not copied."""
    return numba.types.Array(numba.float64, axes, "A", readonly=True)


class NumbaTarget(Target):
    """Programs compiled for the processor, batches spread over its cores."""

    name = "numba"

    def pointwise(self, program: Program, sizes: Sequence[int], constants: int) -> Callable[..., Any]:
        """A program as a function of arrays; see :meth:`Target.pointwise`."""
        entries = [f"a{k}[i, {j}]" for k, size in enumerate(sizes) for j in range(size)]
        entries += [f"constants[{j}]" for j in range(constants)]
        names = {node: f"x{k}" for k, node in enumerate(program.inputs)}
        body = [f"{name} = {entry}" for name, entry in zip(names.values(), entries, strict=True)]
        body += emit(program.outputs, names, _solvers(program.odes)[0])
        body += [f"out[i, {j}] = {names[node]}" for j, node in enumerate(program.outputs)]
        lines = [
            "@kernel",
            f"def run(start, stop, {''.join(f'a{k}, ' for k in range(len(sizes)))}constants, out):",
            "    for i in range(start, stop):",
            *_indented(body, 2),
        ]
        tables = [_input(2)] * len(sizes)
        signature = numba.void(numba.int64, numba.int64, *tables, _input(1), numba.float64[:, ::1])
        compiled = _load(lines, signature, program.odes)

        def run(*arguments: np.ndarray) -> np.ndarray:
            *arrays, data = arguments
            out = np.empty((len(arrays[0]), len(program.outputs)))
            _share_out(compiled, len(out), *arrays, data, out)
            return out

        return run

    def trajectories(self, program: TrajectoryProgram) -> Callable[..., Any]:
        """A kernel that takes every trajectory of a batch from start to finish; see :class:`TrajectoryProgram`."""
        odes = odes_of((*program.begun, *program.seen, *program.stepped))
        compiled = _load(_trajectory_lines(program, _solvers(odes)[0]), _TRAJECTORY_SIGNATURE, odes)
        n = len(program.point)

        def run(
            starts: np.ndarray, step_sizes: np.ndarray, data: np.ndarray, steps: int, keep_all: bool, tolerance: float
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            kept = steps + 1 if keep_all else 1
            points = np.empty((len(starts), kept, n))
            losses = np.empty((len(starts), kept))
            status = np.empty(len(starts), dtype=np.int64)
            settings = (data, steps, keep_all, tolerance * abs(tolerance))
            _share_out(compiled, len(starts), starts, step_sizes, *settings, points, losses, status)
            return points, losses, status

        return run


_TRAJECTORY_SIGNATURE = numba.void(
    numba.int64,
    numba.int64,
    _input(2),
    _input(1),
    _input(1),
    numba.int64,
    numba.boolean,
    numba.float64,
    numba.float64[:, :, ::1],
    numba.float64[:, ::1],
    numba.int64[::1],
)


def _trajectory_lines(program: TrajectoryProgram, solvers: Mapping[Ode, str]) -> list[str]:
    """The text of the loop over trajectories, and of the loop over steps inside it."""
    n = len(program.point)
    point = [f"y{j}" for j in range(n)]
    memory = [f"m{j}" for j in range(len(program.memory))]
    names = dict(zip(program.point, point, strict=True)) | {program.step_size[0]: "h"}
    names |= {node: f"d{j}" for j, node in enumerate(program.data)}

    before = dict(names)
    begin = emit(program.begun, before, solvers, prefix="b")
    begin += [f"m{j} = {before[node]}" for j, node in enumerate(program.begun[1:])]
    names |= dict(zip(program.memory, memory, strict=True))
    observe = emit(program.seen, names, solvers)
    step = emit(program.stepped, names, solvers)
    seen, loss, speed = (names[node] for node in program.seen)
    stepped, *following = (names[node] for node in program.stepped)
    moved = ", ".join([*point, *memory])
    return [
        "@kernel",
        "def run(start, stop, starts, step_sizes, data, steps, keep_all, tolerance, points, losses, status):",
        *(f"    d{j} = data[{j}]" for j in range(len(program.data))),
        "    for i in range(start, stop):",
        *(f"        {name} = starts[i, {j}]" for j, name in enumerate(point)),
        "        h = step_sizes[i]",
        *_indented(begin, 2),
        f"        begun = {before[program.begun[0]]}",
        f"        outcome = {int(Status.COMPLETED)}",
        "        last = -1",
        "        for k in range(steps + 1):",
        *_indented(observe, 3),
        f"            if {seen} != 0.0:",
        f"                outcome = int({seen})",
        "                break",
        "            last = k",
        "            slot = k if keep_all else 0",
        *(f"            points[i, slot, {j}] = {name}" for j, name in enumerate(point)),
        f"            losses[i, slot] = {loss}",
        f"            if {speed} <= tolerance:",
        f"                outcome = {int(Status.CONVERGED)}",
        "                break",
        "            if k == steps:",
        "                break",
        *_indented(step, 3),
        f"            failure = begun if begun != 0.0 else {stepped}",
        "            if failure != 0.0:",
        "                outcome = int(failure)",
        "                break",
        f"            {moved}, = {', '.join(following)},",
        "        status[i] = outcome",
        f"        converged = outcome == {int(Status.CONVERGED)}",
        "        if keep_all:",
        "            for k in range(last + 1, steps + 1):",
        *(f"                points[i, k, {j}] = points[i, last, {j}] if converged else NAN" for j in range(n)),
        "                losses[i, k] = losses[i, last] if converged else NAN",
        f"        elif outcome > {int(Status.CONVERGED)}:",
        *(f"            points[i, 0, {j}] = NAN" for j in range(n)),
        "            losses[i, 0] = NAN",
    ]


@functools.lru_cache
def _workers() -> tuple[ThreadPoolExecutor, int]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ThreadPoolExecutor(cores, thread_name_prefix="riemopt"), cores


if hasattr(os, "register_at_fork"):
    # a forked child inherits the pool and none of its threads
    os.register_at_fork(after_in_child=_workers.cache_clear)


def _share_out(compiled: Callable[..., None], count: int, *arguments: Any) -> None:
    """Run a kernel on all its entries, in pieces over the cores."""
    if count <= _SMALL_BATCH:
        compiled(0, count, *arguments)
        return
    pool, cores = _workers()
    # more pieces than cores, so that a slow piece does not keep the others waiting
    pieces = min(8 * cores, -(-count // _SMALL_BATCH))
    bounds = [count * piece // pieces for piece in range(pieces + 1)]
    for future in [pool.submit(compiled, a, b, *arguments) for a, b in itertools.pairwise(bounds)]:
        future.result()
