"""The text that compiled targets share: what is done for one entry of a batch, and the functions that it calls.

A target puts a body into a loop over the batch, or into a thread of its own, and compiles it together with the
functions. In a body ``i`` is the place of the entry, or of several that are taken side by side: that is up to what
``load`` and ``store`` are. Formulas stand in functions without loops, decorated ``@straight``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from riemopt.kernels.graph.nodes import Node, nodes_of
from riemopt.kernels.graph.parts import Integral, Ode, Peak, TableSum
from riemopt.kernels.graph.programs import Part, Program, TrajectoryProgram, parts_of
from riemopt.kernels.graph.roots import Root
from riemopt.kernels.graph.simplification import simplify_program
from riemopt.kernels.text.expressions import item_of, number
from riemopt.kernels.text.reductions import integral_source, peak_source, sum_source
from riemopt.kernels.text.roots import root_source
from riemopt.kernels.text.statements import Statements, function, indented, listed
from riemopt.kernels.text.stepping import SOLUTION, solver_source

__all__ = [
    "LANES",
    "TABLE_SUMS_ARGUMENTS",
    "TRAJECTORY_ARGUMENTS",
    "Text",
    "after_sums",
    "array_arguments",
    "first_sums",
    "parts_text",
    "pointwise_text",
    "queued_text",
    "table_sums_text",
    "trajectory_text",
]

TABLE_SUMS_ARGUMENTS = ("constants", "table", "rows", "batch", "out")
"""What a kernel of sums over the table takes beside its arrays, and what it writes."""

TRAJECTORY_ARGUMENTS = (
    *("starts", "step_sizes", "data", "table", "steps", "keep_all", "tolerance"),
    *("points", "losses", "status"),
)
"""What a kernel of trajectories takes, and what it writes."""

LANES = 8
"""How many entries are computed side by side where that is possible."""

_QUEUE = 256
"""How many solutions wait for a lane; a multiple of :data:`LANES`."""


class Text(NamedTuple):
    """Functions, and the body that calls them."""

    functions: list[str]
    body: list[str]


def array_arguments(sizes: Sequence[int]) -> str:
    """The names of a kernel's arrays at the head of its arguments."""
    return "".join(f"a{k}, " for k in range(len(sizes)))


def pointwise_text(program: Program, sizes: Sequence[int], constants: int, parts: Mapping[Part, str]) -> Text:
    """What computes entry i of a program: from ``a0``, ``a1``, ... and ``constants`` to ``out``."""
    statements = Statements("values", parts)
    names, loads = _loaded(program, sizes, constants)
    body, values = statements.together(program.outputs, names)
    functions = [*_memory(sizes, len(program.outputs)), *statements.functions]
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
    """What takes some sums over a piece of the table for an entry, and how many sums there are.

    ``task`` counts the pieces of ``rows`` rows and, within each, the entries of the ``batch``. It goes from the arrays
    of :func:`pointwise_text` and ``table`` to ``out[piece, i]``; see :data:`TABLE_SUMS_ARGUMENTS`.
    """
    statements = Statements("arguments", parts)
    names, loads = _loaded(program, sizes, constants)
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
    return Text([*_memory(sizes, width), *statements.functions], body), width


def _loaded(program: Program, sizes: Sequence[int], constants: int) -> tuple[dict[Node, str], list[str]]:
    """The names of a program's inputs, and the statements that look them up, a row of an array after the other."""
    inputs = iter(program.inputs)
    names = {next(inputs): f"r{k}[{j}]" for k, size in enumerate(sizes) for j in range(size)}
    names |= {next(inputs): f"x{j}" for j in range(constants)}
    rows = [f"r{k} = load_{size}(a{k}, i)" for k, size in enumerate(sizes)]
    return names, rows + [f"x{j} = constants[{j}]" for j in range(constants)]


def _memory(loads: Iterable[int], stores: int) -> list[str]:
    """The text of the functions that read rows of some lengths, and write one of another."""
    texts = []
    for n in dict.fromkeys(loads):
        texts.append(f"@memory\ndef load_{n}(matrix, i):\n    return {listed(f'matrix[i, {j}]' for j in range(n))}\n")
    writes = "\n".join(f"    matrix[i, {j}] = row[{j}]" for j in range(stores))
    return [*texts, f"@memory\ndef store_{stores}(matrix, i, row):\n{writes}\n"]


def queued_text(program: Program, sizes: Sequence[int], constants: int, call: Node, parts: Mapping[Part, str]) -> Text:
    """What computes entries ``start`` to ``stop`` of a program whose only part is one equation.

    As many solutions are stepped side by side as there are lanes, and one that has come to its end makes room for the
    next, so that none waits for the others. That goes block by block: what leads to the equations of a block is kept in
    ``work``, a row for a number, then all of them are solved in ``lanes``, then what follows from them is computed.
    """
    ode, name, arrays = call.value, parts[call.value], len(sizes)
    state, slope = ([f"{letter}{j}" for j in range(ode.dimension)] for letter in "ys")
    solution = [*SOLUTION, *state, *slope]
    statements = Statements("values", parts)
    known, loads = _loaded(program, sizes, constants)
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
    return Text([*_memory(sizes, len(program.outputs)), *statements.functions], body)


def trajectory_text(program: TrajectoryProgram, parts: Mapping[Part, str]) -> Text:
    """What takes trajectory i from start to finish; it uses :data:`TRAJECTORY_ARGUMENTS`."""
    n, m = len(program.point), len(program.memory)
    names = {node: f"y[{j}]" for j, node in enumerate(program.point)} | {program.step_size[0]: "h"}
    names |= {node: f"d{j}" for j, node in enumerate(program.data)}

    statements = Statements("values", parts)
    begin, begun = statements.together(program.begun, dict(names))
    names |= {node: f"m[{j}]" for j, node in enumerate(program.memory)}
    observe = statements(program.seen, names, later=program.stepped)
    step, stepped = statements.together(program.stepped, names)
    seen, loss, speed = (names[node] for node in program.seen)
    keep = [
        f"store_{n}(points[:, slot], i, kept_point(outcome, y))",
        "store(losses[:, slot], i, kept(outcome, loss))",
    ]
    body = [
        *(f"d{j} = data[{j}]" for j in range(len(program.data))),
        f"y = load_{n}(starts, i)",
        "h = load(step_sizes, i)",
        *begin,
        f"begun = {begun}",
        *(["m = begun[1:]"] if m else []),
        "outcome = spread(-1.0)",
        "loss = spread(NAN)",
        "for k in range(steps + 1):",
        *indented(observe, 1),
        f"    outcome, loss = judged(outcome, {seen}, loss, {loss}, {speed}, tolerance)",
        "    slot = k if keep_all else 0",
        *indented(keep, 1),
        "    if ended(outcome):",
        "        for slot in range(k + 1, steps + 1 if keep_all else 0):",
        *indented(keep, 3),
        "        break",
        "    if k == steps:",
        "        break",
        *indented(step, 1),
        f"    stepped = {stepped}",
        "    outcome = failed(outcome, begun[0], stepped[0])",
        f"    y = moved_point(outcome, stepped[1:{n + 1}], y)",
        *([f"    m = moved_memory(outcome, stepped[{n + 1}:], m)"] if m else []),
        "store(status, i, finished(outcome))",
    ]
    functions = [
        *_memory([n], n),
        *statements.functions,
        _each("kept_point", ("outcome", "y"), n, "kept(outcome, y[{j}])"),
    ]
    for what, size in (("point", n), ("memory", m)):
        entry = "moved(outcome, after[{j}], before[{j}])"
        functions += [_each(f"moved_{what}", ["outcome", "after", "before"], size, entry)] if size else []
    return Text(functions, body)


def _each(name: str, arguments: Sequence[str], size: int, entry: str) -> str:
    """The text of a function that returns a tuple, entry by entry."""
    returned = listed(entry.format(j=j) for j in range(size))
    return "\n".join(["@straight", f"def {name}({', '.join(arguments)}):", f"    return {returned}", ""])


def parts_text(parts: Sequence[Part]) -> tuple[dict[Part, str], str]:
    """The names and the text of some parts, and of those that they use themselves."""
    names: dict[Part, str] = {}
    texts: list[str] = []

    def add(part: Part) -> None:
        for needed in dict.fromkeys(p for program in part.programs for p in program.parts):
            if needed not in names:
                add(needed)
        name = f"{part.prefix}_{len(names)}"
        texts.append(_part_source(part, name, names))
        names[part] = name

    for part in parts:
        if part not in names:
            add(part)
    return names, "\n\n".join(texts)


def _part_source(part: Part, name: str, names: Mapping[Part, str]) -> str:
    if isinstance(part, TableSum):
        return sum_source(part, name, names)
    if isinstance(part, Integral):
        return integral_source(part, name, names)
    if isinstance(part, Peak):
        return peak_source(part, name, names)
    if isinstance(part, Root):
        return root_source(part, name, names)
    assert isinstance(part, Ode)
    return _ode_source(part, name, names)


def _ode_source(ode: Ode, name: str, names: Mapping[Part, str]) -> str:
    """The text of the solver of an equation, with its field."""
    is_straight = not any(program.parts for program in ode.programs)
    texts = [
        _field(
            ode,
            simplify_program(ode.field),
            f"{name}_field",
            names,
            lambda values: f"{values[0]}, {listed(values[1:])}",
        )
    ]
    if ode.approach is not None:
        texts.append(_field(ode, ode.approach, f"{name}_approach", names, listed))
    approach = f"{name}_approach" if ode.approach is not None else ""
    texts.append(solver_source(ode, name, f"{name}_field", approach, is_straight))
    return "\n\n".join(texts)


def _field(
    ode: Ode, program: Program, name: str, parts: Mapping[Part, str], result: Callable[[Sequence[str]], str]
) -> str:
    """The text of a function of y and p."""
    known = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    state, constants = list(known.values())[: ode.dimension], list(known.values())[ode.dimension :]
    lines = [f"{listed(state)} = y"]
    lines += ["p, table = p"] if ode.uses_table else []
    lines += [f"{listed(constants)} = p"] if constants else []
    return function(name, ["y", "p"], lines, program.outputs, known, parts, result)
