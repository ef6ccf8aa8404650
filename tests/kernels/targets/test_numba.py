"""The Numba target: which kernels compute in lanes, and that batches of any length and layout are computed."""

import numpy as np
import pytest

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Ode, TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numba import NumbaTarget, _fit_lanes


def linear():
    graph = Graph()
    inputs = graph.input("x"), graph.input("p")
    return Program(inputs, (graph.mul(*inputs),))


def test_formulas_and_equations_of_formulas_are_computed_in_lanes():
    graph = Graph()
    y, p = graph.input("y"), graph.input("p")
    assert _fit_lanes([])
    assert _fit_lanes([Ode(Program((y, p), (graph.constant(0.0), y)), 1)])
    assert not _fit_lanes([TableSum(linear(), 1)])
    _, (value,) = graph.use(TableSum(linear(), 1), (p,))
    assert not _fit_lanes([Ode(Program((y, p), (graph.constant(0.0), value)), 1)])


@pytest.mark.parametrize("count", [0, 1, 13, 5000])
def test_batches_of_any_length_and_layout_are_computed(count):
    run = NumbaTarget().pointwise(linear(), [2], 0)
    points = np.random.default_rng(0).normal(size=(2, count)).T
    np.testing.assert_array_equal(run(points, np.empty(0))[:, 0], points[:, 0] * points[:, 1])
    same = np.broadcast_to([2.0, 3.0], (count, 2))
    assert (run(same, np.empty(0)) == 6.0).all()
