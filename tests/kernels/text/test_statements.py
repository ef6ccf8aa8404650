"""Programs as statements: functions of formulas, and calls of parts between them."""

import math

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import TableSum
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.text.statements import Statements, function, indented, listed, unpacked

NAMES = {"straight": lambda f: f, "plain": lambda f: f, "spread": lambda x: x, "exp": math.exp}


def test_what_outputs_share_with_what_comes_later_is_computed_once():
    graph = Graph()
    x = graph.input("x")
    shared = graph.call("exp", x)
    first, later = graph.add(shared, x), graph.mul(shared, x)
    statements, names = Statements("values", {}), {x: "x"}
    lines = statements([first], names, later=[later])
    assert len(lines) == 1 and {x, shared, first} == set(names)
    scope = dict(NAMES, x=2.0)
    exec("\n".join([*statements.functions, *lines]), scope)
    assert eval(names[first], scope) == math.exp(2.0) + 2.0 and eval(names[shared], scope) == math.exp(2.0)


def test_parts_are_called_between_functions_of_formulas():
    inner, graph = Graph(), Graph()
    row, p = inner.input("row"), inner.input("p")
    part = TableSum(Program((row, p), (inner.mul(row, p),)), 1)
    x = graph.input("x")
    _, (total,) = graph.use(part, (graph.add(x, x),))
    statements = Statements("values", {part: "total"})
    lines, value = statements.together([graph.add(total, x)], {x: "x"})
    scope = dict(NAMES, x=3.0, table=[1.0, 2.0], total=lambda packed: (0.0, (sum(packed[1]) * packed[0][0],)))
    exec("\n".join([*statements.functions, *lines]), scope)
    assert eval(value, scope) == (3.0 * 6.0 + 3.0,)


def test_function_of_formulas_has_no_loops_and_takes_what_it_is_given():
    graph = Graph()
    x, y = graph.input("x"), graph.input("y")
    text = function("f", ["pair"], unpacked(["x", "y"], "pair"), [graph.sub(x, y)], {x: "x", y: "y"}, {}, listed)
    scope = dict(NAMES)
    exec(text, scope)
    assert text.startswith("@straight") and scope["f"]((5.0, 3.0)) == (2.0,)


def test_lines_are_indented_and_names_listed():
    assert indented(["a", "b"], 2) == ["        a", "        b"]
    assert listed(["a"]) == "(a, )" and unpacked([], "p") == [] and unpacked(["a", "b"], "p") == ["a, b,  = p"]
