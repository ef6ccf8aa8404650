"""Conjugate gradients: linear systems with a metric that is known only by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError, ShapeError
from riemopt.solvers.solution import Solution
from riemopt.status import Status

__all__ = ["ConjugateGradient", "LinearSolver", "Product"]

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

    Raises
    ------
    ArgumentError
        If one of them is out of its range.

    Notes
    -----
    Every iterate minimizes ½ xᵀA x - bᵀx over a subspace that grows, so the quadratic falls with every iteration, also
    where the residual rises.

    A direction of non-positive curvature means that A is not positive definite; the answer is then NaN. So it is where
    a number of b or of a product is not finite.

    References
    ----------
    Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952. Saad, "Iterative Methods
    for Sparse Linear Systems", second edition, 2003, algorithm 9.1, with a preconditioner.

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
        b = np.asarray(right)
        if b.ndim != 1:
            raise ShapeError(f"the right-hand side must be a vector, of shape (n,), not {b.shape}")
        if b.dtype.kind != "f":
            b = b.astype(np.float64)
        first = None if start is None else np.asarray(start, dtype=b.dtype)
        if first is not None and first.shape != b.shape:
            raise ShapeError(f"the start must be of shape {b.shape}, as the right-hand side, not {first.shape}")
        # With b scaled to the size of 1, the squares below neither overflow nor vanish, in single precision either.
        scale = np.abs(b).max(initial=0)
        if scale == 0:
            return Solution(np.zeros_like(b), residual=0.0)
        if not np.isfinite(scale):
            return Solution(np.full_like(b, np.nan), Status.NON_FINITE)
        with np.errstate(all="ignore"):  # a number that is not finite is answered by NaN
            found = self._solved(product, b / scale, None if first is None else first / scale, preconditioner)
        kept = {iteration: scale * x for iteration, x in found.iterates.items()}
        return Solution(scale * found.x, found.status, found.iterations, found.residual, kept)

    def _solved(self, product: Product, b: np.ndarray, start: np.ndarray | None, preconditioner: Any) -> Solution:
        tolerance, norm = max(self.tolerance, float(np.finfo(b.dtype).eps)), float(b @ b)
        limit = 10 * len(b) if self.max_iterations is None else self.max_iterations
        iterates: dict[int, np.ndarray] = {}
        x, residual, rest = np.zeros_like(b), b.copy(), norm

        def image_of(vector: np.ndarray) -> np.ndarray:
            nonlocal tolerance
            image = np.asarray(product(vector))
            if image.shape != b.shape:
                raise ShapeError(f"the product with a vector of shape {b.shape} has shape {image.shape}")
            if image.dtype.kind == "f":
                tolerance = max(tolerance, float(np.finfo(image.dtype).eps))
            return image + self.damping * vector if self.damping else image

        def ended(status: Status, iterations: int) -> Solution:
            solution = x if status.success else np.full_like(b, np.nan)
            return Solution(solution, status, iterations, float(np.sqrt(rest / norm)), iterates)

        if start is not None and np.isfinite(start).all():
            x = start.copy()
            residual -= image_of(x)
            rest = float(residual @ residual)
            if rest <= tolerance**2 * norm:
                return ended(Status.CONVERGED, 0)
        steepest = _preconditioned(preconditioner, residual)
        # a new array: the iteration goes on to change the residual in place
        direction, square = steepest.copy(), rest if steepest is residual else float(residual @ steepest)
        for iteration in range(1, limit + 1):
            image = image_of(direction)
            curvature = float(direction @ image)
            if not 0.0 < curvature < np.inf:
                finite = np.isfinite(curvature) and np.isfinite(square)
                return ended(Status.SINGULAR_METRIC if finite else Status.NON_FINITE, iteration)
            length = square / curvature
            x += length * direction
            residual -= length * image
            rest = float(residual @ residual)
            if self.keep is not None and self.keep(iteration):
                iterates[iteration] = x.copy()
            if rest <= tolerance**2 * norm:
                return ended(Status.CONVERGED, iteration)
            steepest = _preconditioned(preconditioner, residual)
            square, previous = rest if steepest is residual else float(residual @ steepest), square
            # a new array: the product may have kept the old one, or still share its memory
            direction = steepest + (square / previous) * direction
        if not np.isfinite(square):
            return ended(Status.NON_FINITE, limit)
        return ended(Status.DIVERGED if self.max_iterations is None else Status.COMPLETED, limit)


def _preconditioned(preconditioner: Any, residual: np.ndarray) -> np.ndarray:
    """M⁻¹r; without a preconditioner r itself."""
    if preconditioner is None:
        return residual
    return np.asarray(preconditioner(residual) if callable(preconditioner) else residual / preconditioner)
