"""Matrices computed in a field of fractions."""

import sympy as sp

from riemopt.models.expectation.fractions import in_fractions

x = sp.Symbol("x", positive=True)


def test_what_cancels_is_cancelled_and_functions_count_as_variables():
    log = sp.log(x)
    matrix = sp.Matrix([[x, log], [log, x]])
    right = sp.Matrix([x**2 - log**2, 0])
    assert in_fractions(lambda a, b: a.lu_solve(b), matrix, right) == sp.Matrix([x, -log])
