"""Arc lengths s = ∫√g dθ along one coordinate, and the coordinate as a function of s."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import numpy as np
import sympy as sp

from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.symbolic.functions import array_function

__all__ = ["ArcLength", "arc_length", "image_of_interval", "inverse_on_interval"]

_SHORT = 20
"""The number of operations up to which an arc length is looked for."""


@dataclass(frozen=True)
class ArcLength:
    """s = ∫√g dθ, and θ as an expression of the symbol s."""

    length: sp.Expr
    symbol: sp.Symbol
    inverse: sp.Expr


def arc_length(g: sp.Expr, p: sp.Symbol, low: float, high: float) -> ArcLength | None:
    """The arc length of a metric g(p) dp² for p between two bounds, or None if it is not found in closed form."""
    s = sp.Dummy("s", real=True)
    if not g.free_symbols:
        return ArcLength(sp.sqrt(g) * p, s, s / sp.sqrt(g))
    return _between_roots(g, p, low, high, s) or _by_search(g, p, low, high, s)


def _between_roots(g: sp.Expr, p: sp.Symbol, low: float, high: float, s: sp.Symbol) -> ArcLength | None:
    """c (θ - l)^j |θ - m|^k with j and k of -1 or -2, one of l and m being a bound: stable at both ends."""
    if not g.is_rational_function(p):
        return None
    above, below = sp.fraction(sp.factor(g))
    roots = sp.roots(sp.Poly(below, p)) if not above.has(p) and below.is_polynomial(p) else {}
    if len(roots) != 2 or sum(roots.values()) != sp.degree(below, p) or not set(roots.values()) <= {1, 2}:
        return None
    edges = [r for r in roots if r.is_real and float(r) == low]
    if not edges:
        return None
    (edge,) = edges
    (other,) = (r for r in roots if r != edge)
    j, k = roots[edge], roots[other]
    distance = sp.Abs(other - edge)
    inside = float(other) == high
    if not inside and not float(other) < low:
        return None
    near, far = p - edge, (other - p if inside else p - other)
    root = sp.sqrt(sp.simplify(g * near**j * far**k))
    if root.free_symbols or not root.is_real:
        return None
    near_far = sp.sqrt(near / distance), sp.sqrt(far / distance)
    unit = s / root
    if (j, k) == (1, 1):
        length = 2 * (sp.atan2(*near_far) if inside else sp.asinh(near_far[0]))
        back = distance * (sp.sin if inside else sp.sinh)(unit / 2) ** 2
    elif (j, k) == (2, 2):
        length = sp.log(near / far) / distance
        back = distance / (1 + sp.exp(-distance * unit)) if inside else distance / (sp.exp(-distance * unit) - 1)
    elif (j, k) == (2, 1):
        angle = sp.sqrt(distance) * unit / 2
        length = -2 / sp.sqrt(distance) * sp.asinh(near_far[1] / near_far[0] if inside else 1 / near_far[0])
        back = distance / (sp.cosh(angle) if inside else sp.sinh(angle)) ** 2
    else:
        angle = sp.sqrt(distance) * unit / 2
        length = 2 / sp.sqrt(distance) * (sp.asinh(near_far[0] / near_far[1]) if inside else sp.atan(near_far[0]))
        back = distance * (sp.tanh if inside else sp.tan)(angle) ** 2
    return ArcLength(root * length, s, edge + back)


def _by_search(g: sp.Expr, p: sp.Symbol, low: float, high: float, s: sp.Symbol) -> ArcLength | None:
    """The arc length that SymPy finds by rules of integration, if its derivative is real and right."""
    # SymPy searches long where there are logarithms or higher functions, and finds nothing
    if g.count_ops() > _SHORT or g.atoms(sp.Function) - g.atoms(sp.exp, sp.cosh, sp.sinh, sp.tanh):
        return None
    speed = sp.powsimp(sp.sqrt(sp.factor(g.rewrite(sp.exp))))
    length = sp.integrate(speed, p, manual=True)
    if length.has(sp.Integral, sp.Piecewise) or not _is_derivative(length, speed, p, low, high):
        return None
    inverse = inverse_on_interval(length, p, s, low, high)
    return None if inverse is None else ArcLength(length, s, inverse)


def _is_derivative(length: sp.Expr, speed: sp.Expr, p: sp.Symbol, low: float, high: float) -> bool:
    """Whether a length is real and has the derivative `speed`, at some points."""
    points = _interval_domain(p, low, high).interior_points(16, spread=0.5)
    values, slopes, wanted = array_function((p,), (length, length.diff(p), speed))(points).T
    return bool(np.isfinite(values).all() and np.allclose(slopes, wanted, rtol=1e-9))


def inverse_on_interval(image: sp.Expr, p: sp.Symbol, s: sp.Symbol, low: float, high: float) -> sp.Expr | None:
    """p as an expression of s where image(p) = s."""
    chart = Chart((s,), (p,), (image,), Domain.of((s,)), _interval_domain(p, low, high), validate=False)
    inverse = chart.inverse_expressions
    return None if inverse is None else inverse[0]


def _interval_domain(p: sp.Symbol, low: float, high: float) -> Domain:
    """The interval between two bounds, either of which may be infinite."""
    bounds = [p > sp.nsimplify(low)] if math.isfinite(low) else []
    bounds += [p < sp.nsimplify(high)] if math.isfinite(high) else []
    return Domain.of((p,), bounds)


def image_of_interval(image: sp.Expr, p: sp.Symbol, low: float, high: float) -> tuple[float, float] | None:
    """The values of a monotone expression at the bounds of its symbol, the lower one first."""
    ends = []
    for bound, side in ((low, "+"), (high, "-")):
        at = sp.nsimplify(bound) if math.isfinite(bound) else sp.oo * (1 if bound > 0 else -1)
        value = image.subs(p, at)
        if not (value.is_number and value.is_finite):
            # SymPy has no limits of some functions; a value that is not finite is then refused below
            with contextlib.suppress(NotImplementedError):
                value = sp.limit(image, p, at, side)
        if not (value.is_number and value.is_extended_real):
            return None
        ends.append(float(value))
    return min(ends), max(ends)
