"""Optimizers of optax as integrators, whose memory is arrays and so can be written to a checkpoint."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from riemopt.errors import ArgumentError
from riemopt.integrators import Integrator

__all__ = ["OptimizerStep"]


class OptimizerStep(Integrator):
    """An optimizer of optax, θ + h u with its update u.

    Parameters
    ----------
    transform : optax.GradientTransformation
        Anything with ``init(parameters)`` and ``update(gradient, state, parameters)``; the step size h multiplies its
        learning rate.
    name : str, optional
        What to call it.

    Raises
    ------
    ArgumentError
        If it has not these two.

    Notes
    -----
    The gradient is that of all the cases, as every integrator's. The state of the transformation goes through the
    memory of the rule as a list of arrays, so that a run can be written to a checkpoint and go on.

    Examples
    --------
    >>> import optax
    >>> import riemopt as ro
    >>> problem = ro.OperatorProblem(loss=lambda x: float(x @ x / 2), gradient=lambda x: x)
    >>> rule = ro.autodiff.jax.OptimizerStep(optax.sgd(0.5), name="sgd")
    >>> ro.minimize(problem, rule, start=[1.0, 1.0], step_size=1.0, steps=2).losses
    array([1.    , 0.25  , 0.0625])
    """

    needs = ("gradient",)
    traceable = False

    def __init__(self, transform: Any, name: str = "") -> None:
        if not (callable(getattr(transform, "init", None)) and callable(getattr(transform, "update", None))):
            raise ArgumentError(f"an optimizer of optax has init and update; {transform!r:.80} has not")
        self._transform = transform
        self.name = name or "optax"
        self._update = jax.jit(self._updated)

    def __repr__(self) -> str:
        return f"OptimizerStep({self.name})"

    def init(self, problem: Any, theta: Any, h: Any) -> list[Any]:
        """The state of the transformation before the first step, as a list of arrays."""
        leaves: list[Any] = jax.tree_util.tree_leaves(self._transform.init(jnp.asarray(theta)))
        return leaves

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        point = jnp.asarray(theta)
        end, memory = self._update(point, jnp.asarray(problem.gradient(theta)), h, memory)
        return problem.arrays.asarray(end, dtype=theta.dtype), memory

    def _updated(self, theta: Any, gradient: Any, h: Any, memory: list[Any]) -> tuple[Any, list[Any]]:
        layout = jax.tree_util.tree_structure(jax.eval_shape(self._transform.init, theta))
        state = jax.tree_util.tree_unflatten(layout, memory)
        update, state = self._transform.update(gradient, state, theta)
        return theta + jnp.asarray(h, theta.dtype) * update, jax.tree_util.tree_leaves(state)
