"""Which way of taking expectations is chosen, and the error where there is none."""

import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ExpectationError

x = sp.Symbol("x", positive=True)
a, b = sp.symbols("a b", positive=True)
HALF_LINE = sp.Interval.open(0, sp.oo)
T = sp.Symbol("t", real=True)
THIRD = sp.Symbol("z", real=True)
WITHOUT = {
    "three observations": (
        -sp.log(1 + (x - a) ** 2) - T**2 - THIRD**2,
        (x, T, THIRD),
        (HALF_LINE, sp.S.Reals, sp.S.Reals),
        (),
        ["the terms of the log-density do not separate", "it takes one or two observations, not 3"],
    ),
    "not a product": (
        -sp.log(1 + (x - a) ** 2 + T**2),
        (x, T),
        (HALF_LINE, sp.S.Reals),
        [x > T],
        ["second derivatives", "the support is not a product"],
    ),
    "divergent": (
        -sp.log(x + a),
        (x,),
        (HALF_LINE,),
        (),
        ["do not separate", "the density's integral is not 1, or those of score products do not converge"],
    ),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_error_names_every_way_that_was_tried(name):
    density, observation, support, constraints, tried = WITHOUT[name]
    model = ro.StatisticalModel(density, observation, support, (a,), name=name, constraints=constraints, check=False)
    with pytest.raises(ExpectationError, match="no way was found to take expectations") as caught:
        _ = model.expectation
    for way in tried:
        assert way in str(caught.value)
    with pytest.raises(ExpectationError):
        ro.Manifold(model, backend="numpy").metric([1.0])
