"""The curve of a step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riemopt.integrators.path import Path

numbers = st.integers(-64, 64).map(lambda k: k / 8)


@given(numbers, numbers, numbers, numbers)
def test_a_path_is_a_parabola(theta, v, a, t):
    assert Path(np.array([theta]), np.array([v]), np.array([a])).at(t)[0] == theta + t * v + t * t * a / 2


def test_without_an_acceleration_a_path_is_straight():
    path = Path(np.array([1.0, 2.0]), np.array([2.0, -4.0]))
    np.testing.assert_array_equal(path.at(0.0), [1.0, 2.0])
    np.testing.assert_array_equal(path.at(0.25), [1.5, 1.0])
