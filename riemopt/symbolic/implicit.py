"""Preimages under maps without a closed inverse, as SymPy functions whose values Newton's method finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from riemopt.numerics.boxes import Box
from riemopt.numerics.newton import newton
from riemopt.symbolic.functions import Computed, array_function

__all__ = ["ImplicitMap", "Preimage", "is_implicit"]

Floats = NDArray[np.float64]


class ImplicitMap(sp.Atom):
    """An invertible map ξ = f(θ) on a part of a box, as the first argument of a :class:`Preimage`.

    Parameters
    ----------
    parameters : sequence of sympy.Symbol
        θ.
    expressions : sequence of sympy.Expr
        f.
    box : Box
        Where preimages are sought.
    start : sequence of float
        Where the search starts, in the free coordinates of the box.
    """

    parameters: tuple[sp.Symbol, ...]
    expressions: tuple[sp.Expr, ...]
    box: Box
    start: tuple[float, ...]

    def __new__(
        cls, parameters: Sequence[sp.Symbol], expressions: Sequence[sp.Expr], box: Box, start: Sequence[float]
    ) -> ImplicitMap:
        """An atom: substitutions do not look inside, where θ is bound."""
        self = super().__new__(cls)
        self.parameters, self.expressions = tuple(parameters), tuple(expressions)
        self.box, self.start = box, tuple(map(float, start))
        return self  # type: ignore[no-any-return]

    def _hashable_content(self) -> tuple[Any, ...]:
        # by its content SymPy also sorts, for which symbols in a tuple of Python have no order
        return (sp.Tuple(*self.parameters), sp.Tuple(*self.expressions), self.box, self.start)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.parameters, self.expressions, self.box, self.start)

    def _sympystr(self, printer: Any) -> str:
        names, values = map(printer._print, self.parameters), map(printer._print, self.expressions)
        return f"({', '.join(names)}) -> ({', '.join(values)})"

    @cached_property
    def jacobian(self) -> sp.ImmutableMatrix:
        """∂ξ/∂θ."""
        return sp.ImmutableMatrix(self.expressions).jacobian(self.parameters)

    @cached_property
    def inverse_jacobian(self) -> sp.ImmutableMatrix:
        """∂θ/∂ξ, as a function of θ."""
        return sp.ImmutableMatrix(self.jacobian.adjugate(method="berkowitz") / self.jacobian.det(method="berkowitz"))

    @cached_property
    def signs(self) -> tuple[int, ...]:
        """For each ξ 1 or -1 where it is known to be positive or negative: log(±ξ) is then solved for. Else 0."""
        return tuple(bool(e.is_positive) - bool(e.is_negative) for e in self.expressions)

    def preimages(self, points: Floats) -> Floats:
        """The θ with f(θ) = ξ, shape (..., n); NaN where there is none."""
        flat = points.reshape(-1, len(self.parameters))
        return self.box.from_free(newton(self._equations, flat, np.array(self.start))).reshape(points.shape)

    def _equations(self, free: Floats, points: Floats) -> tuple[Floats, Floats]:
        """What has to vanish, in free coordinates of the box, and its derivative."""
        theta, signs = self.box.from_free(free), np.array(self.signs)
        values = self._values(theta)
        slopes = self._slopes(theta).reshape(*theta.shape, -1) * self.box.free_slope(theta)[..., None, :]
        with np.errstate(all="ignore"):
            logged = np.log(signs * values) - np.log(signs * points)
            residual = np.where(signs != 0, logged, values - points)
            return residual, slopes / np.where(signs != 0, values, 1.0)[..., None]

    @cached_property
    def _values(self) -> Callable[[Floats], Floats]:
        """f as a function of points."""
        return array_function(self.parameters, self.expressions)

    @cached_property
    def _slopes(self) -> Callable[[Floats], Floats]:
        """The entries of ∂f as a function of points, row by row."""
        return array_function(self.parameters, tuple(self.jacobian))


class Preimage(Computed):
    """A coordinate of the θ with f(θ) = ξ: ``Preimage(f, index, ξ_1, ..., ξ_n)``, with f an :class:`ImplicitMap`.

    Examples
    --------
    >>> alpha = sp.Symbol("alpha", positive=True)
    >>> xi = sp.Symbol("xi", real=True)
    >>> digamma = ImplicitMap([alpha], [sp.digamma(alpha)], Box((0.0,), (np.inf,)), [0.0])
    >>> Preimage(digamma, 0, xi)
    alpha(xi)
    """

    # not positive even if θ is: the conditions of a domain are to be looked at, NaN fulfils none of them
    is_extended_real = True

    @property
    def mapping(self) -> ImplicitMap:
        """The map f."""
        return self.args[0]

    @property
    def index(self) -> int:
        """Which coordinate."""
        return int(self.args[1])

    @property
    def image(self) -> tuple[sp.Expr, ...]:
        """The point ξ."""
        return self.args[2:]  # type: ignore[no-any-return]

    @property
    def is_number(self) -> bool:
        """Whether the point is given."""
        return all(value.is_number for value in self.image)

    def on_arrays(self) -> Callable[..., Floats]:
        """See :class:`Computed`."""
        return partial(_coordinate, self.mapping, self.index)

    def _eval_derivative(self, symbol: sp.Symbol) -> sp.Expr:
        """By the inverse function theorem."""
        f = self.mapping
        here = {p: Preimage(f, i, *self.image) for i, p in enumerate(f.parameters)}
        changes = [value.diff(symbol) for value in self.image]
        row = f.inverse_jacobian.row(self.index)
        return sp.Add(*(slope.xreplace(here) * d for slope, d in zip(row, changes, strict=True) if d != 0))

    def _eval_evalf(self, prec: int) -> sp.Float | None:
        if not self.is_number:
            return None
        found = self.mapping.preimages(np.array([float(value) for value in self.image]))
        return sp.Float(float(found[self.index]))

    def _sympystr(self, printer: Any) -> str:
        return f"{self.mapping.parameters[self.index]}({', '.join(map(printer._print, self.image))})"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        name = printer._print(self.mapping.parameters[self.index])
        power = "" if exp is None else f"^{{{exp}}}"
        return f"{name}{power}\\left({', '.join(map(printer._print, self.image))}\\right)"


def _coordinate(mapping: ImplicitMap, index: int, *columns: Floats) -> Floats:
    """One coordinate of the preimages of points, which are given column by column."""
    points = np.stack(np.broadcast_arrays(*columns), axis=-1).astype(np.float64)
    return mapping.preimages(points)[..., index]


def is_implicit(expressions: Sequence[sp.Basic]) -> bool:
    """Whether there is a preimage in some expressions."""
    return any(e.has(Preimage) for e in expressions)
