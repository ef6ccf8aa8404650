"""Functions with some arguments fixed: the text that is left."""

import math

import pytest

from riemopt.kernels.functions.unrolling import unrolled


def polynomial(x, *, coefficients):
    """Horner's rule."""
    total = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total


def power(x, *, exponent, scale):
    if not x > 0.0:
        return math.nan
    result = 1.0
    for _ in range(exponent):
        result = result * x
    if exponent % 2 == 0:
        result = result * scale
    return float(exponent) * result if exponent > 1 else -result


def repeated(x, *, scale):
    result = x
    for _ in range(x):
        result = result * scale
    return result


def test_loops_over_constants_are_unrolled():
    assert unrolled(polynomial, "parabola", {"coefficients": (2.0, -3.0, 1.0)}).split("\n") == [
        "def parabola(x):",
        "    total = 2.0 * x - 3.0",
        "    total = total * x + 1.0",
        "    return total",
    ]


def test_decisions_on_constants_are_made_and_those_on_numbers_are_kept():
    assert unrolled(power, "cube", {"exponent": 3, "scale": 1.0}).split("\n") == [
        "def cube(x):",
        "    if not x > 0.0:",
        "        return math.nan",
        "    result = x",
        "    result = result * x",
        "    result = result * x",
        "    return 3.0 * result",
    ]
    assert unrolled(power, "f", {"exponent": 1, "scale": 1.0}).endswith("    result = x\n    return -result")
    assert "result * 5.0" in unrolled(power, "f", {"exponent": 2, "scale": 5.0})


@pytest.mark.parametrize("exponent", [1, 2, 3, 4])
def test_text_computes_what_the_function_does(exponent):
    names = {"math": math}
    exec(unrolled(power, "f", {"exponent": exponent, "scale": 0.1}), names)
    for x in (0.3, 1.7, 1e9):
        assert names["f"](x) == power(x, exponent=exponent, scale=0.1)
    assert math.isnan(names["f"](-1.0))


def test_all_keyword_arguments_are_to_be_fixed():
    with pytest.raises(AssertionError):
        unrolled(power, "f", {"exponent": 1})


def test_loop_over_what_is_not_known_is_an_error():
    with pytest.raises(AssertionError, match=r"range\(x\) is not known"):
        unrolled(repeated, "f", {"scale": 2.0})
