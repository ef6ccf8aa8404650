"""Bound names of expressions: what is decided, and what is left."""

import ast

import pytest

from riemopt.kernels.text.bound import Expressions, Given, definition, is_bool, is_name, statements_of
from riemopt.numerics.quadrature_rule import FAR


def example(f, n, flag, x, y):
    """A function to read."""
    total = 0.0
    for j in range(n):
        total += f(x) * j
    return total + FAR if flag else y


class Rewritten(Expressions):
    def instance(self, function, bound):
        raise AssertionError("no other algorithm")


def parsed(text):
    return ast.parse(text, mode="eval").body


def test_definition_tells_parameters_variables_and_loops():
    known = definition(example)
    assert known.parameters == ["f", "n", "flag", "x", "y"] and known.stored == {"total", "j"}
    assert [name for name, _ in known.counters] == ["j"] and len(known.body) == 3
    # of a loop that is written out no variable is left
    assert Rewritten(example, {"n": 3}, {}).locals == {"f", "n", "flag", "x", "y", "total"}
    assert "j" in Rewritten(example, {}, {}).locals


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("n + total", "3 + total"),
        ("y if flag else FAR", "y"),
        ("not flag or y > 0.0", "y > 0.0"),
        ("flag or y > 0.0", "True"),
        ("flag and y > 0.0 and y < FAR", "y > 0.0 and y < 34.0"),
        ("f(y + 1.0)", "g(y + 1.0, q)"),
        ("x[1] + x[0]", "x_1 + x_0"),
        ("y[n + 1] * y[2 * n]", "y[4] * y[6]"),
        ("(y, *x)", "(y, x_0, x_1)"),
        ("(y, *[0.5] * n)", "(y, 0.5, 0.5, 0.5)"),
        ("sum(x)", "x_0 + x_1"),
        ("all(y[j] > j for j in range(n))", "y[0] > 0 and y[1] > 1 and (y[2] > 2)"),
        ("tuple(i * y[j] for i in range(n) for j in range(i))", "(1 * y[0], 2 * y[0], 2 * y[1])"),
        ("range(y)", "range(y)"),
    ],
)
def test_what_is_bound_takes_the_place_of_its_name_and_decides(text, left):
    rewritten = Rewritten(example, {"f": Given("g", ("q",)), "n": 3, "flag": True}, {"x": 2})
    assert ast.unparse(rewritten(parsed(text))) == left


def test_what_is_handed_on_is_told():
    expressions = Rewritten(example, {"f": Given("g", ("q", "r")), "n": 3}, {})
    assert expressions.left(["f", "n", "y"]) == ["q", "r", "y"]
    call = parsed("example(f, n, flag, 1.0, 2.0)")
    assert expressions.handed(example, call) == {"f": Given("g", ("q", "r")), "n": 3}


def test_lines_are_statements():
    assert [type(s) for s in statements_of(["a = 1", "b, c = a"])] == [ast.Assign, ast.Assign]
    assert is_bool(parsed("True")) and not is_bool(parsed("1")) and is_name(parsed("a"), "a")
