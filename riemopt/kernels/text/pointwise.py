"""The text of kernels that compute a program at every entry of a batch, and of its sums over a table before that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riemopt.kernels.graph.nodes import Node, nodes_of
from riemopt.kernels.graph.parts import TableSum
from riemopt.kernels.graph.programs import Part, Program, parts_of
from riemopt.kernels.text.kernel import Text, loaded, row_functions
from riemopt.kernels.text.statements import Statements, listed

__all__ = ["TABLE_SUMS_ARGUMENTS", "after_sums", "first_sums", "pointwise_text", "table_sums_text"]

TABLE_SUMS_ARGUMENTS = ("constants", "table", "rows", "batch", "out")
"""What a kernel of sums over the table takes beside its arrays, and what it writes."""


def pointwise_text(program: Program, sizes: Sequence[int], constants: int, parts: Mapping[Part, str]) -> Text:
    """The text that computes entry i of a program: from ``a0``, ``a1``, ... and ``constants`` to ``out``.

    Parameters
    ----------
    program : Program
        Its inputs are those of the arrays, one after the other, then the constants.
    sizes : sequence of int
        The length of the rows of each array.
    constants : int
        The number of constants.
    parts : mapping of Part to str
        What parts are called in the text.
    """
    statements = Statements("values", parts)
    names, loads = loaded(program, sizes, constants)
    body, values = statements.together(program.outputs, names)
    functions = [*row_functions(sizes, len(program.outputs)), *statements.functions]
    return Text(functions, [*loads, *body, f"store_{len(program.outputs)}(out, i, {values})"])


def first_sums(program: Program) -> list[Node]:
    """The sums over the table, if a program has any and all of them can be taken before everything else."""
    sums = [part for part in program.parts if isinstance(part, TableSum)]
    calls = [n for n in nodes_of(program.outputs, program.inputs) if n.op == "part" and n.value in sums]
    return [] if any(part.uses_table for call in calls for part in parts_of(call.args, program.inputs)) else calls


def after_sums(program: Program, sizes: Sequence[int], calls: Sequence[Node]) -> Program:
    """The rest of a program when some sums are known: they are one more array, the last one."""
    found = [value for call in calls for value in call.graph.values(call)]
    arrays_end = sum(sizes)
    return Program((*program.inputs[:arrays_end], *found, *program.inputs[arrays_end:]), program.outputs)


def table_sums_text(
    program: Program, sizes: Sequence[int], constants: int, calls: Sequence[Node], parts: Mapping[Part, str]
) -> tuple[Text, int]:
    """The text that takes some sums over a piece of the table for an entry, and how many sums there are.

    ``task`` counts the pieces of ``rows`` rows and, within each, the entries of the ``batch``. It goes from the arrays
    of :func:`pointwise_text` and ``table`` to ``out[piece, i]``; see :data:`TABLE_SUMS_ARGUMENTS`.

    Parameters
    ----------
    program, sizes, constants, parts
        See :func:`pointwise_text`.
    calls : sequence of Node
        The sums; see :func:`first_sums`.
    """
    statements = Statements("arguments", parts)
    names, loads = loaded(program, sizes, constants)
    arguments = statements([arg for call in calls for arg in call.args], names)
    sums = [f"{parts[c.value]}_rows({listed(names[arg] for arg in c.args)}, table, first, last)" for c in calls]
    width = sum(call.value.size for call in calls)
    body = [
        "piece = task // batch",
        "i = task % batch",
        "first = piece * rows",
        "last = min(table.shape[1], first + rows)",
        *loads,
        *arguments,
        f"store_{width}(out[piece], i, {' + '.join(sums)})",
    ]
    return Text([*row_functions(sizes, width), *statements.functions], body), width
