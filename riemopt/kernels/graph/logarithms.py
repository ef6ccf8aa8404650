"""Logarithms of SymPy expressions as nodes, taken apart where a whole expression would overflow or lose digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import sympy as sp

from riemopt.kernels.graph.nodes import Arithmetic, Node
from riemopt.kernels.graph.recognition import (
    FACTORIALS,
    Exponent,
    coefficient_and_exponent,
    exponent_of,
    has_own_logarithm,
    less_one,
)

__all__ = ["Logarithms"]


class Logarithms:
    """The logarithms of expressions in one environment.

    Parameters
    ----------
    graph : Arithmetic
        The graph, to which they are added.
    lower : callable
        Gives the node of an expression.
    """

    def __init__(self, graph: Arithmetic, lower: Callable[[sp.Expr], Node]) -> None:
        self.graph, self.lower = graph, lower

    def __call__(self, e: sp.Expr) -> Node:
        """The logarithm of an expression."""
        g = self.graph
        if isinstance(e, FACTORIALS):
            return self._of_factorial(e)
        if isinstance(e, sp.besseli) and e.args[0].is_Integer:
            order, x = g.constant(abs(int(e.args[0]))), self.lower(e.args[1])
            return g.add(g.call("absolute", x), g.call("log", g.call("scaled_bessel_i", order, x)))
        exponent = exponent_of(e)
        if exponent is not None:
            return self.total(exponent)
        if isinstance(e, sp.Mul):
            apart = [f for f in e.args if exponent_of(f) is not None or has_own_logarithm(f.as_base_exp()[0])]
            if apart:
                rest = sp.Mul(*(f for f in e.args if f not in apart))
                logs = [self(f) for f in apart]
                return g.total(logs if rest == 1 else [self(rest), *logs])
        if isinstance(e, sp.Pow) and has_own_logarithm(e.base):
            return g.mul(self.lower(e.exp), self(e.base))
        if isinstance(e, sp.Add):
            return self._of_sum(e)
        return g.call("log", self.lower(e))

    def total(self, exponent: Exponent) -> Node:
        """The sum that an exponent is: of terms u, and of terms (c, b) that stand for c log(b)."""
        g = self.graph
        nodes = (g.mul(self.lower(t[0]), self(t[1])) if isinstance(t, tuple) else self.lower(t) for t in exponent)
        return g.total(nodes)

    def _of_sum(self, e: sp.Add) -> Node:
        """log Σ c exp(u), as a sum of positive terms, of terms of any sign, or without exponentials as it stands."""
        g = self.graph
        split = [coefficient_and_exponent(term) for term in e.args]
        if not any(exponent for _, exponent in split):
            return g.call("log1p", self.lower(e - 1)) if sp.S.One in e.args else g.call("log", self.lower(e))
        if not all(coefficient.is_positive for coefficient, _ in split):
            return g.call("log", self.lower(e)) if less_one(e) is not None else self._of_signed_sum(split)
        terms = [self._of_term(*term) for term in split]
        result = terms[0]
        for term in terms[1:]:
            result = g.call("logaddexp", result, term)
        return result

    def _of_term(self, coefficient: sp.Expr, exponent: Exponent) -> Node:
        """log(c exp(u)) for positive c."""
        head = [] if coefficient == 1 else [self(coefficient)]
        return self.graph.total([*head, self.total(exponent)] if exponent else head)

    def _of_signed_sum(self, split: Sequence[tuple[sp.Expr, Exponent]]) -> Node:
        """m + log(Σ c exp(u - m)) with m the largest u whose c is not 0: a c of unknown sign may be 0 or negative."""
        g = self.graph
        terms = []
        for coefficient, exponent in split:
            if coefficient.is_positive:
                terms.append((g.constant(1.0), self._of_term(coefficient, exponent)))
            else:
                c, u = self.lower(coefficient), self.total(exponent)
                counts = g.operate("ne", c, g.constant(0.0))
                terms.append((c, u if c.is_constant else g.call("select", counts, u, g.constant(-math.inf))))
        top = terms[0][1]
        for _, height in terms[1:]:
            top = g.call("maximum", top, height)
        total = g.dot(*zip(*((c, g.call("exp", g.sub(u, top))) for c, u in terms), strict=True))
        return g.add(top, g.call("log", total))

    def _of_factorial(self, e: sp.Expr) -> Node:
        """The logarithm of a factorial, a gamma or beta function or a binomial coefficient, from log-gammas."""
        g = self.graph
        if isinstance(e, sp.gamma):
            return g.call("loggamma", self.lower(e.args[0]))
        if isinstance(e, sp.factorial):
            return g.call("loggamma", self.lower(e.args[0] + 1))
        a, b = e.args
        plus, minus = ((a + 1,), (b + 1, a - b + 1)) if isinstance(e, sp.binomial) else ((a, b), (a + b,))
        above, below = (g.total(g.call("loggamma", self.lower(x)) for x in group) for group in (plus, minus))
        return g.sub(above, below)
