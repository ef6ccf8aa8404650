"""Shapes of values: from Numba's types and back."""

import pytest
from llvmlite import ir
from numba import types

from riemopt.kernels.targets.lane_types import BIT, DOUBLE, DOUBLES, kind_of, lanes, leaves, rebuilt, shape_of_kind
from riemopt.kernels.text.kernel import LANES


def test_shapes_of_types_are_those_of_their_values():
    assert shape_of_kind(types.float64) == DOUBLE and shape_of_kind(types.boolean) == BIT
    assert shape_of_kind(lanes) == DOUBLES and DOUBLES.count == LANES
    nested = types.Tuple([types.float64, types.UniTuple(lanes, 2)])
    assert shape_of_kind(nested) == (DOUBLE, (DOUBLES, DOUBLES))
    assert kind_of(shape_of_kind(nested)) == nested


def test_whole_numbers_are_doubles():
    assert shape_of_kind(types.int64) == shape_of_kind(types.literal(3)) == DOUBLE


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="unicode"):
        shape_of_kind(types.unicode_type)


def test_nested_tuples_are_their_leaves():
    value = (1, (2, (3,)), 4)
    assert list(leaves(value)) == [1, 2, 3, 4]
    assert rebuilt((ir.DoubleType(), (0, (0,)), 0), iter([1, 2, 3, 4])) == value
