"""Elementary scalar functions that generated text calls, in plain Python that every compiled target can take."""

from __future__ import annotations

import math

__all__ = ["absolute", "expit", "logaddexp", "maximum", "minimum", "select", "sign", "square"]


def select(condition: bool, a: float, b: float) -> float:
    """`a` where the condition holds, else `b`."""
    return a if condition else b


def absolute(x: float) -> float:
    """The absolute value."""
    return abs(x)


def sign(x: float) -> float:
    """-1, 0 or 1; NaN of NaN."""
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x * 0.0)


def square(x: float) -> float:
    """The square."""
    return x * x


def minimum(a: float, b: float) -> float:
    """The smaller number; NaN if one of them is."""
    return a if a < b or a != a else b


def maximum(a: float, b: float) -> float:
    """The larger number; NaN if one of them is."""
    return a if a > b or a != a else b


def logaddexp(a: float, b: float) -> float:
    """log(e^a + e^b), also where e^a and e^b are not numbers; NaN if one of the arguments is."""
    if a == b:
        return a + math.log(2.0)
    difference = a - b
    if difference > 0.0:
        return a + math.log1p(math.exp(-difference))
    if difference <= 0.0:
        return b + math.log1p(math.exp(difference))
    return difference


def expit(x: float) -> float:
    """The logistic function 1/(1 + e^-x)."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    grown = math.exp(x)
    return grown / (1.0 + grown)
