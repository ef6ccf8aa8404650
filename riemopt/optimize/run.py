"""Runs: trajectories driven one by one, with whatever the caller asked for beside the rule."""

from __future__ import annotations

import dataclasses
import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from riemopt.errors import ArgumentError
from riemopt.integrators import Integrator
from riemopt.numerics.arrays import copied, on_host
from riemopt.optimize.checkpoint import Checkpoint
from riemopt.optimize.damping import LevenbergMarquardt
from riemopt.optimize.driver import Hook, SpeedBelow, Stepping, drive
from riemopt.optimize.line_search import Backtracking
from riemopt.optimize.progress import Progress, told
from riemopt.optimize.published import PublishedStep, as_published, published_solver
from riemopt.optimize.state import State
from riemopt.optimize.stepping import FixedStep, SearchedStep
from riemopt.optimize.watched import WatchedProblem
from riemopt.problem import Evaluations, Problem
from riemopt.solvers import LinearSolver
from riemopt.status import Status

__all__ = ["Run"]

_WHOLE = Backtracking(fraction=1e-4, max_reductions=0)
"""A step as it is or not at all, for a damping without a line search."""


@dataclass(frozen=True)
class Run:
    """What is to be run; the attributes are the arguments of :func:`riemopt.minimize`."""

    problem: Problem
    rule: Integrator
    steps: int
    keep_all: bool
    tolerance: float | None
    solver: LinearSolver | None = None
    damping: LevenbergMarquardt | None = None
    line_search: Backtracking | None = None
    correction_below: float | None = None
    warm_start: float | None = None
    longest_correction: float | None = None
    seed: int = 0
    callback: Hook | None = None
    progress: bool | Progress = False
    checkpoint: str | os.PathLike[str] | None = None
    faithful: bool = False

    @classmethod
    def published(cls, problem: Problem, rule: Integrator, *rest: Any, **options: Any) -> Run:
        """A run in the ways of the code published with the paper, with its settings where none are given."""
        given = cls(problem, rule, *rest, **options)
        return dataclasses.replace(
            given,
            problem=as_published(problem, rule),
            solver=published_solver(given.solver),
            damping=given.damping or LevenbergMarquardt(),
            line_search=given.line_search or Backtracking(),
            faithful=True,
        )

    @property
    def obstacle(self) -> str:
        """Why whole trajectories cannot be compiled whatever the rule; empty if nothing is in the way."""
        options = ("faithful", "solver", "damping", "line_search", "warm_start", "callback", "progress", "checkpoint")
        given = [f"{name}=" for name in options if getattr(self, name)]
        return f"with {', '.join(given)} steps are taken one by one" if given else ""

    def require_sense(self, batch: tuple[int, ...]) -> None:
        """Raise :class:`~riemopt.errors.ArgumentError` where options do not go together."""
        if self.correction_below is not None and self.damping is None:
            raise ArgumentError("correction_below= is a strength of the damping: give damping=, too")
        decay = self.warm_start
        if decay is not None and not (np.isreal(decay) and 0.0 <= decay <= 1.0):
            raise ArgumentError(f"warm_start must be between 0 and 1, not {decay!r}")
        ratio = self.longest_correction
        if ratio is not None and not (np.isreal(ratio) and ratio > 0.0):
            raise ArgumentError(f"longest_correction must be positive, not {ratio!r}")
        if ratio is not None and self.correction_below is not None:
            raise ArgumentError("longest_correction= is in place of correction_below=: give one of them")
        if ratio is not None and self.damping is None and self.line_search is None:
            raise ArgumentError("longest_correction= is for searched steps: give damping= or line_search=, too")
        if ratio is not None and self.faithful:
            raise ArgumentError("longest_correction= is no way of the published code: leave out faithful=")
        if batch and (self.callback is not None or self.checkpoint is not None):
            raise ArgumentError("callback= and checkpoint= are for one trajectory, not for a batch of them")

    def one_by_one(self, starts: Any, h: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, Evaluations]:
        """Trajectories from starts of shape (batch, n): their points, losses, status and evaluations."""
        arrays, numbers = self.problem.arrays, self.problem.numbers
        kept = self.steps + 1 if self.keep_all else 1
        points = []
        losses = np.full((len(starts), kept), np.nan)
        status = np.empty(len(starts), dtype=np.int64)
        counts = []
        for i, theta in enumerate(starts):
            record = _Record(self.keep_all)
            outcome, evaluations = self._one(theta, float(h[i]), record, alone=len(starts) == 1)
            nowhere = np.nan * theta
            if outcome.success or self.keep_all:
                reached = len(record.losses)
                losses[i, :reached] = record.losses
                if outcome.success:
                    losses[i, reached:] = record.losses[-1]
                    nowhere = record.points[-1]
            else:
                record.points = []
            points.append(arrays.stack([*record.points, *[nowhere] * (kept - len(record.points))]))
            status[i] = int(outcome)
            counts.append(evaluations)
        every = arrays.stack(points) if points else arrays.zeros((0, kept, starts.shape[-1]), dtype=starts.dtype)
        return every, numbers.asarray(losses), numbers.asarray(status), Evaluations.stacked(counts, numbers)

    def _one(self, theta: Any, h: float, record: _Record, alone: bool) -> tuple[Status, Evaluations]:
        """One trajectory; of one alone, an interruption from the keyboard leaves what it has."""
        solver = self.solver
        prepare = None if solver is None else (lambda metric: metric.solved_by(solver))
        decay = self.problem.warm_start if self.warm_start is None else self.warm_start
        watched = WatchedProblem(self.problem, self.rule.recovers, prepare, float(decay))
        record.counts = watched.counts
        state = State(copied(theta), damping=self.damping.initial if self.damping else 0.0, key=self.seed)
        with ExitStack() as stack:
            hooks: list[Hook] = [record]
            if self.checkpoint is not None:
                checkpoint = stack.enter_context(Checkpoint(self.checkpoint, self._identity(theta, h)))
                found = checkpoint.read(theta)
                if found is not None:
                    state, recorded = found
                    record.restore(recorded)
                hooks.append(lambda state: checkpoint.write(state, record))
            if self.callback is not None:
                hooks.append(self.callback)
            tell = stack.enter_context(told(self.progress, self.steps))
            if tell is not None:
                hooks.append(tell)
            stopping = None if self.tolerance is None else SpeedBelow(self.tolerance)
            _, status = drive(
                watched,
                self._stepping(h),
                state,
                steps=self.steps,
                stopping=stopping,
                hooks=hooks,
                interruptible=alone,
            )
        watched.forget()
        return status, watched.evaluations

    def _stepping(self, h: float) -> Stepping:
        if self.damping is None and self.line_search is None:
            return FixedStep(self.rule, h)
        kind = PublishedStep if self.faithful else SearchedStep
        return kind(
            self.rule,
            h,
            self.damping,
            self.line_search or _WHOLE,
            correction_below=self.correction_below,
            controlled=self.longest_correction,
        )

    def _identity(self, theta: Any, h: float) -> dict[str, Any]:
        """What a checkpoint must agree in, so that going on with it is the same run."""
        return {
            "problem": f"{type(self.problem).__name__} {getattr(self.problem, 'digest', '')}".strip(),
            "integrator": repr(self.rule),
            "start": [float(x) for x in theta[:8]],
            "dimension": len(theta),
            "step_size": h,
            "keep": "all" if self.keep_all else "last",
            "damping": repr(self.damping),
            "line_search": repr(self.line_search),
            "solver": re.sub(r" at 0x[0-9a-f]+", "", repr(self.solver)),  # functions by their names alone
            "correction": [self.correction_below, self.longest_correction],
            "warm_start": self.warm_start,
            "seed": self.seed,
            "faithful": self.faithful,
        }


class _Record:
    """The points and losses on the way, or the last ones."""

    def __init__(self, keep_all: bool) -> None:
        self.keep_all = keep_all
        self.points: list[Any] = []
        self.losses: list[float] = []
        self.counts: dict[str, int] = {}

    def __call__(self, state: State) -> None:
        if not self.keep_all:
            self.points, self.losses = [], []
        elif len(self.losses) > state.iteration:  # the state that a resumed run begins with is recorded already
            return
        self.points.append(state.theta)
        self.losses.append(state.loss)

    def restore(self, recorded: dict[str, np.ndarray]) -> None:
        """Go on with what a checkpoint has recorded."""
        self.points, self.losses = list(recorded["points"]), recorded["losses"].tolist()
        self.counts.update(zip(self.counts, recorded["counts"].tolist(), strict=True))

    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint is to record."""
        points = np.array([on_host(point) for point in self.points])
        return {"points": points, "losses": np.array(self.losses), "counts": np.array([*self.counts.values()])}
