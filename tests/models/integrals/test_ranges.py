"""Sums over integers."""

import pytest
import sympy as sp

from riemopt.models.integrals.ranges import over_range
from riemopt.models.integrals.results import NotFound

n = sp.Symbol("n", integer=True)
q = sp.Symbol("q", positive=True)


def test_moments_of_the_geometric_distribution():
    mass, mean = over_range([sp.S.One, n], sp.log(1 - q) + n * sp.log(q), n, sp.S.Naturals0)
    assert sp.simplify(mass) == 1
    assert sp.simplify(mean - q / (1 - q)) == 0


def test_even_numbers_are_an_arithmetic_progression():
    (mass,) = over_range([sp.S.One], n * sp.log(q), n, sp.Range(0, sp.oo, 2))
    assert sp.simplify(mass - 1 / (1 - q**2)) == 0


def test_a_range_without_a_beginning_is_not_summed_in_steps():
    with pytest.raises(NotFound, match="no way to sum"):
        over_range([sp.S.One], n * sp.log(q), n, sp.Range(-sp.oo, 1, 2))
