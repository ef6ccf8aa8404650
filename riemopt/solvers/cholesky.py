"""Cholesky's factorization of a metric in units of its own: a direct solve."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from riemopt.solvers.solution import Solution
from riemopt.status import Status

__all__ = ["Cholesky"]

_EPS = float(np.finfo(np.float64).eps)


class Cholesky:
    """A positive definite matrix scaled to a unit diagonal, so that the coordinates' units do not matter.

    Parameters
    ----------
    matrix : array, shape (n, n)
        A, symmetric.
    added : array, shape (n,), or float, optional
        What is added to the diagonal of the scaled matrix: λ D / diag(A) damps A to A + λ D.

    Attributes
    ----------
    lengths : array, shape (n,)
        The lengths √A_ii of the coordinate vectors; 0 where that is not a number.
    scale : array, shape (n,)
        The same, with 1 for 0.
    scaled : array, shape (n, n)
        A in these units, without what is added.
    """

    def __init__(self, matrix: np.ndarray, added: np.ndarray | float = 0.0) -> None:
        self.lengths = np.sqrt(np.maximum(np.diagonal(matrix), 0.0))
        self.scale = np.where(self.lengths > 0.0, self.lengths, 1.0)
        self.scaled = matrix / np.outer(self.scale, self.scale)
        self.added = added

    def solve(self, right: Any) -> Solution:
        """Solve (A + λ D) x = b; the factorization is made once."""
        from scipy.linalg import cho_solve

        factor, status = self._factor
        if factor is None:
            return Solution(np.full_like(self.scale, np.nan), status)
        x = cho_solve(factor, right / self.scale, check_finite=False) / self.scale
        return Solution(x, Status.CONVERGED if np.isfinite(x).all() else Status.NON_FINITE)

    @cached_property
    def _factor(self) -> tuple[Any, Status]:
        from scipy.linalg import LinAlgError, cho_factor  # slow to import

        if not np.isfinite(self.scaled).all():
            return None, Status.NON_FINITE
        floor = np.full(len(self.scale), len(self.scale) * _EPS)  # what rounding makes of an eigenvalue 0
        try:
            return cho_factor(self.scaled + np.diag(floor + self.added), check_finite=False), Status.CONVERGED
        except LinAlgError:
            return None, Status.SINGULAR_METRIC

    @property
    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """The eigenvalues of the scaled matrix in ascending order, and the directions in coordinates, as columns."""
        values, vectors = np.linalg.eigh(self.scaled)
        return values, vectors / self.scale[:, None]
