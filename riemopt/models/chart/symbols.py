"""Whether a substitution can be a chart at all: as many coordinates as parameters, known symbols, SymPy expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from riemopt.errors import ModelError
from riemopt.models.conditions import require_known

__all__ = ["as_expression", "require_chart_symbols", "wrong_number"]


def require_chart_symbols(
    originals: Sequence[sp.Symbol], parameters: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]
) -> None:
    """Raise unless there is an expression for each original parameter, and each new one occurs in some of them.

    Raises
    ------
    ModelError
        Naming the first symbol that is foreign, or that occurs nowhere; or if the numbers differ.
    """
    equations = [f"{symbol} = {expression}" for symbol, expression in zip(originals, expressions, strict=False)]
    if not len(originals) == len(parameters) == len(expressions):
        raise wrong_number(len(originals), list(map(str, parameters)))
    for equation, expression in zip(equations, expressions, strict=True):
        require_known(equation, expression, parameters)
    for symbol in parameters:
        if not any(symbol in expression.free_symbols for expression in expressions):
            raise ModelError(f"{', '.join(equations)} is not invertible: {symbol} appears nowhere")


def wrong_number(wanted: int, names: Sequence[str]) -> ModelError:
    """The error for a chart that has not as many coordinates as original parameters."""
    text = f"{len(names)}: {', '.join(names)}"
    return ModelError(f"chart: {wanted} original parameters need as many coordinates, not {text}")


def as_expression(symbol: sp.Symbol, value: Any) -> sp.Expr:
    """What a user gave for an original parameter, as a SymPy expression.

    Raises
    ------
    ModelError
        If it is none.
    """
    try:
        return sp.sympify(value, strict=True)  # strict: a text is refused, not evaluated
    except sp.SympifyError:
        raise ModelError(f"chart: {symbol} = {value!r} is not a SymPy expression") from None
