"""The NumPy target, the reference: the generated text run over arrays, SciPy's special functions and ODE solver."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special

from riemopt.kernels.graph.operations import POLYGAMMA_ORDERS, polygamma_name, remainder_name
from riemopt.kernels.graph.parts import Integral, Ode, Peak, TableSum
from riemopt.kernels.graph.programs import Part, Program
from riemopt.kernels.graph.roots import Root
from riemopt.kernels.targets.arrays import executed, polygamma
from riemopt.kernels.targets.target import Target
from riemopt.numerics.newton import inverses, newton
from riemopt.numerics.ode import integrate
from riemopt.numerics.quadrature import integrals, peak
from riemopt.status import Status

__all__ = ["BINDINGS", "NumpyTarget", "integrate"]


_LARGEST_BLOCK = 1 << 18
"""Numbers that a temporary over a block of rows or of arguments may hold."""

_SHIFT = 20
"""From here on the asymptotic series of a remainder is as good as double precision."""


def _polygamma_remainder(order: int) -> Callable[[Any], Any]:
    """The remainder ρ_n(x) of ψ_n(x): the recurrence up to x + 20, then DLMF 5.15.8 and 5.15.9."""
    n, sign = order, (-1.0) ** (order - 1)
    step = [(i + 1) * (n - i) * math.factorial(n - 1) / 2 for i in range(n)]
    tail = [scipy.special.bernoulli(24)[2 * k] * math.perm(2 * k + n - 1, n - 1) for k in range(1, 13)]
    shifts = np.arange(_SHIFT + 1.0)

    def block(x: np.ndarray) -> np.ndarray:
        inverses = 1.0 / (x + shifts.reshape(-1, *(1 for _ in x.shape)))
        a, b, last = inverses[:-1], inverses[1:], inverses[-1]
        homogeneous, power = 0.0, 1.0
        for c in step:
            homogeneous, power = homogeneous * a + c * power, power * b
        # one after another, so that a number does not depend on how many there are
        total = np.add.accumulate((a * b) ** 2 * homogeneous)[-1]
        square, series = last * last, tail[-1]
        for c in reversed(tail[:-1]):
            series = c + series * square
        rest = np.power(last, n + 2) * series
        return np.where(x > 0, sign * (total + rest), np.nan)

    def remainder(x: Any) -> Any:
        x = np.asarray(x, dtype=np.float64)
        size = _LARGEST_BLOCK // _SHIFT
        if x.size <= size:
            return block(x)
        flat = x.ravel()
        return np.concatenate([block(flat[i : i + size]) for i in range(0, flat.size, size)]).reshape(x.shape)

    return remainder


BINDINGS: dict[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh")},
    **{name: getattr(np, name) for name in ("cosh", "tanh", "absolute", "sign", "floor", "minimum", "maximum")},
    **{name: getattr(np, "arc" + name[1:]) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2")},
    **{name: getattr(scipy.special, name) for name in ("erf", "erfc", "gamma", "expit")},
    "logaddexp": np.logaddexp,
    "scaled_bessel_i": lambda n, x: np.where(np.equal(n, np.floor(n)), scipy.special.ive(n, x), np.nan),
    **{polygamma_name(order): polygamma(order, np, scipy.special) for order in POLYGAMMA_ORDERS},
    **{remainder_name(order): _polygamma_remainder(order) for order in POLYGAMMA_ORDERS},
    "loggamma": scipy.special.gammaln,
    "digamma": lambda x: np.where(np.asarray(x) > 0, scipy.special.digamma(x), np.nan),
    "isfinite": np.isfinite,
    "select": np.where,
    "spread": lambda x: x,
}


class NumpyTarget(Target):
    """Programs run as they stand on NumPy arrays."""

    name = "numpy"

    def pointwise(self, program: Program, sizes: Sequence[int], constants: int) -> Callable[..., Any]:
        """A program as a function of arrays; see :meth:`Target.pointwise`."""
        function = _function(program)

        def run(*arguments: np.ndarray, table: np.ndarray | None = None) -> np.ndarray:
            *arrays, data = arguments
            columns = [array[:, i] for array in arrays for i in range(array.shape[1])]
            with np.errstate(all="ignore"):
                values = function(*columns, *data, **({"table": table} if program.uses_table else {}))
            count = len(arrays[0])
            return np.stack([np.broadcast_to(np.asarray(v, dtype=np.float64), (count,)) for v in values], axis=1)

        return run


def _function(program: Program) -> Callable[..., tuple[Any, ...]]:
    return executed(program, BINDINGS | {f"part_{i}": _part(part) for i, part in enumerate(program.parts)})


def _part(part: Part) -> Callable[..., tuple[Any, ...]]:
    if isinstance(part, Ode):
        return _solver(part)
    if isinstance(part, TableSum):
        return _table_sum(part)
    if isinstance(part, Root):
        return _root(part)
    assert isinstance(part, (Integral, Peak))
    return _integral(part)


def _table_sum(part: TableSum) -> Callable[..., tuple[Any, ...]]:
    """Sums over the rows of a table, a block of rows at a time."""
    body = _function(part.body)

    def add(packed: Any) -> tuple[float, tuple[Any, ...]]:
        constants, table = packed
        constants = [np.asarray(c)[..., None] for c in constants]
        batch = max([c.size for c in constants], default=1)
        rows = max(1, _LARGEST_BLOCK // batch)
        sums: list[Any] = [0.0] * part.size
        for first in range(0, table.shape[1], rows):
            columns = table[:, first : first + rows]
            terms = body(*columns, *constants)
            each = [np.broadcast_to(t, (*np.shape(t)[:-1], columns.shape[1])) for t in terms]
            sums = [s + t.sum(axis=-1) for s, t in zip(sums, each, strict=True)]
        return 0.0, tuple(sums)

    return add


def _root(part: Root) -> Callable[..., tuple[Any, ...]]:
    """A root on arrays, all entries at once."""
    n = part.dimension
    system, answer = _function(part.equations), _function(part.answer)

    def columns(function: Callable[..., tuple[Any, ...]], y: np.ndarray, xi: np.ndarray) -> np.ndarray:
        values = function(*y.T, *xi.T)
        return np.stack([np.broadcast_to(value, y.shape[:1]) for value in values], axis=1)

    def equations(y: np.ndarray, xi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = columns(system, y, xi)
        return values[:, :n], values[:, n:].reshape(-1, n, n)

    def find(packed: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        arrays = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in packed))
        xi = np.stack([array.ravel() for array in arrays], axis=1)
        y = newton(equations, xi, np.array(part.start))
        theta, stretch, scale = np.split(columns(answer, y, xi), 3, axis=1)
        slopes = stretch[:, :, None] * inverses(equations(y, xi)[1]) * scale[:, None, :]
        values = np.concatenate([theta, slopes.reshape(-1, n * n)], axis=1)
        status = np.where(np.isnan(y).any(axis=1), float(Status.LEFT_DOMAIN), 0.0)
        shape = arrays[0].shape
        return status.reshape(shape), tuple(value.reshape(shape) for value in values.T)

    return find


def _integral(part: Integral | Peak) -> Callable[..., tuple[Any, ...]]:
    """An integral on arrays of constants, one at a time."""
    weight = _function(part.weight)
    body = _function(part.body) if isinstance(part, Integral) else None

    def one(*constants: float) -> tuple[float, ...]:
        def weighted(y: np.ndarray) -> np.ndarray:
            return np.broadcast_to(weight(y, *constants)[0], y.shape)

        if body is None:
            return 0.0, float(peak(weighted, part.lattice))

        def terms(y: np.ndarray) -> list[np.ndarray]:
            return [np.broadcast_to(v, y.shape) for v in body(y, *constants)]

        assert isinstance(part, Integral)
        best, totals = integrals(weighted, terms, part.lattice, part.normalized, scaled=part.scaled)
        return (0.0 if np.isfinite(totals).all() else float(Status.NON_FINITE)), best, *totals

    each = np.vectorize(one, otypes=[np.float64] * (part.size + 1))

    def integrate_all(constants: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        status, *values = each(*constants) if constants else one()
        return status, tuple(values)

    return integrate_all


def _solver(ode: Ode) -> Callable[..., tuple[Any, ...]]:
    """The solver of one equation on arrays: SciPy's method of the same class as our own, one start at a time."""
    field = _function(ode.field)
    approach = None if ode.approach is None else _function(ode.approach)
    n = ode.dimension
    table: dict[str, Any] = {}

    def solve_one(*numbers: Any) -> tuple[float, ...]:
        arguments = np.array(numbers)
        state, constants = arguments[:n], arguments[n:-3]
        duration, rtol, atol = arguments[-3:]
        cause = Status.COMPLETED

        def derivative(y: np.ndarray) -> np.ndarray:
            nonlocal cause
            status, *values = field(*y, *constants, **table)
            # the stages after one that was refused are not numbers, which is not why
            if np.isfinite(y).all():
                cause = Status(int(status))
            return np.full(n, np.nan) if status else np.array(values, dtype=np.float64)

        def horizon(y: np.ndarray) -> float:
            assert approach is not None
            rate = approach(*y, *constants)[0 if duration > 0 else 1]
            return 1.0 / rate if rate > 0 else np.inf

        status, end, reached = integrate(derivative, state, duration, rtol, atol, horizon if approach else None)
        return (float(cause or status) if status else 0.0, *end, reached)

    def solve(state: tuple[Any, ...], constants: Any, *settings: Any) -> tuple[Any, tuple[Any, ...]]:
        if ode.uses_table:
            constants, table["table"] = constants
        columns = np.broadcast_arrays(*state, *constants, *settings)
        ends = np.empty((n + 2, *columns[0].shape))
        for place in np.ndindex(columns[0].shape):
            ends[(slice(None), *place)] = solve_one(*(column[place] for column in columns))
        status, *end = ends
        return status, tuple(end)

    return solve
