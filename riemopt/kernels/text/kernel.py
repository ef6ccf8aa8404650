"""What the text of a kernel consists of, and how it reads and writes the rows of its arrays.

A kernel computes the entries of a batch: rows of its arrays ``a0``, ``a1``, ... The modules beside this one write, as a
:class:`Text`, what is done for one entry. In it ``i`` is where the entry is in the batch. A target puts the body into a
loop over the batch, or into a thread of a GPU for each entry, and compiles it together with the functions, each by its
decorator:

``@straight``
    has no loops, only arithmetic: formulas. Of such functions the Numba target makes instructions itself, for one entry
    or for several in lanes.
``@plain``
    may have loops and decisions: the algorithms.
``@memory``
    reads or writes a row. A target has its own ones; the text says what they do for one entry.

Where entries are in lanes, ``i`` stands for :data:`LANES` of them, and every variable for as many numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.text.statements import listed

__all__ = ["LANES", "Text", "array_arguments", "loaded", "row_functions"]

LANES = 8
"""How many entries are computed with one instruction where that is possible."""


class Text(NamedTuple):
    """The text of a kernel.

    Attributes
    ----------
    functions : list of str
        The functions that the body calls.
    body : list of str
        The statements for one entry of a batch.
    """

    functions: list[str]
    body: list[str]


def array_arguments(sizes: Sequence[int]) -> str:
    """The names of a kernel's arrays at the head of its arguments."""
    return "".join(f"a{k}, " for k in range(len(sizes)))


def loaded(program: Program, sizes: Sequence[int], constants: int) -> tuple[dict[Node, str], list[str]]:
    """The names of a program's inputs, and the statements that look them up, a row of an array after the other."""
    inputs = iter(program.inputs)
    names = {next(inputs): f"r{k}[{j}]" for k, size in enumerate(sizes) for j in range(size)}
    names |= {next(inputs): f"x{j}" for j in range(constants)}
    rows = [f"r{k} = load_{size}(a{k}, i)" for k, size in enumerate(sizes)]
    return names, rows + [f"x{j} = constants[{j}]" for j in range(constants)]


def row_functions(loads: Iterable[int], stores: int) -> list[str]:
    """The text of functions ``load_n`` and ``store_n`` that read rows of some lengths n, and write one of another."""
    texts = []
    for n in dict.fromkeys(loads):
        texts.append(f"@memory\ndef load_{n}(matrix, i):\n    return {listed(f'matrix[i, {j}]' for j in range(n))}\n")
    writes = "\n".join(f"    matrix[i, {j}] = row[{j}]" for j in range(stores))
    return [*texts, f"@memory\ndef store_{stores}(matrix, i, row):\n{writes}\n"]
