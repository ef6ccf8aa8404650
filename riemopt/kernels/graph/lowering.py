"""SymPy expressions to nodes, each written so that it neither overflows nor loses digits where it need not.

The logarithm of a product, of a power, of a factorial or of a sum of exponentials is taken without taking these;
exp(u) - 1 and the logistic function are calls of their own; Bessel functions are computed without their growth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import sympy as sp

from riemopt.errors import ModelError
from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS
from riemopt.kernels.graph.polygamma import PolygammaRemainder, leading_terms, polygamma, polygamma_remainder
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.recognition import (
    FACTORIALS,
    Exponent,
    ScaledBessel,
    bessel_growth,
    coefficient_and_exponent,
    exponent_of,
    has_own_logarithm,
    scaled,
)
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
        exponent = exponent_of(-one * power)
        if exponent is None:
            return None
        result = self.graph.call("expm1", self._sum(exponent))
        return self.graph.neg(result) if one == sp.S.One else result

    def _sum(self, terms: Exponent) -> Node:
        """The sum of terms u, and of terms (e, b) that stand for e log(b)."""
        g = self.graph
        nodes = (g.mul(self(t[0]), self._log(t[1])) if isinstance(t, tuple) else self(t) for t in terms)
        return g.total(nodes)

    def _log(self, e: sp.Expr) -> Node:
        """The logarithm of an expression, taken apart where it would overflow or lose digits as a whole."""
        g = self.graph
        if isinstance(e, FACTORIALS):
            return self._log_factorial(e)
        if isinstance(e, sp.besseli) and e.args[0].is_Integer:
            order, x = g.constant(abs(int(e.args[0]))), self(e.args[1])
            return g.add(g.call("absolute", x), g.call("log", g.call("scaled_bessel_i", order, x)))
        exponent = exponent_of(e)
        if exponent is not None:
            return self._sum(exponent)
        if isinstance(e, sp.Mul):
            apart = [f for f in e.args if exponent_of(f) is not None or has_own_logarithm(f.as_base_exp()[0])]
            if apart:
                rest = sp.Mul(*(f for f in e.args if f not in apart))
                logs = [self._log(f) for f in apart]
                return g.total(logs if rest == 1 else [self._log(rest), *logs])
        if isinstance(e, sp.Pow) and has_own_logarithm(e.base):
            return g.mul(self(e.exp), self._log(e.base))
        if isinstance(e, sp.Add):
            return self._log_of_sum(e)
        return g.call("log", self(e))

    def _log_of_sum(self, e: sp.Add) -> Node:
        g = self.graph
        split = [coefficient_and_exponent(term) for term in e.args]
        if not any(exponent for _, exponent in split):
            return g.call("log1p", self(e - 1)) if sp.S.One in e.args else g.call("log", self(e))
        if not all(coefficient.is_positive for coefficient, _ in split):
            return g.call("log", self(e)) if self._less_one(e) is not None else self._log_of_signed_sum(split)
        terms = [self._log_of_term(*term) for term in split]
        result = terms[0]
        for term in terms[1:]:
            result = g.call("logaddexp", result, term)
        return result

    def _log_of_term(self, coefficient: sp.Expr, exponent: Exponent) -> Node:
        head = [] if coefficient == 1 else [self._log(coefficient)]
        return self.graph.total([*head, self._sum(exponent)] if exponent else head)

    def _log_of_signed_sum(self, split: Sequence[tuple[sp.Expr, Exponent]]) -> Node:
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
        if not (isinstance(e, sp.Pow) and e.exp.is_Integer and e.exp.is_negative and isinstance(e.base, sp.Add)):
            return None
        one, *rest = e.base.args
        exponent = exponent_of(rest[0]) if one == 1 and len(rest) == 1 else None
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
            return g.call("exp", self._log_factorial(e))
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
