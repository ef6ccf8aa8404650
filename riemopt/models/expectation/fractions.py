"""Matrices of expressions computed in a field of fractions, where all that cancels is cancelled on the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import sympy as sp
from sympy.polys.matrices import DomainMatrix

__all__ = ["in_fractions"]


def in_fractions(function: Callable[..., DomainMatrix], *matrices: sp.Matrix) -> sp.Matrix:
    """A function of matrices, computed in a field of fractions: all that cancels is cancelled on the way.

    What is not a rational function of the parameters, a logarithm or a polygamma, counts as one more variable.
    """
    names: dict[sp.Expr, sp.Symbol] = {}

    def rename(e: sp.Expr) -> sp.Expr:
        if isinstance(e, (sp.Add, sp.Mul)):
            return e.func(*map(rename, e.args))
        if isinstance(e, sp.Pow) and e.exp.is_Integer:
            return rename(e.base) ** e.exp
        if e.is_Rational:
            return e
        return names.setdefault(e, sp.Dummy())

    plain = [matrix.applyfunc(lambda e: rename(sp.expand_log(e))) for matrix in matrices]
    stacked = DomainMatrix.from_Matrix(sp.Matrix.hstack(*plain)).to_field()
    ends = list(itertools.accumulate(matrix.cols for matrix in plain))
    blocks = [stacked[:, end - matrix.cols : end] for matrix, end in zip(plain, ends, strict=True)]
    exchange = {name: e for e, name in names.items()}

    def factor(e: sp.Expr) -> sp.Expr:
        above, below = e.as_numer_denom()
        return (sp.factor(above) / sp.factor(below)).xreplace(exchange)

    return function(*blocks).to_Matrix().applyfunc(factor)
