"""Linear solvers for metrics that are known only by their products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from riemopt.errors import ArgumentError, ShapeError

__all__ = ["ConjugateGradient", "LinearSolver"]

Product = Callable[[np.ndarray], Any]


class LinearSolver(Protocol):
    """Anything that solves A x = b for a symmetric positive definite A, given as a product."""

    def __call__(self, product: Product, right: np.ndarray) -> Any:
        """The solution x, or NaN where there is none to be trusted."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class ConjugateGradient:
    """The method of conjugate gradients, started from zero: one product an iteration.

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
        λ ≥ 0: the system solved is (A + λ I) x = b.

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
    Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952.

    Examples
    --------
    >>> import numpy as np
    >>> import riemopt as ro
    >>> matrix = np.array([[4.0, 1.0], [1.0, 3.0]])
    >>> ro.ConjugateGradient()(lambda v: matrix @ v, [1.0, 2.0]).round(6)
    array([0.090909, 0.636364])
    """

    tolerance: float = 1e-12
    max_iterations: int | None = None
    damping: float = 0.0

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ArgumentError(f"tolerance must be at least 0, not {self.tolerance!r}")
        limit = self.max_iterations
        if not (limit is None or (isinstance(limit, (int, np.integer)) and limit >= 1)):
            raise ArgumentError(f"max_iterations must be a whole number of at least 1, or None, not {limit!r}")
        if not 0 <= self.damping < np.inf:
            raise ArgumentError(f"damping must be at least 0 and finite, not {self.damping!r}")

    def __call__(self, product: Product, right: Any) -> np.ndarray:
        """Solve A x = b.

        Parameters
        ----------
        product : callable
            Takes v, returns A v; both of shape (n,).
        right : array_like, shape (n,)
            The right-hand side b.

        Returns
        -------
        array, shape (n,)
            x, in the precision of b; NaN if there is none to be trusted.

        Raises
        ------
        ShapeError
            If b or a product is not of shape (n,).
        """
        b = np.asarray(right)
        if b.ndim != 1:
            raise ShapeError(f"the right-hand side must be a vector, of shape (n,), not {b.shape}")
        if b.dtype.kind != "f":
            b = b.astype(np.float64)
        # With b scaled to the size of 1, the squares below neither overflow nor vanish, in single precision either.
        scale = np.abs(b).max(initial=0)
        if scale == 0:
            return np.zeros_like(b)
        if not np.isfinite(scale):
            return np.full_like(b, np.nan)
        with np.errstate(all="ignore"):  # a number that is not finite is answered by NaN
            return scale * self._solved(product, b / scale)

    def _solved(self, product: Product, b: np.ndarray) -> np.ndarray:
        lost = np.full_like(b, np.nan)
        x, residual, direction = np.zeros_like(b), b.copy(), b
        square = norm = float(b @ b)
        tolerance = max(self.tolerance, float(np.finfo(b.dtype).eps))
        limit = 10 * len(b) if self.max_iterations is None else self.max_iterations
        for _ in range(limit):
            image = np.asarray(product(direction))
            if image.shape != b.shape:
                raise ShapeError(f"the product with a vector of shape {b.shape} has shape {image.shape}")
            if image.dtype.kind == "f":
                tolerance = max(tolerance, float(np.finfo(image.dtype).eps))
            if self.damping:
                image = image + self.damping * direction
            curvature = float(direction @ image)
            if not 0.0 < curvature < np.inf:
                return lost
            length = square / curvature
            x += length * direction
            residual -= length * image
            square, previous = float(residual @ residual), square
            if square <= tolerance**2 * norm:
                return x
            # a new array: the product may have kept the old one, or still share its memory
            direction = residual + (square / previous) * direction
        return lost if self.max_iterations is None or not np.isfinite(square) else x
