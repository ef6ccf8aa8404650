"""Status: codes that kernels write, with meanings that people read."""

import numpy as np

from riemopt.status import Status, counted


def test_codes_are_whole_numbers_from_zero_and_have_different_meanings():
    assert [int(status) for status in Status] == list(range(len(Status)))
    assert len({status.meaning for status in Status}) == len(Status)
    assert all(Status(int(status)) is status and str(status) == f"Status.{status.name}" for status in Status)


def test_the_number_of_a_success_can_be_trusted():
    trusted = {Status.COMPLETED, Status.CONVERGED, Status.STALLED, Status.STOPPED}
    assert {status for status in Status if status.success} == trusted


def test_one_status_reads_as_itself_and_an_array_is_counted():
    assert counted(Status.DIVERGED, lambda status: status.name) == "DIVERGED"
    assert counted(np.array([[1, 0], [1, 1]]), lambda status: status.name) == "1 of 4: COMPLETED; 3 of 4: CONVERGED"
