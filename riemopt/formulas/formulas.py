"""What the kernels of a model are built from: a domain, its geometry, and possibly a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from riemopt.formulas.geometry import Geometry, Loss
from riemopt.geometry.isometry import Isometry
from riemopt.kernels.graph.parts import Ode
from riemopt.models.straight_line import StraightLine
from riemopt.numerics.ode import ATOL, RTOL

__all__ = ["Formulas"]


@dataclass(frozen=True, eq=False)
class Formulas:
    """A geometry, and possibly a loss, on a domain.

    What takes time to derive is given as a function, which is called only where it is needed, and often: it should
    remember what it found.

    Attributes
    ----------
    parameters : tuple of sympy.Symbol
        The coordinates of a point.
    margins : tuple of sympy.Expr
        Positive inside the domain.
    geometry : callable
        Gives the metric and its connections.
    loss : Loss, optional
        The loss and its differential.
    data : int, optional
        How many numbers the loss, and possibly the geometry, depend on besides the point.
    isometry : callable, optional
        Gives coordinates in which geodesics are closed forms, or None.
    straight_line : callable, optional
        Takes a; gives the geodesics of the a-connection where they are straight lines in some coordinates, else None.
    rtol, atol : float, optional
        Tolerances of every exact integration, where a program does not take its own.
    odes : dict
        The differential equations that have been derived; see :mod:`riemopt.formulas.equations`.
    """

    parameters: tuple[sp.Symbol, ...]
    margins: tuple[sp.Expr, ...]
    geometry: Callable[[], Geometry]
    loss: Loss | None = None
    data: int = 0
    isometry: Callable[[], Isometry | None] = lambda: None
    straight_line: Callable[[float], StraightLine | None] = lambda a: None
    rtol: float = RTOL
    atol: float = ATOL
    odes: dict[tuple[Any, ...], Ode] = field(init=False, default_factory=dict)

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.parameters)

    def has_closed_form(self, primitive: str, a: float = 0.0) -> bool:
        """Whether `exp` or `transport` takes no integration; see :class:`Problem`."""
        if primitive not in ("exp", "transport"):
            return False
        return self.isometry() is not None if a == 0 else primitive == "exp" and self.straight_line(a) is not None
