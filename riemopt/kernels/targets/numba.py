"""The Numba target: the generated text inside compiled loops, shared among the processor's cores."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np

from riemopt.kernels.functions import elementary
from riemopt.kernels.graph.nodes import Node, nodes_of
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Part, Program, TrajectoryProgram, parts_of
from riemopt.kernels.graph.simplification import simplify_program, simplify_trajectory
from riemopt.kernels.store.precompiled import ForProcessor
from riemopt.kernels.targets import straight_line_code
from riemopt.kernels.targets.compiled import MATH, Compiler
from riemopt.kernels.targets.lanes import MEMORY, memory
from riemopt.kernels.targets.llvm import intrinsic_of
from riemopt.kernels.targets.straight_line_code import INSTRUCTIONS, StraightLineCode
from riemopt.kernels.targets.target import Target, separated
from riemopt.kernels.targets.threads import share_out
from riemopt.kernels.text.algorithms.sums import BLOCK
from riemopt.kernels.text.kernel import LANES, Text, array_arguments
from riemopt.kernels.text.parts import parts_text
from riemopt.kernels.text.pointwise import TABLE_SUMS_ARGUMENTS, after_sums, first_sums, pointwise_text, table_sums_text
from riemopt.kernels.text.solutions import solutions_text
from riemopt.kernels.text.statements import indented
from riemopt.kernels.text.trajectories import TRAJECTORY_ARGUMENTS, trajectory_text

__all__ = ["COMPILERS", "NumbaTarget"]

_FORMULAS, _TRAJECTORIES, _SOLUTIONS = 4096, 128, 4 * LANES
"""How many entries are worth handing to another core: to wake it takes as long as some tens of microseconds of work."""

_jit = functools.partial(numba.njit, error_model="numpy", nogil=True, no_cfunc_wrapper=True)

_KERNELS = ForProcessor(_jit)


def _compiler(in_lanes: bool) -> Compiler:
    """What compiles text for one entry of a batch at a time, or for several in lanes."""

    def compiled(function: Any, definition: ast.FunctionDef, inline: bool) -> Any:
        return intrinsic_of(StraightLineCode(definition, function.__globals__, in_lanes, inline))

    own = {
        name: function for name, function in MATH.items() if name not in ("isfinite", *in_lanes * elementary.__all__)
    }
    texts = [(inspect.getsource(elementary), elementary.__name__)] if in_lanes else []
    return Compiler(
        compiled,
        functools.partial(_jit, no_cpython_wrapper=True),
        lambda function: memory(function.__name__),
        {**own, **MEMORY},
        [(INSTRUCTIONS, straight_line_code.__name__), *texts],
    )


COMPILERS = {in_lanes: _compiler(in_lanes) for in_lanes in (False, True)}
"""What compiles text, by whether it is for several entries in lanes."""


def _load(head: str, text: Text, signature: Any, parts: Sequence[Part], in_lanes: bool) -> Any:
    return COMPILERS[in_lanes].load(head, text, functools.partial(_KERNELS.load, signature), parts)


def _input(axes: int) -> Any:
    """The type of an array that is only read: of any layout, so that a broadcast view is not copied."""
    return numba.types.Array(numba.float64, axes, "A", readonly=True)


_TABLE = numba.types.Array(numba.float64, 2, "C", readonly=True)


_NO_TABLE = np.empty((0, 0))


class NumbaTarget(Target):
    """Programs compiled for the processor, batches spread over its cores."""

    name = "numba"
    fuses = True

    def pointwise(self, program: Program, sizes: Sequence[int], constants: int) -> Callable[..., Any]:
        """A program as a function of arrays; see :meth:`Target.pointwise`."""
        program = simplify_program(program)
        calls = first_sums(program)
        if calls:
            return self._in_two_passes(program, sizes, constants, calls)
        names, in_lanes = parts_text(program.parts)[0], _fit_lanes(program.parts)
        calls = [node for node in nodes_of(program.outputs, program.inputs) if node.op == "part"]
        if in_lanes and len(calls) == 1:
            text = solutions_text(program, sizes, constants, calls[0], names)
        else:
            text = _loop(pointwise_text(program, sizes, constants, names), in_lanes)
        head = f"def run(start, stop, {array_arguments(sizes)}constants, table, out):"
        tables = [_input(2)] * len(sizes)
        signature = numba.void(numba.int64, numba.int64, *tables, _input(1), _TABLE, numba.float64[:, ::1])
        compiled = _load(head, text, signature, program.parts, in_lanes)
        grain = _grain(program.parts, in_lanes, _FORMULAS)

        def run(*arguments: Any, table: np.ndarray | None = None) -> np.ndarray:
            out = np.empty((len(arguments[0]), len(program.outputs)))
            share_out(compiled, len(out), *arguments, _NO_TABLE if table is None else table, out, grain=grain)
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
        text = Text(functions, ["for task in range(start, stop):", *indented(body, 1)])
        head = f"def run(start, stop, {array_arguments(sizes)}{', '.join(TABLE_SUMS_ARGUMENTS)}):"
        tables = [_input(2)] * len(sizes)
        signature = numba.void(
            *(numba.int64, numba.int64, *tables, _input(1), _TABLE, numba.int64, numba.int64, numba.float64[:, :, ::1])
        )
        compiled = _load(head, text, signature, parts, in_lanes=False)
        finish = self.pointwise(after_sums(program, sizes, calls), [*sizes, width], constants)

        def run(*arguments: Any, table: np.ndarray) -> np.ndarray:
            *arrays, data = arguments
            batch, count = len(arrays[0]), table.shape[1]
            rows = max(8 * BLOCK, -(-count // 256))
            pieces = -(-count // rows)
            out = np.empty((pieces, batch, width))
            share_out(compiled, pieces * batch, *arguments, table, rows, batch, out, grain=1)
            return finish(*arrays, out.sum(axis=0), data)

        return run

    def trajectories(self, program: TrajectoryProgram) -> Callable[..., Any]:
        """A kernel that takes every trajectory of a batch from start to finish; see :class:`TrajectoryProgram`."""
        program = simplify_trajectory(program)
        parts = parts_of((*program.begun, *program.seen, *program.stepped))
        in_lanes = _fit_lanes(parts)
        text = _loop(trajectory_text(program, parts_text(parts)[0]), in_lanes)
        head = f"def run(start, stop, {', '.join(TRAJECTORY_ARGUMENTS)}):"
        compiled = _load(head, text, _TRAJECTORY_SIGNATURE, parts, in_lanes)
        grain = _grain(parts, in_lanes, _TRAJECTORIES)
        n = len(program.point)

        def run(
            starts: np.ndarray,
            step_sizes: np.ndarray,
            data: np.ndarray,
            steps: int,
            keep_all: bool,
            tolerance: float,
            table: np.ndarray | None = None,
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
            kept = steps + 1 if keep_all else 1
            points = np.empty((len(starts), kept, n))
            losses = np.empty((len(starts), kept))
            outcomes = np.empty(len(starts), dtype=np.int64)
            settings = (data, _NO_TABLE if table is None else table, steps, keep_all, tolerance * abs(tolerance))
            share_out(compiled, len(starts), starts, step_sizes, *settings, points, losses, outcomes, grain=grain)
            return points, losses, *separated(outcomes)

        return run


def _fit_lanes(parts: Sequence[Part]) -> bool:
    """Whether several entries are computed in lanes: if there are no parts but equations of formulas.

    All other algorithms branch on numbers, which lanes cannot each for itself.
    """
    return all(isinstance(part, Ode) and not any(p.parts for p in part.programs) for part in parts)


def _loop(text: Text, in_lanes: bool) -> Text:
    """The text of a kernel: a loop over the entries, or over as many at a time as there are lanes."""
    head = [f"for first in range(start, stop, {LANES}):", "    i = (first, stop)"]
    return Text(text.functions, [*(head if in_lanes else ["for i in range(start, stop):"]), *indented(text.body, 1)])


def _grain(parts: Sequence[Part], in_lanes: bool, without: int) -> int:
    """How many entries are worth handing to another core; `without` is how many where there are no parts."""
    if not parts:
        return without
    return _SOLUTIONS if in_lanes else 1


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
