"""What users give, as arrays of numbers."""

import numpy as np
import pytest

from riemopt.errors import ShapeError
from riemopt.numerics.arrays import as_numbers, on_host, unboxed


def test_lists_and_integers_become_floats():
    assert as_numbers([[1, 2]], "points").dtype == np.float64


@pytest.mark.parametrize("given", ["text", [[1.0], [1.0, 2.0]], [object()]])
def test_what_is_no_array_of_numbers_is_refused_by_its_name(given):
    with pytest.raises(ShapeError, match="start is not an array of numbers"):
        as_numbers(given, "start")


def test_arrays_without_axes_are_numbers():
    assert isinstance(unboxed(np.array(2.0)), float)
    array = np.ones(2)
    assert unboxed(array) is array
    assert on_host(array) is array
