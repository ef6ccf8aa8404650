"""Newton's method with damping for one system of equations: :func:`riemopt.numerics.newton.newton` on scalars."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan

from riemopt.kernels.functions.scalar import absolute, minimum, select
from riemopt.kernels.text.algorithms.marks import straight
from riemopt.numerics.newton import HALVINGS, ITERATIONS, LONGEST, ROUNDING, SMALL
from riemopt.status import Status

__all__ = ["Matrix", "Vector", "inverse_of", "root"]

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]

_LEFT_DOMAIN = float(Status.LEFT_DOMAIN)


def root(
    start: Callable[[], Vector],
    equations: Callable[[Vector, Vector], tuple[Vector, Matrix]],
    answer: Callable[[Vector, Vector], tuple[Vector, Vector, Vector]],
    n: int,
    xi: Vector,
) -> tuple[float, Vector]:
    """The θ of the root y of r(y; ξ), and ∂θ/∂ξ row by row.

    Parameters
    ----------
    start : callable
        Where y starts.
    equations : callable
        Takes y and ξ; returns r and ∂r/∂y.
    answer : callable
        Takes y and ξ; returns θ, the ∂θ_i/∂y_i, and the -∂r_i/∂ξ_i.
    n : int
        The number of coordinates.
    xi : tuple of float
        ξ.

    Returns
    -------
    status : float
        0, or that of :attr:`riemopt.Status.LEFT_DOMAIN`.
    values : tuple of float
        θ and ∂θ/∂ξ; NaN where there is no root.
    """
    y = start()
    residual, slopes = equations(y, xi)
    for _ in range(ITERATIONS):
        inverse = inverse_of(slopes, n)
        step = product(inverse, residual, n)
        size = relative_size(step, y, n)
        if not size < inf:
            break
        done = size <= ROUNDING
        advanced = False
        damping = minimum(1.0, LONGEST / size)
        for _ in range(HALVINGS):
            if done or advanced:
                break
            trial = damped(y, damping, step, n)
            left, left_slopes = equations(trial, xi)
            change = product(inverse, left, n)
            advanced = relative_size(change, y, n) <= (1.0 - 0.5 * damping) * size
            done = not advanced and size <= SMALL
            damping *= 0.5
        if done:
            theta, stretch, scale = answer(y, xi)
            return 0.0, theta_and_slopes(theta, stretch, inverse, scale, n)
        if not advanced:
            break
        y, residual, slopes = trial, left, left_slopes
    return _LEFT_DOMAIN, (*[nan] * (n * (n + 1)),)


@straight
def product(matrix: Matrix, vector: Vector, n: int) -> Vector:
    """A matrix by a vector."""
    return tuple(sum(matrix[i][j] * vector[j] for j in range(n)) for i in range(n))


@straight
def relative_size(step: Vector, y: Vector, n: int) -> float:
    """The size of a step from y, relative to 1 + |y|."""
    return sum(absolute(step[i]) / (1.0 + absolute(y[i])) for i in range(n))


@straight
def damped(y: Vector, damping: float, step: Vector, n: int) -> Vector:
    """Where a fraction of a step leads."""
    return tuple(y[i] - damping * step[i] for i in range(n))


@straight
def theta_and_slopes(theta: Vector, stretch: Vector, inverse: Matrix, scale: Vector, n: int) -> Vector:
    """θ, and ∂θ_i/∂ξ_j row by row, by the implicit function theorem."""
    return theta + tuple(stretch[i] * inverse[i][j] * scale[j] for i in range(n) for j in range(n))


@straight
def inverse_of(matrix: Matrix, n: int) -> Matrix:
    """The inverse of a matrix by elimination of one row after the other, the largest pivot first."""
    a = [0.0] * (n * n)
    b = [0.0] * (n * n)
    for i in range(n):
        for j in range(n):
            a[n * i + j] = matrix[i][j]
        b[n * i + i] = 1.0
    for k in range(n):
        for i in range(k + 1, n):
            swap = absolute(a[n * i + k]) > absolute(a[n * k + k])
            for j in range(k, n):
                p, q = a[n * k + j], a[n * i + j]
                a[n * k + j] = select(swap, q, p)
                a[n * i + j] = select(swap, p, q)
            for j in range(n):
                p, q = b[n * k + j], b[n * i + j]
                b[n * k + j] = select(swap, q, p)
                b[n * i + j] = select(swap, p, q)
        for j in range(k + 1, n):
            a[n * k + j] = a[n * k + j] / a[n * k + k]
        for j in range(n):
            b[n * k + j] = b[n * k + j] / a[n * k + k]
        for i in range(n):
            if i != k:
                for j in range(k + 1, n):
                    a[n * i + j] = a[n * i + j] - a[n * i + k] * a[n * k + j]
                for j in range(n):
                    b[n * i + j] = b[n * i + j] - a[n * i + k] * b[n * k + j]
    return tuple(tuple(b[n * i + j] for j in range(n)) for i in range(n))
