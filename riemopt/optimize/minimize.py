"""minimize: one integrator on one problem, for one start or a batch of them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from riemopt.errors import ArgumentError, ShapeError, UnsupportedError
from riemopt.integrators import Integrator, by_name, names
from riemopt.optimize.trajectory import Trajectory
from riemopt.problem import PRIMITIVES, Problem
from riemopt.status import Status

__all__ = ["minimize", "require_primitives"]


def minimize(
    problem: Problem,
    integrator: str | Integrator,
    start: Any,
    step_size: Any,
    steps: int,
    *,
    keep: Literal["all", "last"] = "all",
    tolerance: float | None = None,
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
        Whether to keep every point or the end only.
    tolerance : float, optional
        Stop where the Riemannian norm of the natural gradient, √(∂L·g⁻¹∂L), is at most this. It does not depend on the
        chart. Later entries then repeat the point. By default all steps are taken.

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
        If a step size is not positive, or `steps` is negative.

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
    if keep not in ("all", "last"):
        raise ArgumentError(f"keep must be 'all' or 'last', not {keep!r}")
    if tolerance is not None and not (np.ndim(tolerance) == 0 and np.isreal(tolerance) and tolerance >= 0):
        raise ArgumentError(f"tolerance must be at least 0, not {tolerance!r}")

    batch, n = starts.shape[:-1], starts.shape[-1]
    flat, flat_h = starts.reshape(-1, n), h.reshape(-1)
    result = problem.trajectories(rule, flat, flat_h, int(steps), keep == "all", tolerance)
    if result is None:
        result = _one_by_one(problem, rule, flat, flat_h, int(steps), keep == "all", tolerance)
    points, losses, status = result
    status = status.reshape(batch)
    return Trajectory(
        points=points.reshape(*batch, *points.shape[1:]),
        losses=losses.reshape(*batch, *losses.shape[1:]),
        status=Status(int(status)) if status.ndim == 0 else status,
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
    if starts.dtype.kind not in "fiu":
        raise ShapeError(f"start is not an array of numbers: {start!r:.80}")
    own_precision = starts.dtype if starts.dtype.kind == "f" else np.float64
    starts = starts.astype(problem.dtype or own_precision, copy=False)
    if starts.ndim == 0 or problem.dimension not in (None, starts.shape[-1]):
        wanted = problem.dimension or "the coordinates"
        raise ShapeError(f"start has shape {starts.shape}, but its last axis must be {wanted}")
    try:
        h = problem.arrays.asarray(step_size, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"step_size is not a number or an array of numbers: {step_size!r:.80}") from None
    if not np.all(h > 0) or not np.all(np.isfinite(h)):
        wrong = h[~((h > 0) & np.isfinite(h))].ravel()[0]
        raise ArgumentError(f"step_size must be positive and finite, not {wrong}")
    try:
        batch = np.broadcast_shapes(starts.shape[:-1], h.shape)
    except ValueError:
        raise ShapeError(f"step_size of shape {h.shape} does not broadcast against start {starts.shape}") from None
    problem.require_inside(starts, "start")
    return np.broadcast_to(starts, (*batch, starts.shape[-1])), np.broadcast_to(h, batch)


class _Watched:
    """A problem that notes why the first number it could not compute was not to be had.

    For a rule that recovers it is the last one: those before it did not end the trajectory.
    It remembers the (natural) gradient at one point, so that a test for convergence costs no linear solve of its own.
    """

    def __init__(self, problem: Any, recovers: bool) -> None:
        self._problem, self._recovers = problem, recovers
        self._point: Any = None
        self._known: dict[str, Any] = {}
        self.status = Status.COMPLETED

    def speed(self, theta: Any) -> float:
        """The squared norm ∂L·g⁻¹∂L of the natural gradient; both are remembered."""
        gradient = self.gradient(theta)
        natural_gradient = self.raise_index(theta, gradient)
        self._point, self._known = theta.copy(), {"gradient": gradient, "natural_gradient": natural_gradient}
        return float(gradient @ natural_gradient)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._problem, name)
        if name not in _WATCHED:
            return attribute

        def watched(theta: Any, *arguments: Any, **named: Any) -> Any:
            if name in self._known and np.array_equal(theta, self._point):
                return self._known[name].copy()  # the rule may go on to change its own in place
            value = attribute(theta, *arguments, **named)
            if (self._recovers or self.status is Status.COMPLETED) and not np.all(np.isfinite(value)):
                self.status = self._reason(name, theta, arguments, named)
            return value

        return watched

    def _reason(self, name: str, theta: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Status:
        if not all(np.all(np.isfinite(x)) for x in (theta, *arguments)):
            return Status.NON_FINITE
        if not self._problem.contains(theta):
            return Status.LEFT_DOMAIN
        return Status(self._problem.reason(name, theta, *arguments, **named))


_WATCHED = (*(primitive for primitive in PRIMITIVES if primitive != "loss"), "natural_gradient", "acceleration")


def _one_by_one(
    problem: Any,
    rule: Integrator,
    starts: np.ndarray,
    h: np.ndarray,
    steps: int,
    keep_all: bool,
    tolerance: float | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trajectories of a rule run as it stands."""
    kept = steps + 1 if keep_all else 1
    points = np.full_like(starts, np.nan, shape=(len(starts), kept, starts.shape[-1]))
    losses = np.full_like(starts, np.nan, shape=(len(starts), kept), dtype=np.float64)
    status = np.empty(len(starts), dtype=np.int64, like=starts)
    with np.errstate(all="ignore"):  # a status tells of a number that is not finite, not a warning
        for i, theta in enumerate(starts):
            outcome = _run(problem, rule, theta.copy(), float(h[i]), steps, tolerance, points[i], losses[i])
            if not (keep_all or outcome.success):
                points[i], losses[i] = np.nan, np.nan
            status[i] = int(outcome)
    return points, losses, status


def _run(
    problem: Any,
    rule: Integrator,
    theta: Any,
    h: float,
    steps: int,
    tolerance: float | None,
    points: np.ndarray,
    losses: np.ndarray,
) -> Status:
    """One trajectory into its rows of `points` and `losses`, every point or the last one; the status it ended with."""
    watched = _Watched(problem, rule.recovers)
    memory: Any = None
    for k in range(steps + 1):
        if not np.all(np.isfinite(theta)):
            return Status.NON_FINITE if watched.status is Status.COMPLETED else watched.status
        if not problem.contains(theta):
            return Status.LEFT_DOMAIN
        loss = float(problem.loss(theta))
        if not np.isfinite(loss):
            return Status.NON_FINITE
        speed = np.inf if tolerance is None else watched.speed(theta)
        if watched.status is not Status.COMPLETED:
            return watched.status
        slot = min(k, len(points) - 1)
        points[slot], losses[slot] = theta, loss
        if tolerance is not None and 0.0 <= speed <= tolerance**2:
            points[slot:], losses[slot:] = theta, loss
            return Status.CONVERGED
        if k == steps:
            break
        if k == 0:
            memory = rule.init(watched, theta, h)
        if watched.status is Status.COMPLETED:
            theta, memory = rule.step(watched, theta, h, memory)
            if rule.recovers and np.all(np.isfinite(theta)):
                watched.status = Status.COMPLETED
        if watched.status is not Status.COMPLETED:
            return watched.status
        if np.shape(theta) != points.shape[1:]:
            raise ShapeError(f"{rule} returned a point of shape {np.shape(theta)}, not {points.shape[1:]}")
    return Status.COMPLETED
