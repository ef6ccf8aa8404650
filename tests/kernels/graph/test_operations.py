"""Every function that text may call has a number of arguments, and is bound by every target."""

import numpy as np
import pytest

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.operations import FUNCTIONS, POLYGAMMA_ORDERS, polygamma_name, remainder_name
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.targets.target import Kernel
from tests.kernels.graph.cases import TARGETS


@pytest.mark.slow
def test_every_function_of_the_table_is_bound_by_both_targets():
    graph = Graph()
    inputs = tuple(graph.input(f"input {i}") for i in range(3))
    calls = [
        graph.call(name, *inputs[:count]) for name, count in FUNCTIONS.items() if name not in ("select", "isfinite")
    ]
    calls.append(graph.call("select", graph.operate("lt", inputs[0], inputs[1]), inputs[1], inputs[2]))
    calls.append(graph.call("select", graph.call("isfinite", inputs[0]), inputs[1], inputs[2]))
    program = Program(inputs, (graph.constant(0.0), *calls))
    point = np.array([[0.7, 1.3, 2.5], [0.4, 0.2, 0.1]])
    results = [
        np.stack(Kernel(target, program, [("points", (3,))], [()] * len(calls))(point), axis=-1) for target in TARGETS
    ]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-13)


def test_nan_goes_through_minimum_maximum_and_sign():
    graph = Graph()
    a, b = graph.input("a"), graph.input("b")
    outputs = (graph.call("minimum", a, b), graph.call("maximum", a, b), graph.call("sign", a))
    program = Program((a, b), (graph.constant(0.0), *outputs))
    points = [[np.nan, 1.0], [1.0, np.nan]]
    for target in TARGETS:
        low, high, sign = Kernel(target, program, [("points", (2,))], [(), (), ()])(points)[1:]
        assert np.isnan(low).all() and np.isnan(high).all()
        assert np.isnan(sign[0]) and sign[1] == 1.0


def test_polygammas_and_remainders_of_all_compiled_orders_are_functions():
    names = {polygamma_name(0), *map(polygamma_name, POLYGAMMA_ORDERS), *map(remainder_name, POLYGAMMA_ORDERS)}
    assert names <= FUNCTIONS.keys()
    assert {name for name in FUNCTIONS if "gamma_" in name} == names - {"digamma"}
