"""Parts in text: each once, behind those that it needs."""

import ast

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Integral, Ode, Peak, TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.text.parts import parts_text


def quadratic():
    """-(y - p)²/2 of y and p, and 1."""
    graph = Graph()
    y, p = inputs = graph.input("y"), graph.input("p")
    rest = graph.sub(y, p)
    weight = graph.mul(graph.constant(-0.5), graph.mul(rest, rest))
    return Program(inputs, (weight,)), Program(inputs, (weight, graph.constant(1.0)))


def test_every_kind_of_part_has_a_text_that_defines_its_name():
    weight, body = quadratic()
    parts = [
        Peak(weight),
        Integral(weight, body),
        Integral(weight, body, (0.0, 9.0)),
        TableSum(weight, 1),
        Ode(Program(body.inputs, (body.outputs[1], body.outputs[0])), 1),
    ]
    names, text = parts_text(parts)
    assert [names[part] for part in parts] == ["peak_0", "integral_1", "integral_2", "sum_3", "ode_4"]
    defined = [node.name for node in ast.parse(text).body]
    assert len(defined) == len(set(defined)) and set(names.values()) <= set(defined)


def test_part_inside_another_comes_before_it():
    weight, body = quadratic()
    inner = Integral(weight, body)
    graph = Graph()
    y, p = graph.input("y"), graph.input("p")
    _, (_, value) = graph.use(inner, (graph.add(y, p),))
    names, text = parts_text([Peak(Program((y, p), (value,)))])
    assert list(names.values()) == ["integral_0", "peak_1"]
    assert text.index("def integral_0(") < text.index("def peak_1(")
    assert parts_text([]) == ({}, "")
