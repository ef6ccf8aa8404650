"""Supports as images of the line and of ranges of integers, cut at kinks."""

import numpy as np
import pytest
import sympy as sp

from riemopt.models.plan import Plan

x, z, mu, tau = sp.symbols("x z mu tau", real=True)
t, s, a, b, rate = sp.symbols("t s a b rate", positive=True)
k = sp.Symbol("k", integer=True)


def plan_of(support, log_density=-(x**2) / 2 + mu * x, observation=x, parameters=(mu,)):
    return Plan.of(log_density, (observation,), (support,), parameters)


HALF = sp.Rational(1, 2)
INTERVALS = {
    sp.S.Reals: [(-np.inf, np.inf)],
    sp.Interval.open(0, sp.oo): [(0, np.inf)],
    sp.Interval(3, sp.oo): [(3, np.inf)],
    sp.Interval.open(-sp.oo, -2): [(-np.inf, -2)],
    sp.Interval(-1, 4): [(-1, 4)],
    sp.Interval.Lopen(0, sp.pi): [(0, np.pi)],
    sp.Union(sp.Interval(0, 1), sp.Interval.open(5, sp.oo)): [(0, 1), (5, np.inf)],
    sp.Union(sp.Interval.open(-sp.oo, -1), sp.Interval(-HALF, 0), sp.Interval(2, 3)): [
        (-np.inf, -1),
        (-0.5, 0),
        (2, 3),
    ],
}


@pytest.mark.parametrize("support", INTERVALS, ids=str)
def test_every_stretch_is_an_image_of_the_line(support):
    (stretches,) = plan_of(support).stretches
    ends = []
    for stretch in stretches:
        assert stretch.lattice is None
        location, slope = (sp.lambdify(stretch.variable, e) for e in (stretch.location, sp.exp(stretch.log_slope)))
        y = np.linspace(-8.0, 8.0, 33)
        places = np.array([float(location(each)) for each in y])
        assert np.all(np.diff(places) > 0) or np.all(np.diff(places) < 0)
        h = 1e-5
        steps = np.array([float(location(each + h) - location(each - h)) / (2 * h) for each in y])
        np.testing.assert_allclose(np.abs(steps), [float(slope(each)) for each in y], rtol=1e-6, atol=1e-10)
        far = [float(sp.limit(stretch.location, stretch.variable, way)) for way in (-sp.oo, sp.oo)]
        ends.append(tuple(sorted(far)))
    np.testing.assert_allclose(sorted(ends), INTERVALS[support])


LATTICES = {
    sp.S.Naturals0: ((0.0, np.inf), range(0, 5)),
    sp.S.Naturals: ((0.0, np.inf), range(1, 6)),
    sp.S.Integers: ((-np.inf, np.inf), range(0, 5)),
    sp.Range(3, 50, 4): ((0.0, 11.0), range(3, 20, 4)),
    sp.Range(-7, 13): ((0.0, 19.0), range(-7, -2)),
    sp.Range(10, 0, -3): ((0.0, 3.0), [1, 4, 7, 10]),
    sp.Range(5, sp.oo, 2): ((0.0, np.inf), range(5, 15, 2)),
}


@pytest.mark.parametrize("support", LATTICES, ids=str)
def test_every_member_of_a_lattice_has_its_integer(support):
    lattice, first = LATTICES[support]
    (stretch,) = plan_of(support, k * mu - mu, k).stretches[0]
    assert stretch.lattice == lattice and stretch.log_slope == 0
    assert [stretch.location.subs(stretch.variable, i) for i in range(len(first))] == list(first)


def test_lattice_without_a_first_member_runs_from_its_last():
    (stretch,) = plan_of(sp.Range(-sp.oo, 4), k * mu - mu, k).stretches[0]
    low, high = stretch.lattice
    assert (low, high) == (-np.inf, 0.0)
    assert [stretch.location.subs(stretch.variable, -i) for i in range(3)] == [3, 2, 1]


def ends(plan, point):
    """Where stretches begin and end at a point, as numbers."""
    at = dict(zip((*plan.parameters, *plan.frozen), (*point, *point), strict=True))
    result = set()
    for stretch in plan.stretches[0]:
        location = stretch.location.subs(at)
        result |= {float(sp.limit(location, stretch.variable, way)) for way in (-sp.oo, sp.oo)}
    return sorted(result)


@pytest.mark.parametrize(
    ("density", "expected", "moves"),
    [
        (sp.Abs(x - mu), [-np.inf, 0.5, np.inf], True),
        (sp.Max(x, 3) + sp.Min(2 * x, -1, 5 * x), [-np.inf, -0.5, -0.2, 0, 3, np.inf], False),
        (sp.sign(2 * x - 3 * mu), [-np.inf, 0.75, np.inf], True),
        (sp.Abs(x**2 - 4), [-np.inf, -2, 2, np.inf], False),
        (sp.Abs(x**2 + 1), [-np.inf, np.inf], False),
        (sp.Piecewise((x, x < mu), (x**2, x < mu + 2), (1, True)), [-np.inf, 0.5, 2.5, np.inf], True),
        (sp.Heaviside(x - mu) * sp.Abs(x - mu - s), [-np.inf, 0.5, 2.5, np.inf], True),
        (sp.Abs(sp.exp(x) - 5), [-np.inf, np.log(5), np.inf], False),
        (sp.Abs(mu) * x**2, [-np.inf, np.inf], False),
    ],
    ids=str,
)
@pytest.mark.slow_for("Max(3, x) + Min(-1, 2*x, 5*x)-[-inf, -0.5, -0.2, 0, 3, inf]-False")
def test_line_is_cut_at_kinks_in_order(density, expected, moves):
    plan = plan_of(sp.S.Reals, density, parameters=(mu, s))
    np.testing.assert_allclose(ends(plan, (0.5, 2.0)), expected)
    assert plan.moves == moves


def test_kinks_outside_the_support_do_not_count():
    plan = plan_of(sp.Interval(0, 1), sp.Abs(x - 7) + sp.Abs(x + 1) + sp.Abs(x) + sp.Abs(x - HALF))
    np.testing.assert_allclose(ends(plan, (0.0,)), [0, 0.5, 1])
    assert not plan.moves
    # of a positive observation, a kink at minus a positive number
    plan = plan_of(sp.Interval.open(0, sp.oo), sp.Abs(t + s) + sp.Abs(t - s), t, (s,))
    np.testing.assert_allclose(ends(plan, (2.0,)), [0, 2, np.inf])
