"""Steps along geodesics: the Riemannian Euler method and its second-order approximations."""

from __future__ import annotations

from typing import Any, ClassVar

from riemopt.integrators.base import Integrator, register

__all__ = ["FasterGeodesicCorrection", "GeodesicCorrection", "RiemannianEuler"]


@register("geo")
class GeodesicCorrection(Integrator):
    """The natural gradient with geodesic correction, θ + h v - ½ h² g⁻¹Γ(v) with v = -g⁻¹∂L.

    Order 2 for the Riemannian Euler method, 1 for the natural gradient flow; order of invariance 2. Equation (7) of
    the paper.
    """

    needs: ClassVar[tuple[str, ...]] = ("gradient", "raise_index", "connection")

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        v = -problem.natural_gradient(theta)
        return theta + h * v + 0.5 * h**2 * problem.acceleration(theta, v), memory


@register("geof")
class FasterGeodesicCorrection(Integrator):
    """The faster geodesic correction, θ + h δ with δ = g⁻¹(-∂L - ½ h Γ(δ₋)): one linear solve a step.

    δ₋ = (θ - θ₋)/h is the step before; the first step takes δ₋ = v = -g⁻¹∂L and thereby equals ``geo``. Order 2 for the
    Riemannian Euler method, 1 for the natural gradient flow; order of invariance 2. Equation (12) of the paper; the
    second factor λ that its equation (8) prints does not belong there.
    """

    needs: ClassVar[tuple[str, ...]] = ("gradient", "raise_index", "connection")

    def init(self, problem: Any, theta: Any, h: Any) -> Any:
        """The step before the first one: -g⁻¹∂L."""
        return -problem.natural_gradient(theta)

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        covector = -problem.gradient(theta) - 0.5 * h * problem.connection(theta, memory)
        delta = problem.raise_index(theta, covector)
        return theta + h * delta, delta


@register("geo-exact")
class RiemannianEuler(Integrator):
    """The Riemannian Euler method, Exp(θ, h v) with v = -g⁻¹∂L.

    Parameters
    ----------
    a : float, optional
        Which α-connection's geodesics to follow. 0 is Levi-Civita; 1 and -1 are straight lines in the natural and in
        the mean parameters of an exponential family.

    Notes
    -----
    Exactly invariant; order 1 for the natural gradient flow. Equation (6) of the paper, and Bielecki, "Estimation of
    the Euler method error on a Riemannian manifold", 2002.
    """

    needs: ClassVar[tuple[str, ...]] = ("gradient", "raise_index", "exp")

    def __init__(self, a: float = 0.0) -> None:
        self.a = float(a)

    def __repr__(self) -> str:
        return f"RiemannianEuler(a={self.a:g})" if self.a else "RiemannianEuler()"

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        v = -problem.natural_gradient(theta)
        return (problem.exp(theta, h * v, a=self.a) if self.a else problem.exp(theta, h * v)), memory
