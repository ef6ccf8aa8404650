"""Sums over rows, in plain Python."""

import math

from riemopt.kernels.text.algorithms.sums import BLOCK, plus, sum_of_rows


def test_sums_of_some_rows_are_those_of_their_terms():
    for start, stop in ((0, 0), (3, 4), (0, BLOCK), (5, 2 * BLOCK + 7)):
        ones, halves = sum_of_rows(lambda row: (1.0, 0.5 * row), start, stop, 2)
        assert ones == stop - start and halves == sum(0.5 * row for row in range(start, stop))


def test_blocks_keep_rounding_small():
    count = 300 * BLOCK
    (found,) = sum_of_rows(lambda row: (0.1,), 0, count, 1)
    exact = math.fsum([0.1] * count)
    assert abs(found - exact) < 1e-12 * exact


def test_tuples_add_entry_by_entry():
    assert plus((1.0, 2.0), (0.5, -2.0), 2) == (1.5, 0.0)
