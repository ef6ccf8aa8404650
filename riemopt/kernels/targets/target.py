"""The interface of targets: a target runs programs on arrays of a batch, and :class:`Kernel` gives these their axes.

A program computes numbers from numbers. A target makes of it a function of matrices, a row for each entry of a batch:
by NumPy, compiled for the processor, or compiled for a GPU. A user's arrays have any number of leading axes, which
broadcast, and the trailing axes of a point, a vector or a matrix. A kernel stands between the two.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from riemopt.errors import ShapeError
from riemopt.kernels.graph.programs import Program, TrajectoryProgram
from riemopt.kernels.text.runtime.outcomes import STATUSES
from riemopt.numerics.arrays import as_numbers

__all__ = ["Kernel", "Target", "broadcast", "separated"]

ArrayFunction = Callable[..., np.ndarray]

_LARGE_TABLE, _FEW_STARTS = 100_000, 8
"""Numbers in a table from which on a step is worth more than one core, and starts that leave some of them idle."""


class Target(ABC):
    """What runs programs on arrays.

    Attributes
    ----------
    name : str
        The backend that a user asks for.
    arrays : module
        What its arrays are of: NumPy, or CuPy on a GPU.
    fuses : bool
        Whether it runs whole trajectories in one kernel; else update rules run on its arrays step by step, in Python.
    """

    name: str
    arrays: Any = np
    fuses = False

    @abstractmethod
    def pointwise(self, program: Program, sizes: Sequence[int], constants: int) -> ArrayFunction:
        """A program as a function of arrays.

        Parameters
        ----------
        program : Program
            Its inputs are those of the arrays, one after the other, then the constants.
        sizes : sequence of int
            The length of the last axis of each array.
        constants : int
            The number of constants.

        Returns
        -------
        callable
            Takes arrays of shape (batch, size), a vector of constants, and, for a program that sums over them, the rows
            as ``table=`` of shape (columns, N); returns an array (batch, outputs).
        """

    def shares_rows(self, numbers: int, starts: int) -> bool:
        """Whether trajectories over a large table run faster step by step than each in a thread of its own.

        Step by step, the sums over the table are shared among all cores or threads. With few trajectories, each in a
        thread of its own, most of these would be idle.

        Parameters
        ----------
        numbers : int
            How many numbers the table holds.
        starts : int
            How many trajectories there are.
        """
        return numbers > _LARGE_TABLE and starts < _FEW_STARTS

    def trajectories(self, program: TrajectoryProgram) -> Callable[..., Any]:
        """A kernel that runs whole trajectories, where :attr:`fuses` says that there are any."""
        raise NotImplementedError


def separated(outcomes: Any) -> tuple[Any, Any]:
    """Status and steps taken of trajectories, from the numbers that kernels write; these are overwritten.

    Parameters
    ----------
    outcomes : array of int, shape (batch,)
        Status and steps; see :data:`riemopt.kernels.text.runtime.outcomes.STATUSES`.

    Returns
    -------
    tuple of array
        The status, shape (batch,), and the steps, of this shape, too, or (1,) if all have taken as many.
    """
    statuses = int(STATUSES)
    alike = len(outcomes) and int(outcomes.min()) // statuses == int(outcomes.max()) // statuses
    taken = (outcomes[:1] if alike else outcomes) // statuses
    outcomes %= statuses
    return outcomes, taken


class Kernel:
    """A program as a function of a user's arrays: shapes checked, leading axes broadcast, results given their axes.

    Parameters
    ----------
    target : Target
        What runs the program.
    program : Program
        Its first output is a status, the others are the values.
    arguments : sequence of (str, tuple of int)
        The name and the trailing axes of each array.
    outputs : sequence of tuple of int
        The trailing axes of each result.
    constants : int, optional
        The number of constants that follow the arrays.
    status : bool, optional
        Whether the status is wanted beside the values.
    """

    def __init__(
        self,
        target: Target,
        program: Program,
        arguments: Sequence[tuple[str, tuple[int, ...]]],
        outputs: Sequence[tuple[int, ...]],
        constants: int = 0,
        status: bool = True,
    ) -> None:
        self.arguments, self.outputs = tuple(arguments), ((), *outputs) if status else tuple(outputs)
        self._arrays = target.arrays
        if not status:
            program = Program(program.inputs, program.outputs[1:])
        self._run = target.pointwise(program, [math.prod(axes) for _, axes in self.arguments], constants)

    def __call__(self, *arrays: Any, constants: Any = (), table: np.ndarray | None = None) -> list[np.ndarray]:
        """The status, if it is wanted, and the values, on the broadcast of the arrays' leading axes."""
        batch, flat = broadcast(arrays, self.arguments, self._arrays)
        rows = {} if table is None else {"table": table}
        result = self._run(*flat, self._arrays.asarray(constants, dtype=np.float64), **rows)
        values, position = [], 0
        for axes in self.outputs:
            size = math.prod(axes)
            values.append(result[:, position : position + size].reshape(batch + axes))
            position += size
        return values


def broadcast(
    arrays: Sequence[Any], arguments: Sequence[tuple[str, tuple[int, ...]]], module: Any = np
) -> tuple[tuple[int, ...], list[np.ndarray]]:
    """Arrays on the broadcast of their leading axes.

    Parameters
    ----------
    arrays : sequence of array_like
        What a user gave.
    arguments : sequence of (str, tuple of int)
        The name and the trailing axes of each.
    module : module, optional
        NumPy or CuPy, whose arrays are wanted.

    Returns
    -------
    batch : tuple of int
        The leading axes.
    flat : list of array, shape (batch, size)
        The arrays, with one leading and one trailing axis; views where that is possible.

    Raises
    ------
    ShapeError
        If trailing axes do not fit or leading axes do not broadcast.
    """
    checked = [_with_axes(a, *argument, module) for a, argument in zip(arrays, arguments, strict=True)]
    if all(len(axes) == 1 for _, axes in arguments) and all(a.ndim == 2 and len(a) == len(checked[0]) for a in checked):
        return checked[0].shape[:1], checked  # as most calls from inside are: nothing to do
    try:
        batch = np.broadcast_shapes(
            *(a.shape[: a.ndim - len(axes)] for a, (_, axes) in zip(checked, arguments, strict=True))
        )
    except ValueError:
        shapes = ", ".join(f"{name} {a.shape}" for a, (name, _) in zip(checked, arguments, strict=True))
        raise ShapeError(f"the leading axes do not broadcast: {shapes}") from None
    flat = [
        np.broadcast_to(a, batch + axes).reshape(math.prod(batch), math.prod(axes))
        for a, (_, axes) in zip(checked, arguments, strict=True)
    ]
    return batch, flat


def _with_axes(array: Any, name: str, axes: tuple[int, ...], module: Any) -> np.ndarray:
    numbers = as_numbers(array, name, module)
    if axes and numbers.shape[-len(axes) :] != axes:
        wanted = ", ".join(("...", *map(str, axes)))
        raise ShapeError(f"{name} has shape {numbers.shape}, but its axes must be ({wanted})")
    return numbers
