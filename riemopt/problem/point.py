"""A problem at a point: what the primitives give there, each computed at most once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from riemopt.problem.metric import Metric, PrimitiveMetric, contraction, root

if TYPE_CHECKING:
    from riemopt.problem.protocol import Problem

__all__ = ["Point", "composed", "named"]


class Point:
    """A problem at a point.

    Made by :meth:`riemopt.Problem.at`. What has been computed is kept: whoever holds the point asks as often as is
    convenient. A problem that shares work between primitives, or products with one linearization, overrides
    :meth:`riemopt.Problem.at` and gives a subclass.

    Parameters
    ----------
    problem : Problem
        Who computes.
    theta : array, shape (n,)
        Where; for a problem that takes batches, (..., n).

    Examples
    --------
    >>> import riemopt as ro
    >>> gamma = ro.models.Gamma()
    >>> here = ro.Manifold(gamma, backend="numpy").likelihood([0.5, 1.0, 2.0]).at([2.0, 2.0])
    >>> here.natural_gradient.round(6)
    array([-0.715471, -0.382138])
    >>> here.metric.damped(0.1).solve(here.gradient).round(6)
    array([-0.400509, -0.055979])
    """

    def __init__(self, problem: Problem, theta: Any) -> None:
        self.problem, self.theta = problem, theta
        self._connection: tuple[Any, float, Any] | None = None

    @cached_property
    def inside(self) -> Any:
        """Whether the point lies in the domain; of a batch, which do."""
        return self.problem.contains(self.theta)

    @cached_property
    def loss(self) -> Any:
        """The loss L."""
        return self.problem.loss(self.theta)

    @property
    def part_loss(self) -> Any:
        """The loss over that part of the data which the metric looks at; here, the loss."""
        return self.loss

    @cached_property
    def gradient(self) -> Any:
        """The differential ∂L, a covector."""
        return self.problem.gradient(self.theta)

    @cached_property
    def metric(self) -> Metric:
        """The metric g; see :class:`Metric`."""
        return PrimitiveMetric(self.problem, self.theta)

    @cached_property
    def natural_gradient(self) -> Any:
        """The natural gradient g⁻¹∂L, a vector."""
        if _is_own(self.problem, "natural_gradient"):
            return self.problem.natural_gradient(self.theta)
        return self.metric.solve(self.gradient)

    def connection(self, v: Any, a: float = 0.0) -> Any:
        """The lowered connection product Γ^(a)_ν(v) of a vector, a covector; the last one is kept."""
        known = self._connection
        if known is not None and known[1] == a and (known[0] is v or _same(known[0], v)):
            return known[2]
        product = self.problem.connection(self.theta, v, **named(a))
        self._connection = (np.copy(v) if isinstance(v, np.ndarray) else v), a, product
        return product

    def acceleration(self, v: Any, a: float = 0.0) -> Any:
        """The acceleration -g⁻¹Γ^(a)(v) of the geodesic along a vector; equation (1) of the paper with a = 0."""
        if _is_own(self.problem, "acceleration"):
            return self.problem.acceleration(self.theta, v, **named(a))
        return -self.metric.solve(self.connection(v, a))

    @cached_property
    def square_speed(self) -> Any:
        """The square ∂L·g⁻¹∂L of :attr:`speed`; negative for a metric that is not positive definite."""
        return contraction(self.gradient, self.natural_gradient)

    @property
    def speed(self) -> Any:
        """The Riemannian norm √(∂L·g⁻¹∂L) of the natural gradient, which does not depend on the chart."""
        return root(self.square_speed)


def named(a: float) -> dict[str, float]:
    """Which connection, as an argument: none for that of Levi-Civita, since a problem need not know of others."""
    return {"a": a} if a else {}


def _same(u: Any, v: Any) -> bool:
    """Whether two vectors are equal; arrays of a framework, which do not change, are told by what they are."""
    return isinstance(u, np.ndarray) and isinstance(v, np.ndarray) and np.array_equal(u, v)


_Method = TypeVar("_Method", bound=Callable[..., Any])


def composed(method: _Method) -> _Method:
    """Mark a method of Problem that only composes other primitives: a point does that with what it knows already."""
    method.is_composed = True  # type: ignore[attr-defined]
    return method


def _is_own(problem: Problem, name: str) -> bool:
    """Whether a problem computes something by a way of its own, rather than from other primitives."""
    return not getattr(getattr(type(problem), name), "is_composed", False)
