"""Roots: preimages of points, their slopes, and the derivatives of these by the implicit function theorem."""

import math
import pickle

import numpy as np

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.roots import Root
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.numerics.boxes import Box


def cube():
    """The root of ξ = θ³ + θ for positive θ."""
    graph = Graph()
    theta = graph.input("theta")
    image = Program((theta,), (graph.add(graph.power(theta, graph.constant(3.0)), theta),))
    return Root.of(image, Box([0.0], [math.inf]), [1], (0.0,))


def test_preimage_its_slope_and_its_second_derivative():
    graph = Graph()
    xi = graph.input("xi")
    _, values = graph.use(cube(), [xi])
    outputs = (*values, *graph.tangents(values, {xi: graph.constant(1.0)}))
    theta = np.array([0.1, 1.0, 7.0])
    found = NumpyTarget().pointwise(Program((xi,), outputs), [1], 0)((theta**3 + theta)[:, None], np.empty(0))
    slope = 1 / (3 * theta**2 + 1)
    np.testing.assert_allclose(found.T, [theta, slope, slope, -6 * theta * slope**3], rtol=1e-11)


def test_roots_of_the_same_map_mean_the_same():
    assert cube().meaning == cube().meaning == pickle.loads(pickle.dumps(cube())).meaning


def test_no_preimage_is_nan_and_has_a_status():
    graph = Graph()
    xi = graph.input("xi")
    status, values = graph.use(cube(), [xi])
    found = NumpyTarget().pointwise(Program((xi,), (status, *values)), [1], 0)(np.array([[-1.0]]), np.empty(0))[0]
    assert found[0] != 0.0 and np.isnan(found[1:]).all()
