"""Expressions as functions of NumPy arrays, by SymPy's own printer: for samples, domains and checks.

What is evaluated often is compiled by :mod:`riemopt.kernels` instead, which takes much longer to begin with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

__all__ = ["Computed", "array_function", "numeric_function"]

Floats = NDArray[np.float64]


class Computed(sp.Function):
    """A SymPy function whose values come from an algorithm, not from a formula.

    Its last arguments are what it is a function of, `image`; those before them are data of the algorithm.
    """

    @property
    def image(self) -> tuple[sp.Expr, ...]:
        """The arguments that it is a function of."""
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
    return _compiled(tuple(symbols), tuple(expressions))


@functools.lru_cache(maxsize=1024)
def _compiled(symbols: tuple[sp.Symbol, ...], expressions: tuple[sp.Expr, ...]) -> Callable[..., list[Any]]:
    # names of our own: a symbol may be called like a function. And without assumptions: of an integer, SymPy writes
    # loggamma as log(gamma), which overflows
    names = [sp.Symbol(f"argument_{i:04d}") for i in range(len(symbols))]
    exchange = dict(zip(symbols, names, strict=True))
    functions: dict[sp.Tuple, tuple[str, Callable[..., np.ndarray]]] = {}
    plain = [_name_computed(_stable(e.xreplace(exchange)), functions) for e in expressions]
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


def _name_computed(expression: sp.Expr, functions: dict[sp.Tuple, tuple[str, Callable[..., np.ndarray]]]) -> sp.Expr:
    """An expression with an undefined function for each :class:`Computed` one; `functions` gets its name and code."""

    def name(e: Computed) -> sp.Expr:
        data = sp.Tuple(*e.args[: len(e.args) - len(e.image)])
        known, _ = functions.setdefault(data, (f"computed_{len(functions)}", e.on_arrays()))
        return sp.Function(known)(*e.image)

    return expression.replace(lambda e: isinstance(e, Computed), name)


def _stable(expression: sp.Expr) -> sp.Expr:
    """An expression that can be printed for arrays, and in which logarithms of Γ and of 1 + e^u do not overflow."""
    # SymPy prints the delta for single numbers only
    result = expression.replace(sp.KroneckerDelta, lambda i, j: sp.Piecewise((1, sp.Eq(i, j)), (0, True)))
    result = result.replace(_is_log_gamma, lambda e: sp.loggamma(e.args[0].args[0]))
    result = result.replace(_is_softplus, lambda e: _LOGADDEXP(0, (e.args[0] - 1).args[0]))
    return result.xreplace({n: sp.Float(n) for n in result.atoms(sp.Integer) if abs(n) > 1 << 53})


_LOGADDEXP = sp.Function("logaddexp")


def _is_log_gamma(e: sp.Basic) -> bool:
    return isinstance(e, sp.log) and isinstance(e.args[0], sp.gamma)


def _is_softplus(e: sp.Basic) -> bool:
    return isinstance(e, sp.log) and isinstance(e.args[0], sp.Add) and isinstance(e.args[0] - 1, sp.exp)
