"""Models whose geodesics are known: which standard spaces a model is isometric to, and by which coordinates.

Nothing is looked up by name. A candidate is read off the metric in the model's original coordinates (or, for
zero-mean normal distributions, off the density), and accepted if the metric of the standard spaces, pulled back, is
the model's at some points of the domain. Another chart of the model comes on top.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from riemopt.geometry.metric import fisher_metric
from riemopt.geometry.spaces import Flat, HalfSpace, PositiveMatrices, Simplex, Space
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.models.statistical import StatisticalModel
from riemopt.symbolic.functions import array_function

__all__ = ["Isometry", "isometry"]

Expressions = tuple[sp.Expr, ...]

_LARGEST_ORDER = 5
"""Of matrices whose eigenvalues are found in straight-line code."""

_LONG = 1000
"""The number of operations beyond which a metric is none of those that are known."""

_SHORT = 20
"""The number of operations up to which an arc length is looked for."""


@dataclass(frozen=True)
class Isometry:
    """Coordinates in which a model is a product of standard spaces.

    Attributes
    ----------
    spaces : tuple of Space
        The factors.
    symbols : tuple of sympy.Symbol
        The coordinates of the factors, one factor after the other.
    forward : tuple of sympy.Expr
        Each of them as an expression of the model's parameters.
    backward : tuple of sympy.Expr
        The model's parameters as expressions of `symbols`.
    """

    spaces: tuple[Space, ...]
    symbols: tuple[sp.Symbol, ...]
    forward: Expressions
    backward: Expressions


def isometry(model: StatisticalModel) -> Isometry | None:
    """The standard spaces that a model is isometric to, or None if none were found.

    Parameters
    ----------
    model : StatisticalModel
        In any chart whose inverse is a closed form.

    Examples
    --------
    >>> import riemopt as ro
    >>> isometry(ro.models.Normal()).forward
    (sqrt(2)*mu/2, sigma)
    >>> isometry(ro.models.Gamma()) is None
    True
    """
    original = model.original
    found = _matrices(original) or _product(original)
    if found is None:
        return None
    return found if model is original else _in_chart(found, model.chart)


def _in_chart(found: Isometry, chart: Chart) -> Isometry | None:
    inverse = chart.inverse_expressions
    if inverse is None:
        return None
    there = dict(zip(chart.original_parameters, chart.expressions, strict=True))
    back = dict(zip(chart.original_parameters, found.backward, strict=True))
    forward = tuple(e.xreplace(there) for e in found.forward)
    return Isometry(found.spaces, found.symbols, forward, tuple(e.xreplace(back) for e in inverse))


def _agrees(model: StatisticalModel, metric: sp.Matrix, found: Isometry) -> bool:
    """Whether the coordinates are inverse to one another, and bring the one metric to the other."""
    n = model.dimension
    points = model.domain.interior_points(8, spread=0.3)
    images = array_function(model.parameters, found.forward)(points)
    slopes = array_function(model.parameters, tuple(sp.Matrix(found.forward).jacobian(model.parameters)))(points)
    slopes = slopes.reshape(-1, n, n)
    wanted = array_function(model.parameters, tuple(metric))(points).reshape(-1, n, n)
    pulled = np.einsum("kai,kab,kbj->kij", slopes, _metric_of(found.spaces, images), slopes)
    back = array_function(found.symbols, found.backward)(images)
    scale = np.sqrt(np.einsum("kii,kjj->kij", wanted, wanted))
    return bool(np.all(np.abs(pulled - wanted) <= 1e-9 * scale) and np.allclose(back, points, rtol=1e-9, atol=1e-9))


def _metric_of(spaces: Sequence[Space], points: np.ndarray) -> np.ndarray:
    result = np.zeros((*points.shape, points.shape[-1]))
    start = 0
    for space in spaces:
        part = slice(start, start + space.dimension)
        result[:, part, part] = [space.metric(u) for u in points[:, part]]
        start = part.stop
    return result


# -- products


@dataclass(frozen=True)
class _Block:
    """Some coordinates whose metric depends on nothing else, and how they are bounded."""

    metric: sp.Matrix
    parameters: tuple[sp.Symbol, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    others: tuple[sp.Expr, ...]
    """What else has to be positive."""


def _product(model: StatisticalModel) -> Isometry | None:
    """The blocks of a metric, each recognised by itself."""
    metric = fisher_metric(model)
    if metric.has(sp.Integral, sp.Sum) or sum(e.count_ops() for e in metric) > _LONG:
        return None
    simple = sp.ImmutableMatrix(metric.applyfunc(sp.simplify))
    spaces: list[Space] = []
    symbols: list[sp.Symbol] = []
    forward: list[sp.Expr] = []
    backward: dict[sp.Symbol, sp.Expr] = {}
    for block in _blocks(model, simple):
        factor = _recognised(block)
        if factor is None:
            return None
        names = tuple(sp.Symbol(f"u_{len(symbols) + i + 1}", real=True) for i in range(len(block.parameters)))
        spaces.append(factor.spaces[0])
        forward += factor.forward
        renamed = dict(zip(factor.symbols, names, strict=True))
        backward |= {p: e.xreplace(renamed) for p, e in zip(block.parameters, factor.backward, strict=True)}
        symbols += names
    found = Isometry(tuple(spaces), tuple(symbols), tuple(forward), tuple(backward[p] for p in model.parameters))
    return found if _agrees(model, metric, found) else None


def _blocks(model: StatisticalModel, metric: sp.Matrix) -> Iterator[_Block]:
    parameters, n = model.parameters, model.dimension
    margins = model.domain.margins
    tied = [{parameters[i], parameters[j]} | metric[i, j].free_symbols for i, j in _pairs(n) if metric[i, j] != 0]
    tied += [margin.free_symbols for margin in margins]
    groups = [{p} for p in parameters]
    for tie in tied:
        touching = [group for group in groups if group & tie]
        groups = [group for group in groups if group not in touching] + [set().union(*touching)]
    lower, upper = model.domain.bounds
    for group in sorted(groups, key=lambda group: min(parameters.index(p) for p in group)):
        places = [i for i, p in enumerate(parameters) if p in group]
        yield _Block(
            metric.extract(places, places),
            tuple(parameters[i] for i in places),
            tuple(float(lower[i]) for i in places),
            tuple(float(upper[i]) for i in places),
            tuple(m for m in margins if len(m.free_symbols) > 1 and m.free_symbols <= group),
        )


def _pairs(n: int) -> Iterator[tuple[int, int]]:
    return itertools.combinations_with_replacement(range(n), 2)


def _recognised(block: _Block) -> Isometry | None:
    for recognise in (_flat, _simplex, _half_space):
        found = recognise(block)
        if found is not None:
            return found
    return None


def _flat(block: _Block) -> Isometry | None:
    """A constant metric, or one coordinate and its arc length."""
    if block.others:
        return None
    if not block.metric.free_symbols:
        symbols = _coordinates(len(block.parameters))
        form = tuple(tuple(float(e) for e in row) for row in block.metric.tolist())
        return Isometry((Flat(form, block.lower, block.upper),), symbols, block.parameters, symbols)
    if len(block.parameters) > 1:
        return None
    arc = _arc_length(block.metric[0, 0], block.parameters[0], block.lower[0], block.upper[0])
    if arc is None:
        return None
    ends = _interval(arc.length, block.parameters[0], block.lower[0], block.upper[0])
    if ends is None:
        return None
    space = Flat(((1.0,),), (ends[0],), (ends[1],))
    return Isometry((space,), (arc.symbol,), (arc.length,), (arc.inverse,))


def _simplex(block: _Block) -> Isometry | None:
    """The metric of a categorical observation, N (δ_ij / p_i + 1 / (1 - Σ p))."""
    p = block.parameters
    last = 1 - sp.Add(*p)
    scale = sp.simplify(block.metric[0, 1] * last) if len(p) > 1 else sp.S.Zero
    bounded = [sp.expand(margin) for margin in block.others] == [sp.expand(last)]
    if not (scale.is_number and scale.is_positive and bounded and set(block.lower) == {0.0}):
        return None
    symbols = _coordinates(len(p))
    return Isometry((Simplex(len(p), float(scale)),), symbols, p, symbols)


def _half_space(block: _Block) -> Isometry | None:
    """A metric h(y) Σ c_ij dX_i dX_j + R² (dY/Y)² with Y = h^-½, where X_i = ∫ √f_i dx_i + ∫ (c⁻¹b)_i/h dy.

    It is read off g_ij = √f_i(x_i) √f_j(x_j) h(y) c_ij, g_iy = √f_i(x_i) b_i(y) and g_yy(y).
    """
    if block.others or len(block.parameters) < 2:
        return None
    for place in range(len(block.parameters)):
        found = _half_space_over(block, place)
        if found is not None:
            return found
    return None


def _half_space_over(block: _Block, place: int) -> Isometry | None:
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
    arcs = [_arc_length(f, p, block.lower[i], block.upper[i]) for f, p, i in zip(squares, x, across, strict=True)]
    shifts = [sp.integrate(sp.simplify(s / height), y) for s in solved]
    ends = _interval(up, y, block.lower[place], block.upper[place])
    if any(arc is None for arc in arcs) or any(s.has(sp.Integral) for s in shifts) or ends != (0.0, math.inf):
        return None
    limits = [
        _interval(arc.length, p, block.lower[i], block.upper[i])
        for arc, p, i in zip(arcs, x, across, strict=True)
        if arc is not None
    ]
    whole = (-math.inf, math.inf)
    narrow = [limit for limit in limits if limit is not None and limit != whole]
    if None in limits or (narrow and (n > 2 or shifts[0] != 0)):
        return None
    symbols = _coordinates(n)
    u_y = sp.Dummy("y", positive=True)
    y_back = _inverted(up, y, u_y, block.lower[place], block.upper[place])
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
    return tuple(sp.Dummy(f"u_{i + 1}", real=True) for i in range(count))


def _some_value(low: float, high: float) -> sp.Expr:
    if math.isfinite(low) and math.isfinite(high):
        return (sp.nsimplify(low) + sp.nsimplify(high)) / 2
    if math.isfinite(low):
        return sp.nsimplify(low) + 1
    return sp.nsimplify(high) - 1 if math.isfinite(high) else sp.S.One


# -- arc lengths


@dataclass(frozen=True)
class _Arc:
    """s = ∫√g dθ, and θ as an expression of the symbol s."""

    length: sp.Expr
    symbol: sp.Symbol
    inverse: sp.Expr


def _arc_length(g: sp.Expr, p: sp.Symbol, low: float, high: float) -> _Arc | None:
    s = sp.Dummy("s", real=True)
    if not g.free_symbols:
        return _Arc(sp.sqrt(g) * p, s, s / sp.sqrt(g))
    return _between_roots(g, p, low, high, s) or _by_search(g, p, low, high, s)


def _between_roots(g: sp.Expr, p: sp.Symbol, low: float, high: float, s: sp.Symbol) -> _Arc | None:
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
    return _Arc(root * length, s, edge + back)


def _by_search(g: sp.Expr, p: sp.Symbol, low: float, high: float, s: sp.Symbol) -> _Arc | None:
    """What SymPy integrates by rules, if its derivative is real and right."""
    # SymPy searches long where there are logarithms or higher functions, and finds nothing
    if g.count_ops() > _SHORT or g.atoms(sp.Function) - g.atoms(sp.exp, sp.cosh, sp.sinh, sp.tanh):
        return None
    speed = sp.powsimp(sp.sqrt(sp.factor(g.rewrite(sp.exp))))
    length = sp.integrate(speed, p, manual=True)
    if length.has(sp.Integral, sp.Piecewise) or not _is_derivative(length, speed, p, low, high):
        return None
    inverse = _inverted(length, p, s, low, high)
    return None if inverse is None else _Arc(length, s, inverse)


def _is_derivative(length: sp.Expr, speed: sp.Expr, p: sp.Symbol, low: float, high: float) -> bool:
    points = _interval_domain(p, low, high).interior_points(16, spread=0.5)
    values, slopes, wanted = array_function((p,), (length, length.diff(p), speed))(points).T
    return bool(np.isfinite(values).all() and np.allclose(slopes, wanted, rtol=1e-9))


def _inverted(image: sp.Expr, p: sp.Symbol, s: sp.Symbol, low: float, high: float) -> sp.Expr | None:
    """p as an expression of s where image(p) = s."""
    chart = Chart((s,), (p,), (image,), Domain.of((s,)), _interval_domain(p, low, high), validate=False)
    inverse = chart.inverse_expressions
    return None if inverse is None else inverse[0]


def _interval_domain(p: sp.Symbol, low: float, high: float) -> Domain:
    bounds = [p > sp.nsimplify(low)] if math.isfinite(low) else []
    bounds += [p < sp.nsimplify(high)] if math.isfinite(high) else []
    return Domain.of((p,), bounds)


def _interval(image: sp.Expr, p: sp.Symbol, low: float, high: float) -> tuple[float, float] | None:
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


# -- covariance matrices


def _matrices(model: StatisticalModel) -> Isometry | None:
    """The zero-mean normal distributions of several observations with every covariance matrix."""
    x, n = model.observation, model.dimension
    order = len(x)
    if not 1 < order <= _LARGEST_ORDER or n != order * (order + 1) // 2 or set(model.support) != {sp.S.Reals}:
        return None
    hessian = -sp.hessian(model.log_density, x)
    rest = sp.expand(model.log_density - model.log_density.xreplace(dict.fromkeys(x, sp.S.Zero)))
    quadratic = -(sp.Matrix([x]) * hessian * sp.Matrix(x))[0, 0] / 2
    if hessian.free_symbols & set(x) or sp.simplify(rest - quadratic) != 0 or model.constraints:
        return None
    lower = [(i, j) for i in range(order) for j in range(i + 1)]
    symbols = tuple(sp.Symbol(f"u_{i + 1}{j + 1}", real=True) for i, j in lower)
    precision = hessian.applyfunc(sp.simplify)
    # P and its inverse have the same geometry: that whose entries are parameters first, if it is the precision
    ways = [lambda: precision, lambda: precision.inv().applyfunc(sp.simplify)]
    for matrix in ways if all(e.is_Symbol for e in precision) else reversed(ways):
        entries = matrix()
        forward = tuple(entries[i, j] for i, j in lower)
        conditions = [u > 0 for u, (i, j) in zip(symbols, lower, strict=True) if i == j]
        chart = Chart(symbols, model.parameters, forward, Domain.of(symbols, conditions), model.domain, validate=False)
        backward = chart.inverse_expressions
        if backward is not None:
            return Isometry((PositiveMatrices(order),), symbols, forward, backward)
    return None
