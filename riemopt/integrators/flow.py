"""The natural gradient flow itself."""

from __future__ import annotations

from math import inf
from typing import Any

from riemopt.integrators.base import Integrator, Orders, register

__all__ = ["ExactFlow"]


@register("ng-exact")
class ExactFlow(Integrator):
    """The natural gradient flow θ̇ = -g⁻¹∂L, solved for a time h to the tolerance of the problem's integration.

    Exactly invariant. Equation (5) of the paper.
    """

    needs = ("gradient", "raise_index", "flow")
    orders = Orders(flow=inf, riemannian_euler=1, invariance=inf)

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        return problem.flow(theta, h), memory
