"""The names that typed mathematics may use."""

import sympy as sp

from riemopt.symbolic.vocabulary import CONSTANTS, FUNCTIONS, suggestion


def test_no_constant_is_called_like_a_function():
    assert not set(CONSTANTS) & set(FUNCTIONS)


def test_every_function_makes_a_sympy_expression():
    x = sp.Symbol("x", positive=True)
    assert all(isinstance(function(x), sp.Expr) for function, _ in FUNCTIONS.values())


def test_the_nearest_name_is_suggested_and_no_far_one():
    assert suggestion("alpah", ["alpha", "beta"]) == "did you mean 'alpha'? "
    assert suggestion("gamma_function_of", ["x"]) == ""
