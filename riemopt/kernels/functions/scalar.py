"""Elementary functions that generated text calls, in plain Python that every compiled target can take.

None of them but :func:`select` branches. A target that takes entries in lanes has a ``select``, ``spread`` and
``every`` of its own, and with these the others work on lanes as they stand.
"""

from __future__ import annotations

from math import exp, log, log1p

__all__ = [
    "absolute",
    "every",
    "expit",
    "logaddexp",
    "maximum",
    "minimum",
    "select",
    "sign",
    "spread",
    "square",
]


def spread(x: float) -> float:
    """A number in every lane: where there are no lanes, the number itself."""
    return x


def every(condition: bool) -> bool:
    """Whether a condition holds in every lane: where there are no lanes, the condition itself."""
    return condition


def select(condition: bool, a: float, b: float) -> float:
    """`a` where the condition holds, else `b`."""
    return a if condition else b


def absolute(x: float) -> float:
    """The absolute value."""
    return abs(x)


def sign(x: float) -> float:
    """-1, 0 or 1; NaN of NaN."""
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, x * 0.0))


def square(x: float) -> float:
    """The square."""
    return x * x


def minimum(a: float, b: float) -> float:
    """The smaller number; NaN if one of them is."""
    return select((a < b) | (a != a), a, b)


def maximum(a: float, b: float) -> float:
    """The larger number; NaN if one of them is."""
    return select((a > b) | (a != a), a, b)


def logaddexp(a: float, b: float) -> float:
    """log(e^a + e^b), also where e^a and e^b are not numbers; NaN if one of the arguments is."""
    return select(a == b, a + log(2.0), maximum(a, b) + log1p(exp(-absolute(a - b))))


def expit(x: float) -> float:
    """The logistic function 1/(1 + e^-x)."""
    small = exp(-absolute(x))
    return select(x >= 0.0, 1.0, small) / (1.0 + small)
