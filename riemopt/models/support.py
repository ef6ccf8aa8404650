"""Where an observation may lie: SymPy sets on arrays of numbers."""

from __future__ import annotations

import numpy as np
import sympy as sp

from riemopt.errors import ModelError

__all__ = ["contains", "describe"]


def contains(support: sp.Set, values: np.ndarray) -> np.ndarray:
    """Whether numbers lie in a set, as an array of bool; NaN lies in none.

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
    if support in (sp.Reals, sp.S.Reals):
        return np.isfinite(values)
    if isinstance(support, sp.Interval):
        low, high = float(support.start), float(support.end)
        above = values > low if support.left_open else values >= low
        below = values < high if support.right_open else values <= high
        return above & below & np.isfinite(values)
    if support in (sp.S.Naturals0, sp.S.Naturals, sp.S.Integers):
        least = {sp.S.Naturals0: 0.0, sp.S.Naturals: 1.0, sp.S.Integers: -np.inf}[support]
        return (values == np.floor(values)) & (values >= least) & np.isfinite(values)
    if isinstance(support, sp.Range):
        low, high, step = float(support.inf), float(support.sup), abs(float(support.step))
        anchor = low if np.isfinite(low) else high
        return (values >= low) & (values <= high) & (np.remainder(values - anchor, step) == 0) & np.isfinite(values)
    if isinstance(support, sp.FiniteSet):
        return np.isin(values, [float(member) for member in support])
    if isinstance(support, sp.Union):
        return np.any([contains(part, values) for part in support.args], axis=0)
    if isinstance(support, sp.Intersection):
        return np.all([contains(part, values) for part in support.args], axis=0)
    raise ModelError(f"the support {support} is not a set that can be tested: use intervals, ranges or finite sets")


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
