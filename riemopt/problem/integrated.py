"""Problems whose geodesics and flows are integrated from their own primitives at a point."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from riemopt.errors import ShapeError, UnsupportedError
from riemopt.numerics.ode import RTOL, integrate
from riemopt.problem.protocol import Problem

__all__ = ["IntegratedProblem", "integrable", "real_numbers", "require_numpy"]


class IntegratedProblem(Problem):
    """A problem whose exponential map, parallel transport and natural gradient flow solve their equations in numbers.

    A base class: a subclass writes `connection`, `raise_index` and `gradient`, one point at a time, and gets the rest.

    Attributes
    ----------
    rtol : float
        The relative tolerance of exact integrations; the absolute one is a hundredth of it.

    Notes
    -----
    SciPy's ``DOP853`` integrates at `rtol`, or what the precision of the point allows. What comes out is a reference,
    for small problems; NaN where the solution does not reach the end.

    Examples
    --------
    The half-line with the metric 1/x², where a geodesic is x exp(t v/x):

    >>> import numpy as np
    >>> from riemopt.problem import IntegratedProblem
    >>> class HalfLine(IntegratedProblem):
    ...     offers = frozenset({"raise_index", "connection", "exp", "transport"})
    ...     def raise_index(self, theta, covector):
    ...         return theta**2 * covector
    ...     def connection(self, theta, vector, a=0.0):
    ...         return -(vector**2) / theta**3
    >>> HalfLine().exp([1.0], [1.0]).round(8)
    array([2.71828183])
    """

    rtol: float = RTOL

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> np.ndarray:
        """The exponential map of an a-connection, by integrating the geodesic equation; see :class:`Problem`."""
        point = self._point(theta)
        n = len(point)

        def derivative(state: np.ndarray) -> np.ndarray:
            return np.concatenate([state[n:], self.acceleration(state[:n], state[n:], a)])

        start = np.concatenate([point, self._vector(vector, point, "the vector is")])
        return self._solved(derivative, start, 1.0)[:n]

    def transport(self, theta: Any, along: Any, vector: Any) -> np.ndarray:
        """A vector carried parallel to itself along a geodesic, by integration; see :class:`Problem`."""
        point = self._point(theta)
        n = len(point)

        def derivative(state: np.ndarray) -> np.ndarray:
            place, velocity, carried = state[:n], state[n : 2 * n], state[2 * n :]
            # the product of two vectors from those of their sum and difference with themselves
            sides = (self.connection(place, velocity + sign * carried) for sign in (1, -1))
            mixed = 0.25 * np.subtract(*sides)
            return np.concatenate([velocity, self.acceleration(place, velocity), -self.raise_index(place, mixed)])

        vectors = (self._vector(given, point, "the vector is") for given in (along, vector))
        return self._solved(derivative, np.concatenate([point, *vectors]), 1.0)[2 * n :]

    def flow(self, theta: Any, time: Any) -> np.ndarray:
        """The exact natural gradient flow; see :class:`Problem`."""
        return self._solved(lambda point: -self.natural_gradient(point), self._point(theta), float(time))

    def _solved(self, derivative: Callable[[np.ndarray], np.ndarray], start: np.ndarray, time: float) -> np.ndarray:
        return integrate(derivative, start, time, self.rtol, 0.01 * self.rtol)[1]

    def _point(self, theta: Any) -> np.ndarray:
        """One point, in the precision that the problem computes in."""
        point = real_numbers(theta, "the point is")
        if point.ndim != 1:
            raise ShapeError(f"{type(self).__name__} takes one point at a time, of shape (n,), not {point.shape}")
        return point.astype(self.dtype or (point.dtype if point.dtype.kind == "f" else np.float64), copy=False)

    @staticmethod
    def _vector(value: Any, theta: np.ndarray, what: str) -> np.ndarray:
        """A vector at a point, of no higher precision than the point."""
        array = real_numbers(value, what)
        if array.shape != theta.shape:
            raise ShapeError(f"{what} an array of shape {array.shape}, at a point of shape {theta.shape}")
        if array.dtype.kind == "f" and array.dtype.itemsize <= theta.dtype.itemsize:
            return array
        with np.errstate(over="ignore"):  # what single precision cannot hold is infinite there
            return array.astype(theta.dtype)


def integrable(offers: Collection[str]) -> frozenset[str]:
    """What :class:`IntegratedProblem` adds to the primitives that are offered.

    Examples
    --------
    >>> sorted(integrable({"raise_index", "connection"}))
    ['exp', 'transport']
    """
    sources = {"exp": "connection", "transport": "connection", "flow": "gradient"}
    return frozenset(name for name, source in sources.items() if {source, "raise_index"} <= set(offers))


def real_numbers(value: Any, what: str) -> np.ndarray:
    """A NumPy array of real numbers; `what` begins the message of the error for anything else: ``"the point is"``."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise ShapeError(f"{what} {value!r:.60}, not an array of real numbers")
    return array


def require_numpy(problem: Problem, wrapper: str) -> None:
    """Raise :class:`~riemopt.errors.UnsupportedError` unless a problem's arrays are NumPy's."""
    if problem.arrays is not np:
        raise UnsupportedError(
            f"{wrapper} works on NumPy arrays, not those of {problem.arrays.__name__}: use backend='numba' or 'numpy'"
        )
