"""SymPy expressions to nodes, each written so that it neither overflows nor loses digits where it need not.

Logarithms are taken apart, exp(u) - 1 and the logistic function are calls of their own, and Bessel functions are
computed without their growth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import sympy as sp

from riemopt.errors import ModelError
from riemopt.kernels.graph.logarithms import Logarithms
from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS
from riemopt.kernels.graph.polygamma import PolygammaRemainder, leading_terms, polygamma, polygamma_remainder
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.recognition import ScaledBessel, bessel_growth, less_one, logistic_exponent, scaled
from riemopt.kernels.graph.roots import Root
from riemopt.symbolic.implicit import ImplicitMap, Preimage

__all__ = ["lower"]

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


def lower(graph: Arithmetic, expression: sp.Basic, environment: Mapping[sp.Symbol, Node]) -> Node:
    """The node of a SymPy expression.

    Parameters
    ----------
    graph : Arithmetic
        The graph, to which it is added.
    expression : sympy.Basic
        Its free symbols must all be in `environment`.
    environment : mapping of sympy.Symbol to Node
        What the symbols stand for.

    Raises
    ------
    ModelError
        If the expression holds a function that has no compiled form, naming it.
    """
    return _Lowering(graph, environment)(expression)


@lru_cache(maxsize=256)
def _root(mapping: ImplicitMap) -> Root:
    """The root of a map without a closed inverse."""
    graph = Arithmetic()
    theta = tuple(graph.input(f"coordinate {i}") for i in range(len(mapping.parameters)))
    environment = dict(zip(mapping.parameters, theta, strict=True))
    image = Program(theta, tuple(lower(graph, e, environment) for e in mapping.expressions))
    return Root.of(image, mapping.box, mapping.signs, mapping.start)


class _Lowering:
    """SymPy expressions to nodes, in one environment."""

    def __init__(self, graph: Arithmetic, environment: Mapping[sp.Symbol, Node]) -> None:
        self.graph = graph
        self.log = Logarithms(graph, self)
        self.known: dict[sp.Basic, Node] = dict(environment)

    def __call__(self, expression: sp.Basic) -> Node:
        """The node of an expression, which is lowered once."""
        node = self.known.get(expression)
        if node is None:
            node = self.known[expression] = self._lower(expression)
        return node

    def _lower(self, e: sp.Basic) -> Node:
        """The node of a number, of an operation, or of a function."""
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
        """An operation of two nodes on any number of arguments."""
        result = self(args[0])
        for arg in args[1:]:
            result = operation(result, self(arg))
        return result

    def _add(self, e: sp.Add) -> Node:
        """A sum; ±(exp(u) - 1) as ±expm1(u)."""
        signed = less_one(e)
        if signed is not None:
            sign, exponent = signed
            power = self.graph.call("expm1", self.log.total(exponent))
            return self.graph.neg(power) if sign < 0 else power
        result = self.graph.constant(0.0)
        # positive terms first, so that a sum starts with a term and not with a negation
        for term in sorted(e.args, key=lambda t: t.could_extract_minus_sign()):
            if term.could_extract_minus_sign():
                result = self.graph.sub(result, self(-term))
            else:
                result = self.graph.add(result, self(term))
        return result

    def _mul(self, e: sp.Mul) -> Node:
        """A product as one quotient; Bessel functions without their growth, which is multiplied once."""
        g = self.graph
        coefficient, factors = e.as_coeff_mul()
        above, below = g.constant(float(coefficient.p if coefficient.is_Rational else coefficient)), g.constant(1.0)
        if coefficient.is_Rational:
            below = g.constant(float(coefficient.q))
        growth = bessel_growth(factors)
        if growth is not None:
            if any(isinstance(f, sp.Add) and f.has(sp.besseli) for f in factors):
                return self(sp.expand_mul(e))
            factors = tuple(scaled(f) for f in factors)
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
        exponent = logistic_exponent(e)
        if exponent is None:
            return None
        logistic = self.graph.call("expit", self.graph.neg(self.log.total(exponent)))
        return self.graph.power(logistic, self.graph.constant(float(-e.exp)))

    def _piecewise(self, e: sp.Piecewise) -> Node:
        """Cases as nested choices, NaN where none of them holds."""
        result = self.graph.constant(math.nan)
        for value, condition in reversed(e.args):
            if condition == sp.true:
                result = self(value)
            else:
                result = self.graph.call("select", self(condition), self(value), result)
        return result

    def _function(self, e: sp.Basic) -> Node:
        """The node of a function, by a formula of its own or by a call."""
        g = self.graph
        if e.is_number and e.is_extended_real:
            return g.constant(float(e))
        if isinstance(e, sp.log):
            return self.log(e.args[0])
        if isinstance(e, Preimage):
            _, values = g.use(_root(e.mapping), [self(value) for value in e.image])
            return values[e.index]
        if isinstance(e, sp.polygamma) and e.args[0].is_Integer and e.args[0] >= 0:
            return polygamma(g, int(e.args[0]), self(e.args[1]))
        if isinstance(e, PolygammaRemainder) and e.args[0].is_Integer and e.args[0] in POLYGAMMA_ORDERS:
            order, x, count = e.args
            rest = polygamma_remainder(g, int(order), self(x))
            return rest if count == 2 else g.add(rest, self(leading_terms(order, x, 2) - leading_terms(order, x, 1)))
        if isinstance(e, sp.factorial):
            return self(sp.gamma(e.args[0] + 1))
        if isinstance(e, (sp.beta, sp.binomial)):
            return g.call("exp", self.log(e))
        if isinstance(e, ScaledBessel):
            return g.call("scaled_bessel_i", self(sp.Abs(e.args[0])), self(e.args[1]))
        if isinstance(e, sp.besseli) and e.args[0].is_Integer:
            return g.mul(g.call("exp", self(sp.Abs(e.args[1]))), self(ScaledBessel(*e.args)))
        if isinstance(e, sp.KroneckerDelta):
            equal = g.operate("eq", self(e.args[0]), self(e.args[1]))
            return g.call("select", equal, g.constant(1.0), g.constant(0.0))
        if isinstance(e, sp.Heaviside):
            return g.mul(g.constant(0.5), g.add(g.constant(1.0), g.call("sign", self(e.args[0]))))
        for kind, name in _SYMPY_FUNCTIONS.items():
            if isinstance(e, kind):
                return g.call(name, *(self(arg) for arg in e.args))
        raise ModelError(f"the function {e.func.__name__} in {e} has no compiled form")
