"""Functions of traced primitives as programs."""

import numpy as np

import riemopt as ro
from riemopt.formulas.model_geometry import formulas_of
from riemopt.formulas.primitives import PointPrimitives
from riemopt.formulas.programs import leaf_node, program_of, traced_inputs
from riemopt.kernels.graph.graph import Graph
from tests.formulas.programs import run

FORMULAS = formulas_of(ro.models.Poisson(), closed_forms=True)


def noted(p, x):
    p.require_domain(x)
    p.note(x[0])
    return 2.0 * x


def test_outputs_are_nan_where_a_condition_fails_but_for_what_is_noted():
    program = program_of(PointPrimitives, FORMULAS, noted, [1])
    assert run(program, [3.0]) == [0.0, 6.0, 3.0]
    status, doubled, note = run(program, [-3.0])
    assert status != 0.0
    assert np.isnan(doubled)
    assert note == -3.0


def test_tolerances_are_the_last_inputs():
    found = []
    program = program_of(
        PointPrimitives, FORMULAS, lambda p, x: found.append((p.rtol, p.atol)) or x, [1], tolerances=True
    )
    assert [found[0]] == [program.inputs[1:]]


def test_leaves_are_numbers_of_the_graph():
    graph = Graph()
    inputs = traced_inputs(graph, "x", 2)
    assert [node.value for node in inputs.nodes] == ["x 0", "x 1"]
    assert leaf_node(graph, 2.5).value == 2.5
    assert leaf_node(graph, inputs.nodes[0]) is inputs.nodes[0]
