"""Nodes as the text of assignments, and programs as that of straight-line functions.

The text never contains a name that a user chose: inputs and temporaries are numbered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from riemopt.kernels.graph.nodes import Node, nodes_of
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Part, Program

__all__ = ["call_text", "emit", "item_of", "number", "source"]

_OPERATORS = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "neg": "-{}",
    "pow": "{} ** {}",
    "lt": "{} < {}",
    "le": "{} <= {}",
    "gt": "{} > {}",
    "ge": "{} >= {}",
    "eq": "{} == {}",
    "ne": "{} != {}",
    "and": "{} & {}",
    "or": "{} | {}",
}


def source(program: Program, name: str) -> str:
    """The text of a scalar function that returns a program's outputs as a tuple.

    It calls the parts ``part_0``, ``part_1``, ... If one of them looks at the rows of a table, this is the last
    argument.
    """
    names = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    arguments = [*names.values(), "table"] if program.uses_table else list(names.values())
    head = f"def {name}({', '.join(arguments)}):"
    parts = {part: f"part_{i}" for i, part in enumerate(program.parts)}
    lines = emit(program.outputs, names, parts)
    returned = ", ".join(names[node] for node in program.outputs)
    return "\n".join([head, *(f"    {line}" for line in lines), f"    return ({returned},)", ""])


def emit(outputs: Iterable[Node], names: dict[Node, str], parts: Mapping[Part, str]) -> list[str]:
    """The statements that compute some outputs.

    Parameters
    ----------
    outputs : iterable of Node
        What to compute.
    names : dict of Node to str
        What is known already, the inputs at least, by its name in the text. The names of what is computed are added,
        so that a later call goes on from here and computes nothing twice.
    parts : mapping of Part to str
        What parts are called in the text. A part returns its status, and its values as a tuple.

    Returns
    -------
    list of str
        One assignment each.
    """
    lines = []
    for node in nodes_of(outputs, names):
        if node in names:
            continue
        args = [names[arg] for arg in node.args]
        if node.is_constant:
            names[node] = number(node.value)
        elif node.op == "item":
            names[node] = item_of(node, args[0])
        else:
            names[node] = f"t{node.index}"
            lines.append(f"{names[node]} = {_operation(node, args, parts)}")
    return lines


def _operation(node: Node, args: Sequence[str], parts: Mapping[Part, str]) -> str:
    template = _OPERATORS.get(node.op)
    if template is not None:
        return template.format(*args)
    if node.op == "part":
        return call_text(node.value, parts[node.value], args)
    if node.op == "input":
        raise ValueError(f"the program uses {node.value!r}, which is not among its inputs")
    return f"{node.op}({', '.join(args)})"


def call_text(part: Part, name: str, args: Sequence[str]) -> str:
    """The text of a use of a part, from what it and its arguments are called.

    A part takes its arguments p as one tuple, with the table beside it if it looks at that. An equation takes its state
    in lanes before them, and the duration and the tolerances, which are its last three arguments, after them.
    """
    if not isinstance(part, Ode):
        return f"{name}({_packed(part, args)})"
    state, constants, settings = args[: part.dimension], args[part.dimension : -3], args[-3:]
    return f"{name}({_tuple([f'spread({x})' for x in state])}, {_packed(part, constants)}, {', '.join(settings)})"


def _packed(part: Part, names: Sequence[str]) -> str:
    return f"({_tuple(names)}, table)" if part.uses_table else _tuple(names)


def _tuple(names: Sequence[str]) -> str:
    return "(" + "".join(f"{name}, " for name in names).rstrip() + ")"


def item_of(item: Node, result: str) -> str:
    """The text of an item of what a part has returned: its status, or one of its values."""
    return f"{result}[1][{item.value - 1}]" if item.value else f"{result}[0]"


def number(value: float) -> str:
    """The text of a number."""
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    return repr(value) if value >= 0 and not math.copysign(1.0, value) < 0 else f"({value!r})"
