"""Explicit Runge–Kutta methods for the natural gradient flow, from their tableaux."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riemopt.errors import ArgumentError, UnknownNameError
from riemopt.integrators.base import Integrator, Orders, register
from riemopt.numerics.tableaux import CLASSICAL, DORMAND_PRINCE_5, DORMAND_PRINCE_853, HEUN, NYSTROM, Row, Tableau

__all__ = ["RungeKutta", "moved"]

_TABLEAUX: Mapping[str, Tableau] = {
    "heun": HEUN,
    "rk4": CLASSICAL,
    "rk5": NYSTROM,
    "dopri5": DORMAND_PRINCE_5,
    "dop853": DORMAND_PRINCE_853,
}


def _registered(cls: type[Integrator]) -> type[Integrator]:
    for key in _TABLEAUX:
        register(key, tableau=key)(cls)
    return cls


@_registered
class RungeKutta(Integrator):
    """A Runge–Kutta method for the natural gradient flow: θ + h Σ b_i k_i with k_i = v(θ + h Σ a_ij k_j), v = -g⁻¹∂L.

    Its order for the flow and its order of invariance are the order of the tableau; order 1 for the Riemannian Euler
    method.

    Parameters
    ----------
    tableau : str or Tableau
        ``"heun"`` of order 2, ``"rk4"``, ``"rk5"``, Dormand and Prince's ``"dopri5"`` and ``"dop853"`` of orders 5 and
        8, or a tableau of your own.

    Raises
    ------
    UnknownNameError
        If there is no tableau of that name.
    ArgumentError
        If the weights of a tableau do not add up to 1.

    Examples
    --------
    >>> import riemopt as ro
    >>> ralston = ro.integrators.Tableau(stages=[[2 / 3]], weights=[1 / 4, 3 / 4], order=2)
    >>> ro.integrators.RungeKutta(ralston).orders.invariance
    2
    """

    needs = ("gradient", "raise_index")

    def __init__(self, tableau: str | Tableau) -> None:
        if isinstance(tableau, Tableau):
            if tableau.order < 1:
                raise ArgumentError("the weights of a tableau must add up to 1, or its method goes elsewhere")
            self.tableau, self._name = tableau, repr(tableau)
        elif not isinstance(tableau, str):
            raise ArgumentError(f"a tableau is a key or a riemopt.integrators.Tableau, not {type(tableau).__name__}")
        elif tableau not in _TABLEAUX:
            raise UnknownNameError("tableau", tableau, _TABLEAUX)
        else:
            self.tableau, self._name = _TABLEAUX[tableau], repr(tableau)

    def __repr__(self) -> str:
        return f"RungeKutta({self._name})"

    # an attribute elsewhere: here rooted trees are gone through, which nobody needs for a step
    @property
    def orders(self) -> Orders:  # type: ignore[override]
        """Its orders according to theory."""
        return Orders(flow=self.tableau.order, riemannian_euler=1, invariance=self.tableau.order)

    def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
        """See :class:`riemopt.Integrator`."""
        velocities: list[Any] = []
        for row in ({}, *self.tableau.stages):
            velocities.append(-problem.natural_gradient(moved(theta, h, row, velocities)))
        return moved(theta, h, self.tableau.weights, velocities), memory


def moved(theta: Any, h: Any, row: Row, velocities: list[Any]) -> Any:
    """θ + h Σ c_i k_i."""
    if not row:
        return theta
    return theta + h * sum(coefficient * velocities[stage] for stage, coefficient in row.items())
