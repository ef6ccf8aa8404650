"""What several densities of the catalogue are made of: supports, constants, and draws that rounding has not spoilt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy as sp

from riemopt.errors import ArgumentError

__all__ = [
    "HALF_LINE",
    "HALF_LOG_2PI",
    "UNIT",
    "as_integer",
    "count_symbol",
    "inside",
    "log_beta",
    "log_factorial",
    "with_last",
]

HALF_LINE = sp.Interval.open(0, sp.oo)
UNIT = sp.Interval.open(0, 1)
HALF_LOG_2PI = sp.log(2 * sp.pi) / 2


def count_symbol(name: str) -> sp.Symbol:
    """A symbol for a count."""
    # not declared an integer: SymPy would turn loggamma(k + 1) into log(gamma(k + 1)), which overflows for k > 170
    return sp.Symbol(name, nonnegative=True)


def log_factorial(n: int) -> sp.Expr:
    """log n!, as a floating-point number where n! is too large for one."""
    return sp.log(sp.factorial(n)) if n <= 20 else sp.Float(math.lgamma(n + 1))


def log_beta(alpha: sp.Expr, beta: sp.Expr) -> sp.Expr:
    """The logarithm of the beta function, https://dlmf.nist.gov/5.12.E1."""
    return sp.loggamma(alpha) + sp.loggamma(beta) - sp.loggamma(alpha + beta)


def with_last(point: np.ndarray) -> np.ndarray:
    """Probabilities with the last one, which the others leave."""
    return np.append(point, 1.0 - point.sum())


def inside(interval: sp.Interval, values: np.ndarray) -> np.ndarray:
    """Draws that were rounded to an end of an open interval, moved to the nearest normal number inside."""
    low, high = float(interval.start), float(interval.end)
    return np.clip(values, np.nextafter(low, high) if low else np.finfo(float).tiny, np.nextafter(high, low))


def as_integer(name: str, value: Any, least: int) -> int:
    """A number of trials or the like that a user gave.

    Raises
    ------
    ArgumentError
        If it is no integer, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer, sp.Integer)) or value < least:
        raise ArgumentError(f"{name} must be an integer of at least {least}, not {value!r}")
    return int(value)
