"""Boxes and their free coordinates."""

import numpy as np
import pytest

from riemopt.numerics.boxes import Box

BOX = Box((0.0, -np.inf, -1.0, -np.inf), (np.inf, 2.0, 3.0, np.inf))
FREE = np.linspace(-5.0, 5.0, 7)[:, None] * np.array([1.0, -1.0, 0.5, 2.0])


def test_free_coordinates_are_undone_by_their_inverse():
    points = BOX.from_free(FREE)
    lower, upper = BOX.bounds
    assert ((points > lower) & (points < upper)).all()
    np.testing.assert_allclose(BOX.to_free(points), FREE, rtol=1e-12, atol=1e-13)


def test_the_slope_is_that_of_differences():
    h = 1e-5
    differences = (BOX.from_free(FREE + h) - BOX.from_free(FREE - h)) / (2 * h)
    np.testing.assert_allclose(BOX.free_slope(BOX.from_free(FREE)), differences, rtol=1e-8)


@pytest.mark.parametrize("outside", [[-1.0, 0.0, 0.0, 0.0], [1.0, 3.0, 0.0, 0.0], [1.0, 0.0, 4.0, 0.0]])
def test_points_outside_have_no_free_coordinates(outside):
    assert np.isnan(BOX.to_free(np.array(outside))).any()
