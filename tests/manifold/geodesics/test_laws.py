"""What holds for exp, log, distance and transport on any manifold, for the whole catalogue and in every chart."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalogue import BY_QUADRATURE, INTEGRATED, KNOWN, manifold, model, moved, points, vectors
from tests.marks import slow

seeds = st.integers(0, 2**32 - 1)
lengths = st.floats(1e-4, 1.5)

REACH = {"studentt": 0.1}
"""The normal distributions are nearer than 1 to Student's, and a geodesic that comes there is lost."""


QUICK = (
    *("exponential", "normal", "inversegaussian", "categorical", "zero-mean normal", "log odds", "two waits"),
    "gamma",
)
"""One or two for each space that geodesics are known in, and one whose geodesics are integrated."""


def law(examples_of_known: int, examples_of_integrated: int, quick=QUICK):
    """A property of a model, a seed and a length, for all models; those that are not quick are slow tests.

    Of a model whose geodesics are known an example has several points, which cost no more than one.
    """

    def decorate(check):
        def run(name):
            count = examples_of_known if name in KNOWN else examples_of_integrated
            quiet = [HealthCheck.too_slow]
            settings(max_examples=count, suppress_health_check=quiet)(
                given(seeds, lengths.map(lambda t: t * REACH.get(name, 1.0)))(_bound(check, name))
            )()

        run.__doc__ = check.__doc__
        names = [n if n in quick else slow(n) for n in (*KNOWN, *INTEGRATED)]
        return pytest.mark.parametrize("name", names)(run)

    return decorate


def _bound(check, name):
    def example(seed, length):
        check(name, np.random.default_rng(seed), length)

    return example


def starts(name, length, rng):
    """Points, and vectors of a length whose geodesics stay in the domain for twice their time, both ways."""
    at = points(name, 8 if name in KNOWN else 3, rng)
    v = vectors(name, at, length, rng)
    if name == "studentt":
        return at, v
    _, info = manifold(name).geodesic(at, v, [-2.0, 2.0], full_output=True)
    stays = (info.entry_time < -2.0) & (info.exit_time > 2.0)
    return at[stays], v[stays]


@law(15, 3)
def test_log_is_the_inverse_of_exp_and_pieces_of_a_geodesic_fit_together(name, rng, length):
    at, v = starts(name, length, rng)
    m = manifold(name)
    ends = m.exp(at, v)
    found, info = m.log(at, ends, full_output=True)
    assert np.all(info.status == 0)
    assert np.all(m.norm(at, found - v) <= 1e-8)
    assert np.all(info.error <= 1e-8)
    curve = m.geodesic(at, v, [1.0, 0.5, -1.0])
    assert np.all(m.norm(ends, curve[:, 0] - ends) <= 1e-9)
    assert np.all(m.norm(at, m.exp(at, -v) - curve[:, 2]) <= 1e-8)
    velocity = m.transport(at, 0.5 * v, v)
    assert np.all(m.norm(ends, m.exp(curve[:, 1], 0.5 * velocity) - ends) <= 1e-8)


@law(15, 3)
def test_speed_is_constant_and_transport_keeps_inner_products(name, rng, length):
    at, along = starts(name, length, rng)
    m = manifold(name)
    u, w = (vectors(name, at, 1.0, rng) for _ in range(2))
    for t in (-1.0, 0.3, 2.0):
        velocity = m.transport(at, t * along, along)
        np.testing.assert_allclose(m.norm(m.exp(at, t * along), velocity), length, rtol=1e-9)
    ends = m.exp(at, along)
    moved_u, moved_w = m.transport(at, along, u), m.transport(at, along, w)
    np.testing.assert_allclose(m.norm(ends, moved_u), 1.0, rtol=1e-9)
    np.testing.assert_allclose(m.inner(ends, moved_u, moved_w), m.inner(at, u, w), rtol=0, atol=1e-9)
    combined = m.transport(at, along, 2 * u - w)
    assert np.all(m.norm(ends, combined - 2 * moved_u + moved_w) <= 1e-9)


@law(15, 2)
def test_distance_is_symmetric_and_satisfies_the_triangle_inequality(name, rng, length):
    m, at = manifold(name), points(name, 9 if name in KNOWN else 3, rng, spread=min(0.2, length))
    at = at.reshape(3, -1, at.shape[-1])  # the corners of triangles
    there, back = m.distance(at, np.roll(at, 1, axis=0)), m.distance(np.roll(at, 1, axis=0), at)
    np.testing.assert_allclose(there, back, rtol=1e-9)
    assert np.all(there.max(axis=0) <= (there.sum(axis=0) - there.max(axis=0)) * (1 + 1e-9))
    np.testing.assert_allclose(m.distance(at[0], at[0]), 0.0, atol=1e-14)


@law(6, 2, quick=("exponential", "normal", "zero-mean normal", "two waits"))
def test_all_of_it_is_the_same_in_another_chart(name, rng, length):
    at, v = starts(name, length, rng)
    m, other = manifold(name), moved(name)
    chart = other.model.chart
    here = chart.from_original(at)
    w = vectors(name, at, 1.0, rng)
    v_here, w_here = (np.linalg.solve(chart.jacobian(here), x[..., None])[..., 0] for x in (v, w))
    ends, ends_here = m.exp(at, v), other.exp(here, v_here)
    assert np.all(m.norm(ends, chart.to_original(ends_here) - ends) <= 1e-8)
    carried = chart.push_forward(ends_here, other.transport(here, v_here, w_here))
    assert np.all(m.norm(ends, carried - m.transport(at, v, w)) <= 1e-8)
    np.testing.assert_allclose(other.distance(here, ends_here), length, rtol=0, atol=1e-8)
    found = chart.push_forward(here, other.log(here, ends_here))
    assert np.all(m.norm(at, found - v) <= 1e-8)


@pytest.mark.parametrize("name", [n if n == "negativebinomial" else slow(n) for n in BY_QUADRATURE])
def test_laws_hold_where_the_metric_is_an_integral(name):
    rng, m = np.random.default_rng(0), manifold(name)
    at = np.array(BY_QUADRATURE[name])
    along, u, w = (vectors(name, at, length, rng) for length in (0.3, 1.0, 1.0))
    ends = m.exp(at, along)
    velocity, moved_u, moved_w = (m.transport(at, along, x) for x in (along, u, w))
    assert m.norm(ends, velocity) == pytest.approx(0.3, rel=1e-9)
    assert m.norm(ends, moved_u) == pytest.approx(1.0, rel=1e-9)
    assert m.inner(ends, moved_u, moved_w) == pytest.approx(m.inner(at, u, w), abs=1e-9)
    assert m.norm(at, m.exp(ends, -velocity) - at) <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, at in BY_QUADRATURE.items() if len(at) == 2])
def test_geodesics_are_the_same_in_another_chart_where_the_metric_is_an_integral(name):
    m, other = manifold(name), moved(name)
    at = np.array(BY_QUADRATURE[name])
    along = vectors(name, at, 0.3, np.random.default_rng(0))
    ends, chart = m.exp(at, along), other.model.chart
    here = chart.from_original(at)
    there = chart.to_original(other.exp(here, np.linalg.solve(chart.jacobian(here), along)))
    assert m.norm(ends, there - ends) <= 1e-9


@pytest.mark.parametrize("name", [n if n in QUICK else slow(n) for n in KNOWN])
def test_geodesics_are_shortest_to_second_order(name):
    """Of the paths through a point beside the middle, the one through the middle is the shortest."""
    rng = np.random.default_rng(0)
    m = manifold(name)
    at, v = starts(name, 0.5, rng)
    middle, ends = m.exp(at, v / 2), m.exp(at, v)
    if model(name).dimension == 1 or not len(at):
        return
    across = vectors(name, middle, 0.05, rng)
    beside = m.exp(middle, across)
    assert np.all(m.distance(at, beside) + m.distance(beside, ends) > 0.5)
    np.testing.assert_allclose(m.distance(at, middle) + m.distance(middle, ends), 0.5, rtol=1e-9)
