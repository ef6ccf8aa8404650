"""Programs, some nodes as a function of others, and parts, which are no formulas and which programs use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from riemopt.errors import ModelError
from riemopt.kernels.graph.nodes import Arithmetic, Node, nodes_of
from riemopt.status import Status

__all__ = ["Condition", "Part", "Program", "TrajectoryProgram", "independent_of", "parts_of"]


@dataclass(frozen=True)
class Condition:
    """A fact that must hold for a program's numbers to be trusted, and the status if it does not."""

    status: Status
    holds: Node


@dataclass(frozen=True)
class Program:
    """Some nodes of a graph as a function of its inputs.

    Attributes
    ----------
    inputs : tuple of Node
        The arguments, in order.
    outputs : tuple of Node
        The values returned, in order.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled node by node: what refers to what else would be as deep as the computation is long."""
        order = nodes_of((*self.inputs, *self.outputs))
        places = {node: i for i, node in enumerate(order)}
        nodes = [(node.op, [places[arg] for arg in node.args], node.value) for node in order]
        return _unpickled, (nodes, [places[x] for x in self.inputs], [places[x] for x in self.outputs])

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The parts that it uses."""
        return parts_of(self.outputs, frozenset(self.inputs))

    @property
    def uses_table(self) -> bool:
        """Whether it looks at the rows of the kernel's table."""
        return any(part.uses_table for part in self.parts)

    @cached_property
    def meaning(self) -> Hashable:
        """What it computes, whatever its inputs are called: equal for two programs with the same operations."""
        places = {node: i for i, node in enumerate(self.inputs)}
        operations = []
        for node in nodes_of(self.outputs, self.inputs):
            if node not in places:
                places[node] = len(places)
                value = self.parts.index(node.value) if node.op == "part" else node.value
                operations.append((node.op, [places[arg] for arg in node.args], value))
        # as text, in which nan equals itself and -0.0 does not equal 0.0
        return repr((operations, [places[x] for x in self.outputs])), *(part.meaning for part in self.parts)


def _unpickled(nodes: Iterable[tuple[str, list[int], Any]], inputs: list[int], outputs: list[int]) -> Program:
    """A program in a graph of its own."""
    graph = Arithmetic()
    made: list[Node] = []
    for op, args, value in nodes:
        made.append(graph.intern(op, tuple(made[i] for i in args), value))
    return Program(tuple(made[i] for i in inputs), tuple(made[i] for i in outputs))


@dataclass(frozen=True)
class TrajectoryProgram:
    """One integrator on one problem: what a trajectory computes before its first step, at every point, and to go on.

    All outputs are nodes of one graph, so that a step and the loss at its start share their work.

    Attributes
    ----------
    point, step_size, memory, data : tuple of Node
        The inputs: the point, the step size (one node), what the rule carries, and the loss's data.
    begun : tuple of Node
        Before the first step: the status, and the memory.
    seen : tuple of Node
        At a point: the status, the loss, and the squared norm of the natural gradient (zero if nobody asked for it).
    stepped : tuple of Node
        After a step: its status, the next point, and the memory.
    asked : tuple
        What these three ask of the problem, for whoever counts; no target looks at it.
    """

    point: tuple[Node, ...]
    step_size: tuple[Node, ...]
    memory: tuple[Node, ...]
    data: tuple[Node, ...]
    begun: tuple[Node, ...]
    seen: tuple[Node, ...]
    stepped: tuple[Node, ...]
    asked: tuple[Any, ...] = ()


class Part(ABC):
    """A computation with loops or decisions, which every target writes in its own way.

    A use of it is one node, whose items are a status (0 if its numbers can be trusted) and the values. Subclasses are
    dataclasses; what they hold, programs and plain data, is all that the values depend on besides the arguments.
    """

    prefix: str
    """What its name in text begins with."""

    may_fail = True
    """Whether it has a status; else its numbers are as good as its arguments."""

    @property
    @abstractmethod
    def programs(self) -> tuple[Program, ...]:
        """The straight-line code that it runs."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of its values."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled without what was found out about it."""
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]

    def tangent(self, graph: Arithmetic, args: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """The derivative of its values along tangents of its arguments; an error if none is known."""
        raise ModelError(f"no derivative is known for the compiled part {self.prefix!r}")

    @cached_property
    def meaning(self) -> Hashable:
        """What it computes: equal for two parts of which one will do."""
        values = [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]
        return type(self), *(value.meaning if isinstance(value, Program) else value for value in values)

    @cached_property
    def uses_table(self) -> bool:
        """Whether it looks at the rows of the kernel's table, or something in it does."""
        return any(program.uses_table for program in self.programs)


def parts_of(outputs: Iterable[Node], known: Container[Node] = ()) -> tuple[Part, ...]:
    """The parts that some outputs use, beyond what is known."""
    return tuple(dict.fromkeys(node.value for node in nodes_of(outputs, known) if node.op == "part"))


def independent_of(program: Program, inputs: Sequence[Node]) -> list[Node]:
    """What a program computes without some of its inputs and then uses, or returns, beside them; in order."""
    order = nodes_of(program.outputs)
    moving = set(inputs)
    for node in order:
        if any(arg in moving for arg in node.args):
            moving.add(node)
    used = {arg for node in order if node in moving for arg in node.args} | set(program.outputs)
    return [node for node in order if node in used and node not in moving]
