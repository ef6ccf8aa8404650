"""Kernels on a user's arrays: shapes, broadcasting, and what of a program is run."""

import numpy as np
import pytest

from riemopt.errors import ShapeError
from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel, broadcast

POINT, MATRIX = ("points", (2,)), ("matrices", (2, 2))


def test_leading_axes_broadcast_and_trailing_ones_become_one():
    batch, (points, matrices) = broadcast([np.ones((3, 1, 2)), np.ones((4, 2, 2))], [POINT, MATRIX])
    assert batch == (3, 4) and points.shape == (12, 2) and matrices.shape == (12, 4)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"points has shape \(3,\), but its axes must be \(..., 2\)"):
        broadcast([np.ones(3)], [POINT])
    with pytest.raises(ShapeError, match=r"the leading axes do not broadcast: points \(3, 2\), matrices \(4, 2, 2\)"):
        broadcast([np.ones((3, 2)), np.ones((4, 2, 2))], [POINT, MATRIX])


@pytest.mark.parametrize("status", [True, False])
def test_results_have_the_axes_that_they_were_given(status):
    graph = Graph()
    x, y, c = inputs = tuple(graph.input(name) for name in "xyc")
    values = (x, y, y, x, graph.mul(c, x))
    kernel = Kernel(
        NumpyTarget(), Program(inputs, (graph.constant(7.0), *values)), [POINT], [(2, 2), ()], 1, status=status
    )
    *codes, matrix, scaled = kernel([[1.0, 2.0], [3.0, 4.0]], constants=[10.0])
    assert [code.tolist() for code in codes] == ([[7.0, 7.0]] if status else [])
    assert matrix.tolist() == [[[1.0, 2.0], [2.0, 1.0]], [[3.0, 4.0], [4.0, 3.0]]] and scaled.tolist() == [10.0, 30.0]
