"""The text of kernels that run trajectories of an integrator from start to finish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riemopt.kernels.graph.programs import Part, TrajectoryProgram
from riemopt.kernels.text.kernel import Text, row_functions
from riemopt.kernels.text.statements import Statements, indented, listed

__all__ = ["TRAJECTORY_ARGUMENTS", "trajectory_text"]

TRAJECTORY_ARGUMENTS = (
    *("starts", "step_sizes", "data", "table", "steps", "keep_all", "tolerance"),
    *("points", "losses", "outcomes"),
)
"""What a kernel of trajectories takes, and what it writes."""


def trajectory_text(program: TrajectoryProgram, parts: Mapping[Part, str]) -> Text:
    """The text that runs trajectory i from start to finish.

    At every point it looks at the status, the loss and the norm of the gradient (``judged``), writes the point and the
    loss down, and steps on, until the trajectory has ended, or all in lanes have: what becomes of one that ends before
    the others is said in :mod:`riemopt.kernels.text.runtime.outcomes`.

    Parameters
    ----------
    program : TrajectoryProgram
        The integrator on the problem.
    parts : mapping of Part to str
        What parts are called in the text.

    Returns
    -------
    Text
        It uses the variables of :data:`TRAJECTORY_ARGUMENTS`.
    """
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
        "count = spread(0.0)",
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
        "    count = counted(outcome, count)",
        *indented(step, 1),
        f"    stepped = {stepped}",
        "    outcome = failed(outcome, begun[0], stepped[0])",
        f"    y = moved_point(outcome, stepped[1:{n + 1}], y)",
        *([f"    m = moved_memory(outcome, stepped[{n + 1}:], m)"] if m else []),
        "store(outcomes, i, finished(outcome, count))",
    ]
    functions = [
        *row_functions([n], n),
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
