"""Expressions as functions of NumPy arrays, for what is evaluated a few times: samples, domains, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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
    plain = [e.xreplace(exchange).replace(_is_log_gamma, lambda e: sp.loggamma(e.args[0].args[0])) for e in expressions]
    # of numbers one by one, as SymPy writes it
    plain = [e.replace(sp.KroneckerDelta, lambda i, j: sp.Piecewise((1, sp.Eq(i, j)), (0, True))) for e in plain]
    return sp.lambdify(names, plain, modules=["scipy", "numpy"], cse=True)  # type: ignore[no-any-return]


def _is_log_gamma(e: sp.Basic) -> bool:
    return isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma)
