"""The space of positive definite matrices, with the decompositions that it needs in array notation.

As in R. Bhatia, *Positive Definite Matrices*, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.geometry.spaces import Space

__all__ = ["PositiveMatrices"]


@dataclass(frozen=True)
class PositiveMatrices(Space):
    """Symmetric positive definite matrices with the metric scale · tr(P⁻¹ dP P⁻¹ dP).

    The coordinates are the lower triangle of P, row by row.

    Attributes
    ----------
    order : int
        The number of rows.
    scale : float
        The factor in the metric, ½ for the covariance matrices of normal distributions.
    """

    order: int
    scale: float = 0.5

    @property
    def dimension(self) -> int:  # type: ignore[override]
        """See :class:`Space`."""
        return self.order * (self.order + 1) // 2

    def metric(self, u: Any) -> Any:
        """See :class:`Space`."""
        units = np.eye(self.dimension)
        inverse = np.linalg.inv(self._matrix(u))
        sides = [inverse @ self._matrix(unit) for unit in units]
        return self.scale * np.array([[np.trace(a @ b) for b in sides] for a in sides])

    def exp(self, u: Any, w: Any) -> Any:
        """See :class:`Space`: P^½ exp(P^-½ W P^-½) P^½, with a Cholesky factor in place of the root."""
        factor, values, vectors = self._diagonal(u, w)
        return self._gram(factor @ vectors, np.exp(values))

    def log(self, u: Any, target: Any) -> Any:
        """See :class:`Space`; between close matrices from their difference: short distances keep their digits."""
        factor = _cholesky(self._matrix(u))
        whole, step = (_congruence(factor, self._matrix(entries)) for entries in (target, target - u))
        close = np.sum(step * step) < 0.25
        values, vectors = _eigen(np.where(close, step, whole))
        logs = np.where(close, np.log1p(np.where(close, values, 0.0)), np.log(np.where(close, 1.0, values)))
        return self._gram(factor @ vectors, logs)

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`: E Z Eᵀ with E = P^½ exp(½ P^-½ W P^-½) P^-½."""
        factor, values, vectors = self._diagonal(u, w)
        inner = vectors.T @ _congruence(factor, self._matrix(z)) @ vectors
        stretch = np.exp(0.5 * values)
        outer = factor @ (vectors * stretch)
        return self._triangle(outer @ inner @ outer.T)

    def _diagonal(self, u: Any, w: Any) -> tuple[Any, Any, Any]:
        """P = LLᵀ, and the eigenvalues and eigenvectors of L⁻¹ W L⁻ᵀ."""
        factor = _cholesky(self._matrix(u))
        values, vectors = _eigen(_congruence(factor, self._matrix(w)))
        return factor, values, vectors

    def _matrix(self, u: Any) -> Any:
        """The symmetric matrix of a lower triangle."""
        rows = [[u[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)] for j in range(self.order)] for i in range(self.order)]
        return np.stack([np.stack(row) for row in rows])

    def _triangle(self, matrix: Any) -> Any:
        """The lower triangle of a matrix, row by row."""
        return np.stack([matrix[i, j] for i in range(self.order) for j in range(i + 1)])

    def _gram(self, vectors: Any, values: Any) -> Any:
        """V diag(values) Vᵀ as a lower triangle."""
        return self._triangle((vectors * values) @ vectors.T)


def _cholesky(matrix: Any) -> Any:
    """L with LLᵀ = P, entry by entry."""
    n = len(matrix)
    factor: list[list[Any]] = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - sum(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = np.sqrt(rest) if i == j else rest / factor[j][j]
    return np.stack([np.stack(row) for row in factor])


def _congruence(factor: Any, matrix: Any) -> Any:
    """L⁻¹ M L⁻ᵀ of a symmetric M."""
    return _forward_substitution(factor, _forward_substitution(factor, matrix).T)


def _forward_substitution(factor: Any, right: Any) -> Any:
    """L⁻¹ M by forward substitution, row by row."""
    rows: list[Any] = []
    for i in range(len(factor)):
        rest = right[i]
        for k in range(i):
            rest = rest - factor[i, k] * rows[k]
        rows.append(rest / factor[i, i])
    return np.stack(rows)


def _eigen(matrix: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations, in cycles enough for all digits.

    Golub and Van Loan, *Matrix Computations*, 4th edition, section 8.5.
    """
    n = len(matrix)
    a = [[matrix[i, j] for j in range(n)] for i in range(n)]
    v = [[float(i == j) for j in range(n)] for i in range(n)]
    for _ in range(3 + n if n > 2 else n - 1):
        for p in range(n):
            for q in range(p + 1, n):
                _rotate(a, v, p, q)
    values = np.stack([a[i][i] for i in range(n)])
    return values, np.stack([np.stack(row) for row in v])


def _rotate(a: list[list[Any]], v: list[list[Any]], p: int, q: int) -> None:
    """Turn the matrix so that its entry (p, q) vanishes."""
    n, off = len(a), a[p][q]
    half = 0.5 * (a[q][q] - a[p][p])
    root = np.abs(half) + np.sqrt(half * half + off * off)
    tangent = np.where(off == 0.0, 0.0, np.where(half < 0.0, -off, off) / np.where(root > 0.0, root, 1.0))
    cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
    sine = tangent * cosine
    a[p][p], a[q][q] = a[p][p] - tangent * off, a[q][q] + tangent * off
    a[p][q] = a[q][p] = 0.0
    for k in range(n):
        if k not in (p, q):
            kp, kq = a[k][p], a[k][q]
            a[k][p] = a[p][k] = cosine * kp - sine * kq
            a[k][q] = a[q][k] = sine * kp + cosine * kq
        vp, vq = v[k][p], v[k][q]
        v[k][p], v[k][q] = cosine * vp - sine * vq, sine * vp + cosine * vq
