"""The NumPy target, the reference: the generated text run over arrays, SciPy's special functions and ODE solver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.integrate
import scipy.special

from riemopt.kernels.lowering import Ode, Program
from riemopt.kernels.stepping import MAXIMAL_STEPS
from riemopt.kernels.target import Target
from riemopt.status import Status

__all__ = ["NumpyTarget"]


def _polygamma(order: int) -> Callable[[Any], Any]:
    return lambda x: np.where(np.asarray(x) > 0, scipy.special.polygamma(order, x), np.nan)


_BINDINGS: dict[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh")},
    **{name: getattr(np, name) for name in ("cosh", "tanh", "absolute", "sign", "floor", "minimum", "maximum")},
    **{name: getattr(np, "arc" + name[1:]) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2")},
    **{name: getattr(scipy.special, name) for name in ("erf", "erfc", "gamma")},
    **{f"polygamma_{order}": _polygamma(order) for order in range(1, 7)},
    "loggamma": scipy.special.gammaln,
    "digamma": lambda x: np.where(np.asarray(x) > 0, scipy.special.digamma(x), np.nan),
    "isfinite": np.isfinite,
    "select": np.where,
    "NAN": np.nan,
    "INFINITY": np.inf,
}


class NumpyTarget(Target):
    """Programs run as they stand on NumPy arrays."""

    name = "numpy"

    def pointwise(self, program: Program, sizes: Sequence[int], constants: int) -> Callable[..., Any]:
        """A program as a function of arrays; see :meth:`Target.pointwise`."""
        function = _function(program)

        def run(*arguments: np.ndarray) -> np.ndarray:
            *arrays, data = arguments
            columns = [array[:, i] for array in arrays for i in range(array.shape[1])]
            with np.errstate(all="ignore"):
                values = function(*columns, *data)
            count = len(arrays[0])
            return np.stack([np.broadcast_to(np.asarray(v, dtype=np.float64), (count,)) for v in values], axis=1)

        return run


def _function(program: Program) -> Callable[..., tuple[Any, ...]]:
    bindings = dict(_BINDINGS)
    bindings.update({f"ode_{i}": _solver(ode) for i, ode in enumerate(program.odes)})
    # the text was generated here and names nothing that a user typed
    exec(compile(program.source("program"), "<riemopt program>", "exec"), bindings)
    return bindings["program"]  # type: ignore[no-any-return]


def _solver(ode: Ode) -> Callable[..., tuple[Any, ...]]:
    """The solver of one equation on arrays: SciPy's method of the same class as our own, one start at a time."""
    field = _function(ode.field)
    n = ode.dimension

    def solve_one(*arguments: float) -> tuple[float, ...]:
        state, constants = arguments[:n], arguments[n:-3]
        duration, rtol, atol = arguments[-3:]
        status, *_ = field(*state, *constants)
        failed = (float(status) or float(Status.LEFT_DOMAIN), *[np.nan] * n)
        if status != 0.0:
            return failed

        def derivative(time: float, y: np.ndarray) -> np.ndarray:
            status, *values = field(*y, *constants)
            return np.array(values, dtype=np.float64) if status == 0.0 else np.full(n, np.nan)

        solver = scipy.integrate.DOP853(derivative, 0.0, state, duration, rtol=max(rtol, 3e-14), atol=atol)
        for _ in range(MAXIMAL_STEPS):
            if solver.status != "running":
                break
            solver.step()
        if solver.status == "running":
            return (float(Status.DIVERGED), *failed[1:])
        return (0.0, *solver.y) if solver.status == "finished" else failed

    solve_each = np.vectorize(solve_one, otypes=[np.float64] * (n + 1))

    def solve(state: tuple[Any, ...], constants: tuple[Any, ...], *settings: Any) -> tuple[Any, tuple[Any, ...]]:
        status, *end = solve_each(*state, *constants, *settings)
        return status, tuple(end)

    return solve
