"""The text that compiled targets share: what is done for one entry of a batch, and the functions that it calls.

A target puts a body into a loop over the batch, or into a thread of its own, and compiles it together with the parts.
In a body ``i`` is the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from riemopt.kernels.lowering import (
    Integral,
    Node,
    Ode,
    Part,
    Peak,
    Program,
    Root,
    TableSum,
    emit,
    nodes_of,
    parts_of,
)
from riemopt.kernels.reductions import integral_source, peak_source, sum_source
from riemopt.kernels.roots import root_source
from riemopt.kernels.stepping import solver_source
from riemopt.kernels.target import TrajectoryProgram
from riemopt.status import Status

__all__ = [
    "TABLE_SUMS_ARGUMENTS",
    "TRAJECTORY_ARGUMENTS",
    "after_sums",
    "first_sums",
    "indented",
    "parts_text",
    "pointwise_body",
    "table_sums_body",
    "trajectory_body",
]

TABLE_SUMS_ARGUMENTS = ("constants", "table", "rows", "batch", "out")
"""What a kernel of sums over the table takes beside its arrays, and what it writes."""

TRAJECTORY_ARGUMENTS = (
    *("starts", "step_sizes", "data", "table", "steps", "keep_all", "tolerance"),
    *("points", "losses", "status"),
)
"""What a kernel of trajectories takes, and what it writes."""


def pointwise_body(program: Program, sizes: Sequence[int], constants: int, parts: Mapping[Part, str]) -> list[str]:
    """The statements that compute entry i of a program: from ``a0``, ``a1``, ... and ``constants`` to ``out``."""
    names, body = _loaded(program, sizes, constants)
    body += emit(program.outputs, names, parts)
    return body + [f"out[i, {j}] = {names[node]}" for j, node in enumerate(program.outputs)]


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


def table_sums_body(
    program: Program, sizes: Sequence[int], constants: int, calls: Sequence[Node], parts: Mapping[Part, str]
) -> tuple[list[str], int]:
    """The statements that take some sums over a piece of the table for an entry, and how many sums there are.

    ``task`` counts the pieces of ``rows`` rows and, within each, the entries of the ``batch``. The statements go from
    the arrays of :func:`pointwise_body` and ``table`` to ``out[piece, i]``; see :data:`TABLE_SUMS_ARGUMENTS`.
    """
    names, loaded = _loaded(program, sizes, constants)
    body = [
        "piece = task // batch",
        "i = task % batch",
        "first = piece * rows",
        "last = min(table.shape[1], first + rows)",
        *loaded,
        *emit([arg for call in calls for arg in call.args], names, parts),
    ]
    width = 0
    for call in calls:
        packed = "".join(f"{names[arg]}, " for arg in call.args)
        body.append(f"s = {parts[call.value]}_rows(({packed}), table, first, last)")
        body += [f"out[piece, i, {width + j}] = s[{j}]" for j in range(call.value.size)]
        width += call.value.size
    return body, width


def _loaded(program: Program, sizes: Sequence[int], constants: int) -> tuple[dict[Node, str], list[str]]:
    """The names of a program's inputs, and the statements that look them up."""
    entries = [f"a{k}[i, {j}]" for k, size in enumerate(sizes) for j in range(size)]
    entries += [f"constants[{j}]" for j in range(constants)]
    names = {node: f"x{k}" for k, node in enumerate(program.inputs)}
    return names, [f"{name} = {entry}" for name, entry in zip(names.values(), entries, strict=True)]


def trajectory_body(program: TrajectoryProgram, parts: Mapping[Part, str]) -> list[str]:
    """The statements that take trajectory i from start to finish; they use :data:`TRAJECTORY_ARGUMENTS`."""
    n = len(program.point)
    point = [f"y{j}" for j in range(n)]
    memory = [f"m{j}" for j in range(len(program.memory))]
    names = dict(zip(program.point, point, strict=True)) | {program.step_size[0]: "h"}
    names |= {node: f"d{j}" for j, node in enumerate(program.data)}

    before = dict(names)
    begin = emit(program.begun, before, parts, prefix="b")
    begin += [f"m{j} = {before[node]}" for j, node in enumerate(program.begun[1:])]
    names |= dict(zip(program.memory, memory, strict=True))
    observe = emit(program.seen, names, parts)
    step = emit(program.stepped, names, parts)
    seen, loss, speed = (names[node] for node in program.seen)
    stepped, *following = (names[node] for node in program.stepped)
    moved = ", ".join([*point, *memory])
    return [
        *(f"d{j} = data[{j}]" for j in range(len(program.data))),
        *(f"{name} = starts[i, {j}]" for j, name in enumerate(point)),
        "h = step_sizes[i]",
        *begin,
        f"begun = {before[program.begun[0]]}",
        f"outcome = {int(Status.COMPLETED)}",
        "last = -1",
        "for k in range(steps + 1):",
        *indented(observe, 1),
        f"    if {seen} != 0.0:",
        f"        outcome = int({seen})",
        "        break",
        "    last = k",
        "    slot = k if keep_all else 0",
        *(f"    points[i, slot, {j}] = {name}" for j, name in enumerate(point)),
        f"    losses[i, slot] = {loss}",
        f"    if {speed} <= tolerance:",
        f"        outcome = {int(Status.CONVERGED)}",
        "        break",
        "    if k == steps:",
        "        break",
        *indented(step, 1),
        f"    failure = begun if begun != 0.0 else {stepped}",
        "    if failure != 0.0:",
        "        outcome = int(failure)",
        "        break",
        f"    {moved}, = {', '.join(following)},",
        "status[i] = outcome",
        f"converged = outcome == {int(Status.CONVERGED)}",
        "if keep_all:",
        "    for k in range(last + 1, steps + 1):",
        *(f"        points[i, k, {j}] = points[i, last, {j}] if converged else NAN" for j in range(n)),
        "        losses[i, k] = losses[i, last] if converged else NAN",
        f"elif outcome > {int(Status.CONVERGED)}:",
        *(f"    points[i, 0, {j}] = NAN" for j in range(n)),
        "    losses[i, 0] = NAN",
    ]


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
    texts = []
    lines, (status, *derivative) = _field(part, part.field, names)
    lines.append(f"return {status}, ({''.join(f'{x}, ' for x in derivative)})")
    # a field that integrates is called from every stage, and too long to stand there
    inlined = "@plain" if part.field.parts else "@inner"
    texts.append("\n".join([inlined, f"def {name}_field(y, p):", *indented(lines, 1), ""]))
    if part.approach is not None:
        lines, rates = _field(part, part.approach, names)
        lines.append(f"return {', '.join(rates)}")
        texts.append("\n".join(["@inner", f"def {name}_approach(y, p):", *indented(lines, 1), ""]))
    approach = f"{name}_approach" if part.approach is not None else ""
    texts.append("@inner\n" + solver_source(part, name, f"{name}_field", approach))
    return "\n\n".join(texts)


def _field(ode: Ode, program: Program, names: Mapping[Part, str]) -> tuple[list[str], list[str]]:
    """The statements of a program of y and p, and the names of its outputs."""
    inputs = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    state, constants = list(inputs.values())[: ode.dimension], list(inputs.values())[ode.dimension :]
    lines = [f"{''.join(f'{x}, ' for x in state)} = y"]
    lines += ["p, table = p"] if ode.uses_table else []
    lines += [f"{''.join(f'{x}, ' for x in constants)} = p"] if constants else []
    lines += emit(program.outputs, inputs, names)
    return lines, [inputs[node] for node in program.outputs]


def indented(lines: Iterable[str], depth: int) -> list[str]:
    """Statements inside a block."""
    return [depth * "    " + line for line in lines]
