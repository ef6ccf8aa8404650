"""The text of roots of equations: Newton's method with damping, on the formulas of a kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from riemopt.kernels.graph.programs import Part, Program
from riemopt.kernels.graph.roots import Root
from riemopt.kernels.text.algorithms.newton import root
from riemopt.kernels.text.bound import Given, Static
from riemopt.kernels.text.specialize import specialized
from riemopt.kernels.text.statements import function, listed, unpacked

__all__ = ["root_source"]


def root_source(part: Root, name: str, parts: Mapping[Part, str]) -> str:
    """The text of a function of ξ that returns the status, and θ with the entries of ∂θ/∂ξ row by row."""
    n = part.dimension

    def vector(values: Sequence[str]) -> str:
        return listed(values)

    def system(values: Sequence[str]) -> str:
        """r, and ∂r/∂y as a tuple of rows."""
        return f"{vector(values[:n])}, {listed(vector(values[n * i : n * (i + 1)]) for i in range(1, n + 1))}"

    def answer(values: Sequence[str]) -> str:
        return ", ".join(vector(values[n * i : n * (i + 1)]) for i in range(3))

    bound: dict[str, Static | Given] = {
        "start": Given(value=listed(map(repr, part.start))),
        "equations": Given(f"{name}_equations"),
        "answer": Given(f"{name}_answer"),
        "n": n,
    }
    return "\n\n".join(
        [
            _function_of_y(part.equations, f"{name}_equations", parts, n, system),
            _function_of_y(part.answer, f"{name}_answer", parts, n, answer),
            specialized(root, name, bound),
        ]
    )


def _function_of_y(
    program: Program, name: str, parts: Mapping[Part, str], n: int, result: Callable[[Sequence[str]], str]
) -> str:
    """A program of y and ξ as a function of two tuples."""
    names = {node: f"x{i}" for i, node in enumerate(program.inputs)}
    inputs = list(names.values())
    unpack = [*unpacked(inputs[:n], "y"), *unpacked(inputs[n:], "xi")]
    return function(name, ["y", "xi"], unpack, program.outputs, names, parts, result)
