"""Path: where a step leads, as a curve of which a fraction can be taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Path"]


@dataclass(frozen=True, eq=False)
class Path:
    """The curve θ + t v + ½ t² a from a point, a straight line where there is no a.

    Attributes
    ----------
    theta : array, shape (n,)
        The point.
    velocity : array, shape (n,)
        v.
    acceleration : array, shape (n,), or None
        a, the geodesic correction.
    """

    theta: Any
    velocity: Any
    acceleration: Any = None

    def at(self, t: Any) -> Any:
        """The point after a time."""
        straight = self.theta + t * self.velocity
        return straight if self.acceleration is None else straight + 0.5 * t**2 * self.acceleration
