"""Where an observation may lie: SymPy sets on arrays of numbers."""

from __future__ import annotations

import numpy as np
import sympy as sp

from riemopt.errors import ModelError

__all__ = ["contains", "describe", "member", "require_fit"]


def contains(support: sp.Set, values: np.ndarray) -> np.ndarray:
    """Whether numbers lie in a set, as an array of bool; what is not finite lies in none.

    Parameters
    ----------
    support : sympy.Set
        Intervals, integer ranges, the usual number sets, finite sets of numbers, and unions and intersections of them.
    values : array
        The numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import sympy as sp
    >>> contains(sp.Naturals0, np.array([0.0, 1.5, -1.0, 7.0]))
    array([ True, False, False,  True])
    """
    values = np.where(np.isfinite(values), values, np.nan)
    if support == sp.S.Reals:
        return ~np.isnan(values)
    if isinstance(support, sp.Interval):
        low, high = float(support.start), float(support.end)
        above = values > low if support.left_open else values >= low
        below = values < high if support.right_open else values <= high
        return above & below
    if support in (sp.S.Naturals0, sp.S.Naturals, sp.S.Integers):
        least = {sp.S.Naturals0: 0.0, sp.S.Naturals: 1.0, sp.S.Integers: -np.inf}[support]
        return (values == np.floor(values)) & (values >= least)
    if isinstance(support, sp.Range):
        low, high, step = float(support.inf), float(support.sup), abs(float(support.step))
        anchor = low if np.isfinite(low) else high
        return (values >= low) & (values <= high) & (np.remainder(values - anchor, step) == 0)
    if isinstance(support, sp.FiniteSet) and all(member.is_extended_real for member in support):
        return np.isin(values, [float(member) for member in support])
    if support.is_empty:
        return np.zeros(np.shape(values), dtype=bool)
    if isinstance(support, sp.Union):
        return np.any([contains(part, values) for part in support.args], axis=0)
    if isinstance(support, sp.Intersection):
        return np.all([contains(part, values) for part in support.args], axis=0)
    raise ModelError(f"the support {support} is not a set that can be tested: use intervals, ranges or finite sets")


def require_fit(symbol: sp.Symbol, support: sp.Set) -> None:
    """Raise unless an observation's support can be tested and agrees with what is assumed of its symbol.

    Parameters
    ----------
    symbol : sympy.Symbol
        The observation.
    support : sympy.Set
        Where it may lie.

    Raises
    ------
    ModelError
        If SymPy would simplify the density by an assumption that does not hold on all of the support.
    """
    contains(support, np.zeros(1))
    if support.is_empty:
        raise ModelError(f"the support of {symbol} is empty")
    try:
        low, high = support.inf, support.sup
    except NotImplementedError:  # an intersection that SymPy leaves as it stands
        return
    broken = {
        "nonnegative": symbol.is_nonnegative and low.is_extended_negative,
        "nonpositive": symbol.is_nonpositive and high.is_extended_positive,
        "integer": symbol.is_integer and isinstance(support, sp.Interval),
    }
    for assumption, wrong in broken.items():
        if wrong:
            raise ModelError(f"the support {describe(support)} does not fit {symbol}, which is declared {assumption}")


def member(support: sp.Set) -> sp.Expr:
    """Some number in a set, away from its ends where it has an inside.

    Examples
    --------
    >>> import sympy as sp
    >>> member(sp.Interval.open(0, sp.oo)), member(sp.Interval(0, 1)), member(sp.S.Reals), member(sp.Naturals)
    (1, 1/2, 0, 1)
    """
    if isinstance(support, sp.Interval):
        low, high = support.start, support.end
        if low.is_finite and high.is_finite:
            return (low + high) / 2
        return low + 1 if low.is_finite else (high - 1 if high.is_finite else sp.S.Zero)
    if isinstance(support, (sp.Union, sp.Intersection)):
        inside = (candidate for part in support.args for candidate in [member(part)] if candidate in support)
        return next(inside, sp.S.Zero)
    return next(iter(support))


def describe(support: sp.Set) -> str:
    """A set in the usual notation.

    Examples
    --------
    >>> import sympy as sp
    >>> describe(sp.Interval.open(0, sp.oo))
    '(0, oo)'
    """
    return str(sp.sstr(support)) if not isinstance(support, sp.Interval) else _interval(support)


def _interval(support: sp.Interval) -> str:
    left = "(" if support.left_open else "["
    right = ")" if support.right_open else "]"
    return f"{left}{support.start}, {support.end}{right}"
