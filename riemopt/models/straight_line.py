"""Geodesics of the exponential and the mixture connection: straight lines in natural and in mean parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from riemopt.errors import ModelError
from riemopt.models.statistical import StatisticalModel

__all__ = ["StraightLine", "straight_line"]


@dataclass(frozen=True)
class StraightLine:
    """Where a geodesic is after unit time, in closed form.

    Attributes
    ----------
    symbols : tuple of sympy.Symbol
        The coordinates of the point where it starts, then the components of its velocity there.
    end : tuple of sympy.Expr
        The coordinates of the end.
    margins : tuple of sympy.Expr
        Positive if the line is inside the domain, which is convex in the coordinates in which it is straight.
    """

    symbols: tuple[sp.Symbol, ...]
    end: tuple[sp.Expr, ...]
    margins: tuple[sp.Expr, ...]


def straight_line(model: StatisticalModel, velocity: Sequence[sp.Symbol], a: float) -> StraightLine | None:
    """The geodesic of the exponential (a = 1) or the mixture connection (a = -1) of a model.

    Parameters
    ----------
    model : StatisticalModel
        In any chart.
    velocity : sequence of sympy.Symbol
        What the components of the velocity are called.
    a : float
        Which connection.

    Returns
    -------
    StraightLine or None
        None for another connection, where the model is no exponential family, and where the straight coordinates or the
        way back from them are no closed forms.

    Examples
    --------
    >>> import riemopt as ro
    >>> model = ro.models.Normal()
    >>> straight_line(model, sp.symbols("u v", real=True), -1.0).end
    (mu + u, sqrt(sigma**2 + 2*sigma*v - u**2))
    """
    if abs(a) != 1.0:
        return None
    try:
        dual = (model.original.natural_chart if a > 0 else model.original.mean_chart)()
    except ModelError:
        return None
    symbols = (*model.parameters, *velocity)
    if model.chart.expressions == dual.chart.expressions:
        moved = {p: p + v for p, v in zip(model.parameters, velocity, strict=True)}
        return StraightLine(symbols, tuple(moved.values()), tuple(m.xreplace(moved) for m in dual.domain.margins))
    back = model.chart.inverse_expressions
    if dual.chart.is_implicit or model.chart.is_implicit or back is None:
        return None
    assert dual.chart.inverse is not None
    own = dict(zip(model.original.parameters, model.chart.expressions, strict=True))
    start = [e.xreplace(own) for e in dual.chart.inverse]
    steps = [sp.Add(*(e.diff(p) * v for p, v in zip(model.parameters, velocity, strict=True))) for e in start]
    there = {x: sp.expand(e) + d for x, e, d in zip(dual.parameters, start, steps, strict=True)}
    original = dict(zip(model.original.parameters, (e.xreplace(there) for e in dual.chart.expressions), strict=True))
    end = tuple(_simple(e.xreplace(original)) for e in back)
    if any(e.has(sp.atan2) for e in end):
        return None  # an angle may go around
    return StraightLine(symbols, end, tuple(_simple(m.xreplace(there)) for m in dual.domain.margins))


def _simple(e: sp.Expr) -> sp.Expr:
    """An expression in which the digits of the start, and not of a difference, are those of the end."""
    if e.is_rational_function():
        return sp.factor(e)
    return e.replace(lambda s: s.is_Pow and s.base.is_rational_function(), lambda s: sp.factor(s.base) ** s.exp)
