"""A point in a graph: its coordinates, what holds there, and what has been computed at it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.nodes import Node
from riemopt.status import Status

__all__ = ["TracedPoint"]

T = TypeVar("T")


class TracedPoint:
    """A point of a chart in the graph of a program; what is computed at it is computed once.

    Parameters
    ----------
    graph : Graph
        Where operations go.
    coordinates : sequence of Node
        θ.
    data : sequence of Node
        The data of the program's loss.
    require : callable
        Takes a status and a node; from there on the status applies unless the node is true.

    Attributes
    ----------
    known : dict
        What has been computed at the point.
    """

    def __init__(
        self,
        graph: Graph,
        coordinates: Sequence[Node],
        data: Sequence[Node],
        require: Callable[[Status, Node], None],
    ) -> None:
        self.graph, self.coordinates, self.data, self.require = graph, list(coordinates), data, require
        self.known: dict[Hashable, Any] = {}

    def once(self, what: Hashable, compute: Callable[[], T]) -> T:
        """What is known at the point under a name; it is computed the first time."""
        if what not in self.known:
            self.known[what] = compute()
        return self.known[what]  # type: ignore[no-any-return]

    def elsewhere(self, coordinates: Sequence[Node]) -> TracedPoint:
        """Another point of the same program, at which nothing is known."""
        return TracedPoint(self.graph, coordinates, self.data, self.require)
