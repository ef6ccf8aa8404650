"""Nodes, the scalar operations of a graph, each held once and simplified as it is made."""

from __future__ import annotations

import math
from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from riemopt.kernels.graph.operations import FUNCTIONS, TRUTHS

__all__ = ["Arithmetic", "Node", "UsedPart", "nodes_of"]


class Node:
    """One scalar operation of a graph; equal operations of a graph are the same object.

    Attributes
    ----------
    graph : Arithmetic
        What it belongs to.
    op : str
        The operation: ``"constant"``, ``"input"``, an operator such as ``"add"``, a function of
        :data:`~riemopt.kernels.graph.operations.FUNCTIONS`, ``"part"`` for the use of a part, or ``"item"`` for one of
        the numbers that a part returns.
    args : tuple of Node
        The operands.
    value : object
        The number of a constant, the name of an input, the part that is used, the place of an item; else None.
    index : int
        Its place in the order in which the nodes of the graph were made: operands come first.
    """

    __slots__ = ("args", "graph", "index", "op", "value")

    def __init__(self, graph: Arithmetic, op: str, args: tuple[Node, ...], value: Any, index: int) -> None:
        self.graph, self.op, self.args, self.value, self.index = graph, op, args, value, index

    @property
    def is_constant(self) -> bool:
        """Whether this is a number."""
        return self.op == "constant"

    @property
    def is_truth(self) -> bool:
        """Whether this is true or false."""
        return self.op in TRUTHS

    def equals(self, number: float) -> bool:
        """Whether this is a constant with the value of a number."""
        return self.op == "constant" and bool(self.value == number)

    def __repr__(self) -> str:
        return f"Node({self.op}, {self.value if self.value is not None else [a.index for a in self.args]})"


class UsedPart(Protocol):
    """What a graph has to know of a part that it uses; see :class:`riemopt.kernels.graph.programs.Part`."""

    may_fail: bool

    @property
    def meaning(self) -> Hashable:
        """Equal for two parts that compute the same."""

    @property
    def size(self) -> int:
        """The number of its values."""


class Arithmetic:
    """A graph of scalar operations: making an operation a second time gives the node that is there.

    Operations on numbers are carried out, and identities that derivatives and symbolic zeros make frequent, such as
    0 + x = x and -(-x) = x, are applied. They change no value but the sign of a zero, and 0 x where x is not finite.
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._parts: dict[Hashable, UsedPart] = {}

    def intern(self, op: str, args: tuple[Node, ...] = (), value: Any = None) -> Node:
        """The node of an operation as it stands, made unless it is there."""
        # repr tells 0.0 from -0.0 and makes nan equal to itself
        key = (op, tuple(arg.index for arg in args), repr(value) if op == "constant" else value)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node(self, op, args, value, len(self._nodes))
        return node

    def constant(self, value: float) -> Node:
        """A number."""
        return self.intern("constant", value=float(value))

    def input(self, name: str) -> Node:
        """An argument of the program, by its name in the text."""
        return self.intern("input", value=name)

    # -- arithmetic

    def add(self, a: Node, b: Node) -> Node:
        """a + b."""
        if a.is_constant and b.is_constant:
            return self.constant(a.value + b.value)
        if a.equals(0.0):
            return b
        if b.equals(0.0):
            return a
        if b.op == "neg":
            return self.sub(a, b.args[0])
        if a.op == "neg":
            return self.sub(b, a.args[0])
        return self.intern("add", _ordered(a, b))

    def sub(self, a: Node, b: Node) -> Node:
        """a - b."""
        if a.is_constant and b.is_constant:
            return self.constant(a.value - b.value)
        if a is b:
            return self.constant(0.0)
        if a.equals(0.0):
            return self.neg(b)
        if b.equals(0.0):
            return a
        if b.op == "neg":
            return self.add(a, b.args[0])
        return self.intern("sub", (a, b))

    def mul(self, a: Node, b: Node) -> Node:
        """a b."""
        if a.is_constant and b.is_constant:
            return self.constant(a.value * b.value)
        for factor, other in ((a, b), (b, a)):
            if factor.equals(0.0):
                return self.constant(0.0)
            if factor.equals(1.0):
                return other
            if factor.equals(-1.0):
                return self.neg(other)
            if factor.op == "neg":
                return self.neg(self.mul(factor.args[0], other))
        return self.intern("mul", _ordered(a, b))

    def div(self, a: Node, b: Node) -> Node:
        """a / b."""
        if a.is_constant and b.is_constant and b.value != 0.0:
            return self.constant(a.value / b.value)
        if a.equals(0.0):
            return a
        if b.equals(1.0):
            return a
        if a.op == "neg":
            return self.neg(self.div(a.args[0], b))
        if b.op == "neg":
            return self.neg(self.div(a, b.args[0]))
        return self.intern("div", (a, b))

    def neg(self, a: Node) -> Node:
        """-a."""
        if a.is_constant:
            return self.constant(-a.value)
        if a.op == "neg":
            return a.args[0]
        if a.op == "sub":
            return self.sub(a.args[1], a.args[0])
        return self.intern("neg", (a,))

    def power(self, base: Node, exponent: Node) -> Node:
        """base ** exponent; small integer and half-integer exponents become products and square roots."""
        if exponent.is_constant:
            doubled = 2.0 * exponent.value
            if doubled == int(doubled) and abs(doubled) <= 64:
                whole, half = divmod(abs(int(doubled)), 2)
                result = self._integer_power(base, whole)
                if half:
                    result = self.mul(result, self.call("sqrt", base))
                return self.div(self.constant(1.0), result) if exponent.value < 0 else result
        if base.is_constant and exponent.is_constant and base.value > 0:
            return self.constant(base.value**exponent.value)
        return self.intern("pow", (base, exponent))

    def _integer_power(self, base: Node, exponent: int) -> Node:
        result = self.constant(1.0)
        square = base
        while exponent:
            if exponent & 1:
                result = self.mul(result, square)
            exponent >>= 1
            if exponent:
                square = self.mul(square, square)
        return result

    def operate(self, op: str, a: Node, b: Node) -> Node:
        """A comparison or a logical operation, by its name in the operator table."""
        if op in ("and", "or"):
            a, b = self.truth(a), self.truth(b)
        return self.intern(op, (a, b))

    def truth(self, a: Node) -> Node:
        """A node as a truth value: what is a number is true unless it is zero."""
        return a if a.is_truth else self.intern("ne", (a, self.constant(0.0)))

    def number(self, a: Node) -> Node:
        """A node as a number: true is 1, false is 0."""
        return self.call("select", a, self.constant(1.0), self.constant(0.0)) if a.is_truth else a

    def call(self, name: str, *args: Node) -> Node:
        """A function of the table :data:`~riemopt.kernels.graph.operations.FUNCTIONS`."""
        if len(args) != FUNCTIONS[name]:
            raise TypeError(f"{name} takes {FUNCTIONS[name]} arguments, not {len(args)}")
        if name == "select" and args[1] is args[2]:
            return args[1]
        if name == "sqrt" and args[0].is_constant and args[0].value >= 0:
            return self.constant(math.sqrt(args[0].value))
        return self.intern(name, args)

    def total(self, terms: Iterable[Node]) -> Node:
        """The sum of some nodes."""
        result = self.constant(0.0)
        for term in terms:
            result = self.add(result, term)
        return result

    def dot(self, a: Sequence[Node], b: Sequence[Node]) -> Node:
        """The sum of products."""
        return self.total(self.mul(x, y) for x, y in zip(a, b, strict=True))

    # -- parts

    def use(self, part: UsedPart, args: Sequence[Node]) -> tuple[Node, list[Node]]:
        """The status and the values of a part for some arguments."""
        call = self.intern("part", tuple(args), self._known(part))
        status = self.intern("item", (call,), value=0) if part.may_fail else self.constant(0.0)
        return status, self.values(call)

    def values(self, call: Node) -> list[Node]:
        """The values of a use of a part."""
        return [self.intern("item", (call,), value=i + 1) for i in range(call.value.size)]

    def _known(self, part: UsedPart) -> UsedPart:
        """The part that this graph uses for all of its meaning."""
        return self._parts.setdefault(part.meaning, part)

    # -- the same operations on other operands

    def substitute(self, outputs: Sequence[Node], exchange: Mapping[Node, Node]) -> list[Node]:
        """Nodes with some inputs exchanged for other nodes.

        The nodes may be those of another graph, if all their inputs are exchanged: what they compute is then written
        into this one.
        """
        known = dict(exchange)
        for node in nodes_of(outputs, exchange):
            if node not in known:
                known[node] = self.again(node, [known[arg] for arg in node.args])
        return [known[output] for output in outputs]

    def again(self, node: Node, args: Sequence[Node]) -> Node:
        """The operation of a node on other operands, which belong to this graph."""
        if node.graph is self and all(a is b for a, b in zip(args, node.args, strict=True)):
            return node
        if node.op in ("add", "sub", "mul", "div", "neg"):
            return getattr(self, node.op)(*args)  # type: ignore[no-any-return]
        if node.op == "pow":
            return self.power(*args)
        foreign = node.op == "part" and node.graph is not self
        return self.intern(node.op, tuple(args), self._known(node.value) if foreign else node.value)


def _ordered(a: Node, b: Node) -> tuple[Node, Node]:
    return (a, b) if a.index <= b.index else (b, a)


def nodes_of(outputs: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
    """All nodes that some outputs need, operands first; of what is known, nothing but itself."""
    needed: set[Node] = set()
    pending = list(outputs)
    while pending:
        node = pending.pop()
        if node not in needed:
            needed.add(node)
            if node not in known:
                pending.extend(node.args)
    return sorted(needed, key=lambda node: node.index)
