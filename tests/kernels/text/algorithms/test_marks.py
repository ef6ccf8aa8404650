"""Marks change nothing of a function."""

from riemopt.kernels.text.algorithms.marks import inlined, straight


def test_marked_functions_are_themselves():
    def f(x):
        return x + 1

    assert inlined(f) is f and straight(f) is f and f(1) == 2
    assert f.inlined and f.straight
