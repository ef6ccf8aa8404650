"""The protocol: the primitives at a point that integrators combine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from riemopt.errors import DomainError, UnsupportedError
from riemopt.problem.evaluations import Evaluations
from riemopt.problem.metric import matrix_of
from riemopt.problem.point import Point, composed
from riemopt.status import Status

__all__ = ["INTEGRATED", "PRIMITIVES", "CompiledRule", "Problem"]

PRIMITIVES = (
    "loss",
    "gradient",
    "raise_index",
    "lower_index",
    "connection",
    "exp",
    "exp_series",
    "transport",
    "flow",
)
"""What a problem may offer, and an integrator may need."""


INTEGRATED = ("exp", "transport", "flow")
"""Those that may take the solution of a differential equation."""


@dataclass(frozen=True)
class CompiledRule:
    """An integrator on a problem as one function that runs whole trajectories.

    Attributes
    ----------
    run : callable
        Takes what :meth:`Problem.trajectories` takes but for the rule; gives what that gives, and the numbers of steps
        taken, or one number if all have taken as many.
    init, point, step : Evaluations
        What it asks of the problem before the first step, at every point, and in every step.
    """

    run: Callable[..., tuple[Any, Any, Any, Any]]
    init: Evaluations = field(default_factory=Evaluations)
    point: Evaluations = field(default_factory=Evaluations)
    step: Evaluations = field(default_factory=Evaluations)

    def evaluations(self, taken: Any) -> Evaluations:
        """What trajectories of so many steps have asked for."""
        return self.init * (taken > 0) + self.point * (taken + 1) + self.step * taken


class Problem:
    """A loss on a Riemannian manifold, as primitives at a point.

    Points, vectors and covectors are coordinates, arrays of shape ``(n,)``. A subclass overrides the primitives it can
    compute and names them in `offers`; the others raise :class:`~riemopt.errors.UnsupportedError`.

    Attributes
    ----------
    dimension : int or None
        n, or None if only a point tells.
    offers : frozenset of str
        The primitives that can be computed: names of methods, from `loss` to `flow`.
    dtype : numpy.dtype or None
        What it computes in, or None if that is the precision of the point.
    arrays : module
        What points and vectors are arrays of: NumPy, or CuPy on a GPU.
    count : int or None
        The number of samples, if the loss is the mean negative log-likelihood of some.
    warm_start : float
        What an iterative solve of a driver starts from unless it is told otherwise: this times the solution of the same
        solve in the step before.
    variance_factor : float
        What the inverse of `count` times the metric is to be multiplied by for the covariance of an estimate.
    """

    arrays: Any = np
    count: int | None = None
    variance_factor: float = 1.0
    warm_start: float = 0.0
    dimension: int | None = None
    dtype: np.dtype | None = None
    offers: frozenset[str] = frozenset()

    def loss(self, theta: Any) -> Any:
        """The loss L at a point, in nats for likelihoods."""
        self._lack("loss")

    def gradient(self, theta: Any) -> Any:
        """The differential of the loss, a covector."""
        self._lack("gradient")

    def raise_index(self, theta: Any, covector: Any) -> Any:
        """The vector g⁻¹c of a covector c: one linear solve with the metric."""
        self._lack("raise_index")

    def lower_index(self, theta: Any, vector: Any) -> Any:
        """The covector g v of a vector: one product with the metric."""
        self._lack("lower_index")

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """The lowered connection product Γ_ν(v) = Γ_ναβ v^α v^β of a vector, a covector."""
        self._lack("connection")

    def exp(self, theta: Any, vector: Any, a: float = 0.0) -> Any:
        """The exponential map: the point that the geodesic from `theta` along `vector` reaches in unit time."""
        self._lack("exp")

    def exp_series(self, theta: Any, vector: Any, order: int) -> Any:
        """The exponential map's Taylor polynomial of an order in the vector; here, of order 1 or 2."""
        if order > 2:
            self._lack("exp_series")
        straight = theta + vector
        return straight if order == 1 else straight + 0.5 * self.acceleration(theta, vector)

    def transport(self, theta: Any, along: Any, vector: Any) -> Any:
        """A vector carried parallel to itself to ``exp(theta, along)``."""
        self._lack("transport")

    def flow(self, theta: Any, time: Any) -> Any:
        """The point that the natural gradient flow θ̇ = -g⁻¹∂L reaches from `theta` in a time."""
        self._lack("flow")

    def has_closed_form(self, primitive: str, a: float = 0.0) -> bool:
        """Whether `exp` along geodesics of an a-connection, or `transport`, takes no integration; here, none does."""
        return False

    @property
    def numbers(self) -> Any:
        """What losses, step sizes and counts are arrays of: as points are, but for frameworks with NumPy's."""
        return self.arrays

    def seen_at(self, iteration: int, key: int = 0) -> Problem:
        """The problem as an iteration of a driver sees it; here, always itself.

        A problem whose metric looks at another part of the data each time gives that one. Loss and gradient at a point
        must not depend on the iteration.

        Parameters
        ----------
        iteration : int
            The number of steps taken before.
        key : int, optional
            What random choices are drawn from.
        """
        return self

    def for_fit(self) -> Problem:
        """What a fit takes in place of this problem; here, itself."""
        return self

    def at(self, theta: Any) -> Point:
        """The problem at a point, where each of its primitives is computed at most once; see :class:`Point`."""
        return Point(self, self.arrays.asarray(theta))

    def metric(self, theta: Any) -> Any:
        """The metric as a matrix, shape (n, n); here from its products with the coordinate vectors."""
        return matrix_of(lambda v: self.lower_index(theta, v), len(theta))

    @composed
    def natural_gradient(self, theta: Any) -> Any:
        """The natural gradient g⁻¹∂L, a vector."""
        return self.at(theta).natural_gradient

    @composed
    def acceleration(self, theta: Any, velocity: Any, a: float = 0.0) -> Any:
        """The right-hand side of the geodesic equation θ̈ = -g⁻¹Γ^(a)(θ̇); with a = 0, equation (1) of the paper."""
        return self.at(theta).acceleration(velocity, a)

    def contains(self, theta: Any) -> bool:
        """Whether a point lies in the domain; here, whether it is finite."""
        return bool(np.all(np.isfinite(theta)))

    def require_inside(self, points: Any, what: str) -> None:
        """Raise :class:`~riemopt.errors.DomainError` unless all points, of shape (..., n), lie in the domain.

        `what` is what the points are called in the message.
        """
        if not np.all(np.isfinite(points)):
            raise DomainError(f"{what} is not finite")

    def compiled(self, rule: Any, count: int, converges: bool) -> CompiledRule | str:
        """What runs whole trajectories of a rule at once, or why there is nothing that does.

        Parameters
        ----------
        rule : Integrator
            The update rule.
        count : int
            How many trajectories there are.
        converges : bool
            Whether they are to stop where the natural gradient is small.

        Returns
        -------
        CompiledRule or str
            Here, the reason that a rule's steps are taken one by one.
        """
        return f"{type(self).__name__} takes the steps of a rule one by one"

    def trajectories(
        self, rule: Any, starts: np.ndarray, step_sizes: np.ndarray, steps: int, keep_all: bool, tolerance: float | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Whole trajectories at once by :meth:`compiled`.

        Parameters
        ----------
        rule : Integrator
            The update rule.
        starts : array, shape (batch, n)
            Where the trajectories start.
        step_sizes : array, shape (batch,)
            Their step sizes.
        steps : int
            The number of steps.
        keep_all : bool
            Whether to keep every point, or the last one only.
        tolerance : float or None
            The norm of the natural gradient at which to stop.

        Returns
        -------
        tuple of array, or None
            Points, losses and status; None if there is no faster way than taking steps one by one.
        """
        compiled = self.compiled(rule, len(starts), tolerance is not None)
        return None if isinstance(compiled, str) else compiled.run(starts, step_sizes, steps, keep_all, tolerance)[:3]

    def reason(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Status:
        """Why a primitive gives numbers that are not finite at a point of the domain, for finite arguments.

        Parameters
        ----------
        primitive : str
            Its name.
        theta, *arguments, **options
            What it was given; some of it may be computed again.

        Returns
        -------
        Status
            Here, ``LEFT_DOMAIN`` for an exact integration, ``SINGULAR_METRIC`` for a linear solve of finite
            numbers, and ``NON_FINITE`` for everything else.
        """
        if primitive in INTEGRATED:
            return Status.LEFT_DOMAIN
        if primitive == "exp_series":
            primitive, arguments, options = "acceleration", arguments[:1], {}
        source = {"natural_gradient": "gradient", "acceleration": "connection"}.get(primitive)
        if source and not np.all(np.isfinite(getattr(self, source)(theta, *arguments, **options))):
            return Status.NON_FINITE
        return Status.SINGULAR_METRIC if source or primitive == "raise_index" else Status.NON_FINITE

    def _lack(self, primitive: str) -> NoReturn:
        raise UnsupportedError(f"{type(self).__name__} does not offer {primitive!r}")
