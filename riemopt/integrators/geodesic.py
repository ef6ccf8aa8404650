"""Steps along geodesics: the Riemannian Euler method and its approximations."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError
from riemopt.integrators.base import Integrator, Orders, PathIntegrator, register
from riemopt.integrators.path import Path

__all__ = ["FasterGeodesicCorrection", "GeodesicCorrection", "GeodesicSeries", "RiemannianEuler"]


@register("geo")
class GeodesicCorrection(PathIntegrator):
    """The natural gradient with geodesic correction, θ + h v - ½ h² g⁻¹Γ(v) with v = -g⁻¹∂L.

    Order 2 for the Riemannian Euler method, 1 for the natural gradient flow; order of invariance 2. Equation (7) of
    the paper.
    """

    needs = ("gradient", "raise_index", "connection")
    orders = Orders(flow=1, riemannian_euler=2, invariance=2)

    def path(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Path, Any]:
        """See :class:`riemopt.Integrator`."""
        v = -problem.natural_gradient(theta)
        return Path(theta, v, problem.acceleration(theta, v)), memory


@register("geof")
class FasterGeodesicCorrection(PathIntegrator):
    """The faster geodesic correction, θ + h δ with δ = g⁻¹(-∂L - ½ h Γ(δ₋)): one linear solve a step.

    δ₋ = (θ - θ₋)/h is the step before; the first step takes δ₋ = v = -g⁻¹∂L and thereby equals ``geo``. Order 2 for the
    Riemannian Euler method, 1 for the natural gradient flow; order of invariance 2. Equation (12) of the paper; the
    second factor λ that its equation (8) prints does not belong there.
    """

    needs = ("gradient", "raise_index", "connection")
    orders = Orders(flow=1, riemannian_euler=2, invariance=2)

    def init(self, problem: Any, theta: Any, h: Any) -> Any:
        """The step before the first one: -g⁻¹∂L."""
        return -problem.natural_gradient(theta)

    def path(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Path, Any]:
        """See :class:`riemopt.Integrator`."""
        covector = -problem.gradient(theta) - 0.5 * h * problem.connection(theta, memory)
        delta = problem.raise_index(theta, covector)
        return Path(theta, delta), delta

    def remember(self, path: Path, t: Any, h: Any, memory: Any) -> Any:
        """The step actually taken, in units of h; see :class:`riemopt.Integrator`."""
        return t / h * path.velocity


@register("geo5", order=5)
@register("geo4", order=4)
@register("geo3", order=3)
class GeodesicSeries(Integrator):
    """The Riemannian Euler method with Exp(θ, h v) cut off after h^p, v = -g⁻¹∂L.

    The derivatives of the geodesic come from differentiating the geodesic equation symbolically. Order p for the
    Riemannian Euler method, 1 for the natural gradient flow; order of invariance p. With p = 1 it is ``ng``, with p = 2
    ``geo``; from p = 3 on it needs a problem that a log-density or outputs have given.

    Parameters
    ----------
    order : int, optional
        p, at least 1.

    Raises
    ------
    ArgumentError
        If the order is not a whole number of at least 1.
    """

    def __init__(self, order: int = 3) -> None:
        if not (isinstance(order, (int, np.integer)) and order >= 1):
            raise ArgumentError(f"order must be a whole number of at least 1, not {order!r}")
        self.order = int(order)
        # products with the connection suffice up to order 2
        self.needs = ("gradient", "raise_index", "connection", "exp_series")[: min(self.order, 3) + 1]
        self.orders = Orders(flow=1, riemannian_euler=self.order, invariance=self.order)

    def __repr__(self) -> str:
        return f"GeodesicSeries(order={self.order})"

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        return problem.exp_series(theta, -h * problem.natural_gradient(theta), order=self.order), memory


@register("mirror-dual", a=1.0)
@register("mirror", a=-1.0)
@register("geo-exact")
class RiemannianEuler(Integrator):
    """The Riemannian Euler method, Exp(θ, h v) with v = -g⁻¹∂L.

    Parameters
    ----------
    a : float, optional
        Which α-connection's geodesics to follow. 0 is Levi-Civita; 1 and -1 are straight lines in the natural and in
        the mean parameters of an exponential family. With a = -1 this is :class:`MirrorDescent` on the natural
        parameters, with the log-partition as the potential; with a = 1 it is its dual, on the mean parameters.

    Notes
    -----
    Exactly invariant; order 1 for the natural gradient flow. Equation (6) of the paper, and Bielecki, "Estimation of
    the Euler method error on a Riemannian manifold", 2002.
    """

    needs = ("gradient", "raise_index", "exp")

    def __init__(self, a: float = 0.0) -> None:
        self.a = float(a)
        self.orders = Orders(flow=1, riemannian_euler=1 if self.a else inf, invariance=inf)

    def __repr__(self) -> str:
        return f"RiemannianEuler(a={self.a:g})" if self.a else "RiemannianEuler()"

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        v = -problem.natural_gradient(theta)
        return (problem.exp(theta, h * v, a=self.a) if self.a else problem.exp(theta, h * v)), memory
