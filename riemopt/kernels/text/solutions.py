"""The text of kernels that solve one equation for every entry of a batch, in lanes that never wait for one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from riemopt.kernels.graph.nodes import Node, nodes_of
from riemopt.kernels.graph.programs import Part, Program
from riemopt.kernels.text.expressions import item_of, number
from riemopt.kernels.text.kernel import LANES, Text, loaded, row_functions
from riemopt.kernels.text.statements import Statements, indented, listed
from riemopt.kernels.text.stepping import SOLUTION

__all__ = ["solutions_text"]

_QUEUE = 256
"""How many solutions wait for a lane; a multiple of :data:`~riemopt.kernels.text.kernel.LANES`."""


def solutions_text(
    program: Program, sizes: Sequence[int], constants: int, call: Node, parts: Mapping[Part, str]
) -> Text:
    """The text that computes entries ``start`` to ``stop`` of a program whose only part is one equation.

    As many solutions are stepped at a time as there are lanes. One that has come to its end makes room for the next, so
    that none waits for the others. That goes block by block:

    1. What leads to the equations of a block is computed, and each solution begun: ``work`` has a column for each of
       them, with its six numbers, state, derivative and constants one below the other.
    2. Columns move from ``work`` to ``lanes`` (``coming`` is the next one, ``places`` says which is in a lane,
       ``going`` how many are), all lanes advance by a step, and the columns of solutions that have ended move back.
    3. What follows from the solutions is computed.

    Parameters
    ----------
    program, sizes, constants, parts
        See :func:`~riemopt.kernels.text.pointwise.pointwise_text`.
    call : Node
        The use of the equation.
    """
    ode, name, arrays = call.value, parts[call.value], len(sizes)
    state, slope = ([f"{letter}{j}" for j in range(ode.dimension)] for letter in "ys")
    solution = [*SOLUTION, *state, *slope]
    statements = Statements("values", parts)
    known, loads = loaded(program, sizes, constants)
    names = dict(known)
    begin = statements([node for node in call.args if not node.is_constant], names)
    names |= {node: number(node.value) for node in call.args if node.is_constant}
    # what is not the same for all entries has a row, too
    moving = [
        node for node in call.args[ode.dimension :] if not (node.is_constant or node in program.inputs[sum(sizes) :])
    ]
    given = {node: f"p{j}" for j, node in enumerate(moving)}
    rows = [*solution, *given.values()]
    begin += [f"{x} = spread({names[node]})" for x, node in zip(state, call.args, strict=False)]
    begin += [f"{x} = spread({names[node]})" for node, x in given.items()]
    others = [given.get(node, names[node]) for node in call.args[ode.dimension :]]
    settings = f"{listed(others[:-3])}, {', '.join(others[-3:])}"
    after = {**known, **given}
    after |= {item: item_of(item, "solved") for item in nodes_of(program.outputs, after) if item.args == (call,)}
    finish, values = statements.together(program.outputs, after)

    def fetched(names: Iterable[str], memory: str, place: str) -> list[str]:
        return [f"{x} = fetch({memory}[{rows.index(x)}], {place})" for x in names]

    def kept(names: Iterable[str], memory: str, place: str) -> list[str]:
        return [f"keep({memory}[{rows.index(x)}], {place}, {x})" for x in names]

    whole = f"{listed(state)}, {listed(slope)}, {', '.join(SOLUTION)}"
    body = [
        *loads[arrays:],
        f"work = empty(({len(rows)}, {_QUEUE}))",
        f"lanes = zeros(({len(rows)}, {LANES}))",
        f"places = [-1] * {LANES}",
        f"for first in range(start, stop, {_QUEUE}):",
        f"    total = min({_QUEUE}, stop - first)",
        f"    for place in range(0, total, {LANES}):",
        "        i = (first + place, first + total)",
        *indented(loads[:arrays], 2),
        *indented(begin, 2),
        f"        {listed(slope)}, {', '.join(SOLUTION)} = {name}_begin({listed(state)}, {settings})",
        *indented(kept(rows, "work", "place"), 2),
        "    coming = 0",
        "    going = 0",
        "    while True:",
        f"        for lane in range({LANES}):",
        "            if lanes[0, lane] < 0.0:",
        "                continue",
        "            if places[lane] >= 0:",
        f"                for row in range({len(solution)}):",
        "                    work[row, places[lane]] = lanes[row, lane]",
        "                places[lane] = -1",
        "                going -= 1",
        "            while coming < total and work[0, coming] >= 0.0:",
        "                coming += 1",
        "            if coming < total:",
        f"                for row in range({len(rows)}):",
        "                    lanes[row, lane] = work[row, coming]",
        "                places[lane] = coming",
        "                coming += 1",
        "                going += 1",
        "        if going == 0:",
        "            break",
        *indented(fetched(rows, "lanes", "0"), 2),
        f"        {whole} = {name}_advance({whole}, {settings})",
        *indented(kept(solution, "lanes", "0"), 2),
        f"    for place in range(0, total, {LANES}):",
        "        i = (first + place, first + total)",
        *indented(loads[:arrays], 2),
        *indented(fetched([*state, "outcome", "t", *given.values()], "work", "place"), 2),
        f"        solved = {name}_end({listed(state)}, outcome, t, {others[-3]})",
        *indented(finish, 2),
        f"        store_{len(program.outputs)}(out, i, {values})",
    ]
    return Text([*row_functions(sizes, len(program.outputs)), *statements.functions], body)
