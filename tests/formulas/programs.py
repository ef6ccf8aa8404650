"""Programs evaluated at one point, for tests."""

import numpy as np

from riemopt.formulas.traced_point import TracedPoint
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numpy import NumpyTarget


def run(program, *numbers):
    """The outputs of a program for its inputs, vectors one after the other."""
    flat = np.concatenate([np.ravel(np.asarray(vector, dtype=float)) for vector in numbers])
    return NumpyTarget().pointwise(program, [len(flat)], 0)(flat[None], np.array([]))[0].tolist()


def values(graph, inputs, outputs, *numbers):
    """The values of some nodes of a graph."""
    return np.array(run(Program(tuple(inputs), tuple(outputs)), *numbers))


def point_in(graph, n, name="theta"):
    """A point whose coordinates are inputs, and the list in which what it requires is noted."""
    required = []
    coordinates = [graph.input(f"{name} {i}") for i in range(n)]
    return TracedPoint(graph, coordinates, [], lambda status, holds: required.append((status, holds))), required
