"""minimize: one integrator on one problem, for one start or a batch of them."""

from __future__ import annotations

import logging
import os
from typing import Any, Literal

import numpy as np

from riemopt.errors import ArgumentError, ShapeError, UnsupportedError
from riemopt.integrators import Integrator, by_name, names
from riemopt.numerics.arrays import is_floating, is_real
from riemopt.optimize.damping import LevenbergMarquardt
from riemopt.optimize.driver import Hook
from riemopt.optimize.line_search import Backtracking
from riemopt.optimize.progress import Progress
from riemopt.optimize.run import Run
from riemopt.optimize.trajectory import Trajectory
from riemopt.problem import Problem
from riemopt.solvers import LinearSolver
from riemopt.status import Status

__all__ = ["minimize", "require_primitives"]

_FEW = 10_000
"""The number of coordinates up to which every point is kept."""

_LOG = logging.getLogger("riemopt")


def minimize(
    problem: Problem,
    integrator: str | Integrator,
    start: Any,
    step_size: Any,
    steps: int,
    *,
    keep: Literal["all", "last"] | None = None,
    tolerance: float | None = None,
    solver: LinearSolver | None = None,
    damping: LevenbergMarquardt | None = None,
    line_search: Backtracking | None = None,
    correction_below: float | None = None,
    longest_correction: float | None = None,
    warm_start: float | None = None,
    seed: int = 0,
    callback: Hook | None = None,
    progress: bool | Progress = False,
    checkpoint: str | os.PathLike[str] | None = None,
    faithful: bool = False,
) -> Trajectory:
    """Move from a start towards a minimum of a problem's loss.

    Parameters
    ----------
    problem : Problem
        What to minimize: a likelihood, an :class:`~riemopt.OperatorProblem`, or a subclass of your own that offers some
        primitives.
    integrator : str or Integrator
        How to move: a key of :func:`riemopt.integrators.names`, or an integrator, a user's own too.
    start : array_like, shape (..., n)
        Where to start.
    step_size : array_like, shape (...)
        The step size h > 0; broadcasts against the leading axes of `start`.
    steps : int
        How many steps to take.
    keep : {"all", "last"}, optional
        Whether to keep every point or the end only; by default all up to 10,000 coordinates.
    tolerance : float, optional
        Stop where the Riemannian norm of the natural gradient, √(∂L·g⁻¹∂L), is at most this. It does not depend on the
        chart. Later entries then repeat the point. By default all steps are taken.
    solver : LinearSolver, optional
        What solves with the metric, from its products, in place of the problem's own solver.
    damping : LevenbergMarquardt, optional
        How strongly to damp the metric, following the success of the steps. A step that does not lower the loss is not
        taken, and counts all the same.
    line_search : Backtracking, optional
        How far to go along a step, as far as the loss falls; a whole step or none if there is a damping without it.
    correction_below : float, optional
        The strength of the damping from which on steps go without a geodesic correction.
    longest_correction : float, optional
        Let the geodesic correction of a rule that has one beside its step, as ``"geo"``, decide how far to trust the
        step, in place of a `correction_below` set by hand: α, for the ratio 2‖δ₂‖/‖δ₁‖ of the correction δ₂ to the step
        δ₁ in the norm of the metric. A step whose ratio is more is first tried shortened to α over the ratio, one of
        more than twice as much goes without its correction, and does not lower the damping. Transtrum and Sethna took
        0.75.
    warm_start : float, optional
        An iterative solve starts from this times the solution of the same solve in the step before; 0 for a cold start.
        By default what the problem says: 0.95 for networks, 0 for all others.
    seed : int, optional
        What random choices of a problem are drawn from, if it makes some.
    callback : callable, optional
        Called with the :class:`~riemopt.optimize.State` of a single trajectory at every point, the start too. It may
        raise ``StopIteration`` to end the trajectory there.
    progress : bool or callable, optional
        ``True`` shows a bar; a function is called as ``progress(done, total, what)``.
    checkpoint : str or path-like, optional
        A file that the state of a single trajectory is written to as it goes, at most once a second. If it is there
        already, the trajectory goes on from what it holds.
    faithful : bool, optional
        For ``"ng"``, ``"mid"``, ``"geo"`` and ``"geof"`` on a network: the ways of the code published with the paper,
        slips included, to compare with what it reported. `solver`, `damping` and `line_search` are then the published
        ones where none is given.

    Returns
    -------
    Trajectory
        A trajectory that leaves the domain, meets a singular metric or a number that is not finite ends with that
        status and leaves the others of its batch alone.

    Raises
    ------
    DomainError
        If a start lies outside the domain.
    ShapeError
        If the axes do not fit.
    UnknownNameError
        If there is no integrator of that name.
    UnsupportedError
        If the integrator needs a primitive that the problem does not offer.
    ArgumentError
        If a step size is not positive, `steps` is negative, an option does not go with the others, or a checkpoint is
        that of another run.

    Notes
    -----
    With ``faithful=True`` the damping follows the reduction of the loss on the cases of the metric, held against what
    the gradient over all cases promises; weight decay is left out of the metric; the loss of a gaussian output is twice
    the one that the gradient is of; the preconditioner is made from all cases; the faster correction begins without a
    step before; a midpoint method searches and damps twice. Without, prediction and reduction are of one loss.

    Whole trajectories run in one compiled kernel if the problem is compiled, the rule can be traced, and none of the
    options after `tolerance` is given. Else steps are taken one by one. Which it was, and why, is in the trajectory's
    `compiled` and `obstacle`, and logged by the logger ``riemopt`` at the level INFO.

    Examples
    --------
    >>> import riemopt as ro
    >>> gamma = ro.models.Gamma()
    >>> problem = ro.Manifold(gamma, backend="numpy").likelihood(gamma.sample([20.0, 20.0], 1000))
    >>> trajectory = ro.minimize(problem, "geo", start=[1.0, 1.0], step_size=0.5, steps=10)
    >>> trajectory.points.shape, trajectory.message
    ((11, 2), 'all steps were taken')
    """
    rule = by_name(integrator)
    require_primitives(problem, rule)
    starts, h = _prepared(problem, start, step_size)
    if not (isinstance(steps, (int, np.integer)) and steps >= 0):
        raise ArgumentError(f"steps must be a whole number of at least 0, not {steps!r}")
    if keep is None:
        keep = "all" if starts.shape[-1] <= _FEW else "last"
    if keep not in ("all", "last"):
        raise ArgumentError(f"keep must be 'all' or 'last', not {keep!r}")
    if tolerance is not None and not (np.ndim(tolerance) == 0 and np.isreal(tolerance) and tolerance >= 0):
        raise ArgumentError(f"tolerance must be at least 0, not {tolerance!r}")
    run = (Run.published if faithful else Run)(
        problem,
        rule,
        int(steps),
        keep == "all",
        tolerance,
        solver,
        damping,
        line_search,
        correction_below,
        warm_start,
        longest_correction,
        seed,
        callback,
        progress,
        checkpoint,
    )
    batch, n = starts.shape[:-1], starts.shape[-1]
    run.require_sense(batch)

    flat, flat_h = starts.reshape(-1, n), h.reshape(-1)
    problem, obstacle = run.problem, run.obstacle
    compiled = obstacle or problem.compiled(rule, len(flat), tolerance is not None)
    if isinstance(compiled, str):
        _LOG.info("%s runs as it stands: %s", rule, compiled)
        points, losses, status, evaluations = run.one_by_one(flat, flat_h)
    else:
        _LOG.info("%s is compiled", rule)
        points, losses, status, taken = compiled.run(flat, flat_h, int(steps), keep == "all", tolerance)
        evaluations = compiled.evaluations(taken)
    return Trajectory(
        points=points.reshape(*batch, *points.shape[1:]),
        losses=losses.reshape(*batch, *losses.shape[1:]),
        status=status.reshape(batch) if batch else Status(int(status[0])),
        evaluations=evaluations.reshaped(batch, problem.numbers),
        compiled=not isinstance(compiled, str),
        obstacle=compiled if isinstance(compiled, str) else "",
    )


def require_primitives(problem: Problem, rule: Integrator) -> None:
    """Raise :class:`~riemopt.errors.UnsupportedError` if a rule needs a primitive that a problem does not offer."""
    if not isinstance(problem, Problem):
        raise ArgumentError(f"a problem must be a riemopt.Problem, not {problem!r:.80}; see riemopt.OperatorProblem")
    missing = [need for need in rule.needs if need not in problem.offers]
    if missing:
        without = [key for key in names() if set(by_name(key).needs) <= problem.offers]
        hint = f"these integrators do without: {', '.join(without)}" if without else "no integrator does without"
        raise UnsupportedError(
            f"{rule} needs the primitive {missing[0]!r}, which {type(problem).__name__} does not offer; {hint}"
        )


def _prepared(problem: Problem, start: Any, step_size: Any) -> tuple[np.ndarray, np.ndarray]:
    """Starts (..., n) and step sizes (...) on one batch, checked."""
    starts = problem.arrays.asarray(start)
    if not is_real(starts):
        raise ShapeError(f"start is not an array of numbers: {start!r:.80}")
    own_precision = starts.dtype if is_floating(starts) else np.float64
    starts = problem.arrays.asarray(starts, dtype=problem.dtype or own_precision)
    if starts.ndim == 0 or problem.dimension not in (None, starts.shape[-1]):
        wanted = problem.dimension or "the coordinates"
        raise ShapeError(f"start has shape {starts.shape}, but its last axis must be {wanted}")
    try:
        h = problem.numbers.asarray(step_size, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"step_size is not a number or an array of numbers: {step_size!r:.80}") from None
    if not np.all(h > 0) or not np.all(np.isfinite(h)):
        wrong = h[~((h > 0) & np.isfinite(h))].ravel()[0]
        raise ArgumentError(f"step_size must be positive and finite, not {wrong}")
    try:
        batch = np.broadcast_shapes(tuple(starts.shape[:-1]), h.shape)
    except ValueError:
        raise ShapeError(f"step_size of shape {h.shape} does not broadcast against start {starts.shape}") from None
    problem.require_inside(starts, "start")
    return problem.arrays.broadcast_to(starts, (*batch, starts.shape[-1])), np.broadcast_to(h, batch)
