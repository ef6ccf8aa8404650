"""The protocol: the primitives at a point that integrators combine."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from riemopt.errors import UnsupportedError

__all__ = ["PRIMITIVES", "Problem"]

PRIMITIVES = ("loss", "gradient", "raise_index", "connection", "exp", "flow")
"""What a problem may offer, and an integrator may need."""


class Problem:
    """A loss on a Riemannian manifold, as primitives at a point.

    Points, vectors and covectors are coordinates, arrays of shape ``(n,)``. A subclass overrides the primitives it can
    compute and names them in `offers`; the others raise :class:`~riemopt.errors.UnsupportedError`.

    Attributes
    ----------
    dimension : int or None
        n, or None if only a point tells.
    offers : frozenset of str
        The primitives that can be computed: some of `loss`, `gradient`, `raise_index`, `connection`, `exp`, `flow`.
    dtype : numpy.dtype or None
        What it computes in, or None if that is the precision of the point.
    """

    dimension: int | None = None
    dtype: np.dtype | None = None
    offers: frozenset[str] = frozenset()

    def loss(self, theta: Any) -> Any:
        """The loss L at a point, in nats for likelihoods."""
        self._lack("loss")

    def gradient(self, theta: Any) -> Any:
        """The differential of the loss, a covector."""
        self._lack("gradient")

    def raise_index(self, theta: Any, covector: Any) -> Any:
        """The vector g⁻¹c of a covector c: one linear solve with the metric."""
        self._lack("raise_index")

    def connection(self, theta: Any, vector: Any) -> Any:
        """The lowered connection product Γ_ν(v) = Γ_ναβ v^α v^β of a vector, a covector."""
        self._lack("connection")

    def exp(self, theta: Any, vector: Any) -> Any:
        """The exponential map: the point that the geodesic from `theta` along `vector` reaches in unit time."""
        self._lack("exp")

    def flow(self, theta: Any, time: Any) -> Any:
        """The point that the natural gradient flow θ̇ = -g⁻¹∂L reaches from `theta` in a time."""
        self._lack("flow")

    def natural_gradient(self, theta: Any) -> Any:
        """The natural gradient g⁻¹∂L, a vector."""
        return self.raise_index(theta, self.gradient(theta))

    def acceleration(self, theta: Any, velocity: Any) -> Any:
        """The right-hand side of the geodesic equation θ̈ = -g⁻¹Γ(θ̇), equation (1) of the paper."""
        return -self.raise_index(theta, self.connection(theta, velocity))

    def contains(self, theta: Any) -> bool:
        """Whether a point lies in the domain; here, whether it is finite."""
        return bool(np.all(np.isfinite(theta)))

    def _lack(self, primitive: str) -> NoReturn:
        raise UnsupportedError(f"{type(self).__name__} does not offer {primitive!r}")
