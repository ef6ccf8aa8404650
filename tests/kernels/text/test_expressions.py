"""Programs as text."""

import math

import pytest
import sympy as sp

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Ode, TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.text.expressions import call_text, emit, number, source


def test_text_holds_no_name_that_a_user_chose():
    evil = sp.Symbol("__import__('os').system('true')", positive=True)
    graph = Graph()
    text = source(Program((a := graph.input("0"),), (graph.lower(evil**2 + sp.log(evil), {evil: a}),)), "f")
    assert "import" not in text and "os" not in text


def test_text_assigns_each_operation_once_and_returns_a_tuple():
    graph = Graph()
    a, b = graph.input("a"), graph.input("b")
    total = graph.add(a, b)
    program = Program((a, b), (graph.mul(total, total), graph.neg(total)))
    assert source(program, "f") == (
        "def f(x0, x1):\n    t2 = x0 + x1\n    t3 = t2 * t2\n    t4 = -t2\n    return (t3, t4,)\n"
    )


def test_what_is_known_is_not_computed_again():
    graph = Graph()
    a = graph.input("a")
    square = graph.mul(a, a)
    names = {a: "x"}
    assert emit([square], names, {}) == ["t1 = x * x"]
    assert emit([square, graph.add(square, a)], names, {}) == ["t2 = x + t1"]


def test_numbers_are_read_back_as_they_are():
    for value in (0.0, -0.0, 0.1, -2.5, 1e300, math.inf, -math.inf):
        read = eval(number(value), {"INFINITY": math.inf})
        assert read == value and math.copysign(1.0, read) == math.copysign(1.0, value)
    assert number(math.nan) == "NAN"


def test_part_takes_its_arguments_as_a_tuple_and_the_table_if_it_looks_at_it():
    graph = Graph()
    y, p = graph.input("y"), graph.input("p")
    ode = Ode(Program((y, p), (graph.constant(0.0), graph.mul(p, y))), 1)
    assert call_text(ode, "solve", ["a", "b", "t", "r", "s"]) == "solve((spread(a),), (b,), t, r, s)"
    assert call_text(TableSum(Program((y, p), (p,)), 1), "add", ["b"]) == "add(((b,), table))"


def test_input_that_a_program_does_not_have_is_named():
    graph = Graph()
    with pytest.raises(ValueError, match="'b', which is not among its inputs"):
        source(Program((graph.input("a"),), (graph.input("b"),)), "f")
