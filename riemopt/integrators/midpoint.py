"""The midpoint method for the natural gradient flow."""

from __future__ import annotations

from typing import Any, ClassVar

from riemopt.integrators.base import Integrator, register

__all__ = ["Midpoint"]


@register("mid")
class Midpoint(Integrator):
    """The explicit midpoint method, θ + h v(θ + ½ h v(θ)) with v = -g⁻¹∂L.

    Order 2 for the natural gradient flow; order of invariance 2. Section 3 of the paper.
    """

    needs: ClassVar[tuple[str, ...]] = ("gradient", "raise_index")

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        halfway = theta - 0.5 * h * problem.natural_gradient(theta)
        return theta - h * problem.natural_gradient(halfway), memory
