"""Blocks of a metric, and the standard space of each."""

import sympy as sp

from riemopt.geometry.blocks import blocks, standard_space
from riemopt.geometry.spaces import Flat, HalfSpace, Simplex
from riemopt.models.domain import Domain

p, q, y = sp.symbols("p q y", positive=True)
x = sp.Symbol("x", real=True)


def test_coordinates_without_common_entries_are_blocks_of_their_own():
    found = list(blocks(Domain.of((x, p, y)), sp.diag(1 / y**2, 1 / p, 2 / y**2)))
    assert [block.parameters for block in found] == [(x, y), (p,)]
    assert [type(standard_space(block).spaces[0]) for block in found] == [HalfSpace, Flat]


def test_a_condition_ties_coordinates_together():
    rest = 1 - p - q
    metric = sp.Matrix([[1 / p + 1 / rest, 1 / rest], [1 / rest, 1 / q + 1 / rest]])
    (block,) = blocks(Domain.of((p, q), [p + q < 1]), metric)
    assert block.margins and isinstance(standard_space(block).spaces[0], Simplex)


def test_a_metric_of_no_standard_space_is_not_recognised():
    (block,) = blocks(Domain.of((p, q)), sp.Matrix([[sp.polygamma(1, p), -1 / q], [-1 / q, p / q**2]]))
    assert standard_space(block) is None
