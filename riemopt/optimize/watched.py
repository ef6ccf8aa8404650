"""The problem as a driver sees it: counted, remembered at the last points, watched for what is not finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from riemopt.numerics.arrays import copied
from riemopt.problem import Metric, Point, Problem
from riemopt.problem.evaluations import COSTS, Evaluations
from riemopt.problem.metric import By, contraction, root
from riemopt.problem.point import named
from riemopt.solvers import Solution
from riemopt.status import Status

__all__ = ["WatchedPoint", "WatchedProblem", "is_finite"]

_REMEMBERED = 3
"""The points that are remembered: where a step begins, one it looks at, and its end."""

Prepare = Callable[[Metric], Metric]


def _iterates(solution: Solution) -> list[Any]:
    """The iterates that a solve has kept, its solution at the end."""
    return [*(x for i, x in sorted(solution.iterates.items()) if i < solution.iterations), solution.x]


def is_finite(value: Any) -> bool:
    """Whether all numbers of an array of any framework are finite."""
    if getattr(value, "ndim", 0) == 1:
        square = value @ value  # of millions the quickest to compute; it may overflow where nothing else does
        if bool(square * 0.0 == 0.0):
            return True
    finite = value * 0.0 == 0.0
    return finite if isinstance(finite, bool) else bool(finite.all())


def _same(one: Any, other: Any) -> bool:
    """Whether two points are the same; of many coordinates a few are looked at before all are."""
    if one is other:
        return True
    some = slice(None, None, max(1, len(one) // _LOOKED_AT))
    if len(one) > _MANY and not bool((one[some] == other[some]).all()):
        return False
    return bool((one == other).all())


_MANY, _LOOKED_AT = 10_000, 64
"""Coordinates from which on some are looked at first, and how many of them."""


class WatchedProblem:
    """A problem that counts what is asked of it, remembers it, and notes why a number was not to be had.

    A rule is handed this in place of the problem; what it returns is the caller's own, to change in place. Of a rule
    that recovers, the last reason is kept: those before it did not end the trajectory.

    Parameters
    ----------
    problem : Problem
        Who answers.
    recovers : bool, optional
        Whether the rule copes with numbers that are not finite.
    prepare : callable, optional
        Takes the metric at a point, gives the one to solve with.
    warm_decay : float, optional
        What an iterative solve starts from: this times the solution of the same solve in the step before; 0 for none.

    Attributes
    ----------
    damping : tuple or None
        The (λ, D) that the metric is damped with in this step.
    counts : dict of str to int
        How often each primitive was asked for.
    solver_iterations : int
        The iterations of this step's linear solves, together.
    """

    def __init__(
        self, problem: Problem, recovers: bool = False, prepare: Prepare | None = None, warm_decay: float = 0.0
    ) -> None:
        self.problem, self.recovers, self.prepare, self.warm_decay = problem, recovers, prepare, warm_decay
        self._whole = problem
        self.counts = dict.fromkeys(COSTS, 0)
        self._failure: Callable[[], Status] | None = None
        self.damping: tuple[float, By] | None = None
        self._points: list[WatchedPoint] = []
        self._starts: Sequence[Any] = ()
        self._solutions: list[Any] = []
        self._told: list[Any] = []
        self._level: int | None = None
        self._recalled = 0
        self.solver_iterations = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.problem, name)

    # -- what a driver does with it

    def begin_step(
        self, damping: tuple[float, By] | None, warm_starts: Sequence[Any] = (), iteration: int = 0, key: int = 0
    ) -> None:
        """From here on solve with a metric damped by (λ, D), from the solutions of the step before.

        The problem is seen as this iteration sees it; loss and gradient at a point stay what they are.
        """
        self.damping, self._starts, self._solutions = damping, warm_starts, []
        self._told, self.solver_iterations = [], 0
        view = self._whole.seen_at(iteration, key)
        if view is not self.problem:
            self.problem = view
            for known in self._points:
                known.renew(view.at(known.theta))

    @property
    def levels(self) -> int:
        """How many earlier iterates the solves of this step have kept."""
        return max((len(_iterates(told)) - 1 for told in self._told if isinstance(told, Solution)), default=0)

    @contextmanager
    def earlier(self, level: int) -> Iterator[None]:
        """A rule asked for its path again inside is told what it was told, with earlier iterates as solutions.

        Parameters
        ----------
        level : int
            How many of the iterates kept to go back, in every solve; its first one where there are not as many.
        """
        self._level, self._recalled = level, 0
        try:
            yield
        finally:
            self._level = None

    def told(self, compute: Callable[[], Any]) -> Any:
        """A result that a step of a rule depends on: computed now, or what it was (:meth:`earlier`)."""
        if self._level is None:
            self._told.append(compute())
            result = self._told[-1]
            return result.x if isinstance(result, Solution) else result
        result = self._told[self._recalled]
        self._recalled += 1
        if not isinstance(result, Solution):
            return result
        iterates = _iterates(result)
        return iterates[max(len(iterates) - 1 - self._level, 0)]

    @property
    def solutions(self) -> tuple[Any, ...]:
        """The solutions of the solves of this step, in order, if the next step is to start from them."""
        return tuple(self._solutions) if self.warm_decay else ()

    def at(self, theta: Any) -> WatchedPoint:
        """The problem at a point, one of the last ones or a new one; see :class:`riemopt.Problem`."""
        for i, known in enumerate(self._points):
            if np.shape(theta) == known.theta.shape and _same(known.theta, theta):
                if i:
                    self._points.insert(0, self._points.pop(i))
                return known
        point = WatchedPoint(self, self.problem.at(copied(theta)))
        self._points = [point, *self._points[: _REMEMBERED - 1]]
        return point

    def tally(self, primitive: str) -> None:
        """Count one more evaluation of a primitive."""
        self.counts[primitive] += 1

    @property
    def evaluations(self) -> Evaluations:
        """What has been asked for so far."""
        return sum((COSTS[primitive] * times for primitive, times in self.counts.items()), Evaluations())

    def checked(self, value: Any, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Any:
        """A value, and if it is not finite a note of it."""
        if (self.recovers or not self.failed) and not is_finite(value):
            self._failure = lambda: self._reason(primitive, theta, arguments, options)
        return value

    @property
    def failed(self) -> bool:
        """Whether a number was not to be had."""
        return self._failure is not None

    @property
    def status(self) -> Status:
        """``COMPLETED``, or why a number was not to be had."""
        return Status.COMPLETED if self._failure is None else self._failure()

    def forget(self) -> None:
        """Give back what is remembered of points and solves: the run is over."""
        self._points, self._starts, self._solutions, self._told = [], (), [], []

    def forgive(self) -> None:
        """Forget a failure that the rule has recovered from."""
        self._failure = None

    def _reason(self, primitive: str, theta: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Status:
        if not all(is_finite(x) for x in (theta, *arguments)):
            return Status.NON_FINITE
        if not self.problem.contains(theta):
            return Status.LEFT_DOMAIN
        return Status(self.problem.reason(primitive, theta, *arguments, **options))

    def solved(self, metric: Metric, covector: Any) -> Solution:
        """The solution of a linear solve, started from that of the step before where solves are."""
        self.tally("raise_index")
        order = len(self._solutions)
        start = self.warm_decay * self._starts[order] if self.warm_decay and order < len(self._starts) else None
        solution = metric.solution(covector, start)
        self.solver_iterations += solution.iterations
        if self.warm_decay:
            self._solutions.append(solution.x)
        return solution

    # -- what a rule asks for

    def loss(self, theta: Any) -> Any:
        """See :class:`riemopt.Problem`; it may be infinite, and is not watched."""
        return self.at(theta).loss

    def contains(self, theta: Any) -> bool:
        """See :class:`riemopt.Problem`."""
        return bool(self.at(theta).inside)

    def gradient(self, theta: Any) -> Any:
        """See :class:`riemopt.Problem`."""
        return copied(self.at(theta).gradient)

    def natural_gradient(self, theta: Any) -> Any:
        """See :class:`riemopt.Problem`."""
        return copied(self.at(theta).natural_gradient)

    def raise_index(self, theta: Any, covector: Any) -> Any:
        """See :class:`riemopt.Problem`."""
        return self.at(theta).metric.solve(covector)

    def lower_index(self, theta: Any, vector: Any) -> Any:
        """See :class:`riemopt.Problem`."""
        return self.at(theta).metric.product(vector)

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """See :class:`riemopt.Problem`."""
        return copied(self.at(theta).connection(vector, a))

    def acceleration(self, theta: Any, velocity: Any, a: float = 0.0) -> Any:
        """See :class:`riemopt.Problem`."""
        return self.at(theta).acceleration(velocity, a)

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """See :class:`riemopt.Problem`."""
        return self._asked("exp", theta, vector, **named(a))

    def exp_series(self, theta: Any, vector: Any, order: int) -> Any:
        """See :class:`riemopt.Problem`; each coefficient after the first is a product and a solve."""
        self.counts["acceleration"] += order - 1
        return self.checked(
            self.problem.exp_series(theta, vector, order=order), "exp_series", theta, vector, order=order
        )

    def transport(self, theta: Any, along: Any, vector: Any) -> Any:
        """See :class:`riemopt.Problem`."""
        return self._asked("transport", theta, along, vector)

    def flow(self, theta: Any, time: Any) -> Any:
        """See :class:`riemopt.Problem`."""
        return self._asked("flow", theta, time)

    def _asked(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Any:
        self.tally(primitive)
        value = getattr(self.problem, primitive)(theta, *arguments, **options)
        return self.checked(value, primitive, theta, *arguments, **options)


class WatchedPoint:
    """What :class:`WatchedProblem` has found out at a point.

    Parameters
    ----------
    watched : WatchedProblem
        Who asks.
    point : Point
        The problem at the point.
    """

    def __init__(self, watched: WatchedProblem, point: Point) -> None:
        self.watched, self.point, self.theta = watched, point, point.theta
        self._known: dict[Any, Any] = {}

    def renew(self, point: Point) -> None:
        """See the problem at this point anew; its loss and gradient stay what they are."""
        for name in ("loss", "gradient"):
            if name in vars(self.point):
                vars(point)[name] = vars(self.point)[name]
        self.point = point
        self._known = {name: self._known[name] for name in ("loss", "gradient") if name in self._known}

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    @property
    def inside(self) -> bool:
        """See :class:`Point`."""
        return bool(self.point.inside)

    @property
    def loss(self) -> float:
        """See :class:`Point`."""

        def compute() -> float:
            self.watched.tally("loss")
            return float(self.point.loss)

        return self._once("loss", compute)  # type: ignore[no-any-return]

    @property
    def part_loss(self) -> float:
        """See :class:`Point`."""
        if getattr(self.watched.problem, "metric_cases", None) is None:
            return self.loss

        def compute() -> float:
            self.watched.tally("loss")
            return float(self.point.part_loss)

        return self._once("part loss", compute)  # type: ignore[no-any-return]

    @property
    def gradient(self) -> Any:
        """See :class:`Point`."""

        def compute() -> Any:
            self.watched.tally("gradient")
            return self.watched.checked(self.point.gradient, "gradient", self.theta)

        return self._once("gradient", compute)

    @property
    def undamped(self) -> Metric:
        """The metric to solve with, without a damping."""
        prepare = self.watched.prepare
        return self._once("metric", lambda: self.point.metric if prepare is None else prepare(self.point.metric))  # type: ignore[no-any-return]

    @property
    def metric(self) -> _WatchedMetric:
        """The metric to solve with, damped if the driver wants it; see :class:`Point`."""
        damping = self.watched.damping
        if damping is None:
            return self._once(("watched", None), lambda: _WatchedMetric(self.watched, self.theta, self.undamped))  # type: ignore[no-any-return]
        strength, by = damping
        if self._known.get("damping") is not damping:
            self._known["damping"] = damping
            self._known["damped"] = _WatchedMetric(self.watched, self.theta, self.undamped.damped(strength, by))
        return self._known["damped"]  # type: ignore[no-any-return]

    @property
    def undamped_natural_gradient(self) -> Any:
        """The natural gradient g⁻¹∂L with the metric as it is."""
        watched = self.watched

        def compute() -> Any:
            watched.tally("raise_index")
            if watched.prepare is not None or "gradient" in self._known:
                value = self.undamped.solve(self.gradient)
            else:
                watched.tally("gradient")
                value = self.point.natural_gradient  # with a kernel of its own, the gradient is not had by the way
                if "gradient" in vars(self.point):
                    self._known["gradient"] = self.point.gradient
            return watched.checked(value, "natural_gradient", self.theta)

        return self._once("natural gradient", compute)

    @property
    def natural_gradient(self) -> Any:
        """See :class:`Point`; with the damped metric if the driver wants it."""
        if not self._solves_anew:
            return self.undamped_natural_gradient
        return self.watched.told(self._solved_natural_gradient)

    def _solved_natural_gradient(self) -> Solution:
        metric = self.metric.metric
        if self._known.get("natural gradient of") is not metric:
            self._known["natural gradient of"] = metric
            solution = self.watched.solved(metric, self.gradient)
            self.watched.checked(solution.x, "natural_gradient", self.theta)
            self._known["damped natural gradient"] = solution
        return self._known["damped natural gradient"]  # type: ignore[no-any-return]

    @property
    def _solves_anew(self) -> bool:
        """Whether the problem's own ways of solving are not those of the driver."""
        return self.watched.damping is not None or bool(self.watched.warm_decay)

    def connection(self, v: Any, a: float = 0.0) -> Any:
        """See :class:`Point`."""

        def compute() -> Any:
            self.watched.tally("connection")
            return self.watched.checked(self.point.connection(v, a), "connection", self.theta, v, **named(a))

        return self.watched.told(compute)

    def acceleration(self, v: Any, a: float = 0.0) -> Any:
        """See :class:`Point`; with the damped metric if the driver wants it."""
        watched = self.watched
        if watched.prepare is None and not self._solves_anew:
            watched.tally("acceleration")
            value = self.point.acceleration(v, a)
        else:
            product = self.connection(v, a)
            value = -watched.told(lambda: watched.solved(self.metric.metric, product))
        return watched.checked(value, "acceleration", self.theta, v, **named(a))

    @property
    def square_speed(self) -> float:
        """See :class:`Point`."""
        return self._once("square speed", lambda: float(contraction(self.gradient, self.undamped_natural_gradient)))  # type: ignore[no-any-return]

    @property
    def speed(self) -> float:
        """See :class:`Point`."""
        return float(root(self.square_speed))


class _WatchedMetric(Metric):
    """A metric whose solves and products are counted and watched."""

    def __init__(self, watched: WatchedProblem, theta: Any, metric: Metric) -> None:
        # not with the point, which holds the metric: what a point of millions holds is to go with it at once
        self.metric, self.dimension = metric, metric.dimension
        self._watched, self._theta = watched, theta

    def product(self, v: Any) -> Any:
        """See :class:`Metric`."""
        self._watched.tally("lower_index")
        return self._watched.checked(self.metric.product(v), "lower_index", self._theta, v)

    def solution(self, c: Any, start: Any = None) -> Solution:
        """See :class:`Metric`."""
        watched = self._watched
        solution = watched.solved(self.metric, c)
        watched.checked(solution.x, "raise_index", self._theta, c)
        return solution

    def solve(self, c: Any, start: Any = None) -> Any:
        """See :class:`Metric`."""
        return self._watched.told(lambda: self.solution(c, start))

    def diagonal(self) -> Any:
        """See :class:`Metric`."""
        return self.metric.diagonal()

    def dense(self) -> Any:
        """See :class:`Metric`."""
        return self.metric.dense()

    def damped(self, strength: float, by: By = "identity") -> Metric:
        """See :class:`Metric`."""
        return _WatchedMetric(self._watched, self._theta, self.metric.damped(strength, by))
