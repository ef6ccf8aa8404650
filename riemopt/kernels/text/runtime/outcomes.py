"""What becomes of a trajectory from step to step: functions that text calls.

The *outcome* of a trajectory is negative while it goes on, and its status from when it has ended. They branch on no
number, so that several trajectories may run in lanes: the kernel goes on until the last one has ended.
"""

from math import nan

from riemopt.kernels.functions.scalar import select
from riemopt.status import Status

__all__ = ["STATUSES", "counted", "failed", "finished", "judged", "kept", "moved"]

COMPLETED = float(Status.COMPLETED)
CONVERGED = float(Status.CONVERGED)
STATUSES = 16.0
"""What a status is less than. A kernel writes the status and this times the steps taken as one number."""


def judged(
    outcome: float, status: float, before: float, loss: float, speed: float, tolerance: float
) -> tuple[float, float]:
    """The outcome and the loss at a point, from its status, the loss before, and the squared norm of the gradient."""
    outcome = select((outcome < 0.0) & (status != 0.0), status, outcome)
    loss = select(outcome < 0.0, loss, before)
    outcome = select((outcome < 0.0) & (speed <= tolerance), CONVERGED, outcome)
    return outcome, loss


def failed(outcome: float, begun: float, stepped: float) -> float:
    """The outcome after a step, from the status of what came before the first step and that of the step."""
    status = select(begun != 0.0, begun, stepped)
    return select((outcome < 0.0) & (status != 0.0), status, outcome)


def moved(outcome: float, after: float, before: float) -> float:
    """A coordinate after a step: the old one if the trajectory has converged, and NaN if it has failed.

    A failed trajectory is computed further as long as others in its lanes go on. At a NaN, adaptive steps give up at
    once, while they would toil again and again at the point of the failure.
    """
    return select(outcome < 0.0, after, select(outcome == CONVERGED, before, nan))


def counted(outcome: float, taken: float) -> float:
    """The number of steps, with the one that is about to be taken; a trajectory that has ended takes no more."""
    return select(outcome < 0.0, taken + 1.0, taken)


def kept(outcome: float, value: float) -> float:
    """A number to write down: NaN if the trajectory has failed."""
    return select((outcome < 0.0) | (outcome == CONVERGED), value, nan)


def finished(outcome: float, taken: float) -> float:
    """The status at the end and the number of steps taken, in one number: see :data:`STATUSES`."""
    return select(outcome < 0.0, COMPLETED, outcome) + STATUSES * taken
