"""Expressions as functions of NumPy arrays, for what is evaluated a few times: samples, domains, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

__all__ = ["numeric_function"]


def numeric_function(symbols: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> Callable[..., list[Any]]:
    """Compile expressions into a function of arrays, one for each symbol, which broadcast.

    Parameters
    ----------
    symbols : sequence of Symbol
        The arguments.
    expressions : sequence of Expr
        The values.

    Returns
    -------
    callable
        Returns a list of arrays, or of numbers where an expression has no symbol.

    Examples
    --------
    >>> k = sp.Symbol("k", integer=True, positive=True)
    >>> float(numeric_function([k], [sp.loggamma(k)])(1000.0)[0].round(3))
    5905.22
    """
    # anonymous: a symbol may be called like a function. And without assumptions: of an integer, SymPy writes the
    # logarithm of Γ as log(Γ), which overflows
    names = [sp.Dummy() for _ in symbols]
    exchange = dict(zip(symbols, names, strict=True))
    plain = [_stable(e.xreplace(exchange)) for e in expressions]
    modules = [{"logaddexp": np.logaddexp}, "scipy", "numpy"]
    return sp.lambdify(names, plain, modules=modules, cse=True)  # type: ignore[no-any-return]


def _stable(expression: sp.Expr) -> sp.Expr:
    """An expression for arrays: logarithms do not overflow, no integer is too large, no branch takes numbers only."""
    # SymPy writes it for numbers only
    result = expression.replace(sp.KroneckerDelta, lambda i, j: sp.Piecewise((1, sp.Eq(i, j)), (0, True)))
    result = result.replace(_is_log_gamma, lambda e: sp.loggamma(e.args[0].args[0]))
    result = result.replace(_is_softplus, lambda e: _LOGADDEXP(0, (e.args[0] - 1).args[0]))
    return result.xreplace({n: sp.Float(n) for n in result.atoms(sp.Integer) if abs(n) > 1 << 53})


_LOGADDEXP = sp.Function("logaddexp")


def _is_log_gamma(e: sp.Basic) -> bool:
    return isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma)


def _is_softplus(e: sp.Basic) -> bool:
    return isinstance(e, sp.log) and isinstance(e.args[0], sp.Add) and isinstance(e.args[0] - 1, sp.exp)
