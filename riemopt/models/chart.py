"""Chart: a change of coordinates θ = φ(ξ), its inverse, and how vectors and covectors travel along it."""

from __future__ import annotations

import contextlib
import itertools
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray

from riemopt.errors import ExpressionError, ModelError, ShapeError
from riemopt.models.domain import Domain, as_points, require_known
from riemopt.symbolic.functions import array_function
from riemopt.symbolic.implicit import is_implicit
from riemopt.symbolic.parser import free_names, parse

__all__ = ["Chart", "infer_symbols"]

Floats = NDArray[np.float64]

_SAMPLES = 64  # interior points at each spread on which a chart is checked
_SPREADS = (10.0, 100.0)  # far points too: sin(a/10) turns back only at a = 16
_TARGETS = 8  # points whose preimage is sought again from many starts
_TRIES = 4  # starting points for a preimage, from near and from all over
_ITERATIONS = 60
_HALVINGS = 20
_ROUNDING = 1e-14  # where the Newton iteration stops
_ACCEPTED = 1e-9  # what it may leave, relative
_COUPLED = 4  # unknowns in an equation that is still solved in closed form


@dataclass(frozen=True)
class Chart:
    """A change of coordinates θ = φ(ξ) from the coordinates ξ of a chart to the original ones θ.

    Parameters
    ----------
    original_parameters : tuple of Symbol
        θ, in order.
    parameters : tuple of Symbol
        ξ, in order.
    expressions : tuple of Expr
        φ: each original parameter, in their order, as an expression of `parameters`.
    original_domain : Domain
        Where θ may lie.
    domain : Domain
        Where ξ may lie; usually ``original_domain.pull_back(parameters, φ)``.
    validate : bool, optional
        Whether to check that φ is invertible. It is checked on sampled points, so a chart that folds only far out, or
        in a tiny region, can pass.
    inverse : tuple of Expr, optional
        φ⁻¹ where it is what defines the chart: each coordinate as an expression of `original_parameters`.

    Raises
    ------
    ModelError
        If the numbers of parameters differ, an expression has an unknown symbol, or φ is not invertible on the domain.

    Examples
    --------
    >>> alpha, beta, a, b = sp.symbols("alpha beta a b", positive=True)
    >>> chart = Chart.of(Domain.of((alpha, beta)), {alpha: a, beta: 1 / b}, (a, b))
    >>> chart.to_original([2.0, 4.0])
    array([2.  , 0.25])
    >>> chart.from_original([2.0, 0.25])
    array([2., 4.])
    >>> chart.push_forward([2.0, 4.0], [1.0, 16.0])
    array([ 1., -1.])
    """

    original_parameters: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    expressions: tuple[sp.Expr, ...]
    original_domain: Domain
    domain: Domain
    validate: InitVar[bool] = True
    inverse: tuple[sp.Expr, ...] | None = None

    def __post_init__(self, validate: bool) -> None:
        for name in ("original_parameters", "parameters", "expressions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if validate:
            _check_symbols(self.original_parameters, self.parameters, self.expressions)
            if (self.original_domain.parameters, self.domain.parameters) != (self.original_parameters, self.parameters):
                raise ModelError("chart: the parameters of the domains are not those of the chart")
        if validate and self.expressions != self.parameters:
            self._check_jacobian()
            self._check_branches()

    @classmethod
    def identity(cls, parameters: Sequence[sp.Symbol], domain: Domain) -> Chart:
        """The chart that leaves every coordinate as it is.

        Parameters
        ----------
        parameters : sequence of Symbol
        domain : Domain
        """
        same = tuple(parameters)
        return cls(same, same, same, domain, domain, validate=False, inverse=same)

    @classmethod
    def of(
        cls, original_domain: Domain, substitution: Mapping[sp.Symbol, sp.Expr], parameters: Sequence[sp.Symbol]
    ) -> Chart:
        """The chart of a substitution, with the original domain pulled back.

        Parameters
        ----------
        original_domain : Domain
            Where the original parameters may lie.
        substitution : mapping of Symbol to Expr
            Each original parameter as an expression of the new ones.
        parameters : sequence of Symbol
            The new parameters, in order.

        Raises
        ------
        ModelError
            If an original parameter is missing, a key is not one, or the chart is not invertible.
        """
        originals = original_domain.parameters
        names = ", ".join(map(str, originals))
        for key in substitution:
            if key not in originals:
                raise ModelError(f"chart: {key} is not one of the original parameters ({names})")
        for symbol in originals:
            if symbol not in substitution:
                raise ModelError(f"chart: no expression for the original parameter {symbol}")
        expressions = {symbol: _expression(symbol, substitution[symbol]) for symbol in originals}
        _check_symbols(originals, parameters, tuple(expressions.values()))
        domain = original_domain.pull_back(parameters, expressions)
        return cls(originals, tuple(parameters), tuple(expressions.values()), original_domain, domain)

    def then(self, further: Chart) -> Chart:
        """The chart from the coordinates of a further chart, whose original ones are mine, to my original ones.

        Parameters
        ----------
        further : Chart
            A chart with ``further.original_parameters == self.parameters``.

        Examples
        --------
        >>> alpha, a, s = *sp.symbols("alpha a", positive=True), sp.Symbol("s", real=True)
        >>> first = Chart.of(Domain.of([alpha]), {alpha: a**2}, [a])
        >>> first.then(Chart.of(first.domain, {a: sp.exp(s)}, [s])).describe()
        'alpha = exp(2*s)'
        """
        if further.original_parameters != self.parameters:
            raise ModelError(f"chart: {further.original_parameters} are not the coordinates {self.parameters}")
        inner = dict(zip(self.parameters, further.expressions, strict=True))
        expressions = tuple(expression.xreplace(inner) for expression in self.expressions)
        inverse = None
        if self.inverse is not None and further.inverse is not None:
            outer = dict(zip(self.parameters, self.inverse, strict=True))
            inverse = tuple(expression.xreplace(outer) for expression in further.inverse)
        return Chart(
            self.original_parameters,
            further.parameters,
            expressions,
            self.original_domain,
            further.domain,
            validate=False,
            inverse=inverse,
        )

    def __getstate__(self) -> dict[str, Any]:
        # what is compiled cannot be pickled, and is compiled again when needed
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def dimension(self) -> int:
        """How many coordinates there are."""
        return len(self.parameters)

    @property
    def is_implicit(self) -> bool:
        """Whether φ has no closed form and is found by Newton's method."""
        return is_implicit(self.expressions)

    def describe(self) -> str:
        """The chart as text: ``"alpha = a, beta = 1/b"``."""
        pairs = zip(self.original_parameters, self.expressions, strict=True)
        return ", ".join(f"{symbol} = {expression}" for symbol, expression in pairs)

    # -- points, vectors, covectors

    def to_original(self, points: ArrayLike) -> Floats:
        """φ: points of this chart in the original coordinates.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n)

        Raises
        ------
        ShapeError
            If the last axis has not length n.
        """
        return self._phi(as_points(points, self.parameters))

    def from_original(self, points: ArrayLike) -> Floats:
        """φ⁻¹: points in the original coordinates in those of this chart.

        In closed form where one was found, polished to rounding; else by a damped Newton iteration.

        Parameters
        ----------
        points : array_like, shape (..., n)

        Returns
        -------
        array, shape (..., n)
            NaN for points outside the original domain, and for those that no point of this chart maps to.

        Raises
        ------
        ShapeError
            If the last axis has not length n.
        """
        targets = as_points(points, self.original_parameters)
        if self.expressions == self.parameters:
            inside = self.original_domain.contains(targets) & self.domain.contains(targets)
            return np.where(inside[..., None], targets, np.nan)
        if self.inverse is not None and self._closed_inverse is not None:
            return np.where(self.original_domain.contains(targets)[..., None], self._closed_inverse(targets), np.nan)
        flat = targets.reshape(-1, self.dimension)
        found = np.full_like(flat, np.nan)
        sought = np.flatnonzero(self.original_domain.contains(flat))
        for start in self._starts(flat[sought]):
            missing = np.isnan(found[sought]).any(axis=-1)
            if not missing.any():
                break
            found[sought[missing]] = self._solve(flat[sought[missing]], start[missing])
        return found.reshape(targets.shape)

    def jacobian(self, points: ArrayLike) -> Floats:
        """J = ∂θ/∂ξ, rows counting original coordinates.

        Parameters
        ----------
        points : array_like, shape (..., n)
            In this chart.

        Returns
        -------
        array, shape (..., n, n)
        """
        array = as_points(points, self.parameters)
        return self._slopes(array).reshape(*array.shape, self.dimension)

    def push_forward(self, points: ArrayLike, vectors: ArrayLike) -> Floats:
        """J v: vectors of this chart in the original coordinates.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            In this chart; they broadcast.

        Returns
        -------
        array, shape (..., n)
        """
        array = as_points(vectors, self.parameters, "vectors")
        return _multiply(self.jacobian(points), array)

    def pull_back_covectors(self, points: ArrayLike, covectors: ArrayLike) -> Floats:
        """Jᵀ c: covectors of the original coordinates in this chart.

        Parameters
        ----------
        points : array_like, shape (..., n)
            In this chart.
        covectors : array_like, shape (..., n)
            In the original coordinates.

        Returns
        -------
        array, shape (..., n)
        """
        array = as_points(covectors, self.original_parameters, "covectors")
        return _multiply(np.swapaxes(self.jacobian(points), -1, -2), array)

    def bend(self, points: ArrayLike, vectors: ArrayLike) -> Floats:
        """D²φ[v, v] = (∂²θ/∂ξ∂ξ) v v: the acceleration, in the original coordinates, of a straight line ξ + t v.

        Parameters
        ----------
        points, vectors : array_like, shape (..., n)
            In this chart; they broadcast.

        Returns
        -------
        array, shape (..., n)
            Not the coordinates of a vector: by this term connections differ from tensors.

        Raises
        ------
        ShapeError
            If the last axes have not length n, or the others do not broadcast.

        Examples
        --------
        >>> alpha, beta, a, b = sp.symbols("alpha beta a b", positive=True)
        >>> chart = Chart.of(Domain.of((alpha, beta)), {alpha: a**2, beta: 1 / b}, (a, b))
        >>> chart.bend([1.0, 2.0], [3.0, 2.0])
        array([18.,  1.])
        """
        arrays = as_points(points, self.parameters), as_points(vectors, self.parameters, "vectors")
        try:
            together = np.concatenate(np.broadcast_arrays(*arrays), axis=-1)
        except ValueError:
            raise _unbroadcast(*arrays) from None
        return self._bends(together)

    @cached_property
    def jacobian_matrix(self) -> sp.ImmutableMatrix:
        """J as a SymPy matrix."""
        return sp.ImmutableMatrix(self.expressions).jacobian(sp.ImmutableMatrix(self.parameters))

    @cached_property
    def inverse_expressions(self) -> tuple[sp.Expr, ...] | None:
        """φ⁻¹ in closed form, each coordinate of this chart in the original ones; None where none was found."""
        if self.inverse is not None:
            return self.inverse
        targets = [sp.Dummy(symbol.name, **symbol.assumptions0) for symbol in self.original_parameters]
        solution = _eliminate(self, targets)
        back = dict(zip(targets, self.original_parameters, strict=True))
        return None if solution is None else tuple(solution[symbol].xreplace(back) for symbol in self.parameters)

    @cached_property
    def _phi(self) -> Callable[[Floats], Floats]:
        return array_function(self.parameters, self.expressions)

    @cached_property
    def _slopes(self) -> Callable[[Floats], Floats]:
        return array_function(self.parameters, tuple(self.jacobian_matrix))

    @cached_property
    def _bends(self) -> Callable[[Floats], Floats]:
        v = sp.ImmutableMatrix([sp.Dummy() for _ in self.parameters])
        slopes = (self.jacobian_matrix * v).jacobian(sp.ImmutableMatrix(self.parameters))
        return array_function((*self.parameters, *v), tuple(slopes * v))

    @cached_property
    def _closed_inverse(self) -> Callable[[Floats], Floats] | None:
        inverse = self.inverse_expressions
        return None if inverse is None else array_function(self.original_parameters, inverse)

    # -- the inverse in numbers

    @cached_property
    def _pool(self) -> tuple[Floats, Floats]:
        """Points of the domain, near ones first, that have an image in the original domain; and the images."""
        points = [self.domain.interior_points(_SAMPLES)]
        for spread in _SPREADS:
            with contextlib.suppress(ModelError):
                points.append(self.domain.interior_points(_SAMPLES, spread=spread))
        pool = np.concatenate([self._on_axes(points[0][:4]), *points])
        images = self._phi(pool)
        usable = self.original_domain.contains(images)
        if not usable.any():
            where = self.domain.describe() or "the domain"
            raise ModelError(f"{self.describe()}: no point of {where} maps into the original domain")
        return pool[usable], images[usable]

    def _on_axes(self, points: Floats) -> Floats:
        """The points with one coordinate put in the middle of its range, where odd powers have slope 0."""
        free = np.repeat(self.domain.to_free(points), self.dimension, axis=0)
        rows = np.arange(len(free))
        free[rows, rows % self.dimension] = 0.0
        moved = self.domain.from_free(free)
        return moved[self.domain.contains(moved)]

    def _starts(self, targets: Floats) -> Iterator[Floats]:
        """Where to start the search for the preimages, in turn."""
        if self._closed_inverse is not None:
            yield self._closed_inverse(targets)
            return
        pool, images = self._pool
        free, goals = self.original_domain.to_free(images), self.original_domain.to_free(targets)
        for near in (slice(_SAMPLES), slice(None)):  # far out, φ may be too flat to find the way back
            nearest = np.empty((min(_TRIES, len(pool)), len(targets)), dtype=np.intp)
            for part in np.array_split(np.arange(len(targets)), len(targets) // 4096 + 1):
                distance = np.abs(free[near] - goals[part, None]).max(axis=-1)
                nearest[:, part] = np.argsort(distance, axis=-1)[:, :_TRIES].T
            for choice in nearest:
                yield pool[choice]

    def _solve(self, targets: Floats, starts: Floats) -> Floats:
        points, error = self._newton(targets, starts)
        good = (error <= _ACCEPTED) & self.domain.contains(points)
        return np.where(good[:, None], points, np.nan)

    def _newton(self, targets: Floats, starts: Floats) -> tuple[Floats, Floats]:
        """Damped Newton iteration in free coordinates on both sides: steps cannot leave a half-line. (m, n), (m,)."""
        points = starts.copy()
        residual, error = self._residual(points, targets)
        active = np.flatnonzero(error > _ROUNDING)
        for _ in range(_ITERATIONS):
            if not active.size:
                break
            free = self.domain.to_free(points[active])
            step = self._newton_step(points[active], residual[active])
            improved = np.zeros(active.size, dtype=bool)
            for halving in range(_HALVINGS):
                waiting = np.flatnonzero(~improved)
                trial = self.domain.from_free(free[waiting] + 0.5**halving * step[waiting])
                difference, size = self._residual(trial, targets[active[waiting]])
                better = size < error[active[waiting]]
                chosen = active[waiting[better]]
                points[chosen], residual[chosen], error[chosen] = trial[better], difference[better], size[better]
                improved[waiting[better]] = True
                if improved.all():
                    break
            active = active[improved & (error[active] > _ROUNDING)]
        return points, error

    def _residual(self, points: Floats, targets: Floats) -> tuple[Floats, Floats]:
        """The difference of image and target in free original coordinates (m, n), and its relative size (m,)."""
        images = self._phi(points)
        goals = self.original_domain.to_free(targets)
        with np.errstate(all="ignore"):
            # on the boundary of a closed domain a free coordinate is infinite
            difference = np.where(images == targets, 0.0, self.original_domain.to_free(images) - goals)
            error = (np.abs(difference) / (1.0 + np.abs(goals))).max(axis=-1)
        return difference, np.where(np.isfinite(error), error, np.inf)

    def _newton_step(self, points: Floats, residual: Floats) -> Floats:
        matrix = self._free_jacobian(points)
        regular = np.logical_and(np.isfinite(matrix).all(axis=(-1, -2)), np.isfinite(residual).all(axis=-1))
        regular[regular] = np.linalg.slogdet(matrix[regular])[0] != 0.0
        step = np.full_like(residual, np.nan)
        step[regular] = -np.linalg.solve(matrix[regular], residual[regular][..., None])[..., 0]
        return step

    def _free_jacobian(self, points: Floats) -> Floats:
        """J between the free coordinates of both domains, where its entries are of the order of 1."""
        rows = self.original_domain.free_slope(self._phi(points))
        columns = self.domain.free_slope(points)
        with np.errstate(all="ignore"):
            return self.jacobian(points) * columns[..., None, :] / rows[..., :, None]

    # -- checks

    def _check_jacobian(self) -> None:
        """The determinant, between free coordinates, must not vanish and must keep its sign."""
        pool, _ = self._pool
        matrix = self._free_jacobian(pool)
        with np.errstate(all="ignore"):
            determinant = np.linalg.det(matrix)
            lengths = np.linalg.norm(matrix, axis=-1).prod(axis=-1)
        usable = np.isfinite(determinant) & np.isfinite(lengths)
        pool, determinant, lengths = pool[usable], determinant[usable], lengths[usable]
        if not (np.abs(determinant) > 1e-12 * lengths).any():
            raise self._not_invertible("its Jacobian determinant is zero everywhere")
        radius = np.abs(self.domain.to_free(pool)).max(axis=-1)
        zero = (determinant == 0.0) & (radius <= 2.0)  # far out it may vanish by underflow
        if zero.any():
            raise self._not_invertible("its Jacobian determinant vanishes", pool[zero][0])
        signs = np.zeros(len(pool))
        for ring in (radius <= 4.0, (radius > 4.0) & (radius <= 40.0), radius > 40.0):
            # where φ saturates, as softmax far out, what is left of the determinant is rounding
            floor = 1e-9 * np.abs(determinant[ring]).max(initial=0.0)
            signs[ring] = np.where(np.abs(determinant[ring]) > floor, np.sign(determinant[ring]), 0.0)
        if (signs > 0).any() and (signs < 0).any():
            first = (signs > 0).argmax(), (signs < 0).argmax()
            raise self._not_invertible("its Jacobian determinant changes sign", *pool[sorted(first)])

    def _check_branches(self) -> None:
        """No second point may have the same image: the search for some preimages starts from all over the domain."""
        pool, images = self._pool
        few = slice(0, _SAMPLES, _SAMPLES // _TARGETS)
        starts = pool[:: max(len(pool) // 32, 1)]
        known, targets = (np.repeat(values[few], len(starts), axis=0) for values in (pool, images))
        starts = np.tile(starts, (len(known) // len(starts), 1))
        points, error = self._newton(targets, starts)
        with np.errstate(all="ignore"):
            free = self.domain.to_free(known)
            apart = np.abs(self.domain.to_free(points) - free).max(axis=-1) / (1.0 + np.abs(free).max(axis=-1))
        other = (error < 1e-12) & (apart > 1e-3) & self.domain.contains(points)
        if other.any():
            index = int(np.argmax(other))
            raise self._not_invertible("two points have the same image", known[index], points[index])

    def _not_invertible(self, reason: str, *points: Floats) -> ModelError:
        names = ", ".join(map(str, self.parameters))
        places = " and ".join(", ".join(f"{value:.4g}" for value in point) for point in points)
        where = f" at {names} = {places}" if points else ""
        return ModelError(f"{textwrap.shorten(self.describe(), 200)} is not invertible: {reason}{where}")


def _check_symbols(
    originals: Sequence[sp.Symbol], parameters: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]
) -> None:
    equations = [f"{symbol} = {expression}" for symbol, expression in zip(originals, expressions, strict=False)]
    if not len(originals) == len(parameters) == len(expressions):
        raise _miscounted(len(originals), list(map(str, parameters)))
    for equation, expression in zip(equations, expressions, strict=True):
        require_known(equation, expression, parameters)
    for symbol in parameters:
        if not any(symbol in expression.free_symbols for expression in expressions):
            raise ModelError(f"{', '.join(equations)} is not invertible: {symbol} appears nowhere")


def _miscounted(wanted: int, names: Sequence[str]) -> ModelError:
    text = f"{len(names)}: {', '.join(names)}"
    return ModelError(f"chart: {wanted} original parameters need as many coordinates, not {text}")


def _expression(symbol: sp.Symbol, value: Any) -> sp.Expr:
    try:
        return sp.sympify(value, strict=True)  # strict: a text is refused, not evaluated
    except sp.SympifyError:
        raise ModelError(f"chart: {symbol} = {value!r} is not a SymPy expression") from None


def _multiply(matrices: Floats, vectors: Floats) -> Floats:
    try:
        return np.asarray((matrices @ vectors[..., None])[..., 0])
    except ValueError:
        raise _unbroadcast(matrices[..., 0], vectors) from None


def _unbroadcast(points: Floats, vectors: Floats) -> ShapeError:
    return ShapeError(f"points and vectors of shapes {points.shape} and {vectors.shape} do not broadcast")


# -- the inverse in closed form

_PRINCIPAL: Mapping[Any, Callable[[sp.Expr], tuple[sp.Expr, ...]]] = {
    sp.exp: lambda t: (sp.log(t),),
    sp.log: lambda t: (sp.exp(t),),
    sp.sin: lambda t: (sp.asin(t), sp.pi - sp.asin(t)),
    sp.cos: lambda t: (sp.acos(t), -sp.acos(t)),
    sp.tan: lambda t: (sp.atan(t),),
    sp.asin: lambda t: (sp.sin(t),),
    sp.acos: lambda t: (sp.cos(t),),
    sp.atan: lambda t: (sp.tan(t),),
    sp.sinh: lambda t: (sp.asinh(t),),
    sp.cosh: lambda t: (sp.acosh(t), -sp.acosh(t)),
    sp.tanh: lambda t: (sp.atanh(t),),
    sp.asinh: lambda t: (sp.sinh(t),),
    sp.acosh: lambda t: (sp.cosh(t),),
    sp.atanh: lambda t: (sp.tanh(t),),
    sp.Abs: lambda t: (t, -t),
    sp.erf: lambda t: (sp.erfinv(t),),
    sp.erfc: lambda t: (sp.erfcinv(t),),
}


def _eliminate(chart: Chart, targets: Sequence[sp.Symbol]) -> dict[sp.Symbol, sp.Expr] | None:
    """Solve φ(ξ) = targets, one unknown from one equation at a time, each solution checked in numbers."""
    pool, images = (values[: _SAMPLES // 2] for values in chart._pool)
    equations = dict(zip(targets, chart.expressions, strict=True))
    solved: dict[sp.Symbol, sp.Expr] = {}
    while equations:
        for target, symbol in _plain_pairs(equations, set(chart.parameters) - set(solved)):
            solution = _verified(chart, _solutions(equations[target], symbol, target), symbol, targets, pool, images)
            if solution is not None:
                break
        else:
            return None
        del equations[target]
        equations = {other: _simplified(equations[other].xreplace({symbol: solution})) for other in equations}
        solved = {known: value.xreplace({symbol: solution}) for known, value in solved.items()}
        solved[symbol] = solution
    return solved


def _plain_pairs(
    equations: Mapping[sp.Symbol, sp.Expr], unknown: set[sp.Symbol]
) -> Iterator[tuple[sp.Symbol, sp.Symbol]]:
    """Equations and unknowns to solve them for, those with the fewest unknowns and occurrences first."""
    pairs = []
    for target, expression in equations.items():
        present = expression.free_symbols & unknown
        if len(present) <= _COUPLED:
            pairs += [((len(present), expression.count(symbol)), target, symbol) for symbol in sorted(present, key=str)]
    for _, target, symbol in sorted(pairs, key=lambda pair: pair[0]):
        yield target, symbol


def _verified(
    chart: Chart,
    candidates: Sequence[sp.Expr],
    symbol: sp.Symbol,
    targets: Sequence[sp.Symbol],
    points: Floats,
    images: Floats,
) -> sp.Expr | None:
    """The candidate that gives back the coordinate at known points: the branch that lies in the domain."""
    known = np.concatenate([images, points], axis=-1)
    wanted = points[:, chart.parameters.index(symbol)]
    for candidate in candidates:
        values = array_function((*targets, *chart.parameters), (candidate,))(known)[:, 0]
        # where φ is nearly flat, as tanh far out, the right branch has lost its digits too
        if np.isclose(values, wanted, rtol=1e-6, atol=1e-9).mean() > 0.75:
            return candidate
    return None


def _solutions(expression: sp.Expr, symbol: sp.Symbol, value: sp.Expr) -> list[sp.Expr]:
    """Candidates for the symbol where the expression has a value; no search, so none where it is not plain."""
    if expression.count(symbol) == 1:
        return _peel(expression, symbol, value)
    if not expression.is_rational_function(symbol):
        return []
    numerator = sp.fraction(sp.together(expression - value))[0].as_poly(symbol)
    if numerator is None or not 1 <= numerator.degree() <= 2:
        return []
    *square, slope, constant = numerator.all_coeffs()
    if not square:
        return [-constant / slope]
    root = sp.sqrt(slope**2 - 4 * square[0] * constant)
    return [(-slope + root) / (2 * square[0]), (-slope - root) / (2 * square[0])]


def _peel(expression: sp.Expr, symbol: sp.Symbol, value: sp.Expr) -> list[sp.Expr]:
    """Undo the outermost operation until the symbol, which occurs once, is left."""
    if expression == symbol:
        return [value]
    (inner,) = (argument for argument in expression.args if argument.has(symbol))
    others = [argument for argument in expression.args if not argument.has(symbol)]
    if expression.is_Add:
        values: tuple[sp.Expr, ...] = (value - sp.Add(*others),)
    elif expression.is_Mul:
        values = (value / sp.Mul(*others),)
    elif expression.is_Pow and inner == expression.exp:
        values = (sp.log(value) / sp.log(expression.base),)
    elif expression.is_Pow:
        values = _roots(expression.base, expression.exp, value)
    elif expression.func in _PRINCIPAL:
        values = _PRINCIPAL[expression.func](value)
    else:
        return []
    return [solution for branch in values for solution in _peel(inner, symbol, branch)]


def _roots(base: sp.Expr, exponent: sp.Expr, value: sp.Expr) -> tuple[sp.Expr, ...]:
    root = value ** (1 / exponent)
    if base.is_nonnegative or not exponent.is_integer:
        return (root,)
    if exponent.is_even:
        return (root, -root)
    return (root, sp.sign(value) * sp.Abs(value) ** (1 / exponent))


def _simplified(expression: sp.Expr) -> sp.Expr:
    small = expression.count_ops() <= 60 and expression.is_rational_function()
    return sp.cancel(expression) if small else expression


# -- charts typed as text


def infer_symbols(
    original_parameters: Sequence[sp.Symbol], texts: Mapping[str, str], original_domain: Domain
) -> tuple[tuple[sp.Symbol, ...], tuple[sp.Expr, ...]]:
    """The symbols and expressions of a chart typed as text, the assumptions of new names found out.

    A new name is positive if the chart is then invertible and reaches the whole original domain, else real.

    Parameters
    ----------
    original_parameters : sequence of Symbol
    texts : mapping of str to str
        Formulas for original parameters by name; those left out stay as they are.
    original_domain : Domain
        Where the original parameters may lie.

    Returns
    -------
    parameters : tuple of Symbol
        In the order in which they appear.
    expressions : tuple of Expr
        In the order of `original_parameters`.

    Raises
    ------
    ExpressionError
        If a text is not a formula.
    ModelError
        If the number of new names does not fit, or the chart is not invertible.

    Examples
    --------
    >>> alpha, beta = sp.symbols("alpha beta", positive=True)
    >>> infer_symbols((alpha, beta), {"beta": "exp(b)"}, Domain.of((alpha, beta)))
    ((alpha, b), (alpha, exp(b)))
    """
    originals = tuple(original_parameters)
    for name in texts:
        if name not in map(str, originals):
            raise ModelError(f"chart: {name} is not one of the original parameters ({', '.join(map(str, originals))})")
    names = {
        symbol: free_names(texts[symbol.name], where=symbol.name) if symbol.name in texts else (symbol.name,)
        for symbol in originals
    }
    order = tuple(dict.fromkeys(itertools.chain.from_iterable(names.values())))
    if len(order) != len(originals):
        raise _miscounted(len(originals), order)
    kept = {symbol.name: symbol for symbol in originals if symbol.name not in texts}
    symbols: dict[str, sp.Symbol] = {}
    expressions: dict[sp.Symbol, sp.Expr] = {}
    for group in _groups(names, original_domain):
        piece = _infer_group(group, texts, kept, order, original_domain)
        symbols.update((symbol.name, symbol) for symbol in piece.parameters)
        expressions.update(zip(group, piece.expressions, strict=True))
    return tuple(symbols[name] for name in order), tuple(expressions[symbol] for symbol in originals)


def _groups(names: Mapping[sp.Symbol, tuple[str, ...]], domain: Domain) -> list[list[sp.Symbol]]:
    """The original parameters in groups that share neither new names nor conditions: each is a chart by itself."""
    groups: list[list[sp.Symbol]] = []
    for symbol in names:
        tied = {other for condition in domain.conditions if condition.has(symbol) for other in condition.free_symbols}
        touching = [
            group for group in groups if any(other in tied or {*names[other]} & {*names[symbol]} for other in group)
        ]
        groups = [group for group in groups if group not in touching] + [[*itertools.chain(*touching), symbol]]
    return [[symbol for symbol in names if symbol in group] for group in groups]


def _infer_group(
    group: Sequence[sp.Symbol],
    texts: Mapping[str, str],
    kept: Mapping[str, sp.Symbol],
    order: Sequence[str],
    original_domain: Domain,
) -> Chart:
    """The first choice of assumptions whose chart reaches the whole domain, else the last that is invertible at all."""
    conditions = tuple(c for c in original_domain.conditions if c.free_symbols <= set(group))
    domain = Domain(tuple(group), conditions)
    used = {name for symbol in group for name in free_names(texts.get(symbol.name, symbol.name))}
    new = [name for name in order if name in used and name not in kept]
    targets = domain.interior_points(16)
    partial: list[Chart] = []
    refusals: list[ExpressionError | ModelError] = []
    for choice in itertools.product(("positive", "real"), repeat=len(new)):
        fresh = {name: sp.Symbol(name, **{assumption: True}) for name, assumption in zip(new, choice, strict=True)}
        symbols = {name: kept.get(name) or fresh[name] for name in order if name in used}
        try:
            expressions = {s: parse(texts[s.name], symbols, where=s.name) if s.name in texts else s for s in group}
            chart = Chart.of(domain, expressions, tuple(symbols.values()))
        except (ExpressionError, ModelError) as error:
            refusals.append(error)
            continue
        if np.isfinite(chart.from_original(targets)).all():
            return chart
        partial.append(chart)
    if partial:
        return partial[-1]
    raise refusals[-1]
