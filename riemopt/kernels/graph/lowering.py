"""Expressions to straight-line scalar source.

A :class:`Graph` holds scalar operations, each once: two equal subexpressions are the same :class:`Node`, so common
subexpressions are found as the graph grows. SymPy expressions enter through :meth:`Graph.lower`; array notation enters
through :mod:`riemopt.kernels.graph.tracing`. A :class:`Program` is a set of outputs of a graph, and its
:attr:`Program.source` is the one text that every target runs: over arrays with NumPy, inside compiled loops with Numba.

The text never contains a name that a user chose: inputs and temporaries are numbered.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import sympy as sp

from riemopt.errors import ModelError
from riemopt.kernels.graph.remainder import PolygammaRemainder, leading_terms
from riemopt.status import Status
from riemopt.symbolic.implicit import ImplicitMap, Preimage

__all__ = [
    "FUNCTIONS",
    "Condition",
    "Graph",
    "Integral",
    "Node",
    "Ode",
    "Part",
    "Peak",
    "Program",
    "Root",
    "TableSum",
    "emit",
    "independent_of",
    "item_of",
    "nodes_of",
    "number",
    "parts_of",
]


class Node:
    """One scalar operation of a :class:`Graph`; equal operations of a graph are the same object."""

    __slots__ = ("args", "graph", "index", "op", "value")

    def __init__(self, graph: Graph, op: str, args: tuple[Node, ...], value: Any, index: int) -> None:
        self.graph, self.op, self.args, self.value, self.index = graph, op, args, value, index

    @property
    def is_constant(self) -> bool:
        """Whether this is a number."""
        return self.op == "constant"

    @property
    def is_truth(self) -> bool:
        """Whether this is true or false."""
        return self.op in _TRUTHS

    def __repr__(self) -> str:
        return f"Node({self.op}, {self.value if self.value is not None else [a.index for a in self.args]})"


@dataclass(frozen=True)
class Condition:
    """A fact that must hold for a program's numbers to be trusted, and the status if it does not."""

    status: Status
    holds: Node


_TRUTHS = frozenset(("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "isfinite"))

_OPERATORS = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "neg": "-{}",
    "pow": "{} ** {}",
    "lt": "{} < {}",
    "le": "{} <= {}",
    "gt": "{} > {}",
    "ge": "{} >= {}",
    "eq": "{} == {}",
    "ne": "{} != {}",
    "and": "{} & {}",
    "or": "{} | {}",
}

FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(
        ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"), 1
    ),
    **dict.fromkeys(("asinh", "acosh", "atanh", "absolute", "sign", "floor", "erf", "erfc", "gamma", "loggamma"), 1),
    **dict.fromkeys(("digamma", *(f"polygamma_{order}" for order in range(1, 7)), "isfinite"), 1),
    **{f"polygamma_remainder_{order}": 1 for order in range(1, 7)},
    **dict.fromkeys(("atan2", "minimum", "maximum", "logaddexp", "scaled_bessel_i"), 2),
    "expit": 1,
    "select": 3,
}
"""Functions that the text may call, with their number of arguments; every target binds each of these names."""

_SYMPY_FUNCTIONS = {
    sp.exp: "exp",
    sp.log: "log",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.asin: "asin",
    sp.acos: "acos",
    sp.atan: "atan",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.tanh: "tanh",
    sp.asinh: "asinh",
    sp.acosh: "acosh",
    sp.atanh: "atanh",
    sp.Abs: "absolute",
    sp.sign: "sign",
    sp.floor: "floor",
    sp.erf: "erf",
    sp.erfc: "erfc",
    sp.gamma: "gamma",
    sp.loggamma: "loggamma",
    sp.digamma: "digamma",
    sp.atan2: "atan2",
}

_FACTORIALS = (sp.gamma, sp.factorial, sp.binomial, sp.beta)
"""Functions whose logarithms are sums of log-gammas."""

_SYMPY_RELATIONS = {
    sp.StrictLessThan: "lt",
    sp.LessThan: "le",
    sp.StrictGreaterThan: "gt",
    sp.GreaterThan: "ge",
    sp.Equality: "eq",
    sp.Unequality: "ne",
}


class Part(ABC):
    """A computation that is not straight-line code: a function of its own, which a target writes in its own way.

    In a graph, a use of it is one node, whose items are its status (0 if its numbers can be trusted) and its values.
    """

    prefix: str
    """What its name in the text begins with."""

    @property
    @abstractmethod
    def programs(self) -> tuple[Program, ...]:
        """The straight-line code that it runs."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of its values."""

    @abstractmethod
    def call(self, name: str, args: list[str]) -> str:
        """The text of a use of it, from what it and its arguments are called."""

    @cached_property
    def meaning(self) -> Any:
        """What it computes, its programs as their text: equal for two parts that may stand for one another."""
        values = [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]
        return type(self), *(_meaning(value) if isinstance(value, Program) else value for value in values)

    @cached_property
    def uses_table(self) -> bool:
        """Whether it looks at the rows of the kernel's table, or something in it does."""
        return any(program.uses_table for program in self.programs)

    def pack(self, names: Sequence[str]) -> str:
        """Constants as one argument in the text: a tuple, with the table beside it if that is used."""
        packed = _packed(names)
        return f"({packed}, table)" if self.uses_table else packed


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

    def call(self, name: str, args: list[str]) -> str:
        """See :class:`Part`. The arguments are the state, the constants, the duration and the tolerances."""
        state, constants, settings = args[: self.dimension], args[self.dimension : -3], args[-3:]
        return f"{name}({_packed([f'spread({x})' for x in state])}, {self.pack(constants)}, {', '.join(settings)})"


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

    def call(self, name: str, args: list[str]) -> str:
        """See :class:`Part`. The arguments are p."""
        return f"{name}({self.pack(args)})"

    def tangent(self, graph: Graph, args: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """The derivative of the values: the sums of the terms' derivatives."""
        body, moving = _differentiated(self.body, self.columns, tangents)
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

    def call(self, name: str, args: list[str]) -> str:
        """See :class:`Part`. The arguments are p."""
        return f"{name}({self.pack(args)})"

    def tangent(self, graph: Graph, args: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """The derivative of the values as if c were constant, by differentiating under the integral."""
        derived, moving = _differentiated(self.body, 1, tangents)
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

    def call(self, name: str, args: list[str]) -> str:
        """See :class:`Part`. The arguments are p."""
        return f"{name}({self.pack(args)})"


@dataclass(frozen=True, eq=False)
class Root(Part):
    """The θ with f(θ) = ξ, and ∂θ/∂ξ row by row, by Newton's method with damping in free coordinates y of θ.

    NaN where none is found. See :func:`riemopt.numerics.newton.newton`.

    Attributes
    ----------
    mapping : ImplicitMap
        f.
    equations : Program
        Takes y and ξ; returns what is to vanish, r, and ∂r_i/∂y_j row by row.
    answer : Program
        Takes y and ξ; returns θ, the ∂θ_i/∂y_i, and the -∂r_i/∂ξ_i.
    start : tuple of float
        Where y starts.
    """

    mapping: ImplicitMap
    equations: Program
    answer: Program
    start: tuple[float, ...]

    prefix = "root"

    @classmethod
    def of(cls, mapping: ImplicitMap) -> Root:
        """The root of a map; the same one for the same map."""
        return _root(mapping)

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.mapping.parameters)

    @property
    def programs(self) -> tuple[Program, ...]:
        """See :class:`Part`."""
        return (self.equations, self.answer)

    @property
    def size(self) -> int:
        """See :class:`Part`."""
        return self.dimension * (1 + self.dimension)

    def call(self, name: str, args: list[str]) -> str:
        """See :class:`Part`. The arguments are ξ."""
        return f"{name}({self.pack(args)})"

    def tangent(self, graph: Graph, args: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """The derivative of the values by the implicit function theorem: with K = ∂θ/∂ξ = M⁻¹, dK = -K dM K."""
        n = self.dimension
        _, values = graph.use(self, args)
        theta, inverse = values[:n], [values[n * (1 + i) : n * (2 + i)] for i in range(n)]
        moved = [graph.dot(row, tangents) for row in inverse]
        environment = dict(zip(self.mapping.parameters, theta, strict=True))
        image = [graph.lower(e, environment) for e in self.mapping.expressions]
        columns = [graph.tangents(image, {coordinate: graph.constant(1.0)}) for coordinate in theta]
        bent = [graph.tangents(column, dict(zip(theta, moved, strict=True))) for column in columns]
        # the columns of K dM, then those of K dM K
        turned = [[graph.dot(row, column) for row in inverse] for column in bent]
        change = [
            graph.neg(graph.dot([column[i] for column in turned], [inverse[k][j] for k in range(n)]))
            for i in range(n)
            for j in range(n)
        ]
        return [*moved, *change]


@lru_cache(maxsize=256)
def _root(mapping: ImplicitMap) -> Root:
    graph, n = Graph(), len(mapping.parameters)
    free = [graph.input(f"free {i}") for i in range(n)]
    xi = [graph.input(f"image {i}") for i in range(n)]
    ends = zip(free, mapping.box.lower, mapping.box.upper, strict=True)
    theta = [_from_free(graph, y, low, high) for y, low, high in ends]
    image = [graph.lower(e, dict(zip(mapping.parameters, theta, strict=True))) for e in mapping.expressions]
    left = [_logged(graph, value, sign) for value, sign in zip(image, mapping.signs, strict=True)]
    right = [_logged(graph, value, sign) for value, sign in zip(xi, mapping.signs, strict=True)]
    one = graph.constant(1.0)
    residual = [graph.sub(a, b) for a, b in zip(left, right, strict=True)]
    columns = [graph.tangents(left, {y: one}) for y in free]
    slopes = [columns[j][i] for i in range(n) for j in range(n)]
    stretch = [graph.tangents([x], {y: one})[0] for x, y in zip(theta, free, strict=True)]
    scale = [graph.tangents([b], {x: one})[0] for b, x in zip(right, xi, strict=True)]
    inputs = (*free, *xi)
    equations, answer = Program(inputs, (*residual, *slopes)), Program(inputs, (*theta, *stretch, *scale))
    return Root(mapping, equations, answer, mapping.start)


def _from_free(graph: Graph, y: Node, low: float, high: float) -> Node:
    """A coordinate between two bounds from a free one; see :meth:`riemopt.numerics.boxes.Box.from_free`."""
    if math.isfinite(low) and math.isfinite(high):
        return graph.add(graph.constant(low), graph.mul(graph.constant(high - low), graph.call("expit", y)))
    if math.isfinite(low):
        return graph.add(graph.constant(low), graph.call("exp", y))
    if math.isfinite(high):
        return graph.sub(graph.constant(high), graph.call("exp", graph.neg(y)))
    return y


def _logged(graph: Graph, node: Node, sign: int) -> Node:
    """The logarithm of the size of what is known to have a sign."""
    return graph.call("log", graph.mul(graph.constant(float(sign)), node)) if sign else node


def _differentiated(body: Program, fixed: int, tangents: Sequence[Node]) -> tuple[Program, list[Node]]:
    """The derivative of a program of (x, p) along tangents of p, as a program of (x, p, ṗ); the ṗ that are not zero.

    The first `fixed` inputs are x.
    """
    graph = body.outputs[0].graph
    moving = [i for i, tangent in enumerate(tangents) if not _is(tangent, 0.0)]
    seeds = {body.inputs[fixed + i]: graph.input(f"tangent {i} of {len(body.inputs)}") for i in moving}
    outputs = graph.tangents(body.outputs, seeds)
    return Program((*body.inputs, *seeds.values()), tuple(outputs)), [tangents[i] for i in moving]


class Graph:
    """Scalar operations, each held once."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._parts: dict[Any, Part] = {}

    def _intern(self, op: str, args: tuple[Node, ...] = (), value: Any = None) -> Node:
        # repr tells 0.0 from -0.0 and makes nan equal to itself
        key = (op, tuple(arg.index for arg in args), repr(value) if op == "constant" else value)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node(self, op, args, value, len(self._nodes))
        return node

    def constant(self, value: float) -> Node:
        """A number."""
        return self._intern("constant", value=float(value))

    def input(self, name: str) -> Node:
        """An argument of the program, by its name in the text."""
        return self._intern("input", value=name)

    # -- arithmetic, with the identities that derivatives and symbolic zeros make frequent

    def add(self, a: Node, b: Node) -> Node:
        """a + b."""
        if a.is_constant and b.is_constant:
            return self.constant(a.value + b.value)
        if _is(a, 0.0):
            return b
        if _is(b, 0.0):
            return a
        if b.op == "neg":
            return self.sub(a, b.args[0])
        if a.op == "neg":
            return self.sub(b, a.args[0])
        return self._intern("add", _ordered(a, b))

    def sub(self, a: Node, b: Node) -> Node:
        """a - b."""
        if a.is_constant and b.is_constant:
            return self.constant(a.value - b.value)
        if a is b:
            return self.constant(0.0)
        if _is(a, 0.0):
            return self.neg(b)
        if _is(b, 0.0):
            return a
        if b.op == "neg":
            return self.add(a, b.args[0])
        return self._intern("sub", (a, b))

    def mul(self, a: Node, b: Node) -> Node:
        """a b."""
        if a.is_constant and b.is_constant:
            return self.constant(a.value * b.value)
        for factor, other in ((a, b), (b, a)):
            if _is(factor, 0.0):
                return self.constant(0.0)
            if _is(factor, 1.0):
                return other
            if _is(factor, -1.0):
                return self.neg(other)
            if factor.op == "neg":
                return self.neg(self.mul(factor.args[0], other))
        return self._intern("mul", _ordered(a, b))

    def div(self, a: Node, b: Node) -> Node:
        """a / b."""
        if a.is_constant and b.is_constant and b.value != 0.0:
            return self.constant(a.value / b.value)
        if _is(a, 0.0):
            return a
        if _is(b, 1.0):
            return a
        if a.op == "neg":
            return self.neg(self.div(a.args[0], b))
        if b.op == "neg":
            return self.neg(self.div(a, b.args[0]))
        return self._intern("div", (a, b))

    def neg(self, a: Node) -> Node:
        """-a."""
        if a.is_constant:
            return self.constant(-a.value)
        if a.op == "neg":
            return a.args[0]
        if a.op == "sub":
            return self.sub(a.args[1], a.args[0])
        return self._intern("neg", (a,))

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
        return self._intern("pow", (base, exponent))

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
        return self._intern(op, (a, b))

    def truth(self, a: Node) -> Node:
        """A node as a truth value: what is a number is true unless it is zero."""
        return a if a.is_truth else self._intern("ne", (a, self.constant(0.0)))

    def number(self, a: Node) -> Node:
        """A node as a number: true is 1, false is 0."""
        return self.call("select", a, self.constant(1.0), self.constant(0.0)) if a.is_truth else a

    def call(self, name: str, *args: Node) -> Node:
        """A function of the table :data:`FUNCTIONS`."""
        if len(args) != FUNCTIONS[name]:
            raise TypeError(f"{name} takes {FUNCTIONS[name]} arguments, not {len(args)}")
        if name == "select" and args[1] is args[2]:
            return args[1]
        if name == "sqrt" and args[0].is_constant and args[0].value >= 0:
            return self.constant(math.sqrt(args[0].value))
        return self._intern(name, args)

    def total(self, terms: Iterable[Node]) -> Node:
        """The sum of some nodes."""
        result = self.constant(0.0)
        for term in terms:
            result = self.add(result, term)
        return result

    def dot(self, a: Sequence[Node], b: Sequence[Node]) -> Node:
        """The sum of products."""
        return self.total(self.mul(x, y) for x, y in zip(a, b, strict=True))

    def use(self, part: Part, args: Sequence[Node]) -> tuple[Node, list[Node]]:
        """The status and the values of a part for some arguments."""
        part = self._parts.setdefault(part.meaning, part)
        call = self._intern("part", tuple(args), value=part)
        # sums are as good as their terms
        status = self.constant(0.0) if isinstance(part, TableSum) else self._intern("item", (call,), value=0)
        return status, self.values(call)

    def values(self, call: Node) -> list[Node]:
        """The values of a use of a part."""
        return [self._intern("item", (call,), value=i + 1) for i in range(call.value.size)]

    # -- SymPy

    def lower(self, expression: sp.Basic, environment: Mapping[sp.Symbol, Node]) -> Node:
        """The node of a SymPy expression.

        Parameters
        ----------
        expression : sympy.Basic
            Its free symbols must all be in `environment`.
        environment : mapping of sympy.Symbol to Node

        Raises
        ------
        ModelError
            If the expression holds a function that has no compiled form, naming it.
        """
        return _Lowering(self, environment)(expression)

    # -- derivatives

    def tangents(self, outputs: Sequence[Node], seeds: Mapping[Node, Node]) -> list[Node]:
        """Directional derivatives of nodes by forward differentiation.

        Parameters
        ----------
        outputs : sequence of Node
            What to differentiate.
        seeds : mapping of Node to Node
            Inputs to their tangents; an input that is not mentioned is held fixed.
        """
        known: dict[Node, Node] = dict(seeds)
        zero = self.constant(0.0)
        inside: dict[Node, list[Node]] = {}
        for node in nodes_of(outputs):
            if node in known:
                continue
            if node.op == "part":
                arriving = [known[arg] for arg in node.args]
                fixed = all(tangent is zero for tangent in arriving)
                inside[node] = [zero] * node.value.size if fixed else _part_tangent(self, node, arriving)
                known[node] = zero
            elif node.op == "item":
                known[node] = inside[node.args[0]][node.value - 1] if node.value else zero
            else:
                known[node] = self._tangent(node, [known[arg] for arg in node.args], zero)
        return [known[output] for output in outputs]

    def gradients(self, outputs: Mapping[Node, Node], inputs: Sequence[Node]) -> list[Node]:
        """The derivative of a combination of nodes with respect to inputs, by backward differentiation.

        Parameters
        ----------
        outputs : mapping of Node to Node
            The nodes to combine, each with its coefficient, which is held fixed.
        inputs : sequence of Node
            What to differentiate with respect to.
        """
        zero, one = self.constant(0.0), self.constant(1.0)
        order = nodes_of(outputs)
        moving = set(inputs)
        for node in order:
            if any(arg in moving for arg in node.args):
                moving.add(node)
        adjoint = dict(outputs)
        for node in reversed(order):
            arriving = adjoint.get(node, zero)
            if arriving is zero or node not in moving:
                continue
            for position, arg in enumerate(node.args):
                if arg in moving:
                    seeds = [one if i == position else zero for i in range(len(node.args))]
                    slope = self._tangent(node, seeds, zero)
                    adjoint[arg] = self.add(adjoint.get(arg, zero), self.mul(arriving, slope))
        return [adjoint.get(node, zero) for node in inputs]

    def substitute(self, outputs: Sequence[Node], exchange: Mapping[Node, Node]) -> list[Node]:
        """Nodes with some inputs exchanged for other nodes."""
        known = dict(exchange)
        for node in nodes_of(outputs, exchange):
            if node not in known:
                known[node] = self.again(node, [known[arg] for arg in node.args])
        return [known[output] for output in outputs]

    def again(self, node: Node, args: Sequence[Node]) -> Node:
        """The operation of a node on other operands."""
        if all(a is b for a, b in zip(args, node.args, strict=True)):
            return node
        if node.op in ("add", "sub", "mul", "div", "neg"):
            return getattr(self, node.op)(*args)  # type: ignore[no-any-return]
        if node.op == "pow":
            return self.power(*args)
        return self._intern(node.op, tuple(args), node.value)

    def _tangent(self, node: Node, tangents: list[Node], zero: Node) -> Node:
        if all(tangent is zero for tangent in tangents):
            return zero
        rule = _TANGENTS.get(node.op)
        if rule is None:
            raise ModelError(f"no derivative is known for the compiled function {node.op!r}")
        return rule(self, node, *tangents)


def _part_tangent(graph: Graph, node: Node, tangents: list[Node]) -> list[Node]:
    if not isinstance(node.value, (TableSum, Integral, Root)):
        raise ModelError(f"no derivative is known for the compiled part {node.value.prefix!r}")
    return node.value.tangent(graph, node.args, tangents)


def _is(node: Node, value: float) -> bool:
    return node.is_constant and node.value == value


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


class _Lowering:
    """SymPy expressions to nodes, in one environment."""

    def __init__(self, graph: Graph, environment: Mapping[sp.Symbol, Node]) -> None:
        self.graph = graph
        self.known: dict[sp.Basic, Node] = dict(environment)

    def __call__(self, expression: sp.Basic) -> Node:
        node = self.known.get(expression)
        if node is None:
            node = self.known[expression] = self._lower(expression)
        return node

    def _lower(self, e: sp.Basic) -> Node:
        g = self.graph
        if isinstance(e, sp.Symbol):
            raise ModelError(f"the symbol {e} is neither a parameter nor an observation")
        if e in (sp.zoo, sp.nan):
            return g.constant(math.nan)
        if isinstance(e, (sp.Number, sp.NumberSymbol)):
            return g.constant(float(e))
        if isinstance(e, sp.Add):
            return self._add(e)
        if isinstance(e, sp.Mul):
            return self._mul(e)
        if isinstance(e, sp.Pow):
            return self._logistic(e) or g.power(self(e.base), self(e.exp))
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e)
        for kind, op in _SYMPY_RELATIONS.items():
            if isinstance(e, kind):
                return g.operate(op, self(e.lhs), self(e.rhs))
        if isinstance(e, (sp.And, sp.Or)):
            return self._fold(lambda a, b: g.operate("and" if isinstance(e, sp.And) else "or", a, b), e.args)
        if isinstance(e, (sp.Min, sp.Max)):
            name = "minimum" if isinstance(e, sp.Min) else "maximum"
            return self._fold(lambda a, b: g.call(name, a, b), e.args)
        return self._function(e)

    def _fold(self, operation: Callable[[Node, Node], Node], args: Sequence[sp.Basic]) -> Node:
        result = self(args[0])
        for arg in args[1:]:
            result = operation(result, self(arg))
        return result

    def _add(self, e: sp.Add) -> Node:
        minus_one = self._less_one(e)
        if minus_one is not None:
            return minus_one
        result = self.graph.constant(0.0)
        # positive terms first, so that a sum starts with a term and not with a negation
        for term in sorted(e.args, key=lambda t: t.could_extract_minus_sign()):
            if term.could_extract_minus_sign():
                result = self.graph.sub(result, self(-term))
            else:
                result = self.graph.add(result, self(term))
        return result

    def _less_one(self, e: sp.Add) -> Node | None:
        """±(exp(u) - 1) as ±expm1(u), or None if the sum is not one."""
        one, power = e.args if len(e.args) == 2 else (None, None)
        if one not in (sp.S.One, sp.S.NegativeOne):
            return None
        exponent = _exponent(-one * power)
        if exponent is None:
            return None
        result = self.graph.call("expm1", self._sum(exponent))
        return self.graph.neg(result) if one == sp.S.One else result

    def _sum(self, terms: Sequence[sp.Expr | tuple[sp.Expr, sp.Expr]]) -> Node:
        """The sum of terms u, and of terms (e, b) that stand for e log(b)."""
        g = self.graph
        nodes = (g.mul(self(t[0]), self._log(t[1])) if isinstance(t, tuple) else self(t) for t in terms)
        return g.total(nodes)

    def _log(self, e: sp.Expr) -> Node:
        """The logarithm of an expression, taken apart where it would overflow or lose digits as a whole."""
        g = self.graph
        if isinstance(e, _FACTORIALS):
            return self._log_factorial(e)
        if isinstance(e, sp.besseli) and e.args[0].is_Integer:
            order, x = g.constant(abs(int(e.args[0]))), self(e.args[1])
            return g.add(g.call("absolute", x), g.call("log", g.call("scaled_bessel_i", order, x)))
        exponent = _exponent(e)
        if exponent is not None:
            return self._sum(exponent)
        if isinstance(e, sp.Mul):
            apart = [f for f in e.args if _exponent(f) is not None or _is_positive(f.as_base_exp()[0])]
            if apart:
                rest = sp.Mul(*(f for f in e.args if f not in apart))
                logs = [self._log(f) for f in apart]
                return g.total(logs if rest == 1 else [self._log(rest), *logs])
        if isinstance(e, sp.Pow) and _is_positive(e.base):
            return g.mul(self(e.exp), self._log(e.base))
        if isinstance(e, sp.Add):
            return self._log_of_sum(e)
        return g.call("log", self(e))

    def _log_of_sum(self, e: sp.Add) -> Node:
        g = self.graph
        split = [_split(term) for term in e.args]
        if not any(exponent for _, exponent in split):
            return g.call("log1p", self(e - 1)) if sp.S.One in e.args else g.call("log", self(e))
        if not all(coefficient.is_positive for coefficient, _ in split):
            return g.call("log", self(e)) if self._less_one(e) is not None else self._log_of_signed_sum(split)
        terms = [self._log_of_term(*term) for term in split]
        result = terms[0]
        for term in terms[1:]:
            result = g.call("logaddexp", result, term)
        return result

    def _log_of_term(self, coefficient: sp.Expr, exponent: list[Any]) -> Node:
        head = [] if coefficient == 1 else [self._log(coefficient)]
        return self.graph.total([*head, self._sum(exponent)] if exponent else head)

    def _log_of_signed_sum(self, split: Sequence[tuple[sp.Expr, list[Any]]]) -> Node:
        """m + log(Σ c exp(u - m)) with m the largest u whose c is not 0: a c of unknown sign may be 0 or negative."""
        g = self.graph
        terms = []
        for coefficient, exponent in split:
            if coefficient.is_positive:
                terms.append((g.constant(1.0), self._log_of_term(coefficient, exponent)))
            else:
                c, u = self(coefficient), self._sum(exponent)
                counts = g.operate("ne", c, g.constant(0.0))
                terms.append((c, u if c.is_constant else g.call("select", counts, u, g.constant(-math.inf))))
        top = terms[0][1]
        for _, height in terms[1:]:
            top = g.call("maximum", top, height)
        total = g.dot(*zip(*((c, g.call("exp", g.sub(u, top))) for c, u in terms), strict=True))
        return g.add(top, g.call("log", total))

    def _log_factorial(self, e: sp.Expr) -> Node:
        g = self.graph
        if isinstance(e, sp.gamma):
            return g.call("loggamma", self(e.args[0]))
        if isinstance(e, sp.factorial):
            return g.call("loggamma", self(e.args[0] + 1))
        a, b = e.args
        plus, minus = ((a + 1,), (b + 1, a - b + 1)) if isinstance(e, sp.binomial) else ((a, b), (a + b,))
        above, below = (g.total(g.call("loggamma", self(x)) for x in group) for group in (plus, minus))
        return g.sub(above, below)

    def _mul(self, e: sp.Mul) -> Node:
        g = self.graph
        coefficient, factors = e.as_coeff_mul()
        above, below = g.constant(float(coefficient.p if coefficient.is_Rational else coefficient)), g.constant(1.0)
        if coefficient.is_Rational:
            below = g.constant(float(coefficient.q))
        growth = _bessel_growth(factors)
        if growth is not None:
            if any(isinstance(f, sp.Add) and f.has(sp.besseli) for f in factors):
                return self(sp.expand_mul(e))
            factors = tuple(_scaled(f) for f in factors)
            above = g.mul(above, g.call("exp", self(growth)))
        for factor in factors:
            logistic = self._logistic(factor)
            if logistic is not None:
                above = g.mul(above, logistic)
            elif isinstance(factor, sp.Pow) and factor.exp.could_extract_minus_sign():
                below = g.mul(below, self(1 / factor))
            else:
                above = g.mul(above, self(factor))
        return g.div(above, below)

    def _logistic(self, e: sp.Expr) -> Node | None:
        """(1 + exp(u))^-k by the logistic function, whose derivatives are numbers where exp(u) is none; else None."""
        if not (isinstance(e, sp.Pow) and e.exp.is_Integer and e.exp.is_negative and isinstance(e.base, sp.Add)):
            return None
        one, *rest = e.base.args
        exponent = _exponent(rest[0]) if one == 1 and len(rest) == 1 else None
        if exponent is None:
            return None
        logistic = self.graph.call("expit", self.graph.neg(self._sum(exponent)))
        return self.graph.power(logistic, self.graph.constant(float(-e.exp)))

    def _piecewise(self, e: sp.Piecewise) -> Node:
        result = self.graph.constant(math.nan)
        for value, condition in reversed(e.args):
            if condition == sp.true:
                result = self(value)
            else:
                result = self.graph.call("select", self(condition), self(value), result)
        return result

    def _function(self, e: sp.Basic) -> Node:
        g = self.graph
        if e.is_number and e.is_extended_real:
            return g.constant(float(e))
        if isinstance(e, sp.log):
            return self._log(e.args[0])
        if isinstance(e, Preimage):
            _, values = g.use(Root.of(e.mapping), [self(value) for value in e.image])
            return values[e.index]
        if isinstance(e, sp.polygamma) and e.args[0].is_Integer and e.args[0] >= 0:
            return _polygamma(g, int(e.args[0]), self(e.args[1]))
        if isinstance(e, PolygammaRemainder) and e.args[0].is_Integer and 1 <= e.args[0] <= 6:
            order, x, count = e.args
            rest = g.call(f"polygamma_remainder_{order}", self(x))
            return rest if count == 2 else g.add(rest, self(leading_terms(order, x, 2) - leading_terms(order, x, 1)))
        if isinstance(e, sp.factorial):
            return self(sp.gamma(e.args[0] + 1))
        if isinstance(e, (sp.beta, sp.binomial)):
            return g.call("exp", self._log_factorial(e))
        if isinstance(e, _ScaledBessel):
            return g.call("scaled_bessel_i", self(sp.Abs(e.args[0])), self(e.args[1]))
        if isinstance(e, sp.besseli) and e.args[0].is_Integer:
            return g.mul(g.call("exp", self(sp.Abs(e.args[1]))), self(_ScaledBessel(*e.args)))
        if isinstance(e, sp.KroneckerDelta):
            equal = g.operate("eq", self(e.args[0]), self(e.args[1]))
            return g.call("select", equal, g.constant(1.0), g.constant(0.0))
        if isinstance(e, sp.Heaviside):
            return g.mul(g.constant(0.5), g.add(g.constant(1.0), g.call("sign", self(e.args[0]))))
        for kind, name in _SYMPY_FUNCTIONS.items():
            if isinstance(e, kind):
                return g.call(name, *(self(arg) for arg in e.args))
        raise ModelError(f"the function {e.func.__name__} in {e} has no compiled form")


class _ScaledBessel(sp.Function):
    """exp(-|x|) I_n(x)."""


def _scaled(factor: sp.Expr) -> sp.Expr:
    """A power of a Bessel function as that of the scaled one; anything else as it is."""
    base, power = factor.as_base_exp()
    known = isinstance(base, sp.besseli) and base.args[0].is_Integer
    return _ScaledBessel(*base.args) ** power if known else factor


_LOGGED = (*_FACTORIALS, sp.besseli)
"""Functions whose logarithms are taken without taking them."""


def _is_positive(e: sp.Expr) -> bool:
    """Whether an expression is known to be positive, and its logarithm better taken apart from that of its factors."""
    if isinstance(e, sp.besseli) and e.args[0].is_Integer:
        order, x = e.args
        return bool(x.is_positive or (order.is_even and x.is_extended_real))
    return bool(isinstance(e, (*_LOGGED, sp.Add)) and e.is_positive)


def _bessel_growth(factors: Sequence[sp.Expr]) -> sp.Expr | None:
    """The exponent of exp(...) that scaling all Bessel functions in some factors leaves over; None if there are none.

    A quotient of two of them must not overflow where each of them would.
    """
    growth, found = sp.S.Zero, False
    for factor in factors:
        base, power = factor.as_base_exp()
        if isinstance(base, sp.besseli) and base.args[0].is_Integer:
            growth, found = growth + power * sp.Abs(base.args[1]), True
    return growth if found else None


def _exponent(e: sp.Expr) -> list[Any] | None:
    """The terms of u where e = exp(u), pairs (c, b) standing for c log(b); None if it is not written like that."""
    if isinstance(e, sp.exp):
        return [e.args[0]] if e.args[0].is_extended_real is not False else None
    if isinstance(e, sp.Pow) and e.base.is_positive:
        grows = any(_exponent(term) is not None for term in sp.Add.make_args(e.base) if term != e.base)
        if not e.exp.is_number or grows:
            return [(e.exp, e.base)]
    if isinstance(e, sp.Mul):
        parts = [_exponent(factor) for factor in e.args]
        return None if any(part is None for part in parts) else [term for part in parts for term in part or ()]
    return None


def _split(term: sp.Expr) -> tuple[sp.Expr, list[Any]]:
    """A term as c exp(u): c, and the terms of u."""
    coefficient, exponent = [], []
    for factor in sp.Mul.make_args(term):
        part = _exponent(factor)
        if part is None:
            coefficient.append(factor)
        else:
            exponent += part
    return sp.Mul(*coefficient), exponent


_Tangent = Callable[..., Node]


def _chain(derivative: Callable[[Graph, Node], Node]) -> _Tangent:
    """The tangent rule of a function of one argument, from its derivative."""
    return lambda g, node, da: g.mul(derivative(g, node), da)


def _power_tangent(g: Graph, node: Node, da: Node, db: Node) -> Node:
    base, exponent = node.args
    lowered = g.mul(exponent, g.power(base, g.sub(exponent, g.constant(1.0))))
    result = g.mul(lowered, da)
    return result if _is(db, 0.0) else g.add(result, g.mul(g.mul(node, g.call("log", base)), db))


def _reciprocal(square: Callable[[Graph, Node], Node]) -> _Tangent:
    return _chain(lambda g, n: g.div(g.constant(1.0), square(g, n.args[0])))


def _one_plus(sign: float, g: Graph, x: Node) -> Node:
    return g.add(g.constant(1.0), g.mul(g.constant(sign), g.mul(x, x)))


def _derivative_named(name: str) -> _Tangent:
    return _chain(lambda g, n: g.call(name, n.args[0]))


_POLYGAMMAS = ("polygamma", "polygamma_remainder")
_COMPILED = 6
"""Up to this order polygamma functions are compiled functions; above, they are formulas."""
_HIGHEST = 40
"""Beyond this order powers leave the range of doubles."""

_TANGENTS: dict[str, _Tangent] = {
    "add": lambda g, n, da, db: g.add(da, db),
    "sub": lambda g, n, da, db: g.sub(da, db),
    "mul": lambda g, n, da, db: g.add(g.mul(da, n.args[1]), g.mul(n.args[0], db)),
    "div": lambda g, n, da, db: g.div(g.sub(da, g.mul(n, db)), n.args[1]),
    "neg": lambda g, n, da: g.neg(da),
    "pow": _power_tangent,
    "exp": _chain(lambda g, n: n),
    "expm1": _chain(lambda g, n: g.add(n, g.constant(1.0))),
    "log": _reciprocal(lambda g, x: x),
    "log1p": _reciprocal(lambda g, x: g.add(g.constant(1.0), x)),
    "sqrt": lambda g, n, da: g.div(da, g.mul(g.constant(2.0), n)),
    "sin": _chain(lambda g, n: g.call("cos", n.args[0])),
    "cos": _chain(lambda g, n: g.neg(g.call("sin", n.args[0]))),
    "tan": _chain(lambda g, n: _one_plus(1.0, g, n)),
    "asin": _reciprocal(lambda g, x: g.call("sqrt", _one_plus(-1.0, g, x))),
    "acos": lambda g, n, da: g.neg(g.div(da, g.call("sqrt", _one_plus(-1.0, g, n.args[0])))),
    "atan": _reciprocal(lambda g, x: _one_plus(1.0, g, x)),
    "sinh": _chain(lambda g, n: g.call("cosh", n.args[0])),
    "cosh": _chain(lambda g, n: g.call("sinh", n.args[0])),
    "tanh": _chain(lambda g, n: _one_plus(-1.0, g, n)),
    "asinh": _reciprocal(lambda g, x: g.call("sqrt", _one_plus(1.0, g, x))),
    "acosh": _reciprocal(lambda g, x: g.call("sqrt", g.sub(g.mul(x, x), g.constant(1.0)))),
    "atanh": _reciprocal(lambda g, x: _one_plus(-1.0, g, x)),
    "absolute": _chain(lambda g, n: g.call("sign", n.args[0])),
    "sign": lambda g, n, da: g.constant(0.0),
    "floor": lambda g, n, da: g.constant(0.0),
    "logaddexp": lambda g, n, da, db: g.add(
        g.mul(da, g.call("expit", g.sub(n.args[0], n.args[1]))), g.mul(db, g.call("expit", g.sub(n.args[1], n.args[0])))
    ),
    "expit": _chain(lambda g, n: g.mul(n, g.call("expit", g.neg(n.args[0])))),
    "scaled_bessel_i": lambda g, n, dn, dx: g.mul(dx, _bessel_slope(g, n)),
    "erf": _chain(lambda g, n: _gaussian(g, n.args[0], 2.0 / math.sqrt(math.pi))),
    "erfc": _chain(lambda g, n: _gaussian(g, n.args[0], -2.0 / math.sqrt(math.pi))),
    "gamma": _chain(lambda g, n: g.mul(n, g.call("digamma", n.args[0]))),
    "loggamma": _chain(lambda g, n: g.call("digamma", n.args[0])),
    "digamma": _derivative_named("polygamma_1"),
    **{f"{name}_{n}": _derivative_named(f"{name}_{n + 1}") for name in _POLYGAMMAS for n in range(1, _COMPILED)},
    f"polygamma_{_COMPILED}": _chain(lambda g, n: _polygamma(g, _COMPILED + 1, n.args[0])),
    f"polygamma_remainder_{_COMPILED}": _chain(lambda g, n: _remainder(g, _COMPILED + 1, n.args[0])),
    "atan2": lambda g, n, dy, dx: g.div(
        g.sub(g.mul(n.args[1], dy), g.mul(n.args[0], dx)),
        g.add(g.mul(n.args[0], n.args[0]), g.mul(n.args[1], n.args[1])),
    ),
    "minimum": lambda g, n, da, db: g.call("select", g.operate("le", *n.args), da, db),
    "maximum": lambda g, n, da, db: g.call("select", g.operate("ge", *n.args), da, db),
    "select": lambda g, n, dc, da, db: g.call("select", n.args[0], da, db),
    # truth values have no tangent; they are only ever looked at by select
    **dict.fromkeys(_TRUTHS, lambda g, n, *tangents: g.constant(0.0)),
}


def _gaussian(g: Graph, x: Node, factor: float) -> Node:
    return g.mul(g.constant(factor), g.call("exp", g.neg(g.mul(x, x))))


def _polygamma(g: Graph, order: int, x: Node) -> Node:
    """ψ_n(x) for x > 0, else NaN; above the compiled orders by the recurrence, DLMF 5.15.8 and 5.15.9, to rounding."""
    if order <= _COMPILED:
        return g.call(f"polygamma_{order}" if order else "digamma", x)
    if order > _HIGHEST:
        raise ModelError(f"polygamma functions have a compiled form up to order {_HIGHEST}, not {order}")
    steps, terms = 12, 10
    power, far = g.constant(-order - 1.0), g.add(x, g.constant(steps))
    near = g.total(g.power(g.add(x, g.constant(k)), power) for k in range(steps))
    square, tail = g.power(far, g.constant(-2.0)), g.constant(0.0)
    for k in range(terms, 0, -1):
        coefficient = float(sp.bernoulli(2 * k)) * math.perm(2 * k + order - 1, 2 * k - 1) / math.factorial(2 * k)
        tail = g.mul(square, g.add(g.constant(coefficient), tail))
    head = g.add(g.constant(1.0 / order), g.div(g.constant(0.5), far))
    total = g.add(near, g.mul(g.power(far, g.constant(-float(order))), g.add(head, tail)))
    value = g.mul(g.constant((-1.0) ** (order + 1) * math.factorial(order)), total)
    return g.call("select", g.operate("gt", x, g.constant(0.0)), value, g.constant(float("nan")))


def _remainder(g: Graph, order: int, x: Node) -> Node:
    """What ψ_n(x) is beyond its leading terms, by subtraction."""
    symbol = sp.Dummy(positive=True)
    return g.sub(_polygamma(g, order, x), g.lower(leading_terms(sp.Integer(order), symbol, 2), {symbol: x}))


def _bessel_slope(g: Graph, node: Node) -> Node:
    """The derivative of exp(-|x|) I_n(x): 2 I_n' = I_(n-1) + I_(n+1), DLMF 10.29.1."""
    order, x = node.args
    below = g.call("absolute", g.sub(order, g.constant(1.0)))
    neighbours = [g.call("scaled_bessel_i", n, x) for n in (below, g.add(order, g.constant(1.0)))]
    return g.sub(g.mul(g.constant(0.5), g.total(neighbours)), g.mul(g.call("sign", x), node))


@dataclass(frozen=True)
class Program:
    """Some outputs of a graph as a function of its inputs.

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
        return _program_of, (nodes, [places[x] for x in self.inputs], [places[x] for x in self.outputs])

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What the program uses that is not straight-line code."""
        return parts_of(self.outputs, frozenset(self.inputs))

    @property
    def uses_table(self) -> bool:
        """Whether it looks at the rows of the kernel's table."""
        return any(part.uses_table for part in self.parts)

    def source(self, name: str) -> str:
        """The text of a scalar function that returns the outputs as a tuple.

        It calls its parts ``part_0``, ``part_1``, ... If one of them looks at the rows of a table, that is the last
        argument.
        """
        names = {node: f"x{i}" for i, node in enumerate(self.inputs)}
        arguments = [*names.values(), "table"] if self.uses_table else list(names.values())
        head = f"def {name}({', '.join(arguments)}):"
        parts = {part: f"part_{i}" for i, part in enumerate(self.parts)}
        lines = emit(self.outputs, names, parts)
        returned = ", ".join(names[node] for node in self.outputs)
        return "\n".join([head, *(f"    {line}" for line in lines), f"    return ({returned},)", ""])


def _meaning(program: Program) -> tuple[Any, ...]:
    """The text of a program, in which parts have no names of their own, and what these are."""
    return program.source("program"), *(part.meaning for part in program.parts)


def _program_of(nodes: Iterable[tuple[str, list[int], Any]], inputs: list[int], outputs: list[int]) -> Program:
    """A program in a graph of its own."""
    graph = Graph()
    made: list[Node] = []
    for op, args, value in nodes:
        made.append(graph._intern(op, tuple(made[i] for i in args), value))
    return Program(tuple(made[i] for i in inputs), tuple(made[i] for i in outputs))


def independent_of(program: Program, inputs: Sequence[Node]) -> list[Node]:
    """What a program computes without some of its inputs and then uses, or returns, beside them; in order."""
    order = nodes_of(program.outputs)
    moving = set(inputs)
    for node in order:
        if any(arg in moving for arg in node.args):
            moving.add(node)
    used = {arg for node in order if node in moving for arg in node.args} | set(program.outputs)
    return [node for node in order if node in used and node not in moving]


def parts_of(outputs: Iterable[Node], known: Container[Node] = ()) -> tuple[Part, ...]:
    """What some outputs need that is not straight-line code, beyond what is known."""
    return tuple(dict.fromkeys(node.value for node in nodes_of(outputs, known) if node.op == "part"))


def emit(outputs: Iterable[Node], names: dict[Node, str], parts: Mapping[Part, str], prefix: str = "t") -> list[str]:
    """The statements that compute some outputs.

    Parameters
    ----------
    outputs : iterable of Node
        What to compute.
    names : dict of Node to str
        What is known already, the inputs at least, by its name in the text. The names of what is computed are added,
        so that a later call goes on from here and computes nothing twice.
    parts : mapping of Part to str
        What parts are called in the text. A part returns its status, and its values as a tuple.
    prefix : str, optional
        What the names of temporaries begin with.

    Returns
    -------
    list of str
        One assignment each.
    """
    lines = []
    for node in nodes_of(outputs, names):
        if node in names:
            continue
        args = [names[arg] for arg in node.args]
        if node.is_constant:
            names[node] = number(node.value)
        elif node.op == "item":
            names[node] = item_of(node, args[0])
        else:
            names[node] = f"{prefix}{node.index}"
            lines.append(f"{names[node]} = {_operation(node, args, parts)}")
    return lines


def item_of(item: Node, found: str) -> str:
    """The text of an item of what a part has returned: its status, or one of its values."""
    return f"{found}[1][{item.value - 1}]" if item.value else f"{found}[0]"


def _operation(node: Node, args: list[str], parts: Mapping[Part, str]) -> str:
    template = _OPERATORS.get(node.op)
    if template is not None:
        return template.format(*args)
    if node.op == "part":
        return node.value.call(parts[node.value], args)  # type: ignore[no-any-return]
    if node.op == "input":
        raise ValueError(f"the program uses {node.value!r}, which is not among its inputs")
    return f"{node.op}({', '.join(args)})"


def _packed(names: Sequence[str]) -> str:
    return "(" + "".join(f"{name}, " for name in names).rstrip() + ")"


def number(value: float) -> str:
    """The text of a number."""
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    return repr(value) if value >= 0 and not math.copysign(1.0, value) < 0 else f"({value!r})"
