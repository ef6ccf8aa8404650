"""The text of sums over data and of integrals over supports: their algorithms, on the formulas of a kernel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from riemopt.kernels.graph.nodes import Node
from riemopt.kernels.graph.parts import Integral, Peak, TableSum
from riemopt.kernels.graph.programs import Part, Program, independent_of
from riemopt.kernels.text.algorithms.integrals import MOST_NESTED_PANELS, MOST_PANELS, integral
from riemopt.kernels.text.algorithms.lattices import height_on_lattice, lattice_sum
from riemopt.kernels.text.algorithms.peaks import height
from riemopt.kernels.text.algorithms.sums import sum_of_rows
from riemopt.kernels.text.bound import Given, Static
from riemopt.kernels.text.specialize import specialized
from riemopt.kernels.text.statements import Statements, function, listed, unpacked

__all__ = ["integral_source", "peak_source", "sum_source"]


def sum_source(part: TableSum, name: str, parts: Mapping[Part, str]) -> str:
    """The text of two functions that take sums over the rows of a table.

    Parameters
    ----------
    part : TableSum
        The sums.
    name : str
        The name of the function of p and the table, as one argument, that returns the status and the sums over all
        rows. Another one, ``{name}_rows``, takes p, the table, the first row and the one after the last, and returns
        the sums.
    parts : mapping of Part to str
        What the parts within it are called in the text.
    """
    inputs = {node: f"x{i}" for i, node in enumerate(part.body.inputs)}
    columns, constants = list(inputs.values())[: part.columns], list(inputs.values())[part.columns :]
    statements = Statements(f"{name}_values", parts)
    fixed = [node for node in independent_of(part.body, part.body.inputs[: part.columns]) if not node.is_constant]
    head = statements(fixed, inputs)
    body, terms = statements.together(part.body.outputs, inputs)
    row = Given(value=terms, lines=(*(f"{column} = table[{k}, row]" for k, column in enumerate(columns)), *body))
    rows = specialized(
        sum_of_rows,
        f"{name}_rows",
        {"terms_of": row, "terms": part.size},
        ["p", "table", "start", "stop"],
        [*unpacked(constants, "p"), *head],
    )
    whole = [
        "@plain",
        f"def {name}(constants):",
        "    p, table = constants",
        f"    return 0.0, {name}_rows(p, table, 0, table.shape[1])",
        "",
    ]
    return "\n\n".join([*statements.functions, rows, "\n".join(whole)])


def peak_source(part: Peak, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function of p that returns the status and the largest value of w."""
    text, head, weight = _weight(part, name, parts)
    if part.lattice is None:
        found = specialized(height, name, {"weight": weight}, ["p"], head)
    else:
        low, high = part.lattice
        found = specialized(height_on_lattice, name, {"weight": weight, "low": low, "high": high}, ["p"], head)
    return text + "\n\n" + found


def integral_source(part: Integral, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function of p that returns the status, and the largest value of w with the integrals."""
    text, head, weight = _weight(part, name, parts)
    body, body_head, values = _function_of_y(part.body, f"{name}_body", parts, "r")
    bound: dict[str, Static | Given] = {
        "weight": weight,
        "body": values,
        "terms": part.terms,
        "normalized": part.normalized,
    }
    head += body_head
    if part.lattice is None:
        bound |= {"scaled": part.scaled, "most_panels": MOST_NESTED_PANELS if part.scaled else MOST_PANELS}
        taken = specialized(integral, name, bound, ["p"], head)
    else:
        low, high = part.lattice
        taken = specialized(lattice_sum, name, {**bound, "low": low, "high": high}, ["p"], head)
    return "\n\n".join([text, body, taken])


def _weight(part: Integral | Peak, name: str, parts: Mapping[Part, str]) -> tuple[str, list[str], Given]:
    """The weight of an integral as a function of y; see :func:`_function_of_y`."""
    # a weight that overflows, or is not a number, is where the formula ends and not where the mass is
    graph, (weight,) = part.weight.outputs[0].graph, part.weight.outputs
    finite = graph.operate("lt", weight, graph.constant(math.inf))
    clean = graph.call("select", finite, weight, graph.constant(-math.inf))
    return _function_of_y(Program(part.weight.inputs, (clean,)), f"{name}_weight", parts, "q")


def _function_of_y(program: Program, name: str, parts: Mapping[Part, str], known: str) -> tuple[str, list[str], Given]:
    """A program of (y, p) as a function of y and of what does not depend on y.

    Returns the text of the function, the statements that prepare its second argument, the variable `known`, from p,
    and how to call it.
    """
    inputs = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    free = independent_of(program, program.inputs[:1])
    shared = [node for node in free if not node.is_constant]
    names = dict(inputs)
    statements = Statements(f"{name}_before", parts)
    prepare = statements(shared, names)
    own: dict[Node, str] = {program.inputs[0]: "y"} | {node: f"q{i}" for i, node in enumerate(shared)}
    unpack = unpacked([f"q{i}" for i in range(len(shared))], "q")
    text = function(name, ["y", "q"], unpack, program.outputs, own, parts, _one_or_more)
    packed = listed(names[node] for node in shared) if shared else "(0.0,)"
    head = [*unpacked([f"x{i}" for i in range(1, len(program.inputs))], "p"), *prepare, f"{known} = {packed}"]
    return "\n\n".join([*statements.functions, text]), head, Given(name, (known,), len(program.outputs))


def _one_or_more(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else listed(values)
