"""Marks change nothing of a function."""

from riemopt.kernels.text.algorithms.marks import inline, straight


def test_marked_functions_are_themselves():
    def f(x):
        return x + 1

    assert inline(f) is f and straight(f) is f and f(1) == 2
    assert f.inline and f.straight
