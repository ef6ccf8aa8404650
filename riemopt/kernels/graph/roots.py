"""Roots of equations as parts of programs: the preimage of a point under a map without a closed inverse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from riemopt.kernels.graph import derivatives
from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.programs import Part, Program
from riemopt.numerics.boxes import Box

__all__ = ["Root"]


@dataclass(frozen=True, eq=False)
class Root(Part):
    """The θ with f(θ) = ξ, and ∂θ/∂ξ row by row, by Newton's method with damping in free coordinates y of θ.

    NaN where none is found. See :func:`riemopt.numerics.newton.newton`.

    Attributes
    ----------
    image : Program
        Takes θ; returns f.
    equations : Program
        Takes y and ξ; returns what is to vanish, r, and ∂r_i/∂y_j row by row.
    answer : Program
        Takes y and ξ; returns θ, the ∂θ_i/∂y_i, and the -∂r_i/∂ξ_i.
    start : tuple of float
        Where y starts.
    """

    image: Program
    equations: Program
    answer: Program
    start: tuple[float, ...]

    prefix = "root"

    @classmethod
    def of(cls, image: Program, box: Box, signs: Sequence[int], start: tuple[float, ...]) -> Root:
        """The root of a map.

        Parameters
        ----------
        image : Program
            Takes θ; returns f.
        box : Box
            Where θ is sought.
        signs : sequence of int
            1 or -1 for each f that is known to be positive or negative, else 0: then log(±f) = log(±ξ) is solved.
        start : tuple of float
            Where the search starts, in the free coordinates of the box.
        """
        graph, n = Arithmetic(), len(image.inputs)
        free = [graph.input(f"free {i}") for i in range(n)]
        xi = [graph.input(f"image {i}") for i in range(n)]
        theta = [_from_free(graph, y, low, high) for y, low, high in zip(free, box.lower, box.upper, strict=True)]
        found = graph.substitute(image.outputs, dict(zip(image.inputs, theta, strict=True)))
        left = [_log_of_size(graph, value, sign) for value, sign in zip(found, signs, strict=True)]
        right = [_log_of_size(graph, value, sign) for value, sign in zip(xi, signs, strict=True)]
        one = graph.constant(1.0)
        residual = [graph.sub(a, b) for a, b in zip(left, right, strict=True)]
        columns = [derivatives.tangents(graph, left, {y: one}) for y in free]
        slopes = [columns[j][i] for i in range(n) for j in range(n)]
        stretch = [derivatives.tangents(graph, [x], {y: one})[0] for x, y in zip(theta, free, strict=True)]
        scale = [derivatives.tangents(graph, [b], {x: one})[0] for b, x in zip(right, xi, strict=True)]
        inputs = (*free, *xi)
        return cls(image, Program(inputs, (*residual, *slopes)), Program(inputs, (*theta, *stretch, *scale)), start)

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.image.inputs)

    @property
    def programs(self) -> tuple[Program, ...]:
        """See :class:`Part`. The map itself is only differentiated."""
        return (self.equations, self.answer)

    @property
    def size(self) -> int:
        """See :class:`Part`."""
        return self.dimension * (1 + self.dimension)

    def tangent(self, graph: Arithmetic, args: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """The derivative of the values by the implicit function theorem: with K = ∂θ/∂ξ = M⁻¹, dK = -K dM K."""
        n = self.dimension
        _, values = graph.use(self, args)
        theta, inverse = values[:n], [values[n * (1 + i) : n * (2 + i)] for i in range(n)]
        velocity = [graph.dot(row, tangents) for row in inverse]
        image = graph.substitute(self.image.outputs, dict(zip(self.image.inputs, theta, strict=True)))
        columns = [derivatives.tangents(graph, image, {coordinate: graph.constant(1.0)}) for coordinate in theta]
        changes = [derivatives.tangents(graph, column, dict(zip(theta, velocity, strict=True))) for column in columns]
        # the columns of K dM, then the entries of -K dM K
        products = [[graph.dot(row, change) for row in inverse] for change in changes]
        entries = [
            graph.neg(graph.dot([product[i] for product in products], [inverse[k][j] for k in range(n)]))
            for i in range(n)
            for j in range(n)
        ]
        return [*velocity, *entries]


def _from_free(graph: Arithmetic, y: Node, low: float, high: float) -> Node:
    """A coordinate between two bounds from a free one; see :meth:`riemopt.numerics.boxes.Box.from_free`."""
    if math.isfinite(low) and math.isfinite(high):
        return graph.add(graph.constant(low), graph.mul(graph.constant(high - low), graph.call("expit", y)))
    if math.isfinite(low):
        return graph.add(graph.constant(low), graph.call("exp", y))
    if math.isfinite(high):
        return graph.sub(graph.constant(high), graph.call("exp", graph.neg(y)))
    return y


def _log_of_size(graph: Arithmetic, node: Node, sign: int) -> Node:
    """The logarithm of the absolute value of what is known to have a sign; of anything else itself."""
    return graph.call("log", graph.mul(graph.constant(float(sign)), node)) if sign else node
