"""Derivatives of nodes: along a direction forward through a graph, and of one node by many inputs backward."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from riemopt.errors import ModelError
from riemopt.kernels.graph.nodes import Arithmetic, Node, nodes_of
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS, TRUTHS, polygamma_name, remainder_name
from riemopt.kernels.graph.polygamma import polygamma, polygamma_remainder

__all__ = ["gradients", "tangents"]


def tangents(g: Arithmetic, outputs: Sequence[Node], seeds: Mapping[Node, Node]) -> list[Node]:
    """Directional derivatives of nodes by forward differentiation.

    Parameters
    ----------
    g : Arithmetic
        The graph, to which the derivatives are added.
    outputs : sequence of Node
        What to differentiate.
    seeds : mapping of Node to Node
        Inputs to their tangents; an input that is not mentioned is held fixed.
    """
    known: dict[Node, Node] = dict(seeds)
    zero = g.constant(0.0)
    inside: dict[Node, list[Node]] = {}
    for node in nodes_of(outputs):
        if node in known:
            continue
        if node.op == "part":
            arriving = [known[arg] for arg in node.args]
            fixed = all(tangent is zero for tangent in arriving)
            inside[node] = [zero] * node.value.size if fixed else node.value.tangent(g, node.args, arriving)
            known[node] = zero
        elif node.op == "item":
            known[node] = inside[node.args[0]][node.value - 1] if node.value else zero
        else:
            known[node] = _tangent(g, node, [known[arg] for arg in node.args], zero)
    return [known[output] for output in outputs]


def gradients(g: Arithmetic, outputs: Mapping[Node, Node], inputs: Sequence[Node]) -> list[Node]:
    """The derivative of a combination of nodes with respect to inputs, by backward differentiation.

    Parameters
    ----------
    g : Arithmetic
        The graph, to which the derivatives are added.
    outputs : mapping of Node to Node
        The nodes to combine, each with its coefficient, which is held fixed.
    inputs : sequence of Node
        What to differentiate with respect to.
    """
    zero, one = g.constant(0.0), g.constant(1.0)
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
                slope = _tangent(g, node, seeds, zero)
                adjoint[arg] = g.add(adjoint.get(arg, zero), g.mul(arriving, slope))
    return [adjoint.get(node, zero) for node in inputs]


def _tangent(g: Arithmetic, node: Node, arriving: list[Node], zero: Node) -> Node:
    """The tangent of a node from those of its operands."""
    if all(tangent is zero for tangent in arriving):
        return zero
    rule = _TANGENTS.get(node.op)
    if rule is None:
        raise ModelError(f"no derivative is known for the compiled function {node.op!r}")
    return rule(g, node, *arriving)


# -- the derivatives of the operations

_Tangent = Callable[..., Node]


def _chain(derivative: Callable[[Arithmetic, Node], Node]) -> _Tangent:
    """The tangent rule of a function of one argument, from its derivative."""
    return lambda g, node, da: g.mul(derivative(g, node), da)


def _power_tangent(g: Arithmetic, node: Node, da: Node, db: Node) -> Node:
    """b a^(b-1) ȧ + a^b log(a) ḃ."""
    base, exponent = node.args
    lowered = g.mul(exponent, g.power(base, g.sub(exponent, g.constant(1.0))))
    result = g.mul(lowered, da)
    return result if db.equals(0.0) else g.add(result, g.mul(g.mul(node, g.call("log", base)), db))


def _one_over(formula: Callable[[Arithmetic, Node], Node]) -> _Tangent:
    """The tangent rule of a function of x whose derivative is one over a formula of x."""
    return _chain(lambda g, n: g.div(g.constant(1.0), formula(g, n.args[0])))


def _one_plus(sign: float, g: Arithmetic, x: Node) -> Node:
    """1 + x² or 1 - x²."""
    return g.add(g.constant(1.0), g.mul(g.constant(sign), g.mul(x, x)))


def _next_order(formula: Callable[[Arithmetic, int, Node], Node], order: int) -> _Tangent:
    """The tangent rule of ψ_n, or of its remainder: the derivative is the one of order n + 1."""
    return _chain(lambda g, n: formula(g, order + 1, n.args[0]))


def _gaussian(g: Arithmetic, x: Node, factor: float) -> Node:
    """A multiple of exp(-x²)."""
    return g.mul(g.constant(factor), g.call("exp", g.neg(g.mul(x, x))))


def _bessel_slope(g: Arithmetic, node: Node) -> Node:
    """The derivative of exp(-|x|) I_n(x): 2 I_n' = I_(n-1) + I_(n+1), DLMF 10.29.1."""
    order, x = node.args
    below = g.call("absolute", g.sub(order, g.constant(1.0)))
    neighbours = [g.call("scaled_bessel_i", n, x) for n in (below, g.add(order, g.constant(1.0)))]
    return g.sub(g.mul(g.constant(0.5), g.total(neighbours)), g.mul(g.call("sign", x), node))


_TANGENTS: dict[str, _Tangent] = {
    "add": lambda g, n, da, db: g.add(da, db),
    "sub": lambda g, n, da, db: g.sub(da, db),
    "mul": lambda g, n, da, db: g.add(g.mul(da, n.args[1]), g.mul(n.args[0], db)),
    "div": lambda g, n, da, db: g.div(g.sub(da, g.mul(n, db)), n.args[1]),
    "neg": lambda g, n, da: g.neg(da),
    "pow": _power_tangent,
    "exp": _chain(lambda g, n: n),
    "expm1": _chain(lambda g, n: g.add(n, g.constant(1.0))),
    "log": _one_over(lambda g, x: x),
    "log1p": _one_over(lambda g, x: g.add(g.constant(1.0), x)),
    "sqrt": lambda g, n, da: g.div(da, g.mul(g.constant(2.0), n)),
    "sin": _chain(lambda g, n: g.call("cos", n.args[0])),
    "cos": _chain(lambda g, n: g.neg(g.call("sin", n.args[0]))),
    "tan": _chain(lambda g, n: _one_plus(1.0, g, n)),
    "asin": _one_over(lambda g, x: g.call("sqrt", _one_plus(-1.0, g, x))),
    "acos": lambda g, n, da: g.neg(g.div(da, g.call("sqrt", _one_plus(-1.0, g, n.args[0])))),
    "atan": _one_over(lambda g, x: _one_plus(1.0, g, x)),
    "sinh": _chain(lambda g, n: g.call("cosh", n.args[0])),
    "cosh": _chain(lambda g, n: g.call("sinh", n.args[0])),
    "tanh": _chain(lambda g, n: _one_plus(-1.0, g, n)),
    "asinh": _one_over(lambda g, x: g.call("sqrt", _one_plus(1.0, g, x))),
    "acosh": _one_over(lambda g, x: g.call("sqrt", g.sub(g.mul(x, x), g.constant(1.0)))),
    "atanh": _one_over(lambda g, x: _one_plus(-1.0, g, x)),
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
    **{polygamma_name(n): _next_order(polygamma, n) for n in (0, *POLYGAMMA_ORDERS)},
    **{remainder_name(n): _next_order(polygamma_remainder, n) for n in POLYGAMMA_ORDERS},
    "atan2": lambda g, n, dy, dx: g.div(
        g.sub(g.mul(n.args[1], dy), g.mul(n.args[0], dx)),
        g.add(g.mul(n.args[0], n.args[0]), g.mul(n.args[1], n.args[1])),
    ),
    "minimum": lambda g, n, da, db: g.call("select", g.operate("le", *n.args), da, db),
    "maximum": lambda g, n, da, db: g.call("select", g.operate("ge", *n.args), da, db),
    "select": lambda g, n, dc, da, db: g.call("select", n.args[0], da, db),
    # truth values have no tangent; they are only ever looked at by select
    **dict.fromkeys(TRUTHS, lambda g, n, *tangents: g.constant(0.0)),
}
"""The tangent of an operation: takes the graph, the node, and the tangents of the operands."""
