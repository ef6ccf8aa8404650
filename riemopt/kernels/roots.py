"""Compiled roots of equations: the text of the functions that find them by Newton's method with damping.

The method is that of :func:`riemopt.newton.newton`, on scalars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riemopt.kernels.lowering import Part, Program, Root, emit
from riemopt.newton import HALVINGS, ITERATIONS, LONGEST, ROUNDING, SMALL
from riemopt.status import Status

__all__ = ["root_source"]


def root_source(part: Root, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function of ξ that returns the status, and θ with the entries of ∂θ/∂ξ row by row."""
    n = range(part.dimension)
    listed = {letter: [f"{letter}{i}" for i in n] for letter in "cdefqrstuy"}
    square = {letter: [f"{letter}{i}_{j}" for i in n for j in n] for letter in "jkm"}
    found = [f"s{i} * k{i}_{j} * q{j}" for i in n for j in n]
    lines = [
        *_function(part.equations, f"{name}_equations", parts),
        *_function(part.answer, f"{name}_answer", parts),
        *_inverse(part.dimension, f"{name}_inverse"),
        "@plain",
        f"def {name}(p):",
        f"    {_tuple(listed['e'])} = p",
        f"    {_tuple(listed['y'])} = {_tuple(list(map(repr, part.start)))}",
        f"    {_tuple(listed['r'] + square['j'])} = {name}_equations({_args(listed['y'], listed['e'])})",
        f"    for count in range({ITERATIONS}):",
        f"        {_tuple(square['k'])} = {name}_inverse({_args(square['j'])})",
        *(f"        d{i} = -({' + '.join(f'k{i}_{j} * r{j}' for j in n)})" for i in n),
        f"        size = {_length(listed['d'], listed['y'])}",
        "        if not size < INFINITY:",
        "            break",
        f"        done = size <= {ROUNDING!r}",
        "        moved = False",
        f"        damping = minimum(1.0, {LONGEST!r} / size)",
        f"        for halving in range({HALVINGS}):",
        "            if done or moved:",
        "                break",
        *(f"            u{i} = y{i} + damping * d{i}" for i in n),
        f"            {_tuple(listed['f'] + square['m'])} = {name}_equations({_args(listed['u'], listed['e'])})",
        *(f"            c{i} = {' + '.join(f'k{i}_{j} * f{j}' for j in n)}" for i in n),
        f"            moved = {_length(listed['c'], listed['y'])} <= (1.0 - 0.5 * damping) * size",
        f"            done = not moved and size <= {SMALL!r}",
        "            damping *= 0.5",
        "        if done:",
        f"            {_tuple(listed['t'] + listed['s'] + listed['q'])} ="
        f" {name}_answer({_args(listed['y'], listed['e'])})",
        f"            return 0.0, {_tuple(listed['t'] + found)}",
        "        if not moved:",
        "            break",
        f"        {_tuple(listed['y'] + listed['r'] + square['j'])} ="
        f" {_tuple(listed['u'] + listed['f'] + square['m'])}",
        f"    return {float(Status.LEFT_DOMAIN)!r}, {_tuple(['NAN'] * part.size)}",
        "",
    ]
    return "\n".join(lines)


def _function(program: Program, name: str, parts: Mapping[Part, str]) -> list[str]:
    names = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    head = f"def {name}({_args(list(names.values()))}):"
    body = emit(program.outputs, names, parts)
    returned = f"    return {_tuple([names[node] for node in program.outputs])}"
    return ["@plain", head, *(f"    {line}" for line in body), returned, "", ""]


def _inverse(n: int, name: str) -> list[str]:
    """The inverse of a matrix by elimination of a row after the other, the largest pivot first."""
    entries = [f"a{i}_{j}" for i in range(n) for j in range(n)]
    lines = [f"b{i}_{j} = {float(i == j)!r}" for i in range(n) for j in range(n)]

    def row(i: int, first: int) -> list[str]:
        return [f"a{i}_{j}" for j in range(first, n)] + [f"b{i}_{j}" for j in range(n)]

    for k in range(n):
        for i in range(k + 1, n):
            one, other = row(k, k), row(i, k)
            lines += [
                f"if absolute(a{i}_{k}) > absolute(a{k}_{k}):",
                f"    {_tuple(one + other)} = {_tuple(other + one)}",
            ]
        lines += [f"{entry} = {entry} / a{k}_{k}" for entry in row(k, k)[1:]]
        for i in range(n):
            if i != k:
                pairs = zip(row(i, k)[1:], row(k, k)[1:], strict=True)
                lines += [f"{entry} -= a{i}_{k} * {other}" for entry, other in pairs]
    inverse = [f"b{i}_{j}" for i in range(n) for j in range(n)]
    return [
        "@plain",
        f"def {name}({_args(entries)}):",
        *(f"    {line}" for line in lines),
        f"    return {_tuple(inverse)}",
        "",
        "",
    ]


def _length(step: Sequence[str], point: Sequence[str]) -> str:
    return " + ".join(f"absolute({d}) / (1.0 + absolute({y}))" for d, y in zip(step, point, strict=True))


def _tuple(names: Sequence[str]) -> str:
    return "(" + "".join(f"{name}, " for name in names) + ")"


def _args(*names: Sequence[str]) -> str:
    return ", ".join(name for group in names for name in group)
