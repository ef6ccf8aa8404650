"""The estimate of the error on a panel."""

import pytest

from riemopt.kernels.text.runtime.quadpack import panel_error


def test_estimate_falls_faster_than_the_difference_and_is_at_most_the_whole():
    assert panel_error(1e-8, 2.0) == pytest.approx(2.0 * (200.0 * 0.5e-8) ** 1.5)
    assert panel_error(-1e-8, 2.0) == panel_error(1e-8, 2.0)
    assert panel_error(0.5, 2.0) == 2.0


def test_where_there_is_no_scale_it_is_the_difference():
    assert panel_error(-0.25, 0.0) == 0.25
