"""Why a trajectory ended: the codes that kernels write and people read."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Status", "counted"]


class Status(enum.IntEnum):
    """Why a trajectory ended.

    Attributes
    ----------
    meaning : str
        The status in words.

    Examples
    --------
    >>> Status(2)
    <Status.LEFT_DOMAIN: 2>
    >>> Status.LEFT_DOMAIN.meaning
    'a point, or a point that a step had to look at, lies outside the domain'
    """

    meaning: str

    COMPLETED = 0, "all steps were taken"
    CONVERGED = 1, "the Riemannian norm of the gradient fell under the tolerance"
    LEFT_DOMAIN = 2, "a point, or a point that a step had to look at, lies outside the domain"
    SINGULAR_METRIC = 3, "the metric is singular or not positive definite to working precision"
    NON_FINITE = 4, "a number is not finite"
    DIVERGED = 5, "an exact integration did not come to its end within its limit of work"
    STALLED = 6, "no step lowers the loss, although its gradient has not vanished"
    STOPPED = 7, "the callback, or somebody at the keyboard, ended it"

    def __new__(cls, value: int, meaning: str = "") -> Status:
        """A member from its code and its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    __str__ = enum.Enum.__str__

    @property
    def success(self) -> bool:
        """Whether every number up to the end can be trusted."""
        return self in (Status.COMPLETED, Status.CONVERGED, Status.STALLED, Status.STOPPED)


def counted(status: Any, meaning: Callable[[Status], str]) -> str:
    """The status of one computation in words; for an array of them, how often there is which.

    Examples
    --------
    >>> counted(np.array([0, 2, 0]), lambda status: status.name)
    '2 of 3: COMPLETED; 1 of 3: LEFT_DOMAIN'
    """
    if isinstance(status, Status):
        return meaning(status)
    values, counts = np.unique(status, return_counts=True)
    total = int(np.size(status))
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return "; ".join(f"{count} of {total}: {meaning(Status(int(value)))}" for value, count in pairs)
