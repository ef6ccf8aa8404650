"""What is known about geodesics beside their numbers."""

import numpy as np

from riemopt.manifold.info import GeodesicInfo, LogInfo, searched
from riemopt.status import Status


def test_a_search_ends_by_what_was_found_and_what_is_inside():
    status = searched(np.array([True, False, False]), np.array([True, True, False]))
    assert status.tolist() == [int(Status.COMPLETED), int(Status.DIVERGED), int(Status.LEFT_DOMAIN)]


def test_a_batch_is_counted_in_words_and_a_single_one_has_a_status():
    info = LogInfo(np.array([0, 0, int(Status.DIVERGED)]), np.zeros(3))
    assert info.message == "2 of 3: found; 1 of 3: no geodesic to the target was found"
    single = GeodesicInfo(np.array([0]), np.array([-1.0]), np.array([2.0])).reshaped(())
    assert single.status is Status.COMPLETED
    assert (single.entry_time, single.exit_time) == (-1.0, 2.0)
    assert single.message == "inside the domain"
