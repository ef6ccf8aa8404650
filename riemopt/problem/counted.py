"""How much work a method asks of a problem."""

from __future__ import annotations

from collections import Counter
from typing import Any

from riemopt.numerics.ode import RTOL
from riemopt.problem.integrated import IntegratedProblem, integrable, require_numpy
from riemopt.problem.point import named
from riemopt.problem.protocol import INTEGRATED, Problem
from riemopt.status import Status

__all__ = ["CountedProblem"]


class CountedProblem(IntegratedProblem):
    """A problem that counts what is asked of it.

    Parameters
    ----------
    problem : Problem
        Who answers.
    rtol : float, optional
        The relative tolerance of exact integrations; the absolute one is a hundredth of it.

    Raises
    ------
    UnsupportedError
        If the problem's arrays are not NumPy's.

    Attributes
    ----------
    calls : collections.Counter
        How often each of ``"loss"``, ``"gradient"``, ``"raise_index"`` (a linear solve), ``"lower_index"``,
        ``"connection"``, and ``"exp"`` and ``"transport"`` in closed form was asked for; ``calls.clear()`` starts anew.

    Notes
    -----
    A natural gradient is a gradient and a solve, an acceleration a connection product and a solve. The Taylor
    polynomial of order k of the exponential map counts as k - 1 connection products and k - 1 solves: each coefficient
    after the first is a derivative of the geodesic equation, solved with one and the same factorization of the metric.

    Exponential maps and transports for which the problem has a closed form take no solve, and count as themselves. All
    others, and flows, are integrated from what is counted, and so count as all that their integration asks for.

    Examples
    --------
    >>> import riemopt as ro
    >>> from riemopt.problem import CountedProblem
    >>> gamma = ro.models.Gamma()
    >>> problem = CountedProblem(ro.Manifold(gamma, backend="numpy").likelihood(gamma.sample([20.0, 20.0], 100)))
    >>> trajectory = ro.minimize(problem, "geo", start=[1.0, 1.0], step_size=0.5, steps=10)
    >>> problem.calls["raise_index"], problem.calls["connection"]
    (20, 10)
    """

    def __init__(self, problem: Problem, rtol: float = RTOL) -> None:
        require_numpy(problem, "CountedProblem")
        self.problem, self.rtol = problem, rtol
        self.dimension, self.dtype = problem.dimension, problem.dtype
        closed = {name for name in problem.offers.intersection(INTEGRATED) if problem.has_closed_form(name)}
        self.offers = problem.offers.difference(INTEGRATED) | integrable(problem.offers) | closed
        self.calls: Counter[str] = Counter()

    def loss(self, theta: Any) -> Any:
        """The loss; see :class:`Problem`."""
        self.calls["loss"] += 1
        return self.problem.loss(theta)

    def gradient(self, theta: Any) -> Any:
        """The differential of the loss; see :class:`Problem`."""
        self.calls["gradient"] += 1
        return self.problem.gradient(theta)

    def raise_index(self, theta: Any, covector: Any) -> Any:
        """The vector of a covector, a linear solve; see :class:`Problem`."""
        self.calls["raise_index"] += 1
        return self.problem.raise_index(theta, covector)

    def lower_index(self, theta: Any, vector: Any) -> Any:
        """The covector of a vector; see :class:`Problem`."""
        self.calls["lower_index"] += 1
        return self.problem.lower_index(theta, vector)

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """The lowered connection product; see :class:`Problem`."""
        self.calls["connection"] += 1
        return self.problem.connection(theta, vector, **named(a))

    def exp_series(self, theta: Any, vector: Any, order: int) -> Any:
        """The exponential map's Taylor polynomial; see :class:`Problem`, and above for how it is counted."""
        self.calls.update(connection=order - 1, raise_index=order - 1)
        return self.problem.exp_series(theta, vector, order)

    def natural_gradient(self, theta: Any) -> Any:
        """The natural gradient, a gradient and a linear solve; see :class:`Problem`."""
        self.calls.update(gradient=1, raise_index=1)
        return self.problem.natural_gradient(theta)

    def acceleration(self, theta: Any, velocity: Any, a: float = 0.0) -> Any:
        """A geodesic's acceleration, a connection product and a linear solve; see :class:`Problem`."""
        self.calls.update(connection=1, raise_index=1)
        return self.problem.acceleration(theta, velocity, a)

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """The exponential map, in closed form or by an integration whose steps are counted; see :class:`Problem`."""
        if not self.has_closed_form("exp", a):
            return super().exp(theta, vector, a)
        self.calls["exp"] += 1
        return self.problem.exp(theta, vector, **named(a))

    def transport(self, theta: Any, along: Any, vector: Any) -> Any:
        """Parallel transport, in closed form or by an integration whose steps are counted; see :class:`Problem`."""
        if not self.has_closed_form("transport"):
            return super().transport(theta, along, vector)
        self.calls["transport"] += 1
        return self.problem.transport(theta, along, vector)

    def has_closed_form(self, primitive: str, a: float = 0.0) -> bool:
        """Whether the problem has a closed form; see :class:`Problem`."""
        return self.problem.has_closed_form(primitive, a)

    def contains(self, theta: Any) -> bool:
        """Whether a point lies in the domain."""
        return self.problem.contains(theta)

    def require_inside(self, points: Any, what: str) -> None:
        """Raise :class:`~riemopt.errors.DomainError` unless all points lie in the domain; see :class:`Problem`."""
        self.problem.require_inside(points, what)

    def reason(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Status:
        """Why a primitive gives numbers that are not finite; not counted. See :class:`Problem`."""
        return self.problem.reason(primitive, theta, *arguments, **options)
