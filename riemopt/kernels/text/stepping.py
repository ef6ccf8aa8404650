"""The text of the stepper's solvers: its algorithm on the equations of a kernel, and the stages of its method.

Every solution has its own step control, its stages live in scalars, and no coefficient that is zero is multiplied. The
arithmetic of the stages depends on the number of components only. It stands in a library of small functions of tuples,
compiled once and inlined everywhere, which keeps the text of every single solver short.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Part, Program
from riemopt.kernels.graph.simplification import simplify_program
from riemopt.kernels.text.algorithms import stepper
from riemopt.kernels.text.bound import Given, Static
from riemopt.kernels.text.specialize import specialized
from riemopt.kernels.text.statements import function, listed
from riemopt.numerics.tableaux import DORMAND_PRINCE_853, Row

__all__ = ["SOLUTION", "library_source", "ode_source"]

_ERROR_STAGES = sorted(set().union(*DORMAND_PRINCE_853.errors))

_NO_SCALE = 1e-300
"""What errors are compared with where both tolerances of a component vanish."""

_BLOCK = 4
"""The number of components up to which the arithmetic is written out; longer states are taken in blocks."""


def library_source(dimension: int) -> tuple[str, tuple[int, ...]]:
    """The text of the functions that every solver of a dimension calls, and the smaller dimensions they build on.

    Their names end in ``_of_`` and the dimension: ``stage_1`` to ``stage_11`` and ``advance`` are the points of the
    stages and the end of the step; ``error_sums`` the sums of squares that the error is made of; ``square_sum`` and
    ``change_sum`` those of a scaled vector and of a scaled difference.
    """
    rows = {f"stage_{stage}": row for stage, row in enumerate(DORMAND_PRINCE_853.stages, start=1)}
    rows["advance"] = DORMAND_PRINCE_853.weights
    heads = {name: ["y", "d", *(f"k{stage}" for stage in row)] for name, row in rows.items()}
    heads["error_sums"] = ["y", "z", "rtol", "atol", *(f"k{stage}" for stage in _ERROR_STAGES)]
    heads["choose"] = ["c", "a", "b"]
    heads["square_sum"] = ["v", "y", "rtol", "atol"]
    heads["change_sum"] = ["v", "u", "y", "rtol", "atol"]
    write = _written_out if dimension <= _BLOCK else _in_blocks
    text = [
        f"def {name}_of_{dimension}({', '.join(head)}):\n    return {write(name, head, rows.get(name), dimension)}\n"
        for name, head in heads.items()
    ]
    return "\n\n".join(text), () if dimension <= _BLOCK else tuple(sorted(set(_blocks(dimension).values())))


def _blocks(dimension: int) -> dict[int, int]:
    """Where each block of a long state begins, and how long it is."""
    return {start: min(_BLOCK, dimension - start) for start in range(0, dimension, _BLOCK)}


def _written_out(name: str, head: list[str], row: Row | None, dimension: int) -> str:
    def each(entry: Callable[[int], str], join: str) -> str:
        return join.join(entry(i) for i in range(dimension))

    if row is not None:
        return f"({each(lambda i: f'y[{i}] + d * ({_combination(row, i)})', ', ')},)"
    if name == "choose":
        return f"({each(lambda i: f'select(c, a[{i}], b[{i}])', ', ')},)"
    if name == "error_sums":
        scale = f"maximum(atol + rtol * maximum(absolute(y[{{i}}]), absolute(z[{{i}}])), {_NO_SCALE})"
        tableau = DORMAND_PRINCE_853
        sums = [
            each(lambda i, r=r: f"square(({_combination(r, i)}) / {scale.format(i=i)})", " + ")  # type: ignore[misc]
            for r in tableau.errors
        ]
        return f"({sums[0]}, {sums[1]})"
    vector = "v[{i}]" if name == "square_sum" else "(v[{i}] - u[{i}])"
    scale = f"maximum(atol + rtol * absolute(y[{{i}}]), {_NO_SCALE})"
    return each(lambda i: f"square({vector.format(i=i)} / {scale.format(i=i)})", " + ")


def _in_blocks(name: str, head: list[str], row: Row | None, dimension: int) -> str:
    scalars = ("c", "d", "rtol", "atol")
    calls = [
        f"{name}_of_{size}({', '.join(a if a in scalars else f'{a}[{start}:{start + size}]' for a in head)})"
        for start, size in _blocks(dimension).items()
    ]
    if name == "error_sums":
        return functools.reduce(lambda a, b: f"add_pairs({a}, {b})", calls)
    return " + ".join(calls)


SOLUTION = ("outcome", "t", "h", "cause", "largest", "count")
"""What is known of a solution on its way besides the state and its derivative; see :mod:`~.algorithms.stepper`."""


def ode_source(ode: Ode, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function that solves an equation, and of what it calls.

    Parameters
    ----------
    ode : Ode
        The equation.
    name : str
        The name of the function of the state and the equation's constants as tuples, of the duration (of either sign),
        the relative and the absolute tolerance. It returns the status, and the state at the end, or NaN, with the time
        reached behind it. It is made of three others, for a kernel that keeps several solutions going: ``{name}_begin``
        gives what :data:`SOLUTION` names, ``{name}_advance`` takes one step, and ``{name}_end`` makes of that what the
        whole returns. They call the functions of :mod:`~.runtime.step_control` and of :func:`library_source`.
    parts : mapping of Part to str
        What the parts within it are called in the text.
    """
    is_straight = not any(program.parts for program in ode.programs)
    texts = [
        _field(
            ode,
            simplify_program(ode.field),
            f"{name}_field",
            parts,
            lambda values: f"{values[0]}, {listed(values[1:])}",
        )
    ]
    if ode.approach is not None:
        texts.append(_field(ode, ode.approach, f"{name}_approach", parts, listed))
    approach = f"{name}_approach" if ode.approach is not None else ""
    texts.append(_solver(ode, name, f"{name}_field", approach, is_straight))
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


def _solver(ode: Ode, name: str, field: str, approach: str, is_straight: bool) -> str:
    """The text of the solver of an equation, from what its field and its limit of steps are called."""
    n = ode.dimension
    field_call, choose = Given(field), Given(f"choose_of_{n}")
    bound: dict[str, Mapping[str, Static | Given]] = {
        "begin": {
            "field": field_call,
            "square_sum": Given(f"square_sum_of_{n}"),
            "change_sum": Given(f"change_sum_of_{n}"),
            "first_stage": Given(f"stage_1_of_{n}"),
            "first_node": DORMAND_PRINCE_853.stages[0][0],
            "dimension": float(n),
        },
        "advance": {
            "field": field_call,
            "approach": Given(approach),
            "limited": bool(approach),
            "trial": _trial(field, n),
            "choose": choose,
        },
        "end": {"choose": choose, "dimension": n},
    }
    kind = "straight" if is_straight else "plain"
    texts = [specialized(getattr(stepper, step), f"{name}_{step}", known, kind=kind) for step, known in bound.items()]
    steps = {step: Given(f"{name}_{step}") for step in bound}
    return "\n\n".join([*texts, specialized(stepper.solution, name, steps)])


def _trial(field: str, n: int) -> Given:
    """The stages of a step: the first status that is not 0, the end of the step, and its error."""
    lines = ["refused = spread(0.0)"]
    for stage, row in enumerate(DORMAND_PRINCE_853.stages, start=1):
        used = ", ".join(f"k{earlier}" for earlier in row)
        lines.append(f"status, k{stage} = {field}(stage_{stage}_of_{n}(y, d, {used}), p)")
        # the first one: the stages after one that was refused may not be numbers
        lines.append("refused = select(refused == 0.0, status, refused)")
    weighted = ", ".join(f"k{stage}" for stage in DORMAND_PRINCE_853.weights)
    compared = ", ".join(f"k{stage}" for stage in _ERROR_STAGES)
    lines += [
        f"z = advance_of_{n}(y, d, {weighted})",
        f"error = error_norm(error_sums_of_{n}(y, z, rtol, atol, {compared}), h, {float(n)!r})",
    ]
    return Given(value="(refused, z, error)", lines=tuple(lines))


def _combination(row: Row, component: int) -> str:
    return " + ".join(f"{coefficient!r} * k{stage}[{component}]" for stage, coefficient in row.items())
