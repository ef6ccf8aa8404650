"""Blocks of a metric that depend on no other coordinates, and the standard space that each is isometric to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from riemopt.geometry.arc_length import arc_length, image_of_interval, inverse_on_interval
from riemopt.geometry.isometry import Isometry
from riemopt.geometry.spaces import Flat, HalfSpace, Simplex
from riemopt.models.domain import Domain

__all__ = ["Block", "blocks", "standard_space"]


@dataclass(frozen=True)
class Block:
    """Some coordinates whose metric depends on no others, and how they are bounded.

    Attributes
    ----------
    metric : sympy.Matrix
        Their metric.
    parameters : tuple of sympy.Symbol
        The coordinates.
    lower, upper : tuple of float
        The bounds of each.
    margins : tuple of sympy.Expr
        Expressions of several coordinates that have to be positive.
    """

    metric: sp.Matrix
    parameters: tuple[sp.Symbol, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    margins: tuple[sp.Expr, ...]


def blocks(domain: Domain, metric: sp.Matrix) -> Iterator[Block]:
    """The blocks of a metric: groups of coordinates that share neither entries nor conditions with others."""
    parameters, n = domain.parameters, domain.dimension
    margins = domain.margins
    tied = [{parameters[i], parameters[j]} | metric[i, j].free_symbols for i, j in _pairs(n) if metric[i, j] != 0]
    tied += [margin.free_symbols for margin in margins]
    groups = [{p} for p in parameters]
    for tie in tied:
        touching = [group for group in groups if group & tie]
        groups = [group for group in groups if group not in touching] + [set().union(*touching)]
    lower, upper = domain.bounds
    for group in sorted(groups, key=lambda group: min(parameters.index(p) for p in group)):
        places = [i for i, p in enumerate(parameters) if p in group]
        yield Block(
            metric.extract(places, places),
            tuple(parameters[i] for i in places),
            tuple(float(lower[i]) for i in places),
            tuple(float(upper[i]) for i in places),
            tuple(m for m in margins if len(m.free_symbols) > 1 and m.free_symbols <= group),
        )


def _pairs(n: int) -> Iterator[tuple[int, int]]:
    """Indices (i, j) with i ≤ j."""
    return itertools.combinations_with_replacement(range(n), 2)


def standard_space(block: Block) -> Isometry | None:
    """The isometry of a block with one standard space, or None if none is recognised."""
    for recognise in (_flat, _simplex, _half_space):
        found = recognise(block)
        if found is not None:
            return found
    return None


def _flat(block: Block) -> Isometry | None:
    """A constant metric, or one coordinate and its arc length."""
    if block.margins:
        return None
    if not block.metric.free_symbols:
        symbols = _coordinates(len(block.parameters))
        form = tuple(tuple(float(e) for e in row) for row in block.metric.tolist())
        return Isometry((Flat(form, block.lower, block.upper),), symbols, block.parameters, symbols)
    if len(block.parameters) > 1:
        return None
    arc = arc_length(block.metric[0, 0], block.parameters[0], block.lower[0], block.upper[0])
    if arc is None:
        return None
    ends = image_of_interval(arc.length, block.parameters[0], block.lower[0], block.upper[0])
    if ends is None:
        return None
    space = Flat(((1.0,),), (ends[0],), (ends[1],))
    return Isometry((space,), (arc.symbol,), (arc.length,), (arc.inverse,))


def _simplex(block: Block) -> Isometry | None:
    """The metric of a categorical observation, N (δ_ij / p_i + 1 / (1 - Σ p))."""
    p = block.parameters
    last = 1 - sp.Add(*p)
    scale = sp.simplify(block.metric[0, 1] * last) if len(p) > 1 else sp.S.Zero
    bounded = [sp.expand(margin) for margin in block.margins] == [sp.expand(last)]
    if not (scale.is_number and scale.is_positive and bounded and set(block.lower) == {0.0}):
        return None
    symbols = _coordinates(len(p))
    return Isometry((Simplex(len(p), float(scale)),), symbols, p, symbols)


def _half_space(block: Block) -> Isometry | None:
    """A metric h(y) Σ c_ij dX_i dX_j + R² (dY/Y)² with Y = h^-½, where X_i = ∫ √f_i dx_i + ∫ (c⁻¹b)_i/h dy.

    It is read off g_ij = √f_i(x_i) √f_j(x_j) h(y) c_ij, g_iy = √f_i(x_i) b_i(y) and g_yy(y).
    """
    if block.margins or len(block.parameters) < 2:
        return None
    for place in range(len(block.parameters)):
        found = _half_space_over(block, place)
        if found is not None:
            return found
    return None


def _half_space_over(block: Block, place: int) -> Isometry | None:
    """The isometry with the half-space where the coordinate at `place` is the height y."""
    n, y = len(block.parameters), block.parameters[place]
    across = [i for i in range(n) if i != place]
    x = [block.parameters[i] for i in across]
    g = block.metric
    here = {p: _some_value(low, high) for p, low, high in zip(block.parameters, block.lower, block.upper, strict=True)}
    at_y = {y: here[y]}
    squares = [g[i, i].subs(at_y) for i in across]
    separate = all(f.free_symbols <= {p} for f, p in zip(squares, x, strict=True))
    if not (separate and g[place, place].free_symbols <= {y}):
        return None
    if any(f == 0 for f in squares):
        return None
    roots = [sp.sqrt(f) for f in squares]
    heights = [sp.simplify(g[i, i] / f) for i, f in zip(across, squares, strict=True)]
    height = heights[0]
    m = range(n - 1)
    tilts = [sp.simplify(g[i, place] / root) for i, root in zip(across, roots, strict=True)]
    form = sp.Matrix(n - 1, n - 1, lambda i, j: sp.simplify(g[across[i], across[j]] / (roots[i] * roots[j] * height)))
    if height.free_symbols != {y} or form.free_symbols or any(not tilt.free_symbols <= {y} for tilt in tilts):
        return None
    solved = form.LUsolve(sp.Matrix(tilts))
    rest = g[place, place] - (sp.Matrix(tilts).T * solved)[0, 0] / height
    square = sp.simplify(rest / (height.diff(y) / (2 * height)) ** 2)
    if not (square.is_number and square.is_positive):
        return None
    radius, up = sp.sqrt(square), 1 / sp.sqrt(height)
    arcs = [arc_length(f, p, block.lower[i], block.upper[i]) for f, p, i in zip(squares, x, across, strict=True)]
    shifts = [sp.integrate(sp.simplify(s / height), y) for s in solved]
    ends = image_of_interval(up, y, block.lower[place], block.upper[place])
    if any(arc is None for arc in arcs) or any(s.has(sp.Integral) for s in shifts) or ends != (0.0, math.inf):
        return None
    limits = [
        image_of_interval(arc.length, p, block.lower[i], block.upper[i])
        for arc, p, i in zip(arcs, x, across, strict=True)
        if arc is not None
    ]
    whole = (-math.inf, math.inf)
    narrow = [limit for limit in limits if limit is not None and limit != whole]
    if None in limits or (narrow and (n > 2 or shifts[0] != 0)):
        return None
    symbols = _coordinates(n)
    u_y = sp.Dummy("y", positive=True)
    y_back = inverse_on_interval(up, y, u_y, block.lower[place], block.upper[place])
    if y_back is None:
        return None
    y_back = y_back.xreplace({u_y: symbols[-1]})
    mix = form.cholesky(hermitian=False) / radius  # X = Lᵀ x / R
    lengths = sp.Matrix([arc.length + shift for arc, shift in zip(arcs, shifts, strict=True) if arc is not None])
    forward = (*(mix.T * lengths), up)
    flat = mix.T.LUsolve(sp.Matrix(symbols[:-1]))
    backward = {y: y_back}
    for i, arc, shift in zip(m, arcs, shifts, strict=True):
        assert arc is not None
        backward[x[i]] = arc.inverse.xreplace({arc.symbol: flat[i] - shift.xreplace({y: y_back})})
    low, high = (float(e) / float(radius) for e in narrow[0]) if narrow else whole
    space = HalfSpace(n, float(radius), low, high)
    return Isometry((space,), symbols, forward, tuple(backward[p] for p in block.parameters))


def _coordinates(count: int) -> tuple[sp.Symbol, ...]:
    """Symbols for the coordinates of a space."""
    return tuple(sp.Dummy(f"u_{i + 1}", real=True) for i in range(count))


def _some_value(low: float, high: float) -> sp.Expr:
    """A number between two bounds."""
    if math.isfinite(low) and math.isfinite(high):
        return (sp.nsimplify(low) + sp.nsimplify(high)) / 2
    if math.isfinite(low):
        return sp.nsimplify(low) + 1
    return sp.nsimplify(high) - 1 if math.isfinite(high) else sp.S.One
