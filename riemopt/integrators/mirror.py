"""Mirror descent in its textbook form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riemopt.integrators.base import Integrator

__all__ = ["MirrorDescent"]


class MirrorDescent(Integrator):
    """Mirror descent, ∇Φ(θ₊) = ∇Φ(θ) - h ∂L(θ) with a convex potential Φ: a gradient step beyond a mirror.

    In the natural parameters of an exponential family, with its log-partition as Φ, the mirror ∇Φ gives the mean
    parameters, and this is :class:`RiemannianEuler` with a = -1; on the mean parameters, with the dual of the
    log-partition, it is that with a = 1. Order 1 for the natural gradient flow of the metric ∂²Φ. A mirror belongs to
    one chart: in others it is another method.

    Parameters
    ----------
    mirror : callable
        ∇Φ, from points (n,) to covectors (n,).
    inverse : callable
        Its inverse ∇Φ*.

    References
    ----------
    Nemirovski and Yudin, "Problem Complexity and Method Efficiency in Optimization", 1983; Raskutti and Mukherjee, "The
    information geometry of mirror descent", 2015, for what it has to do with the natural gradient.

    Examples
    --------
    The probabilities of two outcomes by exponentiated gradients, with log-odds as the mirror:

    >>> import numpy as np
    >>> import riemopt as ro
    >>> from scipy.special import expit, logit
    >>> problem = ro.Manifold(ro.models.Bernoulli(), backend="numpy").likelihood([0, 1, 1, 1])
    >>> ro.minimize(problem, ro.integrators.MirrorDescent(logit, expit), [0.5], step_size=0.5, steps=50).x.round(3)
    array([0.75])
    """

    needs = ("gradient",)
    traceable = False

    def __init__(self, mirror: Callable[[Any], Any], inverse: Callable[[Any], Any]) -> None:
        self.mirror, self.inverse = mirror, inverse

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        return self.inverse(self.mirror(theta) - h * problem.gradient(theta)), memory
