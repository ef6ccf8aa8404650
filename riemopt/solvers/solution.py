"""What a linear solver gives back: the solution, how it ended, and what it was asked to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riemopt.status import Status

__all__ = ["Solution", "as_solution"]


@dataclass(frozen=True, eq=False)
class Solution:
    """The solution of a linear system A x = b, wherever NumPy takes an array the array x.

    Attributes
    ----------
    x : array, shape (n,)
        The solution; NaN where there is none to be trusted.
    status : Status
        ``CONVERGED``; ``COMPLETED`` where as many iterations were made as were allowed, and their last iterate was
        asked for; ``SINGULAR_METRIC`` where A is not positive definite to working precision; ``NON_FINITE``;
        ``DIVERGED`` where the wanted residual was not met.
    iterations : int
        The products with A that were made; 0 for a direct method.
    residual : float
        ``|b - A x| / |b|`` in the 2-norm, as the solver knows it; NaN if it does not.
    iterates : mapping of int to array
        The iterates that were to be kept, by their iteration; the last one among them.

    Examples
    --------
    >>> import numpy as np
    >>> import riemopt as ro
    >>> solution = ro.ConjugateGradient()(lambda v: np.array([1.0, 4.0]) * v, [1.0, 1.0])
    >>> solution.x, solution.iterations, solution.status.name
    (array([1.  , 0.25]), 2, 'CONVERGED')
    """

    x: Any
    status: Status = Status.CONVERGED
    iterations: int = 0
    residual: float = np.nan
    iterates: Mapping[int, Any] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether x can be trusted."""
        return self.status.success

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.x, dtype=dtype) if copy else np.asarray(self.x, dtype=dtype)


def as_solution(found: Any) -> Solution:
    """What a solver returned: a :class:`Solution`, or an array, which counts as one that converged."""
    return found if isinstance(found, Solution) else Solution(found)
