"""What a run leaves behind: its end, its success and its message."""

import numpy as np
import pytest

from riemopt.optimize.trajectory import Trajectory
from riemopt.status import Status

POINTS = np.arange(12.0).reshape(2, 3, 2)
LOSSES = np.arange(6.0).reshape(2, 3)


def test_of_one_trajectory_the_end_is_a_point_and_a_number():
    one = Trajectory(POINTS[0], LOSSES[0], Status.COMPLETED)
    assert one.x.tolist() == [4.0, 5.0]
    assert one.loss == 2.0 and not isinstance(one.loss, np.ndarray)
    assert one.success is True
    assert one.message == Status.COMPLETED.meaning
    assert repr(one) == "Trajectory(points=(3, 2), all steps were taken)"


def test_of_a_batch_every_member_has_its_end_and_its_status():
    batch = Trajectory(POINTS, LOSSES, np.array([Status.CONVERGED, Status.LEFT_DOMAIN]))
    assert batch.x.tolist() == [[4.0, 5.0], [10.0, 11.0]]
    assert batch.loss.tolist() == [2.0, 5.0]
    assert batch.success.tolist() == [True, False]
    assert batch.message.startswith("1 of 2: the Riemannian norm") and "1 of 2: a point" in batch.message


@pytest.mark.parametrize("status", Status)
def test_success_is_that_of_the_status(status):
    assert Trajectory(POINTS[0], LOSSES[0], status).success == status.success
    assert Trajectory(POINTS[:1], LOSSES[:1], np.array([int(status)])).success.tolist() == [status.success]
