"""Expressions to straight-line scalar source.

A :class:`Graph` holds scalar operations, each once: two equal subexpressions are the same :class:`Node`, so common
subexpressions are found as the graph grows. SymPy expressions enter through :meth:`Graph.lower`; array notation enters
through :mod:`riemopt.kernels.tracing`. A :class:`Program` is a set of outputs of a graph, and its
:attr:`Program.source` is the one text that every target runs: over arrays with NumPy, inside compiled loops with Numba.

The text never contains a name that a user chose: inputs and temporaries are numbered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from riemopt.errors import ModelError
from riemopt.status import Status

__all__ = ["FUNCTIONS", "Condition", "Graph", "Node", "Ode", "Program", "emit", "odes_of"]


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
    **dict.fromkeys(("atan2", "minimum", "maximum"), 2),
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

_SYMPY_RELATIONS = {
    sp.StrictLessThan: "lt",
    sp.LessThan: "le",
    sp.StrictGreaterThan: "gt",
    sp.GreaterThan: "ge",
    sp.Equality: "eq",
    sp.Unequality: "ne",
}


@dataclass(frozen=True)
class Ode:
    """An autonomous ordinary differential equation y' = f(y; p), solved by a target's stepper.

    Attributes
    ----------
    field : Program
        Takes y and p; returns the status, then f.
    dimension : int
        The number of components of y.
    approach : Program, optional
        Takes y and p; returns how fast the solution closes in on the nearest edge of the domain, forward and backward
        in time, as one over the time left at constant speed. A step is no longer than that time. Needed where a
        solution may touch the edge and come back: a step across would look at nothing but the inside.
    """

    field: Program
    dimension: int
    approach: Program | None = None

    @property
    def constants(self) -> int:
        """The number of components of p."""
        return len(self.field.inputs) - self.dimension


class Graph:
    """Scalar operations, each held once."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Node] = {}

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

    def solve_ode(
        self, ode: Ode, state: Sequence[Node], constants: Sequence[Node], duration: Node, rtol: Node, atol: Node
    ) -> tuple[Node, list[Node]]:
        """The solution of an equation after a time: its status, then the state."""
        call = self._intern("ode", (*state, *constants, duration, rtol, atol), value=ode)
        items = [self._intern("item", (call,), value=i) for i in range(ode.dimension + 1)]
        return items[0], items[1:]

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
        for node in _in_order(outputs):
            if node not in known:
                known[node] = self._tangent(node, [known[arg] for arg in node.args], zero)
        return [known[output] for output in outputs]

    def _tangent(self, node: Node, tangents: list[Node], zero: Node) -> Node:
        if all(tangent is zero for tangent in tangents):
            return zero
        rule = _TANGENTS.get(node.op)
        if rule is None:
            raise ModelError(f"no derivative is known for the compiled function {node.op!r}")
        return rule(self, node, *tangents)


def _is(node: Node, value: float) -> bool:
    return node.is_constant and node.value == value


def _ordered(a: Node, b: Node) -> tuple[Node, Node]:
    return (a, b) if a.index <= b.index else (b, a)


def _in_order(outputs: Iterable[Node]) -> list[Node]:
    """All nodes that some outputs need, operands first."""
    needed: set[Node] = set()
    pending = list(outputs)
    while pending:
        node = pending.pop()
        if node not in needed:
            needed.add(node)
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
            return g.power(self(e.base), self(e.exp))
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
        result = self.graph.constant(0.0)
        # positive terms first, so that a sum starts with a term and not with a negation
        for term in sorted(e.args, key=lambda t: t.could_extract_minus_sign()):
            if term.could_extract_minus_sign():
                result = self.graph.sub(result, self(-term))
            else:
                result = self.graph.add(result, self(term))
        return result

    def _mul(self, e: sp.Mul) -> Node:
        g = self.graph
        coefficient, factors = e.as_coeff_mul()
        above, below = g.constant(float(coefficient.p if coefficient.is_Rational else coefficient)), g.constant(1.0)
        if coefficient.is_Rational:
            below = g.constant(float(coefficient.q))
        for factor in factors:
            if isinstance(factor, sp.Pow) and factor.exp.could_extract_minus_sign():
                below = g.mul(below, self(1 / factor))
            else:
                above = g.mul(above, self(factor))
        return g.div(above, below)

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
        if isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma):
            return g.call("loggamma", self(e.args[0].args[0]))
        if isinstance(e, sp.polygamma) and e.args[0].is_Integer and 0 <= e.args[0] <= 6:
            order = int(e.args[0])
            return g.call(f"polygamma_{order}" if order else "digamma", self(e.args[1]))
        if isinstance(e, sp.factorial):
            return self(sp.gamma(e.args[0] + 1))
        if isinstance(e, sp.beta):
            return self(e.rewrite(sp.gamma))
        for kind, name in _SYMPY_FUNCTIONS.items():
            if isinstance(e, kind):
                return g.call(name, *(self(arg) for arg in e.args))
        raise ModelError(f"the function {e.func.__name__} in {e} has no compiled form")


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


def _polygamma_rule(order: int) -> _Tangent:
    return _chain(lambda g, n: g.call(f"polygamma_{order + 1}", n.args[0]))


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
    "erf": _chain(lambda g, n: _gaussian(g, n.args[0], 2.0 / math.sqrt(math.pi))),
    "erfc": _chain(lambda g, n: _gaussian(g, n.args[0], -2.0 / math.sqrt(math.pi))),
    "gamma": _chain(lambda g, n: g.mul(n, g.call("digamma", n.args[0]))),
    "loggamma": _chain(lambda g, n: g.call("digamma", n.args[0])),
    "digamma": _polygamma_rule(0),
    **{f"polygamma_{order}": _polygamma_rule(order) for order in range(1, 6)},
    "minimum": lambda g, n, da, db: g.call("select", g.operate("le", *n.args), da, db),
    "maximum": lambda g, n, da, db: g.call("select", g.operate("ge", *n.args), da, db),
    "select": lambda g, n, dc, da, db: g.call("select", n.args[0], da, db),
    # truth values have no tangent; they are only ever looked at by select
    **dict.fromkeys(_TRUTHS, lambda g, n, *tangents: g.constant(0.0)),
}


def _gaussian(g: Graph, x: Node, factor: float) -> Node:
    return g.mul(g.constant(factor), g.call("exp", g.neg(g.mul(x, x))))


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

    @cached_property
    def odes(self) -> tuple[Ode, ...]:
        """The differential equations that the program solves on its way."""
        return odes_of(self.outputs)

    def source(self, name: str) -> str:
        """The text of a scalar function that returns the outputs as a tuple.

        It calls the solvers of its differential equations ``ode_0``, ``ode_1``, ...
        """
        names = {node: f"x{i}" for i, node in enumerate(self.inputs)}
        head = f"def {name}({', '.join(names.values())}):"
        solvers = {ode: f"ode_{i}" for i, ode in enumerate(self.odes)}
        lines = emit(self.outputs, names, solvers)
        returned = ", ".join(names[node] for node in self.outputs)
        return "\n".join([head, *(f"    {line}" for line in lines), f"    return ({returned},)", ""])


def odes_of(outputs: Iterable[Node]) -> tuple[Ode, ...]:
    """The differential equations that some outputs need solved."""
    return tuple(dict.fromkeys(node.value for node in _in_order(outputs) if node.op == "ode"))


def emit(outputs: Iterable[Node], names: dict[Node, str], solvers: Mapping[Ode, str], prefix: str = "t") -> list[str]:
    """The statements that compute some outputs.

    Parameters
    ----------
    outputs : iterable of Node
        What to compute.
    names : dict of Node to str
        What is known already, the inputs at least, by its name in the text. The names of what is computed are added,
        so that a later call goes on from here and computes nothing twice.
    solvers : mapping of Ode to str
        What the solvers of differential equations are called in the text. A solver takes the state and the constants
        as tuples, the duration and the tolerances; it returns the status, and the state as a tuple.
    prefix : str, optional
        What the names of temporaries begin with.

    Returns
    -------
    list of str
        One assignment each.
    """
    lines = []
    for node in _in_order(outputs):
        if node in names:
            continue
        args = [names[arg] for arg in node.args]
        if node.is_constant:
            names[node] = _number(node.value)
        elif node.op == "item":
            names[node] = f"{args[0]}[1][{node.value - 1}]" if node.value else f"{args[0]}[0]"
        else:
            names[node] = f"{prefix}{node.index}"
            lines.append(f"{names[node]} = {_operation(node, args, solvers)}")
    return lines


def _operation(node: Node, args: list[str], solvers: Mapping[Ode, str]) -> str:
    template = _OPERATORS.get(node.op)
    if template is not None:
        return template.format(*args)
    if node.op == "ode":
        ode: Ode = node.value
        state, constants, settings = args[: ode.dimension], args[ode.dimension : -3], args[-3:]
        packed = ", ".join((_packed(state), _packed(constants), *settings))
        return f"{solvers[ode]}({packed})"
    if node.op == "input":
        raise ValueError(f"the program uses {node.value!r}, which is not among its inputs")
    return f"{node.op}({', '.join(args)})"


def _packed(names: Sequence[str]) -> str:
    return "(" + "".join(f"{name}, " for name in names).rstrip() + ")"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    return repr(value) if value >= 0 and not math.copysign(1.0, value) < 0 else f"({value!r})"
