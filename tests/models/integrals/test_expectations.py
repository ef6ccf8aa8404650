"""Expectations over several observations."""

import pytest
import sympy as sp

from riemopt.models.integrals.expectations import expectations, members
from riemopt.models.integrals.results import NotFound

x, y = sp.symbols("x y", positive=True)
p = sp.Symbol("p", positive=True)
k = sp.Symbol("k", integer=True, nonnegative=True)
HALF_LINE = sp.Interval.open(0, sp.oo)


@pytest.mark.slow
def test_one_observation_is_taken_after_the_other():
    density = sp.log(p) + sp.log(y) - p * y - x * y
    mass, product = expectations([sp.S.One, x * y], density, [x, y], [HALF_LINE, HALF_LINE])
    assert sp.simplify(mass) == 1 and sp.simplify(product) == 1


def test_few_members_are_written_out():
    (mean,) = expectations([k], k * sp.log(p) + (1 - k) * sp.log(1 - p), [k], [sp.FiniteSet(0, 1)])
    assert sp.simplify(mean - p) == 0
    assert members(sp.FiniteSet(0, 1)) == 2 and members(sp.S.Naturals0) == sp.oo


def test_a_set_that_is_neither_interval_nor_range_is_refused():
    with pytest.raises(NotFound, match="no way to integrate over"):
        expectations([x], -x, [x], [sp.ConditionSet(x, sp.sin(x) > 0, sp.S.Reals)])
