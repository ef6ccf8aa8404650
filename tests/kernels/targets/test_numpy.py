"""The reference: programs on NumPy arrays as they stand."""

import mpmath as mp
import numpy as np
import pytest

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.numpy import BINDINGS, NumpyTarget


def test_constants_fill_the_batch():
    graph = Graph()
    x = graph.input("x")
    found = NumpyTarget().pointwise(Program((x,), (graph.constant(2.0), x)), [1], 0)(np.ones((3, 1)), ())
    assert found.tolist() == [[2.0, 1.0]] * 3


@pytest.mark.parametrize("order", [1, 3, 6])
def test_remainders_of_polygammas_are_what_is_left_of_them(order):
    for x in (0.3, 2.0, 45.0):
        with mp.workdps(40):
            n, z = order, mp.mpf(x)
            leading = (-1) ** n * (mp.factorial(n - 1) / z**n + mp.factorial(n) / (2 * z ** (n + 1)))
            exact = float(mp.psi(n, z) + leading)
        assert BINDINGS[f"polygamma_remainder_{order}"](x) == pytest.approx(exact, rel=1e-13)


def test_functions_have_no_values_outside_their_domain():
    assert np.isnan(BINDINGS["digamma"](-0.5)) and np.isnan(BINDINGS["polygamma_2"](0.0))
    assert np.isnan(BINDINGS["scaled_bessel_i"](0.5, 1.0)) and BINDINGS["scaled_bessel_i"](1, 0.0) == 0.0


def test_step_by_step_there_are_no_kernels_of_trajectories():
    assert not NumpyTarget.fuses
    with pytest.raises(NotImplementedError):
        NumpyTarget().trajectories(None)
