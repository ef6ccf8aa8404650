"""Conjugate gradients: linear systems with a metric that is known only by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from riemopt.errors import ArgumentError, ShapeError
from riemopt.numerics.arrays import is_floating, namespace_of
from riemopt.solvers.solution import Solution
from riemopt.status import Status

__all__ = ["ConjugateGradient", "Eager", "Ended", "LinearSolver", "Machine", "Product"]

Product = Callable[[Any], Any]
"""v ↦ A v."""


LinearSolver = Callable[..., Any]
"""Anything that solves A x = b for a symmetric positive definite A: takes a product and b, gives a :class:`Solution`.

It is given ``start=`` and ``preconditioner=`` only where there are any, so that a function ``solve(product, right)`` is
one, too; and an array that it returns counts as a solution that converged.
"""


@dataclass(frozen=True)
class ConjugateGradient:
    """The method of conjugate gradients: one product an iteration.

    Parameters
    ----------
    tolerance : float, optional
        The residual to stop at, relative to the right-hand side, in the 2-norm. Below the rounding unit of the numbers'
        precision it counts as that: single precision is asked for no more than 1.2e-7.
    max_iterations : int or None, optional
        Where to stop at the latest. With a number, the iterate reached by then is the answer, as truncated Newton
        methods want it. With None, a solve that has not met the tolerance after ten times as many iterations as there
        are unknowns gives NaN: without rounding, as many as there are unknowns would do.
    damping : float, optional
        λ ≥ 0: the system solved is (A + λ I) x = b; short for solving with ``metric.damped(λ)``.
    keep : callable, optional
        Takes the number of an iteration, from 1 on; whether its iterate is kept in the solution.
    progress : float, optional
        Stop, too, once the quadratic ½ xᵀA x - bᵀx, below 0, has fallen over the last k iterations by less than k times
        this, relative to itself, with k = max(10, i/10) at iteration i. The iterate reached is then the answer,
        whatever `max_iterations` says. None and 0 are never; but a network problem takes None for 5e-4, and the
        iterates ⌈1.3^j⌉ as those to keep, where there is a `max_iterations`.
    indefinite : {"fail", "stop"}, optional
        What a direction of non-positive curvature does: the answer is NaN, or the iterate reached.

    Raises
    ------
    ArgumentError
        If one of them is out of its range.

    Notes
    -----
    Every iterate minimizes ½ xᵀA x - bᵀx over a subspace that grows, so the quadratic falls with every iteration, also
    where the residual rises.

    A direction of non-positive curvature means that A is not positive definite. Where a number of b or of a product is
    not finite, the answer is NaN.

    References
    ----------
    Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952. Saad, "Iterative Methods
    for Sparse Linear Systems", second edition, 2003, algorithm 9.1, with a preconditioner. Martens, "Deep learning via
    Hessian-free optimization", 2010, section 4.4, for `progress`.

    Examples
    --------
    >>> import numpy as np
    >>> import riemopt as ro
    >>> matrix = np.array([[4.0, 1.0], [1.0, 3.0]])
    >>> solution = ro.ConjugateGradient()(lambda v: matrix @ v, [1.0, 2.0])
    >>> solution.x.round(6), solution.iterations
    (array([0.090909, 0.636364]), 2)
    """

    tolerance: float = 1e-12
    max_iterations: int | None = None
    damping: float = 0.0
    keep: Callable[[int], bool] | None = None
    progress: float | None = None
    indefinite: Literal["fail", "stop"] = "fail"

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ArgumentError(f"tolerance must be at least 0, not {self.tolerance!r}")
        limit = self.max_iterations
        if not (limit is None or (isinstance(limit, (int, np.integer)) and limit >= 1)):
            raise ArgumentError(f"max_iterations must be a whole number of at least 1, or None, not {limit!r}")
        if not 0 <= self.damping < np.inf:
            raise ArgumentError(f"damping must be at least 0 and finite, not {self.damping!r}")
        if not (self.keep is None or callable(self.keep)):
            raise ArgumentError(f"keep must be a function of the number of an iteration, not {self.keep!r}")
        if self.progress is not None and not 0 <= self.progress < 1:
            raise ArgumentError(f"progress must be at least 0 and less than 1, not {self.progress!r}")
        if self.indefinite not in ("fail", "stop"):
            raise ArgumentError(f"indefinite must be 'fail' or 'stop', not {self.indefinite!r}")

    def __call__(
        self,
        product: Product,
        right: Any,
        *,
        start: Any = None,
        preconditioner: Callable[[np.ndarray], Any] | np.ndarray | None = None,
    ) -> Solution:
        """Solve A x = b.

        Parameters
        ----------
        product : callable
            Takes v, returns A v; both of shape (n,).
        right : array_like, shape (n,)
            The right-hand side b.
        start : array_like, shape (n,), optional
            The first iterate, 0 by default; so it is where a number of it is not finite. It costs one product.
        preconditioner : callable or array of shape (n,), optional
            r ↦ M⁻¹ r for a positive definite M close to A, or the diagonal of a diagonal M.

        Returns
        -------
        Solution
            Its x is in the precision of b; NaN if there is none to be trusted.

        Raises
        ------
        ShapeError
            If b, the start or a product is not of shape (n,).
        """
        arrays = namespace_of(right)
        b = arrays.asarray(right)
        if b.ndim != 1:
            raise ShapeError(f"the right-hand side must be a vector, of shape (n,), not {tuple(b.shape)}")
        if not is_floating(b):
            b = arrays.asarray(b, dtype=arrays.float64)
        first = None if start is None else arrays.asarray(start, dtype=b.dtype)
        if first is not None and first.shape != b.shape:
            raise ShapeError(
                f"the start must be of shape {tuple(b.shape)}, as the right-hand side, not {tuple(first.shape)}"
            )
        with np.errstate(all="ignore"):  # a number that is not finite is answered by NaN
            return self.run(product, b, first, preconditioner, Eager()).solution()

    def run(self, product: Product, b: Any, start: Any, preconditioner: Any, machine: Machine) -> Ended:
        """The iteration on what carries it out: step by step, or as one compiled loop of a framework.

        Parameters
        ----------
        product, b, start, preconditioner
            As for a call; b and the start are arrays of one precision.
        machine : Machine
            What carries it out.
        """
        limit = 10 * len(b) if self.max_iterations is None else self.max_iterations
        # With b scaled to the size of 1, the squares below neither overflow nor vanish, in single precision either.
        size = machine.number(abs(b).max()) if len(b) else 0.0
        solvable = (size > 0) & (size < np.inf)
        scale = machine.choose(solvable, size, 1.0)
        iteration = _Iteration(self, product, b / scale, preconditioner, limit, machine)
        state = iteration.begun(None if start is None else start / scale)
        hopeless = machine.choose(size == 0, int(Status.CONVERGED), int(Status.NON_FINITE))
        state = state._replace(outcome=machine.choose(solvable, state.outcome, hopeless))
        state = machine.loop(iteration.goes_on, iteration.advanced, state)
        outcome = machine.choose(state.outcome == _RUNNING, iteration.outcome_at_limit(state), state.outcome)
        trusted = machine.choose(outcome <= int(Status.CONVERGED), 1.0, np.nan)
        residual = machine.choose(size == 0, 0.0, machine.quotient(state.rest, iteration.norm) ** 0.5)
        return Ended(trusted * scale * state.x, outcome, state.taken, residual, scale, state.kept)


class Machine(Protocol):
    """What carries out an iteration: how it chooses, loops and keeps."""

    def number(self, x: Any) -> Any:
        """A number of a framework, for comparisons and choices."""

    def quotient(self, a: Any, b: Any) -> Any:
        """a/b of two numbers, which is not finite where b is 0."""

    def choose(self, condition: Any, a: Any, b: Any) -> Any:
        """a where the condition holds, else b."""

    def loop(self, goes_on: Callable[[Any], Any], advanced: Callable[[Any], Any], state: Any) -> Any:
        """The state after as many steps as it goes on."""

    def series(self, length: int, like: Any) -> Any:
        """Room for so many numbers."""

    def put(self, series: Any, i: Any, value: Any) -> Any:
        """A series with its i-th number set."""

    def get(self, series: Any, i: Any) -> Any:
        """The i-th number of a series, anything for i < 0."""

    def room(self, keep: Callable[[int], bool] | None, limit: int, like: Any) -> Any:
        """Room for the iterates to be kept."""

    def record(self, kept: Any, keep: Callable[[int], bool] | None, i: Any, x: Any) -> Any:
        """What is kept, with the i-th iterate if it is to be kept."""


class Eager:
    """Carries out an iteration step by step; see :class:`Machine`."""

    @staticmethod
    def number(x: Any) -> float:
        """See :class:`Machine`; in double precision."""
        return float(x)

    @staticmethod
    def quotient(a: float, b: float) -> float:
        """See :class:`Machine`."""
        return a / b if b else np.nan

    @staticmethod
    def choose(condition: Any, a: Any, b: Any) -> Any:
        """See :class:`Machine`."""
        return a if condition else b

    @staticmethod
    def loop(goes_on: Callable[[Any], Any], advanced: Callable[[Any], Any], state: Any) -> Any:
        """See :class:`Machine`."""
        while goes_on(state):
            state = advanced(state)
        return state

    @staticmethod
    def series(length: int, like: Any) -> dict[int, Any]:
        """See :class:`Machine`."""
        return {}

    @staticmethod
    def put(series: dict[int, Any], i: int, value: Any) -> dict[int, Any]:
        """See :class:`Machine`."""
        series[i] = value
        return series

    @staticmethod
    def get(series: dict[int, Any], i: int) -> Any:
        """See :class:`Machine`."""
        return series.get(i, 0.0)

    @staticmethod
    def room(keep: Callable[[int], bool] | None, limit: int, like: Any) -> dict[int, Any]:
        """See :class:`Machine`."""
        return {}

    @staticmethod
    def record(kept: dict[int, Any], keep: Callable[[int], bool] | None, i: int, x: Any) -> dict[int, Any]:
        """See :class:`Machine`."""
        if keep is not None and keep(i):
            kept[i] = x
        return kept


_RUNNING = -1
"""The outcome of an iteration that goes on."""


class _State(NamedTuple):
    """Where an iteration is."""

    x: Any
    residual: Any
    direction: Any
    square: Any
    """The residual times the preconditioned one."""
    rest: Any
    """The square of the residual."""
    taken: Any
    outcome: Any
    quadratics: Any
    kept: Any


class Ended(NamedTuple):
    """What an iteration has come to."""

    x: Any
    outcome: Any
    iterations: Any
    residual: Any
    scale: Any
    kept: Any

    def solution(self) -> Solution:
        """The same as a :class:`Solution`, of an iteration that was carried out step by step."""
        kept = {i: self.scale * x for i, x in self.kept.items()}
        return Solution(self.x, Status(int(self.outcome)), int(self.iterations), float(self.residual), kept)


class _Iteration:
    """The iteration for A x = b, without a choice or a loop of its own."""

    def __init__(
        self, settings: ConjugateGradient, product: Product, b: Any, preconditioner: Any, limit: int, machine: Machine
    ) -> None:
        self.settings, self.b, self.limit, self.machine = settings, b, limit, machine
        self._product, self._preconditioner = product, preconditioner
        self._precision = b.dtype
        self._unit = max(settings.tolerance, float(namespace_of(b).finfo(b.dtype).eps))
        self.norm = machine.number(b @ b)

    def begun(self, start: Any) -> _State:
        """The state before the first step."""
        machine, settings = self.machine, self.settings
        x, residual = 0.0 * self.b, self.b
        converged: Any = False
        if start is not None:
            usable = machine.number((start * 0.0).sum()) == 0.0
            x = machine.choose(usable, start, x)
            residual = residual - machine.choose(usable, self._image(x), x)
            rest = machine.number(residual @ residual)
            converged = usable & (rest <= self._unit**2 * self.norm)
        else:
            rest = self.norm
        steepest = self._preconditioned(residual)
        square = rest if steepest is residual else machine.number(residual @ steepest)
        quadratics = machine.series(self.limit + 1 if settings.progress else 1, self.norm)
        outcome = machine.choose(converged, int(Status.CONVERGED), _RUNNING)
        kept = machine.room(settings.keep, self.limit, self.b)
        return _State(x, residual, steepest, square, rest, 0, outcome, quadratics, kept)

    def goes_on(self, state: _State) -> Any:
        """Whether there is another step to take."""
        return (state.outcome == _RUNNING) & (state.taken < self.limit)

    def advanced(self, state: _State) -> _State:
        """The state after one more step."""
        machine = self.machine
        image = self._image(state.direction)
        curvature = machine.number(state.direction @ image)
        curved = (curvature > 0) & (curvature < np.inf)
        length = machine.choose(curved, machine.quotient(state.square, curvature), 0.0)
        x = state.x + length * state.direction
        residual = state.residual - length * image
        rest, taken = machine.number(residual @ residual), state.taken + 1
        steepest = self._preconditioned(residual)
        square = rest if steepest is residual else machine.number(residual @ steepest)
        finite = (abs(curvature) < np.inf) & (abs(state.square) < np.inf)
        flat = Status.SINGULAR_METRIC if self.settings.indefinite == "fail" else Status.COMPLETED
        refused = machine.choose(finite, int(flat), int(Status.NON_FINITE))
        quadratics, stalled = self._progress(state.quadratics, taken, x, residual)
        outcome = machine.choose(stalled, int(Status.COMPLETED), _RUNNING)
        outcome = machine.choose(rest <= self._unit**2 * self.norm, int(Status.CONVERGED), outcome)
        return _State(
            x,
            residual,
            steepest + machine.quotient(square, state.square) * state.direction,
            square,
            rest,
            taken,
            machine.choose(curved, outcome, refused),
            quadratics,
            machine.record(state.kept, self.settings.keep, taken, x),
        )

    def outcome_at_limit(self, state: _State) -> Any:
        """How an iteration ends that may not go on."""
        full = Status.DIVERGED if self.settings.max_iterations is None else Status.COMPLETED
        return self.machine.choose(abs(state.square) < np.inf, int(full), int(Status.NON_FINITE))

    def _progress(self, quadratics: Any, taken: Any, x: Any, residual: Any) -> tuple[Any, Any]:
        """The quadratics ½ xᵀA x - bᵀx so far, and whether the last ones have hardly fallen."""
        wanted, machine = self.settings.progress, self.machine
        if not wanted:
            return quadratics, False
        now = machine.number(-0.5 * (x @ (residual + self.b)))
        back = machine.choose(taken >= 100, taken // 10, 10)
        before = machine.get(quadratics, taken - back)
        small = (now < 0) & (before < 0) & (before - now < -now * wanted * back)
        return machine.put(quadratics, taken, now), (taken > back) & small

    def _image(self, vector: Any) -> Any:
        """The product with A, damped."""
        image = self._product(vector)
        if not hasattr(image, "dtype") or isinstance(vector, np.ndarray):
            image = np.asarray(image)
        if image.shape != self.b.shape:
            raise ShapeError(f"the product with a vector of shape {tuple(self.b.shape)} has shape {tuple(image.shape)}")
        if image.dtype != self._precision and is_floating(image):
            self._precision = image.dtype
            self._unit = max(self._unit, float(namespace_of(image).finfo(image.dtype).eps))
        return image + self.settings.damping * vector if self.settings.damping else image

    def _preconditioned(self, residual: Any) -> Any:
        """M⁻¹r; without a preconditioner r itself."""
        preconditioner = self._preconditioner
        if preconditioner is None:
            return residual
        result = preconditioner(residual) if callable(preconditioner) else residual / preconditioner
        return np.asarray(result) if isinstance(residual, np.ndarray) else result
