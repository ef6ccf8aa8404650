"""Texts that tell expressions apart."""

import sympy as sp

from riemopt.symbolic.identity import identity

x, y = sp.symbols("x y", real=True)


def test_equal_expressions_have_one_text_and_others_another():
    assert identity([x * y + 1]) == identity([1 + y * x])
    assert identity([x * y + 1]) != identity([x * y + 2])
    assert identity([x, y]) != identity([y, x])


def test_assumptions_belong_to_the_text():
    assert identity([x]) != identity([sp.Symbol("x", positive=True)])


def test_what_is_not_determined_by_its_arguments_has_no_text():
    class Own(sp.Function):
        pass

    assert identity([sp.Dummy("x")]) is None
    assert identity([Own(x)]) is None
