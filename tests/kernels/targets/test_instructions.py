"""Instructions of straight-line text: what LLVM is told."""

import ast

import pytest
from llvmlite import ir

from riemopt.kernels.targets.instructions import Functions
from riemopt.kernels.targets.lane_types import DOUBLE, DOUBLES
from riemopt.kernels.targets.straight_line_code import StraightLineCode


def emitted(body, shapes, in_lanes=False, inline=False, **names):
    """The text of LLVM for a function of a and b, and the shape of its result."""
    definition = ast.parse(f"def f(a, b):\n    {body}").body[0]
    module = ir.Module()
    _, result = Functions(None, None, module).function(StraightLineCode(definition, names, in_lanes, inline), shapes)
    return str(module), result


def test_product_and_sum_may_be_contracted_but_not_a_sum_of_two_products():
    text, _ = emitted("return a * b + a", (DOUBLE, DOUBLE))
    assert "fmul contract" in text and "fadd contract" in text
    text, _ = emitted("return a * a - b * b", (DOUBLE, DOUBLE))
    assert "fsub double" in text and "fsub contract" not in text


@pytest.mark.parametrize("shapes", [(DOUBLES, DOUBLE), (DOUBLE, DOUBLES), (DOUBLES, DOUBLES)])
def test_what_meets_lanes_has_lanes(shapes):
    text, result = emitted("return exp(a / b)", shapes)
    assert result == DOUBLES and "llvm.exp.v8f64" in text


def test_numbers_are_spread_for_lanes_only():
    assert emitted("return spread(1.0)", (DOUBLE, DOUBLE))[1] == DOUBLE
    assert emitted("return spread(1.0)", (DOUBLE, DOUBLE), in_lanes=True)[1] == DOUBLES


def test_function_is_made_once_for_every_shape():
    definition = ast.parse("def f(a):\n    return -a").body[0]
    line, functions = StraightLineCode(definition, {}, False), Functions(None, None, ir.Module())
    assert functions.function(line, (DOUBLE,)) is functions.function(line, (DOUBLE,))
    assert functions.function(line, (DOUBLES,))[1] == DOUBLES


def test_names_are_numbers_and_functions_may_be_written_out():
    text, result = emitted("return (a + LIMIT, b)", (DOUBLE, DOUBLE), inline=True, LIMIT=2.5)
    assert result == (DOUBLE, DOUBLE) and "0x4004000000000000" in text and "alwaysinline" in text
