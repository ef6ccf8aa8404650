"""Programs and parts: what they mean, and what survives being pickled."""

import pickle

import pytest

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Integral, TableSum
from riemopt.kernels.graph.programs import Program, independent_of, parts_of


def table_sum(first="row", second="p", scale=2.0):
    graph = Graph()
    row, p = graph.input(first), graph.input(second)
    return TableSum(Program((row, p), (graph.call("maximum", graph.mul(row, p), graph.constant(scale)),)), 1)


def test_meaning_is_what_is_computed_and_not_what_inputs_are_called():
    assert table_sum().meaning == table_sum("x", "y").meaning
    assert table_sum().meaning != table_sum(scale=3.0).meaning
    assert table_sum(scale=0.0).meaning != table_sum(scale=-0.0).meaning


def test_meaning_of_a_part_is_that_of_its_programs_and_its_data():
    program = table_sum().body
    assert Integral(program, program).meaning == Integral(program, program).meaning
    assert Integral(program, program).meaning != Integral(program, program, (0.0, 9.0)).meaning


def test_meaning_goes_through_the_parts_inside():
    def outer(part):
        graph = Graph()
        a = graph.input("a")
        return Program((a,), (graph.use(part, [a])[1][0],))

    assert outer(table_sum()).meaning == outer(table_sum("u", "v")).meaning
    assert outer(table_sum()).meaning != outer(table_sum(scale=3.0)).meaning


def test_parts_that_mean_the_same_are_one_part_of_a_graph():
    graph = Graph()
    a = graph.input("a")
    assert graph.use(table_sum(), [a]) == graph.use(table_sum("u", "v"), [a])
    assert len(parts_of([graph.use(table_sum(scale=s), [a])[1][0] for s in (2.0, 3.0, 2.0)])) == 2


def test_sum_has_no_status_of_its_own():
    graph = Graph()
    status, _ = graph.use(table_sum(), [graph.input("a")])
    assert status is graph.constant(0.0)


def test_what_was_pickled_means_the_same():
    graph = Graph()
    a = graph.input("a")
    program = Program((a,), (graph.add(graph.use(table_sum(), [a])[1][0], a),))
    again = pickle.loads(pickle.dumps(program))
    assert again.meaning == program.meaning and again.uses_table
    assert pickle.loads(pickle.dumps(table_sum())).meaning == table_sum().meaning


def test_what_does_not_depend_on_an_input_is_told():
    graph = Graph()
    y, p = graph.input("y"), graph.input("p")
    root, unused = graph.call("sqrt", p), graph.call("exp", p)
    del unused
    program = Program((y, p), (graph.mul(y, root), graph.add(root, p)))
    assert independent_of(program, [y]) == [root, graph.add(root, p)]
    assert independent_of(program, [y, p]) == []


def test_deep_computations_can_be_pickled():
    graph = Graph()
    node = a = graph.input("a")
    for _ in range(5000):
        node = graph.call("sin", node)
    again = pickle.loads(pickle.dumps(Program((a,), (node,))))
    assert again.outputs[0].op == "sin"
    with pytest.raises(AttributeError):
        again.outputs = ()
