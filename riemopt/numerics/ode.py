"""One differential equation on arrays: the reference of the compiled stepper, and what both are asked to keep to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from riemopt.status import Status

__all__ = ["ATOL", "MAXIMAL_STEPS", "RTOL", "integrate"]

RTOL, ATOL = 1e-10, 1e-12
"""Default tolerances of every exact integration."""

MAXIMAL_STEPS = 10_000
"""Steps, accepted or not, after which a solution counts as not to be had."""


def integrate(
    derivative: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    duration: float,
    rtol: float,
    atol: float,
    horizon: Callable[[np.ndarray], float] | None = None,
) -> tuple[Status, np.ndarray, float]:
    """Solve one autonomous equation with SciPy's ``DOP853``, step by step and with a limit of work.

    Parameters
    ----------
    derivative : callable
        The right-hand side; what is not finite refuses a step, which is tried again shorter.
    start : array, shape (n,)
        The state at the start, in the precision that the end is to have.
    duration : float
        How long; of either sign.
    rtol, atol : float
        Tolerances; not below what the precision can tell apart.
    horizon : callable, optional
        How long a step from a state may be.

    Returns
    -------
    status : Status
        ``COMPLETED``; ``LEFT_DOMAIN`` where the solution ends early; ``DIVERGED`` after too many steps.
    end : array, shape (n,)
        The state at the end; NaN if it was not reached.
    reached : float
        The time up to which there is a solution.
    """
    from scipy.integrate import DOP853

    lost = np.full_like(start, np.nan)
    rounding = float(np.finfo(start.dtype).eps)
    with np.errstate(all="ignore"):
        if not (np.isfinite(duration) and np.isfinite(start).all() and np.isfinite(derivative(start)).all()):
            return Status.LEFT_DOMAIN, lost, 0.0
        solver = DOP853(
            lambda time, state: derivative(state.astype(start.dtype)).astype(np.float64),
            0.0,
            start.astype(np.float64),
            duration,
            rtol=max(rtol, 100.0 * rounding),
            # SciPy has no scale for what begins at 0 if there is no absolute tolerance
            atol=max(atol, 1e-6 * rtol if start.dtype == np.float64 else rounding),
        )
        for _ in range(MAXIMAL_STEPS):
            if solver.status != "running":
                break
            if horizon is not None:
                solver.max_step = horizon(solver.y)
            solver.step()
    if solver.status == "running":
        return Status.DIVERGED, lost, solver.t
    if solver.status == "failed":
        return Status.LEFT_DOMAIN, lost, solver.t
    return Status.COMPLETED, solver.y.astype(start.dtype), duration
