"""Straight-line text as machine code: what the interpreter makes of it, for one number and in lanes."""

import math

import numpy as np
import pytest
from numba import njit

from riemopt.kernels.functions import scalar
from riemopt.kernels.targets.lanes import MEMORY
from riemopt.kernels.targets.llvm import intrinsic_of
from riemopt.kernels.targets.straight_line_code import StraightLineCode, functions_of
from riemopt.kernels.text.kernel import LANES

TEXT = """
def arithmetic(a, b):
    c = a + 2.0 * b - a / (b * b + 1.0)
    c -= -a
    return c


def powers(a, b):
    return (b * b + 1.0) ** a


def comparisons(a, b):
    first = select((a < b) & (a * b <= 1.0), a, b)
    second = select((a >= b) | (a == 0.0), 1.0, a)
    return first + select(a != b, second, 5.0) + select(a > 0.0, 7.0, -7.0)


def tuples(a, b):
    pair, c = (a, b), a * b
    longer = pair + (c, 4.0)
    return longer[1] * longer[-1] + longer[1:3][1]


def leaving(a, b):
    if not a > b:
        return a
    c = a - b
    if c > 1.0:
        return c * c
    return absolute(b)


def together(a, b):
    if every(a < b):
        return a
    return select(a < b, a, arithmetic(a, b))


def functions(a, b):
    return exp(a) + sin(b) * cos(a) + sqrt(absolute(b)) + floor(a) + log(b * b + 1.0)


def foreign(a, b):
    return -erf(a) + atan2(a, b) - spread(erf(b))


def limits(a, b):
    return select(isfinite(a / b), INFINITY, NAN) * spread(1.0)
"""

NUMBERS = {"NAN": math.nan, "INFINITY": math.inf, "erf": math.erf, "atan2": math.atan2}


def interpreted(name):
    """The function as Python runs it."""
    functions = ("exp", "sin", "cos", "sqrt", "floor", "log")
    names = {**vars(scalar), **{f: getattr(math, f) for f in functions}, **NUMBERS, "isfinite": math.isfinite}
    exec(TEXT, names)
    return names[name]


def compiled(name, in_lanes):
    """The function on two arrays."""
    names = dict(NUMBERS)
    for other, definition in functions_of(TEXT).items():
        assert StraightLineCode.takes(definition)
        names[other] = intrinsic_of(StraightLineCode(definition, names, in_lanes))
    function, load, store = names[name], MEMORY["load"], MEMORY["store"]

    if in_lanes:

        @njit
        def run(a, b, out):
            for first in range(0, len(a), LANES):
                i = (first, len(a))
                store(out, i, function(load(a, i), load(b, i)))

    else:

        @njit(error_model="numpy")
        def run(a, b, out):
            for i in range(len(a)):
                store(out, i, function(load(a, i), load(b, i)))

    return run


@pytest.mark.parametrize("in_lanes", [False, True], ids=["one", "lanes"])
@pytest.mark.parametrize("name", list(functions_of(TEXT)))
def test_compiled_text_does_what_the_interpreter_does(name, in_lanes):
    rng = np.random.default_rng(0)
    a, b = np.round(rng.normal(size=(2, 5 * LANES + 3)), 1)
    b[b == 0.0] = 0.5
    b[: 2 * LANES] = a[: 2 * LANES] + rng.choice([-1.5, -0.5, 0.0, 0.5], 2 * LANES)
    b[b == 0.0] = 0.5
    b[3 * LANES : 4 * LANES] = np.abs(a[3 * LANES : 4 * LANES]) + 1.0
    function, out = interpreted(name), np.full(len(a), np.nan)
    compiled(name, in_lanes)(a, b, out)
    np.testing.assert_allclose(out, [function(x, y) for x, y in zip(a, b, strict=True)], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("count", [1, LANES - 1, LANES, LANES + 1])
def test_nothing_is_written_beyond_the_last_entry(count):
    a, b = np.ones((2, count))
    out = np.zeros(count + 2 * LANES)
    compiled("arithmetic", True)(a, b, out[:count])
    assert (out[:count] == 3.5).all() and (out[count:] == 0.0).all()
