"""Differential equations, sums over a table, integrals, and the peaks of their weights, as parts of programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riemopt.kernels.graph import derivatives
from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.programs import Part, Program

__all__ = ["Integral", "Ode", "Peak", "TableSum"]


@dataclass(frozen=True, eq=False)
class Ode(Part):
    """An autonomous ordinary differential equation y' = f(y; p), solved by a target's stepper.

    Attributes
    ----------
    field : Program
        Takes y and p; returns the status, then f.
    dimension : int
        The number of components of y. The values of its use are these, and the time reached.
    approach : Program, optional
        Takes y and p; returns how fast the solution closes in on the nearest edge of the domain, forward and backward
        in time, as one over the time left at constant speed. A step is no longer than that time. Needed where a
        solution may touch the edge and come back: a step across would look at nothing but the inside.
    """

    field: Program
    dimension: int
    approach: Program | None = None

    prefix = "ode"

    @property
    def programs(self) -> tuple[Program, ...]:
        """See :class:`Part`."""
        return (self.field,) if self.approach is None else (self.field, self.approach)

    @property
    def size(self) -> int:
        """See :class:`Part`."""
        return self.dimension + 1


@dataclass(frozen=True, eq=False)
class TableSum(Part):
    """Sums over the rows of the kernel's table, Σ f(row; p).

    Attributes
    ----------
    body : Program
        Takes the columns of a row, then p; returns the terms f.
    columns : int
        The number of columns.
    """

    body: Program
    columns: int

    prefix = "sum"
    may_fail = False

    @property
    def programs(self) -> tuple[Program, ...]:
        """See :class:`Part`."""
        return (self.body,)

    @property
    def size(self) -> int:
        """See :class:`Part`."""
        return len(self.body.outputs)

    @property
    def uses_table(self) -> bool:  # type: ignore[override]
        """See :class:`Part`."""
        return True

    def tangent(self, graph: Arithmetic, args: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """The derivative of the values: the sums of the terms' derivatives."""
        body, moving = _derivative(self.body, self.columns, tangents)
        return graph.use(TableSum(body, self.columns), (*args, *moving))[1]


@dataclass(frozen=True, eq=False)
class Integral(Part):
    """Integrals ∫ exp(w(y; p) - c) f(y; p) dy over all real y, or sums over the integers of a range.

    Attributes
    ----------
    weight : Program
        Takes y and p; returns w.
    body : Program
        Takes y and p; returns w, then f.
    lattice : tuple of float, optional
        The first and the last integer to sum over, either of which may be infinite; None for an integral.
    normalized : bool, optional
        Whether the first f is 1 and its integral times exp(c) is known to be 1. Numbers for which it is not are not to
        be trusted.
    scaled : bool, optional
        Whether the second half of f stands for the absolute values of the first when errors are judged. An f that is
        an integral itself may be a difference of much larger ones.

    Notes
    -----
    The values are c, the largest value of w that was found, and the integrals.
    """

    weight: Program
    body: Program
    lattice: tuple[float, float] | None = None
    normalized: bool = False
    scaled: bool = False

    prefix = "integral"

    @property
    def programs(self) -> tuple[Program, ...]:
        """See :class:`Part`."""
        return (self.weight, self.body)

    @property
    def size(self) -> int:
        """See :class:`Part`."""
        return 1 + self.terms

    @property
    def terms(self) -> int:
        """The number of integrals."""
        return (len(self.body.outputs) - 1) // (2 if self.scaled else 1)

    def tangent(self, graph: Arithmetic, args: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """The derivative of the values as if c were constant, by differentiating under the integral."""
        derived, moving = _derivative(self.body, 1, tangents)
        inner = derived.outputs[0].graph
        weight, *values = self.body.outputs
        slope, *slopes = derived.outputs
        terms = [inner.add(df, inner.mul(f, slope)) for f, df in zip(values, slopes, strict=True)]
        if self.scaled:
            sizes = [inner.call("absolute", term) for term in terms[: self.terms]]
            terms[self.terms :] = [inner.add(a, b) for a, b in zip(sizes, values[self.terms :], strict=True)]
        if self.normalized:
            terms[0] = values[0]  # the check goes along
        search = Program((*self.weight.inputs, *derived.inputs[len(self.body.inputs) :]), self.weight.outputs)
        part = Integral(search, Program(derived.inputs, (weight, *terms)), self.lattice, self.normalized, self.scaled)
        _, (_, *results) = graph.use(part, (*args, *moving))
        zero = graph.constant(0.0)
        return [zero, *((zero, *results[1:]) if self.normalized else results)]


@dataclass(frozen=True, eq=False)
class Peak(Part):
    """The largest value of w(y; p) over all real y, or over the integers of a range; see :class:`Integral`."""

    weight: Program
    lattice: tuple[float, float] | None = None

    prefix = "peak"

    @property
    def programs(self) -> tuple[Program, ...]:
        """See :class:`Part`."""
        return (self.weight,)

    @property
    def size(self) -> int:
        """See :class:`Part`."""
        return 1


def _derivative(body: Program, fixed: int, tangents: Sequence[Node]) -> tuple[Program, list[Node]]:
    """The derivative of a program of (x, p) along tangents of p, as a program of (x, p, ṗ); the ṗ that are not zero.

    The first `fixed` inputs are x.
    """
    graph = body.outputs[0].graph
    moving = [i for i, tangent in enumerate(tangents) if not tangent.equals(0.0)]
    seeds = {body.inputs[fixed + i]: graph.input(f"tangent {i} of {len(body.inputs)}") for i in moving}
    outputs = derivatives.tangents(graph, body.outputs, seeds)
    return Program((*body.inputs, *seeds.values()), tuple(outputs)), [tangents[i] for i in moving]
