"""Optimizers from elsewhere, as integrators."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from riemopt.errors import ArgumentError
from riemopt.integrators.base import Integrator

__all__ = ["OptimizerStep"]

Step = Callable[[Any, Any], Any]


class OptimizerStep(Integrator):
    """An optimizer given as a function ``step(theta, gradient) -> theta``: Adam, momentum, L-BFGS, Newton's method.

    What it remembers of the steps before is its own: each trajectory has a `step` of its own.

    Parameters
    ----------
    step : callable, optional
        ``step(theta, gradient) -> theta``, which the step size scales: θ + h (step(θ, ∂L) - θ). Each trajectory works
        on a deep copy, so an object with ``__call__`` may keep a state; what a function keeps in its closure would
        outlive the trajectory.
    make : callable, optional
        ``make(problem, h) -> step`` instead: called at the start of each trajectory. `h` is the step size, to be used
        or not; `problem` has :meth:`~riemopt.Problem.loss` and the rest at other points.
    name : str, optional
        What to call it.

    Raises
    ------
    ArgumentError
        Unless there is one of `step` and `make`.

    Examples
    --------
    >>> import riemopt as ro
    >>> class Momentum:
    ...     velocity = 0.0
    ...     def __call__(self, theta, gradient):
    ...         self.velocity = 0.9 * self.velocity - gradient
    ...         return theta + self.velocity
    >>> model = ro.models.Poisson()
    >>> problem = ro.Manifold(model, backend="numpy").likelihood([3, 4, 5])
    >>> trajectory = ro.minimize(problem, ro.integrators.OptimizerStep(Momentum()), [1.0], step_size=0.1, steps=300)
    >>> trajectory.x.round(3)
    array([4.])
    """

    needs = ("gradient",)
    traceable = False
    recovers = True  # a line search may look outside

    def __init__(
        self, step: Step | None = None, *, make: Callable[[Any, float], Step] | None = None, name: str = ""
    ) -> None:
        given = make if step is None else step
        if (step is None) == (make is None) or not callable(given):
            raise ArgumentError(
                "an optimizer is step(theta, gradient), or make=: make(problem, h) -> step; one of them"
            )
        self._step, self._make = step, make
        self.name = name or getattr(given, "__name__", type(given).__name__)

    def __repr__(self) -> str:
        return f"OptimizerStep({self.name})"

    def init(self, problem: Any, theta: Any, h: Any) -> Any:
        """The step of a new trajectory."""
        if self._make is not None:
            return self._make(problem, h)
        step: Any = copy.deepcopy(self._step)
        return lambda theta, gradient: theta + h * (step(theta.copy(), gradient) - theta)

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        return memory(theta.copy(), problem.gradient(theta)), memory
