"""Counts of what was asked of a problem."""

import numpy as np

from riemopt.problem.evaluations import COSTS, Evaluations
from riemopt.problem.protocol import PRIMITIVES


def test_counts_add_and_multiply():
    step = Evaluations(losses=1, solves=2)
    assert step + step == step * 2 == Evaluations(losses=2, solves=4)
    assert (step * np.array([0, 3])).solves.tolist() == [0, 6]


def test_counts_of_a_batch_are_those_of_its_members():
    stacked = Evaluations.stacked([Evaluations(losses=1), Evaluations(losses=3, products=2)])
    assert stacked.losses.tolist() == [1, 3] and stacked.products.tolist() == [0, 2]
    assert stacked.reshaped((2, 1)).losses.tolist() == [[1], [3]]


def test_counts_of_one_are_numbers():
    single = Evaluations.stacked([Evaluations(gradients=5)]).reshaped(())
    assert single == Evaluations(gradients=5) and isinstance(single.gradients, int)


def test_every_primitive_but_a_series_has_a_cost():
    """A series costs a product and a solve for each coefficient after the first."""
    assert set(PRIMITIVES) - set(COSTS) == {"exp_series"}
    assert COSTS["acceleration"] == COSTS["connection"] + COSTS["raise_index"]
