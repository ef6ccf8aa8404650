"""Standard spaces: geodesics in closed form, written once in array notation, for numbers and for traced arrays.

Every space has coordinates u of its own, one point a vector; :mod:`riemopt.geometry.closed_forms` finds the ones that a
model is isometric to. Sources: the half-space model of hyperbolic space and the sphere as in M. P. do Carmo,
*Riemannian Geometry*, chapters 3 and 8; positive matrices as in R. Bhatia, *Positive Definite Matrices*, chapter 6.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Flat", "HalfSpace", "PositiveMatrices", "Simplex", "Space"]


class Space(ABC):
    """A space whose geodesics are known."""

    dimension: int

    @abstractmethod
    def metric(self, u: Any) -> Any:
        """The metric at a point, shape (m, m)."""

    @abstractmethod
    def exp(self, u: Any, w: Any) -> Any:
        """Where the geodesic from u with velocity w is after unit time."""

    @abstractmethod
    def log(self, u: Any, target: Any) -> Any:
        """The velocity of the geodesic from u that reaches a target in unit time."""

    @abstractmethod
    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """The vector z at u, carried parallel to itself along the geodesic to ``exp(u, w)``."""

    def leaving(self, u: Any, w: Any) -> Any:
        """One over the time at which the geodesic leaves the space; 0 if it never does."""
        return 0.0 * w[0]


@dataclass(frozen=True)
class Flat(Space):
    """A box of flat space, its metric the same everywhere.

    Attributes
    ----------
    form : tuple of tuple of float
        The metric.
    lower, upper : tuple of float
        The bounds of each coordinate, which may be infinite.
    """

    form: tuple[tuple[float, ...], ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    @property
    def dimension(self) -> int:  # type: ignore[override]
        """See :class:`Space`."""
        return len(self.lower)

    def metric(self, u: Any) -> Any:
        """See :class:`Space`."""
        return np.array(self.form)

    def exp(self, u: Any, w: Any) -> Any:
        """See :class:`Space`."""
        return u + w

    def log(self, u: Any, target: Any) -> Any:
        """See :class:`Space`."""
        return target - u

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`."""
        return z

    def leaving(self, u: Any, w: Any) -> Any:
        """See :class:`Space`."""
        rate = 0.0 * w[0]
        for i, (low, high) in enumerate(zip(self.lower, self.upper, strict=True)):
            if math.isfinite(low):
                rate = np.maximum(rate, -w[i] / (u[i] - low))
            if math.isfinite(high):
                rate = np.maximum(rate, w[i] / (high - u[i]))
        return rate


@dataclass(frozen=True)
class HalfSpace(Space):
    """Hyperbolic space as the half-space y > 0 with metric R² (|dx|² + dy²) / y²; the last coordinate is y.

    Attributes
    ----------
    dimension : int
        The number of coordinates.
    radius : float
        R.
    lower, upper : float, optional
        Bounds of x in the half-plane: what is left of it if the model goes no further.
    """

    dimension: int
    radius: float = 1.0
    lower: float = -math.inf
    upper: float = math.inf

    def metric(self, u: Any) -> Any:
        """See :class:`Space`."""
        return np.eye(self.dimension) * (self.radius / u[-1]) ** 2

    def exp(self, u: Any, w: Any) -> Any:
        """See :class:`Space`; a half-circle about a point of the edge, or a vertical line."""
        speed, sines, _, rest = _direction(u, w)
        fall = np.exp(-speed) + rest * np.sinh(speed)
        across = u[:-1] + u[-1] * sines * np.sinh(speed) / fall
        return np.concatenate([across, np.stack([u[-1] / fall])])

    def log(self, u: Any, target: Any) -> Any:
        """See :class:`Space`."""
        across, rise = target[:-1] - u[:-1], target[-1] - u[-1]
        width = (across * across).sum()
        square = (width + rise * rise) / (4.0 * u[-1] * target[-1])
        root = np.sqrt(square)
        # d / sinh d, the distance being d = 2 asinh √q
        ratio = np.where(square > 0.0, np.arcsinh(root) / np.where(square > 0.0, root, 1.0), 1.0)
        shrink = ratio / np.sqrt(1.0 + square)
        up = (width + rise * (target[-1] + u[-1])) / (2.0 * target[-1])
        return shrink * np.concatenate([across * u[-1] / target[-1], np.stack([up])])

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`; in the plane of the geodesic, angles to it are kept, and all lengths in units of y."""
        speed, sines, cosine, rest = _direction(u, w)
        fall = np.exp(-speed) + rest * np.sinh(speed)
        sine = np.sqrt((sines * sines).sum())
        forward = np.where(sine > 0.0, sines / np.where(sine > 0.0, sine, 1.0), 0.0)
        sine_there, cosine_there = sine / fall, (np.exp(-speed) - rest * np.cosh(speed)) / fall
        # of the angle by which the direction has turned
        turn_cosine = cosine * cosine_there + sine * sine_there
        turn_sine = sine_there * cosine - cosine_there * sine
        along = (forward * z[:-1]).sum()
        turned = z[-1] * turn_sine + along * turn_cosine
        up = z[-1] * turn_cosine - along * turn_sine
        return np.concatenate([z[:-1] + (turned - along) * forward, np.stack([up])]) / fall

    def leaving(self, u: Any, w: Any) -> Any:
        """See :class:`Space`."""
        rate = 0.0 * w[0]
        if not (math.isfinite(self.lower) or math.isfinite(self.upper)):
            return rate
        speed, sines, cosine, _ = _direction(u, w)
        for bound in (self.lower, self.upper):
            if math.isfinite(bound):
                ratio = (bound - u[0]) / (u[-1] * sines[0])
                reached = (ratio > 0.0) & (ratio < 1.0 + ratio * cosine)
                way = np.arctanh(np.where(reached, ratio / (1.0 + ratio * cosine), 0.5))
                rate = np.where(reached, np.maximum(rate, speed / way), rate)
        return rate


def _direction(u: Any, w: Any) -> tuple[Any, Any, Any, Any]:
    """Of a velocity in the half-space: its length s in units of y, its direction (sines, cosine), and 1 - cosine."""
    length = np.sqrt((w * w).sum())
    safe = np.where(length > 0.0, length, 1.0)
    sines, cosine = w[:-1] / safe, np.where(length > 0.0, w[-1] / safe, 1.0)
    rest = np.where(cosine > 0.0, (sines * sines).sum() / (1.0 + cosine), 1.0 - cosine)
    return length / u[-1], sines, cosine, rest


@dataclass(frozen=True)
class Simplex(Space):
    """The probabilities of n + 1 outcomes, the last one left out: a part of a sphere, the square roots on it.

    Attributes
    ----------
    dimension : int
        n.
    scale : float
        The metric is this number times that of one categorical observation.
    """

    dimension: int
    scale: float = 1.0

    def metric(self, u: Any) -> Any:
        """See :class:`Space`."""
        return self.scale * (np.eye(self.dimension) / u + 1.0 / (1.0 - u.sum()))

    def exp(self, u: Any, w: Any) -> Any:
        """See :class:`Space`; a great circle."""
        roots, speed, _, across = self._circle(u, w)
        return (roots * np.cos(speed) + across * np.sin(speed))[:-1] ** 2

    def log(self, u: Any, target: Any) -> Any:
        """See :class:`Space`."""
        start, end = _outcomes(u), _outcomes(target)
        roots = np.sqrt(start)
        step = _with_last(target - u) / (np.sqrt(end) + roots)
        chord = (step * step).sum()
        angle = 2.0 * np.arcsin(0.5 * np.sqrt(chord))
        stretch = np.where(angle > 0.0, angle / np.where(angle > 0.0, np.sin(angle), 1.0), 1.0)
        return (2.0 * roots * stretch * (step + 0.5 * chord * roots))[:-1]

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`; what is across the great circle stays as it is."""
        roots, speed, _, across = self._circle(u, w)
        carried = 0.5 * _with_last(z) / roots
        along = (carried * across).sum()
        turned = carried - along * (2.0 * np.sin(0.5 * speed) ** 2 * across + np.sin(speed) * roots)
        return (2.0 * (roots * np.cos(speed) + across * np.sin(speed)) * turned)[:-1]

    def leaving(self, u: Any, w: Any) -> Any:
        """See :class:`Space`; where the first of the roots reaches 0."""
        roots, speed, _, across = self._circle(u, w)
        return speed / np.min(np.arctan2(roots, -across))

    def _circle(self, u: Any, w: Any) -> tuple[Any, Any, Any, Any]:
        """The square roots, and their velocity: its length, itself and its direction."""
        roots = np.sqrt(_outcomes(u))
        velocity = 0.5 * _with_last(w) / roots
        speed = np.sqrt((velocity * velocity).sum())
        return roots, speed, velocity, velocity / np.where(speed > 0.0, speed, 1.0)


def _outcomes(u: Any) -> Any:
    return np.concatenate([u, np.stack([1.0 - u.sum()])])


def _with_last(w: Any) -> Any:
    return np.concatenate([w, np.stack([-w.sum()])])


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
        """See :class:`Space`."""
        factor, values, vectors = self._diagonal(u, target)
        return self._gram(factor @ vectors, np.log(values))

    def transport(self, u: Any, w: Any, z: Any) -> Any:
        """See :class:`Space`: E Z Eᵀ with E = P^½ exp(½ P^-½ W P^-½) P^-½."""
        factor, values, vectors = self._diagonal(u, w)
        inner = vectors.T @ _between(factor, self._matrix(z)) @ vectors
        stretch = np.exp(0.5 * values)
        outer = factor @ (vectors * stretch)
        return self._triangle(outer @ inner @ outer.T)

    def _diagonal(self, u: Any, w: Any) -> tuple[Any, Any, Any]:
        """P = LLᵀ, and the eigenvalues and eigenvectors of L⁻¹ W L⁻ᵀ."""
        factor = _cholesky(self._matrix(u))
        values, vectors = _eigen(_between(factor, self._matrix(w)))
        return factor, values, vectors

    def _matrix(self, u: Any) -> Any:
        rows = [[u[max(i, j) * (max(i, j) + 1) // 2 + min(i, j)] for j in range(self.order)] for i in range(self.order)]
        return np.stack([np.stack(row) for row in rows])

    def _triangle(self, matrix: Any) -> Any:
        return np.stack([matrix[i, j] for i in range(self.order) for j in range(i + 1)])

    def _gram(self, vectors: Any, values: Any) -> Any:
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


def _between(factor: Any, matrix: Any) -> Any:
    """L⁻¹ M L⁻ᵀ of a symmetric M."""
    return _substituted(factor, _substituted(factor, matrix).T)


def _substituted(factor: Any, right: Any) -> Any:
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
