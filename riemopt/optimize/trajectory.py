"""Trajectory: what a run leaves behind."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riemopt.numerics.arrays import unboxed
from riemopt.problem.evaluations import Evaluations
from riemopt.status import Status, counted

__all__ = ["Trajectory"]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The points and losses of one trajectory, or of a batch of them.

    Attributes
    ----------
    points : array, shape (..., steps + 1, n)
        Every point, the start first; NaN from where a trajectory failed. With ``keep="last"`` the end only, (..., 1,
        n).
    losses : array, shape (..., steps + 1)
        The losses there, in nats; with ``keep="last"`` (..., 1).
    status : array of int, shape (...)
        Why each trajectory ended, as values of :class:`riemopt.Status`; a :class:`riemopt.Status` for a single one.
    evaluations : Evaluations
        What each has asked of the problem, counts of shape (...); see :class:`riemopt.problem.Evaluations`.
    compiled : bool
        Whether the rule was traced, and whole trajectories ran in one kernel.
    obstacle : str
        Why not, with the line of the rule if there is one; empty if it was.
    """

    points: np.ndarray
    losses: np.ndarray
    status: Any
    evaluations: Evaluations = field(default_factory=Evaluations)
    compiled: bool = False
    obstacle: str = ""

    @property
    def x(self) -> np.ndarray:
        """The ends, shape (..., n); NaN for a trajectory that failed."""
        return self.points[..., -1, :]

    @property
    def loss(self) -> Any:
        """The losses at the ends, shape (...); NaN for a trajectory that failed."""
        return unboxed(self.losses[..., -1])

    @property
    def success(self) -> Any:
        """Whether a trajectory came to its end, shape (...)."""
        if isinstance(self.status, Status):
            return self.status.success
        return functools.reduce(np.logical_or, (self.status == int(s) for s in Status if s.success))

    @property
    def message(self) -> str:
        """The status in words; for a batch, how often there is which."""
        return counted(self.status, lambda status: status.meaning)

    def __repr__(self) -> str:
        return f"Trajectory(points={self.points.shape}, {self.message})"
