"""How kernels read and write rows."""

import numpy as np

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.text.kernel import LANES, array_arguments, loaded, row_functions


def test_inputs_are_entries_of_rows_and_then_constants():
    graph = Graph()
    inputs = tuple(graph.input(f"input {i}") for i in range(4))
    names, loads = loaded(Program(inputs, inputs), [2, 1], 1)
    assert [names[node] for node in inputs] == ["r0[0]", "r0[1]", "r1[0]", "x0"]
    assert loads == ["r0 = load_2(a0, i)", "r1 = load_1(a1, i)", "x0 = constants[0]"]
    assert array_arguments([2, 1]) == "a0, a1, "


def test_rows_are_read_and_written_entry_by_entry():
    text = "\n".join(row_functions([2, 3, 2], 2))
    assert text.count("def load_2") == text.count("def load_3") == text.count("def store_2") == 1
    scope = {"memory": lambda f: f}
    exec(text, scope)
    matrix = np.zeros((2, 2))
    scope["store_2"](matrix, 1, (3.0, 4.0))
    assert scope["load_2"](matrix, 1) == (3.0, 4.0) and scope["load_2"](matrix, 0) == (0.0, 0.0)


def test_lanes_are_a_power_of_two():
    assert LANES & (LANES - 1) == 0
