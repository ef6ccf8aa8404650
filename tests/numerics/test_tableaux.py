"""Tableaux: the order conditions against known counts and independent expansions, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import DOP853, RK45

from riemopt.errors import ArgumentError
from riemopt.numerics import tableaux
from riemopt.numerics.tableaux import CLASSICAL, DORMAND_PRINCE_5, DORMAND_PRINCE_853, HEUN, NYSTROM, Tableau

METHODS = {2: [HEUN], 4: [CLASSICAL], 5: [NYSTROM, DORMAND_PRINCE_5], 8: [DORMAND_PRINCE_853]}
EVERY = [(order, method) for order, methods in METHODS.items() for method in methods]


def test_there_are_as_many_rooted_trees_as_there_should_be():
    # OEIS A000081
    assert [len(tableaux._trees(size)) for size in range(1, 10)] == [1, 1, 2, 4, 9, 20, 48, 115, 286]
    for size in range(1, 8):
        assert len(set(map(repr, tableaux._trees(size)))) == len(tableaux._trees(size))


def symmetry(tree):
    """How many permutations of subtrees leave a tree as it is."""
    counts = {subtree: tree.count(subtree) for subtree in tree}
    return math.prod(symmetry(subtree) ** count * math.factorial(count) for subtree, count in counts.items())


def test_the_trees_of_a_size_count_the_ways_to_grow_them():
    # Hairer, Nørsett and Wanner, II.2: a tree can be labelled in n!/(σγ) ways that grow from the root, (n-1)! in all
    for size in range(1, 9):
        trees = tableaux._trees(size)
        ways = sum(math.factorial(size) / (symmetry(tree) * tableaux._density(tree)) for tree in trees)
        assert ways == pytest.approx(math.factorial(size - 1))


@pytest.mark.parametrize(("order", "method"), EVERY)
def test_a_method_has_its_order(order, method):
    assert method.order == order


@pytest.mark.parametrize(("order", "method"), EVERY)
def test_the_order_is_that_of_the_exponential_series(order, method):
    # y' = y: the weights applied to powers of the stages are 1/n!
    stages, weights = method._dense
    vector = np.ones(len(weights))
    for power in range(1, order + 1):
        assert weights @ vector == pytest.approx(1 / math.factorial(power), rel=1e-12)
        vector = stages @ vector


def test_the_methods_of_dormand_and_prince_are_those_of_scipy():
    for ours, theirs in ((DORMAND_PRINCE_5, RK45), (DORMAND_PRINCE_853, DOP853)):
        stages, weights = ours._dense
        count = len(weights)
        width = min(count, theirs.A.shape[1])
        np.testing.assert_allclose(stages[:, :width], theirs.A[:count, :width], rtol=1e-14)
        np.testing.assert_allclose(weights, theirs.B[:count], rtol=1e-14)


@pytest.mark.parametrize(("order", "method"), EVERY)
def test_a_changed_coefficient_costs_the_order(order, method):
    rows = [dict(row) for row in method.stages]
    rows[-1][0] = rows[-1].get(0, 0.0) + 1e-6
    changed = Tableau(rows, method.weights)
    assert changed.order < order
    with pytest.raises(ArgumentError, match=f"the tableau is not of order {order}: for the tree"):
        Tableau(rows, method.weights, order=order)


def test_an_order_that_is_met_is_accepted():
    assert Tableau([[2 / 3]], [1 / 4, 3 / 4], order=2).order == 2
    assert Tableau([[2 / 3]], [1 / 4, 3 / 4], order=1).order == 2
    assert Tableau([], [1.0]).order == 1
    assert Tableau([], [0.5]).order == 0


@pytest.mark.parametrize(
    ("stages", "weights", "message"),
    [
        ([[0.5, 0.5]], [0, 1], "stage 1 refers to stage 1, but only 1 are known there"),
        ([{0: 0.5}, {2: 0.5}], [0, 0, 1], "stage 2 refers to stage 2, but only 2 are known there"),
        ([[1.0]], [0.5, 0.25, 0.25], "the weights refers to stage 2, but only 2 are known there"),
        ([[np.inf]], [0.5, 0.5], "in stage 1, the coefficient of stage 0 is inf"),
        ([[1.0]], [np.nan, 0.5], "in the weights, the coefficient of stage 0 is nan"),
    ],
)
def test_what_is_no_explicit_method_is_refused(stages, weights, message):
    with pytest.raises(ArgumentError, match=message):
        Tableau(stages, weights)
