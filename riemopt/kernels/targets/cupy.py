"""The CuPy target: the generated text as kernels on a GPU, one thread for each entry of a batch.

Where ``NUMBA_ENABLE_CUDASIM=1`` is set before Numba is imported, Numba's simulator of CUDA runs the kernels on NumPy
arrays, slowly and without a GPU.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numba
import numpy as np

from riemopt.errors import BackendError
from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.programs import Part, Program, TrajectoryProgram, parts_of
from riemopt.kernels.graph.simplification import simplify_program, simplify_trajectory
from riemopt.kernels.store.precompiled import ForGpu
from riemopt.kernels.targets.compiled import MATH, Compiler
from riemopt.kernels.targets.numpy import BINDINGS
from riemopt.kernels.targets.target import Target, separated
from riemopt.kernels.text.kernel import Text, array_arguments
from riemopt.kernels.text.parts import parts_text
from riemopt.kernels.text.pointwise import TABLE_SUMS_ARGUMENTS, after_sums, first_sums, pointwise_text, table_sums_text
from riemopt.kernels.text.runtime import memory
from riemopt.kernels.text.statements import indented
from riemopt.kernels.text.trajectories import TRAJECTORY_ARGUMENTS, trajectory_text

__all__ = ["CupyTarget"]

_THREADS = 128
"""Threads of a block: what leaves each of them as many registers as it can address."""

_ROWS, _PIECES = 64, 4096
"""The fewest rows of a table that are worth a thread, and the number of pieces that a large table is cut into."""

_NUMBERS_A_STEP = 2_000
"""Numbers of a table that a single thread goes through in the time that the launches of a step take."""


class CupyTarget(Target):
    """Programs compiled for a GPU, launched on CuPy's current stream.

    Raises
    ------
    BackendError
        If CuPy or numba-cuda is not installed, or there is no GPU.
    """

    name = "cupy"
    fuses = True

    def __init__(self) -> None:
        self._device = _device()
        self.arrays = self._device.arrays
        self._no_table = self.arrays.zeros((1, 1))

    def pointwise(self, program: Program, sizes: Sequence[int], constants: int) -> Callable[..., Any]:
        """A program as a function of arrays; see :meth:`Target.pointwise`."""
        program = simplify_program(program)
        calls = first_sums(program)
        if calls:
            return self._in_two_passes(program, sizes, constants, calls)
        text = pointwise_text(program, sizes, constants, parts_text(program.parts)[0])
        head = f"def run({array_arguments(sizes)}constants, table, out):"
        types = [*[_MATRIX] * len(sizes), _VECTOR, _TABLE, "float64[:, ::1]"]
        launch = self._device.load(head, _threaded(text, "i", "out.shape[0]"), types, program.parts)

        def run(*arguments: Any, table: Any = None) -> Any:
            out = self.arrays.empty((len(arguments[0]), len(program.outputs)))
            launch(len(out), *arguments, self._no_table if table is None else table, out)
            return out

        return run

    def _in_two_passes(
        self, program: Program, sizes: Sequence[int], constants: int, calls: Sequence[Node]
    ) -> Callable[..., Any]:
        """A program whose sums over the table are taken first, a thread for each piece of the table and each entry."""
        parts = [call.value for call in calls]
        text, width = table_sums_text(program, sizes, constants, calls, parts_text(parts)[0])
        text = _threaded(text, "task", "out.shape[0] * out.shape[1]")
        head = f"def run({array_arguments(sizes)}{', '.join(TABLE_SUMS_ARGUMENTS)}):"
        types = [*[_MATRIX] * len(sizes), _VECTOR, _TABLE, "int64", "int64", "float64[:, :, ::1]"]
        launch = self._device.load(head, text, types, parts)
        finish = self.pointwise(after_sums(program, sizes, calls), [*sizes, width], constants)

        def run(*arguments: Any, table: Any) -> Any:
            *arrays, data = arguments
            batch, count = len(arrays[0]), table.shape[1]
            rows = max(_ROWS, -(-count // _PIECES))
            out = self.arrays.empty((-(-count // rows), batch, width))
            launch(out.shape[0] * batch, *arguments, table, rows, batch, out)
            return finish(*arrays, out.sum(axis=0), data)

        return run

    def shares_rows(self, numbers: int, starts: int) -> bool:
        """Whether steps with shared rows are faster; see :meth:`Target.shares_rows`."""
        return numbers > _NUMBERS_A_STEP * starts

    def trajectories(self, program: TrajectoryProgram) -> Callable[..., Any]:
        """A kernel that takes a trajectory from start to finish in every thread; see :class:`TrajectoryProgram`."""
        program = simplify_trajectory(program)
        parts = parts_of((*program.begun, *program.seen, *program.stepped))
        text = _threaded(trajectory_text(program, parts_text(parts)[0]), "i", "outcomes.shape[0]")
        head = f"def run({', '.join(TRAJECTORY_ARGUMENTS)}):"
        results = ["float64[:, :, ::1]", "float64[:, ::1]", "int64[::1]"]
        types = [_MATRIX, _VECTOR, _VECTOR, _TABLE, "int64", "int64", "float64", *results]
        launch = self._device.load(head, text, types, parts)
        n = len(program.point)

        def run(
            starts: Any, step_sizes: Any, data: Any, steps: int, keep_all: bool, tolerance: float, table: Any = None
        ) -> tuple[Any, Any, Any, Any]:
            count, kept = len(starts), steps + 1 if keep_all else 1
            points, losses = self.arrays.empty((count, kept, n)), self.arrays.empty((count, kept))
            outcomes = self.arrays.empty(count, dtype="int64")
            settings = (data, self._no_table if table is None else table, steps, int(keep_all))
            launch(count, starts, step_sizes, *settings, tolerance * abs(tolerance), points, losses, outcomes)
            return points, losses, *separated(outcomes)

        return run


def _threaded(text: Text, place: str, count: str) -> Text:
    """What a thread does whose place is below the count."""
    return Text(text.functions, [f"{place} = cuda.grid(1)", f"if {place} < {count}:", *indented(text.body, 1)])


_MATRIX, _VECTOR, _TABLE = "float64[:, :]", "float64[:]", "float64[:, ::1]"
"""The types of what is only read. Entries and constants are of any layout, so that a broadcast view is not copied."""


class _Device:
    """A GPU: CuPy's arrays, and numba-cuda's compiler."""

    def __init__(self) -> None:
        extra = 'pip install "riemopt[cupy]"'
        try:
            import cupy
            import numba_cuda  # noqa: F401
            from numba import cuda
        except ImportError as error:
            raise BackendError(f"backend='cupy' needs what {extra} installs: {error}") from error
        if not cuda.is_available():
            reason = " ".join(str(cuda.cuda_error() or "the compiler NVVM is missing").split())
            raise BackendError(f"backend='cupy' needs a GPU and its driver beside what {extra} installs: {reason}")
        self._set_up(cupy, cuda, MATH)

    def _set_up(self, arrays: Any, cuda: Any, functions: Mapping[str, Any]) -> None:
        self.arrays, self._cuda = arrays, cuda
        # whatever calls what is compiled as one, and short functions vanish in it
        function = functools.partial(cuda.jit, device=True)
        self._compiler = Compiler(
            lambda straight, definition, inline: function(straight),
            function,
            function,
            {**functions, "cuda": cuda},
            [(inspect.getsource(memory), memory.__name__)],
        )

    def load(self, head: str, text: Text, types: Sequence[str], parts: Sequence[Part]) -> Callable[..., None]:
        """What launches the kernel ``run`` of a text: takes the number of threads, and the kernel's arguments."""
        signature = f"void({', '.join(types)})"
        kernel = self._compiler.load(head, text, functools.partial(self._kernel, signature), parts)

        def launch(count: int, *arguments: Any) -> None:
            if count:
                threads = min(count, _THREADS)
                self._launch(kernel, -(-count // threads), threads, arguments)

        return launch

    def _kernel(self, signature: str, name: str, alone: Callable[[], Any], complete: Callable[[], Any]) -> Any:
        return ForGpu(self._cuda.jit).load(signature, name, alone, complete)

    def _launch(self, kernel: Any, blocks: int, threads: int, arguments: Sequence[Any]) -> None:
        pointer = self.arrays.cuda.get_current_stream().ptr
        # 0 is the default stream to both libraries
        stream = self._cuda.external_stream(pointer) if pointer else 0
        with warnings.catch_warnings():
            # against few blocks; but a batch is as large as it is
            warnings.simplefilter("ignore")
            configured = kernel[blocks, threads, stream]
        configured(*arguments)


class _Simulator(_Device):
    """Numba's simulator: NumPy's arrays, and plain Python."""

    def __init__(self) -> None:
        from numba import cuda

        # where CUDA goes on with a number that is not finite, Python's own functions raise
        self._set_up(np, cuda, {name: BINDINGS[name] for name in MATH})

    def _kernel(self, signature: str, name: str, alone: Callable[[], Any], complete: Callable[[], Any]) -> Any:
        return self._cuda.jit(signature)(complete())

    def _launch(self, kernel: Any, blocks: int, threads: int, arguments: Sequence[Any]) -> None:
        from numba.cuda.cudadrv.devicearray import FakeCUDAArray

        # an array of NumPy itself would be copied, there and back; and threads of one block would be threads of Python,
        # at the mercy of what others do to the globals of a function: NumPy's warnings are kept there
        kernel[blocks * threads, 1](*(FakeCUDAArray(a) if isinstance(a, np.ndarray) else a for a in arguments))


@functools.cache
def _device() -> _Device:
    return _Simulator() if numba.config.ENABLE_CUDASIM else _Device()
