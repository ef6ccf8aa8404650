"""Compiled roots of equations: the text of the functions that find them by Newton's method with damping.

The method is that of :func:`riemopt.numerics.newton.newton`, on scalars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riemopt.kernels.graph.programs import Part, Program
from riemopt.kernels.graph.roots import Root
from riemopt.kernels.text.statements import function, indented, listed
from riemopt.numerics.newton import HALVINGS, ITERATIONS, LONGEST, ROUNDING, SMALL
from riemopt.status import Status

__all__ = ["root_source"]


def root_source(part: Root, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function of ξ that returns the status, and θ with the entries of ∂θ/∂ξ row by row."""
    n = range(part.dimension)
    vector = {letter: [f"{letter}{i}" for i in n] for letter in "cdefqrstuvy"}
    square = {letter: [f"{letter}{i}_{j}" for i in n for j in n] for letter in "jkm"}
    texts = [
        _program(part.equations, f"{name}_equations", parts),
        _program(part.answer, f"{name}_answer", parts),
        _inverse(part.dimension, f"{name}_inverse"),
        # a matrix by a vector, the size of a step relative to where it starts, and a fraction of a step
        _straight(
            f"{name}_times",
            [*square["k"], *vector["v"]],
            [" + ".join(f"k{i}_{j} * v{j}" for j in n) for i in n],
        ),
        _straight(
            f"{name}_size",
            [*vector["d"], *vector["y"]],
            [" + ".join(f"absolute(d{i}) / (1.0 + absolute(y{i}))" for i in n)],
        ),
        _straight(
            f"{name}_moved",
            [*vector["y"], "damping", *vector["d"]],
            [f"y{i} - damping * d{i}" for i in n],
        ),
        _straight(
            f"{name}_found",
            [*vector["t"], *vector["s"], *square["k"], *vector["q"]],
            [*vector["t"], *(f"s{i} * k{i}_{j} * q{j}" for i in n for j in n)],
        ),
    ]
    lines = [
        "@plain",
        f"def {name}(p):",
        f"    {listed(vector['e'])} = p",
        f"    {listed(vector['y'])} = {listed(map(repr, part.start))}",
        f"    {listed(vector['r'] + square['j'])} = {name}_equations({_args(vector['y'], vector['e'])})",
        f"    for count in range({ITERATIONS}):",
        f"        {listed(square['k'])} = {name}_inverse({_args(square['j'])})",
        f"        {listed(vector['d'])} = {name}_times({_args(square['k'], vector['r'])})",
        f"        size = {name}_size({_args(vector['d'], vector['y'])})[0]",
        "        if not size < INFINITY:",
        "            break",
        f"        done = size <= {ROUNDING!r}",
        "        advanced = False",
        f"        damping = minimum(1.0, {LONGEST!r} / size)",
        f"        for halving in range({HALVINGS}):",
        "            if done or advanced:",
        "                break",
        f"            {listed(vector['u'])} = {name}_moved({_args(vector['y'], ['damping'], vector['d'])})",
        f"            {listed(vector['f'] + square['m'])} = {name}_equations({_args(vector['u'], vector['e'])})",
        f"            {listed(vector['c'])} = {name}_times({_args(square['k'], vector['f'])})",
        f"            advanced = {name}_size({_args(vector['c'], vector['y'])})[0] <= (1.0 - 0.5 * damping) * size",
        f"            done = not advanced and size <= {SMALL!r}",
        "            damping *= 0.5",
        "        if done:",
        f"            {listed(vector['t'] + vector['s'] + vector['q'])} ="
        f" {name}_answer({_args(vector['y'], vector['e'])})",
        f"            return 0.0, {name}_found({_args(vector['t'], vector['s'], square['k'], vector['q'])})",
        "        if not advanced:",
        "            break",
        f"        {listed(vector['y'] + vector['r'] + square['j'])} ="
        f" {listed(vector['u'] + vector['f'] + square['m'])}",
        f"    return {float(Status.LEFT_DOMAIN)!r}, {listed(['NAN'] * part.size)}",
        "",
    ]
    return "\n\n".join([*texts, "\n".join(lines)])


def _program(program: Program, name: str, parts: Mapping[Part, str]) -> str:
    names = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    return function(name, list(names.values()), [], program.outputs, names, parts, listed)


def _straight(name: str, arguments: Sequence[str], results: Sequence[str], lines: Sequence[str] = ()) -> str:
    head = ["@straight", f"def {name}({_args(arguments)}):"]
    return "\n".join([*head, *indented([*lines, f"return {listed(results)}"], 1), ""])


def _inverse(n: int, name: str) -> str:
    """The inverse of a matrix by elimination of a row after the other, the largest pivot first."""
    entries = [f"a{i}_{j}" for i in range(n) for j in range(n)]
    lines = [f"b{i}_{j} = {float(i == j)!r}" for i in range(n) for j in range(n)]

    def row(i: int, first: int) -> list[str]:
        return [f"a{i}_{j}" for j in range(first, n)] + [f"b{i}_{j}" for j in range(n)]

    for k in range(n):
        for i in range(k + 1, n):
            lines.append(f"swap = absolute(a{i}_{k}) > absolute(a{k}_{k})")
            pairs = zip(row(k, k), row(i, k), strict=True)
            lines += [f"{x}, {y} = select(swap, {y}, {x}), select(swap, {x}, {y})" for x, y in pairs]
        lines += [f"{entry} = {entry} / a{k}_{k}" for entry in row(k, k)[1:]]
        for i in range(n):
            if i != k:
                pairs = zip(row(i, k)[1:], row(k, k)[1:], strict=True)
                lines += [f"{entry} = {entry} - a{i}_{k} * {other}" for entry, other in pairs]
    return _straight(name, entries, [f"b{i}_{j}" for i in range(n) for j in range(n)], lines)


def _args(*names: Sequence[str]) -> str:
    return ", ".join(name for group in names for name in group)
