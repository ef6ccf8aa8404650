"""The operations that a node may stand for, by name: truth values, and the functions that text may call."""

from __future__ import annotations

__all__ = ["FUNCTIONS", "POLYGAMMA_ORDERS", "TRUTHS", "polygamma_name", "remainder_name"]

TRUTHS = frozenset(("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "isfinite"))
"""Operations whose value is true or false."""

POLYGAMMA_ORDERS = range(1, 7)
"""The orders n of the polygammas ψ_n, and of their remainders, that are compiled functions.

Lowering, differentiation, every target and :mod:`riemopt.formulas.cancellation` go by this range; the coefficients are
in :mod:`riemopt.kernels.functions.polygamma`. A polygamma of a higher order is a formula: see
:mod:`riemopt.kernels.graph.polygamma`.
"""


def polygamma_name(order: int) -> str:
    """What text calls ψ_n; ψ_0 is the digamma function."""
    return f"polygamma_{order}" if order else "digamma"


def remainder_name(order: int) -> str:
    """What text calls the remainder of ψ_n beyond its two leading terms."""
    return f"polygamma_remainder_{order}"


FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(
        ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"), 1
    ),
    **dict.fromkeys(("asinh", "acosh", "atanh", "absolute", "sign", "floor", "erf", "erfc", "gamma", "loggamma"), 1),
    **dict.fromkeys(("digamma", *map(polygamma_name, POLYGAMMA_ORDERS), "isfinite"), 1),
    **dict.fromkeys(map(remainder_name, POLYGAMMA_ORDERS), 1),
    **dict.fromkeys(("atan2", "minimum", "maximum", "logaddexp", "scaled_bessel_i"), 2),
    "expit": 1,
    "select": 3,
}
"""Functions that the text may call, with their number of arguments; every target binds each of these names."""
