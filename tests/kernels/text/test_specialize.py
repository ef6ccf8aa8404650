"""Python functions as text: what the text does is what the functions do."""

import math

import pytest

from riemopt.kernels.functions import scalar
from riemopt.kernels.text.algorithms import integrals, lattices, newton, peaks, sums
from riemopt.kernels.text.bound import Given
from riemopt.kernels.text.runtime import quadpack
from riemopt.kernels.text.specialize import specialized
from riemopt.numerics import quadrature_rule

NAMES = {
    **{name: getattr(math, name) for name in ("asinh", "exp", "floor", "sinh", "sqrt")},
    **{"NAN": math.nan, "INFINITY": math.inf, "plain": lambda f: f, "straight": lambda f: f},
    **{**vars(scalar), **vars(quadpack), **vars(quadrature_rule)},
}
HALF_LOG_2PI = math.log(2 * math.pi) / 2


def run(text, **names):
    """The functions of a text, with what it calls."""
    scope = {**NAMES, **names}
    exec(text, scope)
    return scope


def well(y, q):
    """-(y - m)²/2 - log √2π."""
    return -((y - q[0]) * (y - q[0])) / 2 - HALF_LOG_2PI


def test_peak_is_the_same_number():
    text = specialized(peaks.height, "height", {"weight": Given("well", ("q",))}, ["p"], ["q = (p[0] + 1.0,)"])
    assert run(text, well=well)["height"]((2.5,)) == peaks.height(lambda y: well(y, (3.5,)))
    # the search and the refinement are functions of their own
    assert text.count("@plain") == 3 and "def height_refined_peak(q, a, b)" in text


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("terms", [1, 3])
def test_integrals_are_the_same_numbers(terms, scaled, normalized):
    def body(y, r):
        values = (1.0, y, y * y)[:terms]
        return (well(y, r), *values, *(map(abs, values) if scaled else ()))

    bound = {"weight": Given("well", ("q",)), "body": Given("body", ("r",), 1 + (2 if scaled else 1) * terms)}
    settings = {"terms": terms, "scaled": scaled, "normalized": normalized, "most_panels": 1000}
    text = specialized(integrals.integral, "taken", {**bound, **settings}, ["p"], ["q = p", "r = p"])
    found = run(text, well=well, body=body)["taken"]((0.3,))
    assert found == integrals.integral(lambda y: well(y, (0.3,)), lambda y: body(y, (0.3,)), **settings)
    assert found[0] == 0
    # what is decided is not in the text
    assert not any(name in text for name in (*settings, "weight"))


@pytest.mark.parametrize(("low", "high"), [(0.0, math.inf), (-math.inf, 5.0), (-math.inf, math.inf), (-3.0, 4.0)])
def test_sums_over_integers_are_the_same_numbers(low, high):
    def body(k, q):
        return well(k, q), 1.0, k

    bound = {"weight": Given("well", ("q",)), "body": Given("body", ("q",), 3), "low": low, "high": high}
    text = specialized(lattices.lattice_sum, "total", {**bound, "terms": 2, "normalized": False}, ["q"])
    q = (1.2,)
    found = run(text, well=well, body=body)["total"](q)
    assert found == lattices.lattice_sum(lambda k: well(k, q), lambda k: body(k, q), low, high, 2, False)


def test_root_is_the_same_number():
    def equations(y, xi):
        return (y[0] ** 3 + y[1] - xi[0], y[1] - y[0] - xi[1]), ((3 * y[0] ** 2, 1.0), (-1.0, 1.0))

    def answer(y, xi):
        return y, (1.0, 1.0), (1.0, 1.0)

    start = Given(value="(0.5, 0.25,)")
    bound = {"start": start, "equations": Given("equations"), "answer": Given("answer"), "n": 2}
    text = specialized(newton.root, "root", bound)
    found = run(text, equations=equations, answer=answer)["root"]((10.0, 1.0))
    assert found == newton.root(lambda: (0.5, 0.25), equations, answer, 2, (10.0, 1.0)) and found[0] == 0


def test_inverse_has_no_loops_left():
    text = specialized(newton.inverse_of, "inverse", {"n": 3}, kind="straight")
    assert text.startswith("@straight") and " for " not in text and " if " not in text
    matrix = ((0.0, 2.0, 1.0), (1.0, 0.5, 0.0), (3.0, 0.0, 4.0))
    assert run(text)["inverse"](matrix) == newton.inverse_of(matrix, 3)


def test_given_statements_are_written_before_the_one_that_needs_them():
    row = Given(value="(x, x * scale)", lines=("x = table[row]",))
    text = specialized(sums.sum_of_rows, "rows", {"terms_of": row, "terms": 2}, ["scale", "table", "start", "stop"])
    assert run(text)["rows"](10.0, [1.0, 2.0, 4.0], 0, 3) == (7.0, 70.0)
    assert "for first in range(start, stop, 1024):" in text


def test_numbers_that_are_not_finite_have_names():
    text = specialized(lattices.grid_point, "point", {"low": -math.inf, "high": math.inf})
    assert "inf" not in text.replace("inside", "") and "-INFINITY > -INFINITY" in text
    assert [run(text)["point"](float(i)) for i in (-1, 0, 2)] == [-1.0, 0.0, 2.0]
