"""How far to go along a step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from riemopt.errors import ArgumentError

__all__ = ["Backtracking"]


@dataclass(frozen=True)
class Backtracking:
    """Shorten a step until the loss falls enough: the rule of Armijo.

    Parameters
    ----------
    rate : float, optional
        The fraction of the step that is tried first.
    factor : float, optional
        What the rate is multiplied by, between 0 and 1, as long as the loss does not fall enough.
    fraction : float, optional
        How much is enough: this much of what the slope at the start promises.
    max_reductions : int, optional
        How often the rate may be reduced.

    Raises
    ------
    ArgumentError
        If one of them is out of its range.

    References
    ----------
    Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", 1966. The default values
    are those of Martens, "Deep learning via Hessian-free optimization", 2010.

    Examples
    --------
    From x = 1 towards -9, ten times too far for f(x) = x²:

    >>> import riemopt as ro
    >>> search = ro.Backtracking(factor=0.5)
    >>> search(lambda rate: (1.0 - 10.0 * rate) ** 2, loss=1.0, slope=-20.0)
    (0.125, 0.0625)
    """

    rate: float = 1.0
    factor: float = 0.8
    fraction: float = 1e-2
    max_reductions: int = 60

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < math.inf:
            raise ArgumentError(f"rate must be positive and finite, not {self.rate!r}")
        for name, value in (("factor", self.factor), ("fraction", self.fraction)):
            if not 0.0 < value < 1.0:
                raise ArgumentError(f"{name} must lie between 0 and 1, not {value!r}")
        if not (isinstance(self.max_reductions, int) and self.max_reductions >= 0):
            raise ArgumentError(f"max_reductions must be a whole number of at least 0, not {self.max_reductions!r}")

    def __call__(self, along: Callable[[float], float], loss: float, slope: float) -> tuple[float, float]:
        """The first rate at which the loss falls enough.

        Parameters
        ----------
        along : callable
            The loss at a rate of the step. What is not finite is never low enough.
        loss : float
            The loss at rate 0.
        slope : float
            Its derivative there by the rate, negative.

        Returns
        -------
        tuple of float
            The rate and the loss there; 0 and `loss` if there is none.
        """
        rate = self.rate
        for _ in range(self.max_reductions + 1):
            found = float(along(rate))
            if math.isfinite(found) and found <= loss + self.fraction * rate * slope:
                return rate, found
            rate *= self.factor
        return 0.0, loss
