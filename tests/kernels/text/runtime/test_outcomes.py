"""What becomes of trajectories in lanes, one after the other."""

import numpy as np

import riemopt as ro
from riemopt.kernels.targets.target import separated
from riemopt.kernels.text.runtime.outcomes import failed, finished, judged, kept, moved

GOES_ON, CONVERGED, FAILED = -1.0, float(ro.Status.CONVERGED), float(ro.Status.DIVERGED)


def test_a_trajectory_that_has_failed_goes_nowhere():
    assert moved(-1.0, 2.0, 1.0) == 2.0 and moved(CONVERGED, 2.0, 1.0) == 1.0
    # an equation that could not be solved is not tried again at every later step, while others go on
    assert np.isnan(moved(FAILED, 2.0, 1.0))


def test_a_trajectory_ends_where_its_numbers_cannot_be_trusted_or_the_gradient_is_small():
    assert judged(GOES_ON, 0.0, 7.0, 3.0, 1.0, 0.1) == (GOES_ON, 3.0)
    assert judged(GOES_ON, FAILED, 7.0, 3.0, 0.0, 0.1) == (FAILED, 7.0)
    assert judged(GOES_ON, 0.0, 7.0, 3.0, 0.05, 0.1) == (CONVERGED, 3.0)
    # and stays what it is
    assert judged(CONVERGED, FAILED, 7.0, 3.0, 1.0, 0.1) == (CONVERGED, 7.0)


def test_the_first_failure_is_the_status():
    assert failed(GOES_ON, 0.0, 0.0) == GOES_ON
    assert failed(GOES_ON, FAILED, 2.0) == FAILED and failed(GOES_ON, 0.0, 2.0) == 2.0
    assert failed(CONVERGED, 0.0, 2.0) == CONVERGED
    assert finished(GOES_ON, 0.0) == float(ro.Status.COMPLETED) and finished(FAILED, 0.0) == FAILED
    for taken in (0, 1, 2**40):
        outcomes = np.array([finished(float(status), float(taken)) for status in ro.Status]).astype(np.int64)
        status, steps = separated(outcomes)
        assert status.tolist() == [int(s) for s in ro.Status] and steps.tolist() == [taken]


def test_what_is_written_down_of_a_failed_trajectory_is_nan():
    assert kept(GOES_ON, 2.0) == kept(CONVERGED, 2.0) == 2.0 and np.isnan(kept(FAILED, 2.0))
