"""Any problem seen in another chart, by the laws of transformation."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import numpy as np

from riemopt.errors import ShapeError
from riemopt.numerics.ode import RTOL
from riemopt.problem.integrated import IntegratedProblem, integrable, require_numpy
from riemopt.problem.point import named
from riemopt.problem.protocol import Problem
from riemopt.status import Status

__all__ = ["Chart", "ChartedProblem"]


class Chart(Protocol):
    """A change of coordinates θ = φ(ξ), as numbers; :class:`riemopt.models.chart.Chart` is one."""

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        ...

    @property
    def domain(self) -> Any:
        """Where ξ may lie: offers ``contains(points)`` and ``require(points, what)``."""
        ...

    def describe(self) -> str:
        """The chart in words, for messages."""
        ...

    def to_original(self, points: Any) -> np.ndarray:
        """φ(ξ)."""
        ...

    def jacobian(self, points: Any) -> np.ndarray:
        """J = ∂θ/∂ξ."""
        ...

    def second_derivative(self, points: Any, vectors: Any) -> np.ndarray:
        """D²φ[v, v]."""
        ...


class ChartedProblem(IntegratedProblem):
    """A problem in the coordinates ξ of a chart θ = φ(ξ), by the laws of transformation.

    Parameters
    ----------
    problem : Problem
        The problem in the original coordinates θ.
    chart : Chart
        φ; its original parameters are the coordinates of `problem`, in order.
    rtol : float, optional
        The relative tolerance of exact integrations; the absolute one is a hundredth of it.

    Raises
    ------
    ShapeError
        If the chart has not as many coordinates as the problem.
    UnsupportedError
        If the problem's arrays are not NumPy's.

    Notes
    -----
    With J = ∂θ/∂ξ, covectors are Jᵀc, vectors J⁻¹v, and the connection product of a vector v is
    Jᵀ(Γ^(a)(J v) + g D²φ[v, v]): it takes the problem's `lower_index`. Outside the chart's domain everything is NaN.

    Geodesics, parallel transport and the natural gradient flow are integrated in this chart rather than mapped from the
    other one, so that comparing them is a test of invariance.

    Examples
    --------
    A normal distribution in natural parameters, z = (mu/sigma², -1/(2 sigma²)):

    >>> import riemopt as ro
    >>> from riemopt.problem import ChartedProblem
    >>> normal = ro.models.Normal()
    >>> problem = ro.Manifold(normal, backend="numpy").likelihood(normal.sample([1.0, 2.0], 100))
    >>> charted = ChartedProblem(problem, normal.natural_chart().chart)
    >>> charted.lower_index([0.0, -0.5], [1.0, 1.0]).round(12)
    array([1., 2.])
    >>> charted.exp([0.0, -0.5], [1.0, 0.25], a=1.0).round(12)
    array([ 1.  , -0.25])
    """

    dtype = np.dtype(np.float64)

    def __init__(self, problem: Problem, chart: Chart, rtol: float = RTOL) -> None:
        require_numpy(problem, "ChartedProblem")
        if problem.dimension not in (None, chart.dimension):
            raise ShapeError(
                f"{chart.describe()}: a problem of dimension {problem.dimension} needs as many coordinates"
            )
        self.problem, self.chart, self.rtol = problem, chart, rtol
        self.dimension = chart.dimension
        offers = problem.offers & {"loss", "gradient", "raise_index", "lower_index"}
        if {"connection", "lower_index"} <= problem.offers:
            offers |= {"connection"}
        self.offers = offers | integrable(offers)

    def loss(self, theta: Any) -> float:
        """The loss; see :class:`Problem`."""
        image, _ = self._seen(theta)
        return float(self.problem.loss(image)) if np.isfinite(image).all() else np.nan

    def gradient(self, theta: Any) -> np.ndarray:
        """The differential of the loss, Jᵀ∂L; see :class:`Problem`."""
        image, jacobian = self._seen(theta)
        return np.asarray(jacobian.T @ self.problem.gradient(image))

    def raise_index(self, theta: Any, covector: Any) -> np.ndarray:
        """The vector of a covector, J⁻¹g⁻¹J⁻ᵀc; see :class:`Problem`."""
        image, jacobian = self._seen(theta)
        original = _solved(jacobian.T, self._vector(covector, image, "the covector is"))
        return _solved(jacobian, self.problem.raise_index(image, original))

    def lower_index(self, theta: Any, vector: Any) -> np.ndarray:
        """The covector of a vector, JᵀgJv; see :class:`Problem`."""
        image, jacobian = self._seen(theta)
        original = jacobian @ self._vector(vector, image, "the vector is")
        return np.asarray(jacobian.T @ self.problem.lower_index(image, original))

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> np.ndarray:
        """The lowered connection product, Jᵀ(Γ^(a)(Jv) + g D²φ[v, v]); see :class:`Problem`."""
        image, jacobian = self._seen(theta)
        v = self._vector(vector, image, "the vector is")
        tensorial = self.problem.connection(image, jacobian @ v, **named(a))
        curving = self.problem.lower_index(image, self.chart.second_derivative(theta, v))
        return np.asarray(jacobian.T @ (tensorial + curving))

    def contains(self, theta: Any) -> bool:
        """Whether a point lies in the chart's domain, and its image in that of the original problem."""
        image, _ = self._seen(theta)
        return bool(np.isfinite(image).all() and self.problem.contains(image))

    def require_inside(self, points: Any, what: str) -> None:
        """Raise :class:`~riemopt.errors.DomainError` for a point outside, naming the coordinate and its value."""
        self.chart.domain.require(points, what)
        self.problem.require_inside(self.chart.to_original(points), f"{what} in the original coordinates")

    def reason(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Status:
        """Why a primitive gives numbers that are not finite: what the original problem says there. See `Problem`."""
        image, jacobian = self._seen(theta)
        move = partial(_solved, jacobian.T) if primitive == "raise_index" else partial(np.matmul, jacobian)
        seen = (move(argument) if np.ndim(argument) else argument for argument in arguments)
        return self.problem.reason(primitive, image, *seen, **options)

    def _seen(self, theta: Any) -> tuple[np.ndarray, np.ndarray]:
        """The image φ(ξ) of a point and the Jacobian J, NaN outside the chart's domain."""
        point = self._point(theta)
        known = self.chart.to_original(point), self.chart.jacobian(point)
        if self.chart.domain.contains(point):
            return known
        return np.full_like(known[0], np.nan), np.full_like(known[1], np.nan)


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.full_like(right, np.nan)
