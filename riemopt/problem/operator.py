"""Problems given by a user's own products."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from riemopt.errors import ShapeError, UnsupportedError
from riemopt.numerics.ode import RTOL
from riemopt.problem.integrated import IntegratedProblem, integrable, real_numbers
from riemopt.problem.metric import OperatorMetric
from riemopt.problem.point import Point
from riemopt.problem.protocol import INTEGRATED
from riemopt.solvers import ConjugateGradient, LinearSolver, Product, Solution, as_solution
from riemopt.status import Status

__all__ = ["OperatorProblem"]

Function = Callable[..., Any]


class OperatorProblem(IntegratedProblem):
    """A loss on a manifold whose metric and connection are known by their products.

    Parameters
    ----------
    loss : callable
        θ ↦ L(θ), a number.
    gradient : callable
        θ ↦ ∂L(θ), a covector of shape (n,).
    fisher_product : callable, optional
        (θ, v) ↦ g(θ) v, a covector; g is symmetric and positive definite. Only gradient descent does without.
    connection : callable, optional
        (θ, v) ↦ Γ_ν(v), the lowered connection product, a covector. Integrators with geodesic corrections need it.
    solver : LinearSolver, optional
        Solves g x = c from products alone; conjugate gradients by default.
    rtol : float, optional
        The relative tolerance of exact integrations; the absolute one is a hundredth of it.
    count : int, optional
        The number of samples that the loss is the mean negative log-likelihood of; a fit has standard errors then.

    Notes
    -----
    The functions are handed NumPy arrays, and may return an array of any framework that NumPy converts. It is brought
    down to the precision of the point if its own is higher: a trajectory that starts in single precision stays there.
    JAX computes in single precision unless told otherwise: ``jax.config.update("jax_enable_x64", True)``.

    Numbers that are not finite are passed on, and end a trajectory with a status.

    The exponential map, parallel transport and the exact natural gradient flow integrate their equations with SciPy's
    ``DOP853`` at `rtol`, or what the precision of the point allows. They are references, for small problems.

    Examples
    --------
    A quadratic loss in the plane, with a constant metric:

    >>> import numpy as np
    >>> import riemopt as ro
    >>> problem = ro.OperatorProblem(
    ...     loss=lambda x: x @ x / 2, gradient=lambda x: x, fisher_product=lambda x, v: 2.0 * v
    ... )
    >>> ro.minimize(problem, "ng", start=[1.0, 1.0], step_size=1.0, steps=3).losses
    array([1.      , 0.25    , 0.0625  , 0.015625])
    """

    def __init__(
        self,
        loss: Function,
        gradient: Function,
        fisher_product: Function | None = None,
        connection: Function | None = None,
        solver: LinearSolver | None = None,
        rtol: float = RTOL,
        count: int | None = None,
    ) -> None:
        self._loss, self._gradient, self.rtol, self.count = loss, gradient, rtol, count
        self._fisher_product, self._connection = fisher_product, connection
        self.solver: LinearSolver = ConjugateGradient() if solver is None else solver
        given = {"loss": loss, "gradient": gradient, "raise_index": fisher_product, "connection": connection}
        offers = {name for name, function in given.items() if function is not None}
        if "raise_index" in offers:
            offers.add("lower_index")
        self.offers = integrable(offers).union(offers)

    def loss(self, theta: Any) -> float:
        """The loss; see :class:`Problem`."""
        value = real_numbers(self._loss(self._point(theta)), "loss returned")
        if value.size != 1:
            raise ShapeError(f"loss returned an array of shape {value.shape}, not a number")
        return float(value.reshape(()))

    def gradient(self, theta: Any) -> np.ndarray:
        """The differential of the loss; see :class:`Problem`."""
        point = self._point(theta)
        return self._vector(self._gradient(point), point, "gradient returned")

    def fisher_product(self, theta: Any, vector: Any) -> np.ndarray:
        """The metric applied to a vector, a covector."""
        if self._fisher_product is None:
            self._lack("raise_index")
        point = self._point(theta)
        return self._vector(
            self._fisher_product(point, self._vector(vector, point, "the vector is")), point, "fisher_product returned"
        )

    def at(self, theta: Any) -> Point:
        """The problem at a point, its metric an :class:`OperatorMetric`; see :class:`Problem`."""
        return _OperatorPoint(self, self._point(theta))

    def raise_index(self, theta: Any, covector: Any) -> np.ndarray:
        """The vector of a covector, by the solver; see :class:`Problem`."""
        return np.asarray(self.at(theta).metric.solve(covector))

    def lower_index(self, theta: Any, vector: Any) -> np.ndarray:
        """The covector of a vector, the Fisher product; see :class:`Problem`."""
        return self.fisher_product(theta, vector)

    def connection(self, theta: Any, vector: Any, a: float = 0.0) -> np.ndarray:
        """The lowered connection product; see :class:`Problem`."""
        if self._connection is None:
            self._lack("connection")
        if a:
            raise UnsupportedError("an OperatorProblem has the Levi-Civita connection only: a must be 0")
        point = self._point(theta)
        return self._vector(
            self._connection(point, self._vector(vector, point, "the vector is")), point, "connection returned"
        )

    def reason(self, primitive: str, theta: Any, *arguments: Any, **options: Any) -> Status:
        """Why a primitive gives numbers that are not finite, although its arguments are; some are computed again.

        Parameters
        ----------
        primitive : str
            Its name.
        theta, *arguments, **options
            What it was given.

        Returns
        -------
        Status
            ``NON_FINITE`` where a user's function gives such numbers; else ``SINGULAR_METRIC`` for a linear solve, and
            ``DIVERGED`` for an exact integration, which stops short where anything on its way does.
        """
        point = self._point(theta)
        if primitive in INTEGRATED:
            primitive, arguments = ("natural_gradient", ()) if primitive == "flow" else ("acceleration", arguments[:1])
            if np.all(np.isfinite(getattr(self, primitive)(point, *arguments))):
                return Status.DIVERGED
        if primitive == "raise_index":
            covector = arguments[0]
        elif primitive == "natural_gradient":
            covector = self.gradient(point)
        elif primitive in ("acceleration", "exp_series"):
            covector = self.connection(point, arguments[0])
        else:
            return Status.NON_FINITE
        if np.all(np.isfinite(covector)) and np.all(np.isfinite(self.fisher_product(point, covector))):
            return Status.SINGULAR_METRIC
        return Status.NON_FINITE

    def _lack(self, primitive: str) -> NoReturn:
        argument = "fisher_product" if primitive == "raise_index" else primitive
        raise UnsupportedError(f"this OperatorProblem does not offer {primitive!r}: it was made without {argument}=")


class _OperatorPoint(Point):
    """A point whose metric is known by a user's products."""

    problem: OperatorProblem

    @cached_property
    def metric(self) -> OperatorMetric:
        """The metric, by the products and the solver of the problem; see :class:`Point`."""
        problem, theta = self.problem, self.theta

        def solver(product: Product, right: Any, **options: Any) -> Solution:
            found = as_solution(problem.solver(product, problem._vector(right, theta, "the covector is"), **options))
            return dataclasses.replace(found, x=problem._vector(found.x, theta, "solver returned"))

        return OperatorMetric(lambda v: problem.fisher_product(theta, v), len(theta), solver)
