"""Common subexpressions made of divisions and of polygammas, so that the same numbers take less work.

Interning makes equal subexpressions one node. Here nodes are rewritten that are not equal and still have most of their
work in common: divisions by products of the same factors, and a polygamma beside its remainder.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence

from riemopt.kernels.graph.nodes import Arithmetic, Node, nodes_of
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS, polygamma_name, remainder_name
from riemopt.kernels.graph.polygamma import leading_coefficients
from riemopt.kernels.graph.programs import Program, TrajectoryProgram

__all__ = ["simplify", "simplify_program", "simplify_trajectory"]


def simplify_program(program: Program) -> Program:
    """A program whose outputs went through :func:`simplify`."""
    return Program(program.inputs, tuple(simplify(program.outputs[0].graph, program.outputs)))


def simplify_trajectory(program: TrajectoryProgram) -> TrajectoryProgram:
    """An integrator on a problem whose outputs went through :func:`simplify`, all at once as they share their work."""
    groups = program.begun, program.seen, program.stepped
    outputs = simplify(program.begun[0].graph, [node for group in groups for node in group])
    bounds = itertools.pairwise(itertools.accumulate(map(len, groups), initial=0))
    begun, seen, stepped = (tuple(outputs[first:last]) for first, last in bounds)
    return dataclasses.replace(program, begun=begun, seen=seen, stepped=stepped)


def simplify(graph: Arithmetic, outputs: Sequence[Node]) -> list[Node]:
    """The same values by fewer divisions and special functions.

    A division takes as long as a dozen multiplications. Formulas of geometry divide by many products of a few factors,
    such as x, x² and x²y; the reciprocal of each factor is taken once, and its powers are multiplied. A factor is left
    where it is if its reciprocal would serve one division only, or there would be no fewer reciprocals than divisions.

    A polygamma function whose remainder is computed as well is taken from that.

    Powers of a reciprocal leave the range of doubles where those of the factor do, but for the last few powers of ten.

    Parameters
    ----------
    graph : Arithmetic
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


def _from_remainders(graph: Arithmetic, outputs: Sequence[Node]) -> list[Node]:
    """The values with each ψ_n(x) whose remainder is among them as that and its leading terms, which have its sign."""
    order = nodes_of(outputs)
    calls = {(node.op, node.args[0]): node for node in order if node.args}
    orders = {polygamma_name(n): n for n in POLYGAMMA_ORDERS}
    exchange = {}
    for node in order:
        n = orders.get(node.op)
        remainder = None if n is None else calls.get((remainder_name(n), node.args[0]))
        if n is not None and remainder is not None:
            x = node.args[0]
            first, second = map(graph.constant, leading_coefficients(n))
            power = graph.power(x, graph.constant(float(n)))
            leading = graph.add(graph.div(first, power), graph.div(second, graph.mul(power, x)))
            exchange[node] = graph.add(remainder, leading)
    return graph.substitute(outputs, exchange)


class _Reciprocals:
    """Divisions by products of a few factors, as multiplications by reciprocals.

    Parameters
    ----------
    graph : Arithmetic
        What the nodes belong to.
    order : sequence of Node
        All nodes, operands first.

    Attributes
    ----------
    known : dict
        What the nodes are exchanged for; filled by the caller in their order.
    """

    def __init__(self, graph: Arithmetic, order: Sequence[Node]) -> None:
        self.graph = graph
        self.known: dict[Node, Node] = {}
        self._inverses: dict[Node, Node] = {}
        self._factors: dict[Node, dict[Node, int]] = {}
        divisors = [node.args[1] for node in order if node.op == "div" and not node.args[1].is_constant]
        needs = [frozenset(base for base, power in self.factors(b).items() if power > 0) for b in divisors]
        self._shared = _worth_sharing(needs)

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
        """One over a node, as a product of the reciprocals of its factors."""
        if node not in self._inverses:
            self._inverses[node] = self._inverse_by_operation(node)
        return self._inverses[node]

    def _inverse_by_operation(self, node: Node) -> Node:
        g = self.graph
        if node.op == "mul":
            return g.mul(self._inverse(node.args[0]), self._inverse(node.args[1]))
        if node.op == "div":
            return g.mul(self.known[node.args[1]], self._inverse(node.args[0]))
        if node.op == "neg":
            return g.neg(self._inverse(node.args[0]))
        return g.div(g.constant(1.0), self.known[node])


def _worth_sharing(needs: Sequence[frozenset[Node]]) -> frozenset[Node]:
    """The factors whose reciprocals save divisions, from the factors of the divisor of each division."""
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
    return frozenset(base for bases, count in groups if len(bases) < count for base in bases)
