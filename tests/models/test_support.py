"""Supports: SymPy sets tested on arrays of numbers say what SymPy says."""

import numpy as np
import pytest
import sympy as sp

from riemopt.errors import ModelError
from riemopt.models.support import contains, describe, require_fit

PROBES = [-7, -3, -2, sp.Rational(-1, 2), 0, sp.Rational(1, 3), 1, sp.Rational(3, 2), 2, 3, 4, 5, 7, 9, 10, 1000]

SETS = [
    sp.S.Reals,
    sp.Interval(-3, 2),
    sp.Interval.open(-3, 2),
    sp.Interval.Lopen(0, sp.oo),
    sp.Interval.Ropen(-sp.oo, sp.Rational(1, 3)),
    sp.S.Naturals,
    sp.S.Naturals0,
    sp.S.Integers,
    sp.Range(1, 10, 3),
    sp.Range(10, 0, -3),
    sp.Range(2, sp.oo),
    sp.Range(-sp.oo, 4, 2),
    sp.FiniteSet(-2, sp.Rational(3, 2), 5),
    sp.S.EmptySet,
    sp.Union(sp.Interval(-3, -1), sp.Interval.open(1, 3)),
    sp.Union(sp.FiniteSet(0), sp.Interval.open(2, sp.oo)),
    sp.Intersection(sp.S.Naturals0, sp.Interval(-5, 4)),
    sp.Intersection(sp.S.Integers, sp.Interval(-3, 3), evaluate=False),
]


@pytest.mark.parametrize("support", SETS, ids=str)
def test_membership_is_that_of_sympy(support):
    expected = [support.contains(probe) == sp.true for probe in PROBES]
    assert contains(support, np.array(PROBES, dtype=float)).tolist() == expected


@pytest.mark.parametrize("support", SETS, ids=str)
def test_what_is_not_finite_lies_in_no_set(support):
    assert not contains(support, np.array([[np.nan], [np.inf], [-np.inf]])).any()


@pytest.mark.parametrize(
    "support",
    [sp.S.Complexes, sp.S.Rationals, sp.FiniteSet(sp.I), sp.Complement(sp.S.Integers, sp.FiniteSet(0))],
    ids=str,
)
def test_set_without_a_test_is_named(support):
    with pytest.raises(ModelError, match="is not a set that can be tested"):
        contains(support, np.zeros(2))


@pytest.mark.parametrize(
    ("support", "text"),
    [
        (sp.Interval.open(0, sp.oo), "(0, oo)"),
        (sp.Interval.Ropen(-1, 2), "[-1, 2)"),
        (sp.Interval(sp.Rational(1, 2), 3), "[1/2, 3]"),
        (sp.S.Naturals0, "Naturals0"),
    ],
)
def test_sets_are_described_as_they_are_written(support, text):
    assert describe(support) == text


@pytest.mark.parametrize(
    ("assumption", "support"),
    [
        ("positive", sp.S.Reals),
        ("nonnegative", sp.Interval(-1, 1)),
        ("nonnegative", sp.Range(-2, 5)),
        ("negative", sp.Interval(-1, 1)),
        ("nonpositive", sp.Union(sp.Interval(-3, -2), sp.FiniteSet(1))),
        ("integer", sp.Interval(0, 5)),
    ],
)
def test_support_beyond_what_is_assumed_of_the_observation_is_refused(assumption, support):
    with pytest.raises(ModelError, match="does not fit x, which is declared"):
        require_fit(sp.Symbol("x", **{assumption: True}), support)


@pytest.mark.parametrize(
    ("assumptions", "support"),
    [
        ({"positive": True}, sp.Interval(0, sp.oo)),
        ({"nonnegative": True, "integer": True}, sp.S.Naturals0),
        ({"negative": True}, sp.Interval.open(-sp.oo, 0)),
        ({"integer": True}, sp.Range(-3, 4)),
        ({"positive": True}, sp.Intersection(sp.S.Integers, sp.Interval(0, 3), evaluate=False)),
        ({}, sp.S.Reals),
    ],
)
def test_support_within_what_is_assumed_of_the_observation_is_accepted(assumptions, support):
    require_fit(sp.Symbol("x", **assumptions), support)


def test_empty_support_is_refused():
    with pytest.raises(ModelError, match="empty"):
        require_fit(sp.Symbol("x", real=True), sp.S.EmptySet)
