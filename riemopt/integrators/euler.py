"""First-order steps along a straight line in the chart: gradient descent and the natural gradient."""

from __future__ import annotations

from typing import Any

from riemopt.integrators.base import Orders, PathIntegrator, register
from riemopt.integrators.path import Path

__all__ = ["GradientDescent", "NaturalGradient"]


@register("gd")
class GradientDescent(PathIntegrator):
    """Gradient descent, θ - h ∂L: the forward Euler method for a flow that depends on the chart.

    Order 1 for the gradient flow, equation (4) of the paper; not invariant at any order.
    """

    needs = ("gradient",)
    orders = Orders(flow=0, riemannian_euler=0, invariance=0)

    def path(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Path, Any]:
        """See :class:`riemopt.Integrator`."""
        return Path(theta, -problem.gradient(theta)), memory


@register("ng")
class NaturalGradient(PathIntegrator):
    """The natural gradient, θ - h g⁻¹∂L: the forward Euler method for the natural gradient flow.

    Order 1 for the flow and for the Riemannian Euler method; order of invariance 1. Equation (5) of the paper, and
    Amari, "Natural Gradient Works Efficiently in Learning", 1998.
    """

    needs = ("gradient", "raise_index")
    orders = Orders(flow=1, riemannian_euler=1, invariance=1)

    def path(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Path, Any]:
        """See :class:`riemopt.Integrator`."""
        return Path(theta, -problem.natural_gradient(theta)), memory
