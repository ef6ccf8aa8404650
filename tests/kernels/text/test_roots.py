"""Roots in text: compiled, those of the reference."""

import numpy as np

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.roots import Root
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel
from riemopt.numerics.boxes import Box


def test_compiled_roots_and_their_derivatives_are_those_of_the_reference():
    # of log(a) + a and a/b, the second one by its logarithm
    system = Graph()
    a, b = inputs = system.input("a"), system.input("b")
    image = Program(inputs, (system.add(system.call("log", a), a), system.div(a, b)))
    part = Root.of(image, Box((0.0, 0.0), (np.inf, np.inf)), [0, 1], (0.0, 0.0))
    graph = Graph()
    xi = tuple(graph.input(f"xi {i}") for i in range(2))
    status, values = graph.use(part, xi)
    program = Program(xi, (status, *values))
    theta = np.array([[1.0, 1.0], [20.0, 0.3], [0.05, 7.0]])
    images = np.stack([np.log(theta[:, 0]) + theta[:, 0], theta[:, 0] / theta[:, 1]], axis=1)
    points = np.concatenate([images, [[1.0, -1.0]]])
    (none, expected), (also, found) = (
        Kernel(target, program, [("points", (2,))], [(6,)])(points) for target in (NumpyTarget(), NumbaTarget())
    )
    np.testing.assert_array_equal(none, also)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found[:3, :2], theta, rtol=1e-12)
    assert none[-1] != 0 and np.isnan(found[-1]).all()
