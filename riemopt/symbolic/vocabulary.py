"""The constants and functions that typed mathematics may name."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping

import sympy as sp
from scipy import special

__all__ = ["CONSTANTS", "FUNCTIONS", "suggestion"]

CONSTANTS: Mapping[str, sp.Expr] = {"pi": sp.pi, "e": sp.E, "E": sp.E}

FUNCTIONS: Mapping[str, tuple[Callable[[sp.Expr], sp.Expr], Callable[[float], float]]] = {
    "exp": (sp.exp, math.exp),
    "log": (sp.log, math.log),
    "sqrt": (sp.sqrt, math.sqrt),
    "sin": (sp.sin, math.sin),
    "cos": (sp.cos, math.cos),
    "tan": (sp.tan, math.tan),
    "sinh": (sp.sinh, math.sinh),
    "cosh": (sp.cosh, math.cosh),
    "tanh": (sp.tanh, math.tanh),
    "asin": (sp.asin, math.asin),
    "acos": (sp.acos, math.acos),
    "atan": (sp.atan, math.atan),
    "asinh": (sp.asinh, math.asinh),
    "acosh": (sp.acosh, math.acosh),
    "atanh": (sp.atanh, math.atanh),
    "abs": (sp.Abs, abs),
    "gamma": (sp.gamma, math.gamma),
    "loggamma": (sp.loggamma, math.lgamma),
    "digamma": (sp.digamma, special.digamma),
    "trigamma": (sp.trigamma, lambda x: special.polygamma(1, x)),
    "erf": (sp.erf, math.erf),
    "erfc": (sp.erfc, math.erfc),
}
"""Each admitted function as SymPy has it, and its floating-point twin, asked first whether a number will do."""


def suggestion(name: str, options: Iterable[str]) -> str:
    """A question for the name that was meant, if one of the options is near; else nothing."""
    matches = difflib.get_close_matches(name, list(options), n=1, cutoff=0.6)
    return f"did you mean {matches[0]!r}? " if matches else ""
