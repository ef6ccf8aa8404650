"""The same numbers with less work: divisions and special functions that share what they have in common."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence

from riemopt.kernels.graph.lowering import Graph, Node, Program, nodes_of
from riemopt.kernels.targets.target import TrajectoryProgram

__all__ = ["economized", "economized_program", "economized_trajectory"]


def economized_program(program: Program) -> Program:
    """A program with :func:`economized` outputs."""
    return Program(program.inputs, tuple(economized(program.outputs[0].graph, program.outputs)))


def economized_trajectory(program: TrajectoryProgram) -> TrajectoryProgram:
    """An integrator on a problem with :func:`economized` outputs, which go on sharing their work."""
    groups = program.begun, program.seen, program.stepped
    outputs = economized(program.begun[0].graph, [node for group in groups for node in group])
    begun, seen, stepped = (tuple(outputs[a:b]) for a, b in _bounds(groups))
    return dataclasses.replace(program, begun=begun, seen=seen, stepped=stepped)


def _bounds(groups: Sequence[Sequence[Node]]) -> Iterator[tuple[int, int]]:
    return itertools.pairwise(itertools.accumulate(map(len, groups), initial=0))


def economized(graph: Graph, outputs: Sequence[Node]) -> list[Node]:
    """The same values by fewer divisions and special functions.

    A division takes as long as a dozen multiplications. Formulas of geometry divide by many products of a few factors,
    such as x, x² and x²y; the reciprocal of each factor is taken once, and its powers are multiplied. A factor is left
    where it is if its reciprocal would serve one division only, or there would be no fewer reciprocals than divisions.

    A polygamma function whose remainder is computed as well is taken from that.

    Powers of a reciprocal leave the range of doubles where those of the factor do, but for the last few powers of ten.

    Parameters
    ----------
    graph : Graph
        What the nodes belong to.
    outputs : sequence of Node
        The values. Each may differ by rounding.
    """
    outputs = _from_remainders(graph, outputs)
    order = nodes_of(outputs)
    reciprocals = _Reciprocals(graph, order)
    for node in order:
        reciprocals.known[node] = reciprocals.rebuilt(node)
    return [reciprocals.known[node] for node in outputs]


def _from_remainders(graph: Graph, outputs: Sequence[Node]) -> list[Node]:
    """The values with each ψ_n(x) whose remainder is among them as that and its leading terms, which have its sign."""
    order = nodes_of(outputs)
    remainders = {(node.op, node.args[0]): node for node in order if node.op.startswith("polygamma_remainder")}
    exchange = {}
    for node in order:
        rest = (
            remainders.get((node.op.replace("polygamma_", "polygamma_remainder_"), node.args[0])) if node.args else None
        )
        if node.op.startswith("polygamma_") and rest not in (None, node):
            n, x = int(node.op.removeprefix("polygamma_")), node.args[0]
            once, twice = (graph.constant((-1) ** (n + 1) * c) for c in (math.factorial(n - 1), math.factorial(n) / 2))
            power = graph.power(x, graph.constant(float(n)))
            leading = graph.add(graph.div(once, power), graph.div(twice, graph.mul(power, x)))
            exchange[node] = graph.add(rest, leading)
    return graph.substitute(outputs, exchange)


class _Reciprocals:
    """Divisions by products of a few factors, as multiplications by reciprocals."""

    def __init__(self, graph: Graph, order: Sequence[Node]) -> None:
        self.graph = graph
        self.known: dict[Node, Node] = {}
        self._inverses: dict[Node, Node] = {}
        self._factors: dict[Node, dict[Node, int]] = {}
        divisors = [node.args[1] for node in order if node.op == "div" and not node.args[1].is_constant]
        needs = [frozenset(base for base, power in self.factors(b).items() if power > 0) for b in divisors]
        while True:
            uses = Counter(base for bases in needs for base in bases)
            fewer = [bases for bases in needs if all(uses[base] > 1 for base in bases)]
            if len(fewer) == len(needs):
                break
            needs = fewer
        # divisions that have factors in common, and whether there are fewer factors than divisions
        groups: list[tuple[frozenset[Node], int]] = []
        for bases in needs:
            near = [group for group in groups if group[0] & bases]
            groups = [group for group in groups if not group[0] & bases]
            groups.append((bases.union(*(b for b, _ in near)), 1 + sum(count for _, count in near)))
        self._shared = frozenset(base for bases, count in groups if len(bases) < count for base in bases)

    def factors(self, node: Node) -> dict[Node, int]:
        """The powers of what a node is a product of, numbers left out."""
        if node not in self._factors:
            result: Counter[Node] = Counter()
            if node.op in ("mul", "div", "neg"):
                for position, arg in enumerate(node.args):
                    sign = -1 if node.op == "div" and position else 1
                    for base, power in self.factors(arg).items():
                        result[base] += sign * power
            elif not node.is_constant:
                result[node] = 1
            self._factors[node] = dict(result)
        return self._factors[node]

    def rebuilt(self, node: Node) -> Node:
        """A node from its operands as they are now."""
        if node.op == "div" and not node.args[1].is_constant:
            powers = self.factors(node.args[1])
            if all(base in self._shared for base, power in powers.items() if power > 0):
                return self.graph.mul(self.known[node.args[0]], self._inverse(node.args[1]))
        return self.graph.again(node, [self.known[arg] for arg in node.args])

    def _inverse(self, node: Node) -> Node:
        if node not in self._inverses:
            self._inverses[node] = self._inverted(node)
        return self._inverses[node]

    def _inverted(self, node: Node) -> Node:
        g = self.graph
        if node.op == "mul":
            return g.mul(self._inverse(node.args[0]), self._inverse(node.args[1]))
        if node.op == "div":
            return g.mul(self.known[node.args[1]], self._inverse(node.args[0]))
        if node.op == "neg":
            return g.neg(self._inverse(node.args[0]))
        return g.div(g.constant(1.0), self.known[node])
