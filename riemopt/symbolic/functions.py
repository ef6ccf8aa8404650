"""Expressions as functions of NumPy arrays, for what is evaluated a few times: samples, domains, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

__all__ = ["Computed", "array_function", "numeric_function"]

Floats = NDArray[np.float64]


class Computed(sp.Function):
    """A function whose numbers some code of its own finds; its last arguments are numbers, the others its data."""

    @property
    def image(self) -> tuple[sp.Expr, ...]:
        """The arguments that are numbers."""
        raise NotImplementedError

    def on_arrays(self) -> Callable[..., np.ndarray]:
        """The function of arrays, one for each of `image`."""
        raise NotImplementedError


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
    functions: dict[sp.Tuple, tuple[str, Callable[..., np.ndarray]]] = {}
    plain = [_named(_stable(e.xreplace(exchange)), functions) for e in expressions]
    modules = [{"logaddexp": np.logaddexp, **dict(functions.values())}, "scipy", "numpy"]
    return sp.lambdify(names, plain, modules=modules, cse=True)  # type: ignore[no-any-return]


def array_function(parameters: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> Callable[[Floats], Floats]:
    """Compile expressions into a function of arrays, points (..., n) to values (..., m).

    Parameters
    ----------
    parameters : sequence of Symbol
        The n coordinates.
    expressions : sequence of Expr
        The m values.

    Returns
    -------
    callable
        Quiet about division by zero and the like: the values are then infinite or NaN.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> array_function((x, y), (x * y, sp.Integer(1)))(np.array([2.0, 3.0]))
    array([6., 1.])
    """
    compiled = numeric_function(parameters, expressions)

    def values(points: Floats) -> Floats:
        result = np.empty((*points.shape[:-1], len(expressions)), like=points)
        with np.errstate(all="ignore"):
            for index, value in enumerate(compiled(*np.moveaxis(points, -1, 0))):
                result[..., index] = value
        return result

    return values


def _named(expression: sp.Expr, functions: dict[sp.Tuple, tuple[str, Callable[..., np.ndarray]]]) -> sp.Expr:
    """An expression with names for functions that are computed; these are added, by their data."""

    def name(e: Computed) -> sp.Expr:
        data = sp.Tuple(*e.args[: len(e.args) - len(e.image)])
        known, _ = functions.setdefault(data, (f"computed_{len(functions)}", e.on_arrays()))
        return sp.Function(known)(*e.image)

    return expression.replace(lambda e: isinstance(e, Computed), name)


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
