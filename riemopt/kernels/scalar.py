"""Elementary scalar functions that generated text calls, in plain Python that every compiled target can take."""

from __future__ import annotations

__all__ = ["absolute", "maximum", "minimum", "select", "sign", "square"]


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
