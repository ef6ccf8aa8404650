"""What a geometric computation knows beside its numbers: why one is missing, and how well one is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.numerics.arrays import unboxed
from riemopt.status import Status, counted

__all__ = ["GeodesicInfo", "LogInfo", "searched"]

_FOUND = {
    Status.COMPLETED: "found",
    Status.LEFT_DOMAIN: "the point or the target lies outside the domain",
    Status.DIVERGED: "no geodesic to the target was found",
}


@dataclass(frozen=True, eq=False)
class GeodesicInfo:
    """When geodesics are inside the domain.

    Attributes
    ----------
    status : array of int, shape (...)
        ``Status.COMPLETED`` for a geodesic that is inside at all times that were asked for, else why it is not, as
        values of :class:`riemopt.Status`; a :class:`riemopt.Status` for a single one.
    entry_time, exit_time : array, shape (...)
        The last time before 0 and the first time after 0 at which a geodesic is not inside; infinite where there is
        none or, for geodesics that are integrated, none in the span of times that was asked for. NaN for a geodesic
        that starts outside.
    """

    status: Any
    entry_time: Any
    exit_time: Any

    @property
    def message(self) -> str:
        """The status in words; for a batch, how often there is which."""
        return counted(self.status, lambda status: status.meaning if status else "inside the domain")

    def reshaped(self, batch: tuple[int, ...]) -> GeodesicInfo:
        """The same with other leading axes."""
        times = (unboxed(np.reshape(t, batch)) for t in (self.entry_time, self.exit_time))
        return GeodesicInfo(_reshaped(self.status, batch), *times)


@dataclass(frozen=True, eq=False)
class LogInfo:
    """How the search for geodesics to targets ended.

    Attributes
    ----------
    status : array of int, shape (...)
        ``Status.COMPLETED`` where one was found; ``LEFT_DOMAIN`` where the point or the target is outside;
        ``DIVERGED`` where none was found. A :class:`riemopt.Status` for a single one.
    error : array, shape (...)
        The Riemannian length of the last correction of the velocity, an estimate of its error; 0 for closed forms.
    """

    status: Any
    error: Any

    @property
    def message(self) -> str:
        """The status in words; for a batch, how often there is which."""
        return counted(self.status, _FOUND.__getitem__)

    def reshaped(self, batch: tuple[int, ...]) -> LogInfo:
        """The same with other leading axes."""
        return LogInfo(_reshaped(self.status, batch), unboxed(np.reshape(self.error, batch)))


def searched(found: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The statuses of searches: whether a geodesic was found, and whether the point and the target are inside."""
    status = np.zeros(found.shape, dtype=np.int64, like=found)
    status[~found] = int(Status.DIVERGED)
    status[~inside] = int(Status.LEFT_DOMAIN)
    return status


def _reshaped(status: np.ndarray, batch: tuple[int, ...]) -> Any:
    array = np.reshape(status, batch)
    return array if batch else Status(int(array))
