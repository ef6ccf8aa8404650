"""Midpoint methods for the natural gradient flow: along straight lines in the chart, and along geodesics."""

from __future__ import annotations

from math import inf
from typing import Any

from riemopt.integrators.base import Integrator, Orders, register

__all__ = ["Midpoint", "RiemannianMidpoint"]


@register("mid")
class Midpoint(Integrator):
    """The explicit midpoint method, θ + h v(θ + ½ h v(θ)) with v = -g⁻¹∂L.

    Order 2 for the natural gradient flow; order of invariance 2. Section 3 of the paper.
    """

    needs = ("gradient", "raise_index")
    orders = Orders(flow=2, riemannian_euler=1, invariance=2)

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        halfway = theta - 0.5 * h * problem.natural_gradient(theta)
        return theta - h * problem.natural_gradient(halfway), memory


@register("mid-exact")
class RiemannianMidpoint(Integrator):
    """The midpoint method along geodesics: Exp(θ, h w), w the v = -g⁻¹∂L of q = Exp(θ, ½ h v(θ)) carried back to θ.

    Order 2 for the natural gradient flow, and exactly invariant. With straight lines for geodesics it is ``mid``.

    References
    ----------
    Munthe-Kaas, "High order Runge-Kutta methods on manifolds", 1999, has midpoint rules on homogeneous spaces; with a
    connection's parallel transport for the group's action the same expansion gives the same order.
    """

    needs = ("gradient", "raise_index", "exp", "transport")
    orders = Orders(flow=2, riemannian_euler=1, invariance=inf)

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        half = -0.5 * h * problem.natural_gradient(theta)
        halfway = problem.exp(theta, half)
        back = -problem.transport(theta, half, half)  # a geodesic carries its own velocity
        w = -problem.transport(halfway, back, problem.natural_gradient(halfway))
        return problem.exp(theta, h * w), memory
