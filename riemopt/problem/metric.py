"""The metric at a point as an object: what it is made of differs, what is asked of it does not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from riemopt.errors import ArgumentError, ShapeError, UnsupportedError
from riemopt.solvers import Cholesky, ConjugateGradient, LinearSolver, Product, Solution, as_solution
from riemopt.status import Status

if TYPE_CHECKING:
    from riemopt.problem.protocol import Problem

__all__ = [
    "DenseMetric",
    "DiagonalMetric",
    "Metric",
    "OperatorMetric",
    "PrimitiveMetric",
    "contraction",
    "matrix_of",
    "root",
]

By = Literal["identity", "diagonal"] | Any
"""What damps a metric: the identity, the metric's own diagonal, or the diagonal D itself."""

_SMALL = 1000
"""The dimension up to which the matrix of a metric that is known by its products is made from them."""


def contraction(covector: Any, vector: Any) -> Any:
    """The number c_μ v^μ, shape (...), of arrays of any framework."""
    return covector @ vector if covector.ndim == 1 else (covector * vector).sum(-1)


def root(square: Any) -> Any:
    """The root of a square that is negative by rounding at most: of that, 0. NaN stays."""
    return (square * (square > 0)) ** 0.5


def matrix_of(product: Product, dimension: int) -> np.ndarray:
    """The matrix of a metric from its products with the coordinate vectors; symmetric in rounding, too.

    Raises
    ------
    UnsupportedError
        If the dimension is too large for that.
    """
    if dimension > _SMALL:
        raise UnsupportedError(
            f"a metric of {dimension} coordinates is known by its products only: "
            f"its matrix and its diagonal are made from them up to {_SMALL}"
        )
    columns = np.stack([np.asarray(product(unit)) for unit in np.eye(dimension)])
    return np.asarray(0.5 * (columns + columns.T))


class Metric(ABC):
    """A positive definite g at a point.

    A subclass writes :meth:`product`, :meth:`solution` and :meth:`damped`, and what it has of :meth:`diagonal` and
    :meth:`dense`.

    Attributes
    ----------
    dimension : int
        The number of coordinates n.
    """

    dimension: int

    @abstractmethod
    def product(self, v: Any) -> Any:
        """The covector g v of a vector, shape (n,)."""

    @abstractmethod
    def solution(self, c: Any, start: Any = None) -> Solution:
        """What the solver says of g x = c, see :class:`riemopt.solvers.Solution`.

        Parameters
        ----------
        c : array, shape (n,)
            A covector.
        start : array, shape (n,), optional
            Where an iterative solver starts; a direct one does without.
        """

    def solve(self, c: Any, start: Any = None) -> Any:
        """The vector g⁻¹c of a covector, shape (n,); NaN where there is none to be trusted. See :meth:`solution`."""
        return self.solution(c, start).x

    def inner(self, u: Any, v: Any) -> Any:
        """The inner product u·g v of two vectors."""
        return contraction(u, self.product(v))

    def norm(self, v: Any) -> Any:
        """The length √(v·g v) of a vector; 0 where rounding makes a square negative."""
        return root(self.inner(v, v))

    def diagonal(self) -> Any:
        """The diagonal of g, shape (n,).

        Raises
        ------
        UnsupportedError
            If it is not known and the dimension too large to find it out.
        """
        return np.diagonal(self.dense()).copy()

    def dense(self) -> np.ndarray:
        """The matrix g, shape (n, n), column by column from products with the coordinate vectors.

        Raises
        ------
        UnsupportedError
            If the dimension is too large for that.
        """
        return matrix_of(self.product, self.dimension)

    @abstractmethod
    def damped(self, strength: float, by: By = "identity") -> Metric:
        """The metric g + λ D.

        Parameters
        ----------
        strength : float
            λ ≥ 0.
        by : {"identity", "diagonal"} or array of shape (n,), optional
            D: the identity, the diagonal of g, or a diagonal of its own.

        Returns
        -------
        Metric

        Raises
        ------
        ArgumentError
            If λ is negative or not a number, or D is neither.
        """

    def solved_by(self, solver: LinearSolver) -> Metric:
        """The same metric, solved with by another solver, from its products."""
        return OperatorMetric(self.product, self.dimension, solver)

    def _added(self, strength: float, by: By) -> Any:
        """The diagonal D of a damping, as an array or a number; arguments checked."""
        if not strength >= 0.0:
            raise ArgumentError(f"the strength of a damping must be at least 0, not {strength!r}")
        if isinstance(by, str):
            if by not in ("identity", "diagonal"):
                raise ArgumentError(f"by must be 'identity', 'diagonal' or an array, not {by!r}")
            return 1.0 if by == "identity" else self.diagonal()
        if np.shape(by) != (self.dimension,):
            raise ShapeError(f"by has shape {np.shape(by)}, but must be a diagonal of shape ({self.dimension},)")
        return by


class DenseMetric(Metric):
    """A metric given by its matrix, solved with by Cholesky's factorization in units of the matrix's own diagonal.

    Parameters
    ----------
    matrix : array_like, shape (n, n)
        g, symmetric.

    Attributes
    ----------
    factorization : Cholesky
        What solves with it.

    Examples
    --------
    >>> from riemopt.problem import DenseMetric
    >>> metric = DenseMetric([[2.0, 1.0], [1.0, 3.0]])
    >>> metric.solve([1.0, 0.0]).round(6), metric.damped(1.0).dense()
    (array([ 0.6, -0.2]), array([[3., 1.],
           [1., 4.]]))
    """

    def __init__(self, matrix: Any, *, _relative: Any = 0.0) -> None:
        self._matrix = np.asarray(matrix, dtype=np.float64)
        if self._matrix.ndim != 2 or self._matrix.shape[0] != self._matrix.shape[1]:
            raise ShapeError(f"the matrix of a metric must have shape (n, n), not {self._matrix.shape}")
        self.dimension = len(self._matrix)
        self._relative = _relative
        self.factorization = Cholesky(self._matrix, _relative)

    def product(self, v: Any) -> np.ndarray:
        """See :class:`Metric`."""
        v = np.asarray(v)
        image = self._matrix @ v
        return image + self._damping * v if np.any(self._relative) else image

    def solution(self, c: Any, start: Any = None) -> Solution:
        """See :class:`Metric`."""
        return self.factorization.solve(c)

    def inner(self, u: Any, v: Any) -> float:
        """See :class:`Metric`; taken in units of the diagonal, so that no coordinate's size spoils it."""
        scale, scaled = self.factorization.scale, self.factorization.scaled
        inner = (scale * u) @ scaled @ (scale * v)
        return float(inner + np.sum(self._damping * u * v) if np.any(self._relative) else inner)

    def diagonal(self) -> np.ndarray:
        """See :class:`Metric`."""
        return np.asarray(np.diagonal(self._matrix) + self._damping)

    def dense(self) -> np.ndarray:
        """See :class:`Metric`."""
        return self._matrix + np.diag(np.broadcast_to(self._damping, self.dimension))

    def damped(self, strength: float, by: By = "identity") -> DenseMetric:
        """See :class:`Metric`."""
        # in units of the matrix's own diagonal, where squares neither overflow nor vanish
        units = np.sqrt(self._added(strength, by)) / self.factorization.scale
        return DenseMetric(self._matrix, _relative=self._relative + strength * units**2)

    @property
    def _damping(self) -> Any:
        return self._relative * self.factorization.scale**2


class DiagonalMetric(Metric):
    """A metric whose matrix is diagonal.

    Parameters
    ----------
    entries : array_like, shape (n,)
        The diagonal, positive.

    Examples
    --------
    >>> from riemopt.problem import DiagonalMetric
    >>> DiagonalMetric([1.0, 3.0]).damped(1.0).solve([1.0, 1.0])
    array([0.5 , 0.25])
    """

    def __init__(self, entries: Any) -> None:
        self._entries = entries if hasattr(entries, "dtype") else np.asarray(entries, dtype=np.float64)
        if self._entries.ndim != 1:
            raise ShapeError(f"the diagonal of a metric must have shape (n,), not {self._entries.shape}")
        self.dimension = self._entries.shape[0]

    def product(self, v: Any) -> Any:
        """See :class:`Metric`."""
        return self._entries * v

    def solution(self, c: Any, start: Any = None) -> Solution:
        """See :class:`Metric`."""
        if not bool((self._entries > 0).all()):
            return Solution(self._entries * np.nan, Status.SINGULAR_METRIC)
        return Solution(c / self._entries)

    def diagonal(self) -> Any:
        """See :class:`Metric`."""
        return self._entries

    def damped(self, strength: float, by: By = "identity") -> DiagonalMetric:
        """See :class:`Metric`."""
        return DiagonalMetric(self._entries + strength * self._added(strength, by))


class OperatorMetric(Metric):
    """A metric known by its products with vectors, solved with by an iterative solver.

    Parameters
    ----------
    product : callable
        v ↦ g v.
    dimension : int
        The number of coordinates n.
    solver : LinearSolver, optional
        Conjugate gradients by default.
    diagonal : array, shape (n,), optional
        The diagonal of g, where it is known.
    preconditioner : callable or array of shape (n,), optional
        What the solver is given as such.

    Examples
    --------
    >>> import numpy as np
    >>> from riemopt.problem import OperatorMetric
    >>> metric = OperatorMetric(lambda v: np.array([1.0, 3.0]) * v, 2)
    >>> metric.damped(1.0, by="diagonal").solution([1.0, 1.0]).x.round(6)
    array([0.5     , 0.166667])
    """

    def __init__(
        self,
        product: Product,
        dimension: int,
        solver: LinearSolver | None = None,
        diagonal: Any = None,
        preconditioner: Any = None,
    ) -> None:
        self._product, self.dimension, self._diagonal = product, dimension, diagonal
        self.solver: LinearSolver = ConjugateGradient() if solver is None else solver
        self.preconditioner = preconditioner

    def product(self, v: Any) -> Any:
        """See :class:`Metric`."""
        return self._product(v)

    def solution(self, c: Any, start: Any = None) -> Solution:
        """See :class:`Metric`."""
        given = {"start": start, "preconditioner": self.preconditioner}
        found = self.solver(self._product, c, **{name: value for name, value in given.items() if value is not None})
        return as_solution(found)

    def diagonal(self) -> Any:
        """See :class:`Metric`."""
        return super().diagonal() if self._diagonal is None else self._diagonal

    def damped(self, strength: float, by: By = "identity") -> OperatorMetric:
        """See :class:`Metric`."""
        added = strength * self._added(strength, by)
        diagonal = None if self._diagonal is None else self._diagonal + added
        return OperatorMetric(
            lambda v: self._product(v) + added * v, self.dimension, self.solver, diagonal, self.preconditioner
        )


class PrimitiveMetric(Metric):
    """The metric of a problem at a point or a batch of points, by the problem's own primitives.

    Its solve is the problem's ``raise_index``, its product ``lower_index``, its matrix ``metric``.

    Parameters
    ----------
    problem : Problem
        Who answers.
    theta : array, shape (..., n)
        Where.
    """

    def __init__(self, problem: Problem, theta: Any) -> None:
        self.problem, self.theta, self.dimension = problem, theta, theta.shape[-1]

    def product(self, v: Any) -> Any:
        """See :class:`Metric`."""
        return self.problem.lower_index(self.theta, v)

    def solution(self, c: Any, start: Any = None) -> Solution:
        """See :class:`Metric`."""
        x = self.problem.raise_index(self.theta, c)
        return Solution(x, Status.CONVERGED if bool((x * 0.0 == 0.0).all()) else Status.SINGULAR_METRIC)

    def solve(self, c: Any, start: Any = None) -> Any:
        """See :class:`Metric`."""
        return self.problem.raise_index(self.theta, c)

    def dense(self) -> Any:
        """See :class:`Metric`; shape (..., n, n)."""
        return self.problem.metric(self.theta)

    def diagonal(self) -> Any:
        """See :class:`Metric`; shape (..., n)."""
        return self.dense().diagonal(axis1=-2, axis2=-1)

    def damped(self, strength: float, by: By = "identity") -> DenseMetric:
        """See :class:`Metric`; at one point."""
        return self._matrix.damped(strength, by)

    @cached_property
    def _matrix(self) -> DenseMetric:
        return DenseMetric(self.dense())
