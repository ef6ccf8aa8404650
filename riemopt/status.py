"""Why a trajectory ended: the codes that kernels write and people read."""

from __future__ import annotations

import enum

__all__ = ["Status"]


class Status(enum.IntEnum):
    """Why a trajectory ended.

    Examples
    --------
    >>> Status(2)
    <Status.LEFT_DOMAIN: 2>
    >>> Status.LEFT_DOMAIN.meaning
    'a point, or a point that a step had to look at, lies outside the domain'
    """

    COMPLETED = 0
    CONVERGED = 1
    LEFT_DOMAIN = 2
    SINGULAR_METRIC = 3
    NON_FINITE = 4
    DIVERGED = 5

    @property
    def meaning(self) -> str:
        """The status in words."""
        return _MEANINGS[self]

    @property
    def success(self) -> bool:
        """Whether every number up to the end can be trusted."""
        return self in (Status.COMPLETED, Status.CONVERGED)


_MEANINGS = {
    Status.COMPLETED: "all steps were taken",
    Status.CONVERGED: "the Riemannian norm of the gradient fell under the tolerance",
    Status.LEFT_DOMAIN: "a point, or a point that a step had to look at, lies outside the domain",
    Status.SINGULAR_METRIC: "the metric is singular or not positive definite to working precision",
    Status.NON_FINITE: "a number is not finite",
    Status.DIVERGED: "an exact integration did not come to its end within its limit of work",
}
