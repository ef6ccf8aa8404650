"""Where the coordinates of a chart may lie."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from riemopt.errors import DomainError, ModelError, ShapeError
from riemopt.models.domain import Domain
from riemopt.symbolic.functions import array_function

alpha, beta = sp.symbols("alpha beta", positive=True)
mu = sp.Symbol("mu", real=True)
p = sp.Symbol("p", positive=True)
GAMMA = Domain.of((alpha, beta))
INTERVAL = Domain.of((p,), [p < 1])
WEDGE = Domain.of((mu, alpha), [mu < alpha, alpha <= 5])
CURVED = Domain.of((mu,), [mu**2 > 1000])
DOMAINS = [GAMMA, INTERVAL, WEDGE, CURVED, Domain.of((mu,)), Domain.of((mu,), [mu < -2])]


def test_conditions_survive_though_the_assumptions_imply_them() -> None:
    assert [str(condition) for condition in GAMMA.conditions] == ["alpha > 0", "beta > 0"]
    assert GAMMA.margins == (alpha, beta)


@pytest.mark.parametrize("clone", [lambda domain: pickle.loads(pickle.dumps(domain)), copy.deepcopy, copy.copy])
def test_conditions_survive_copying(clone) -> None:
    GAMMA.contains([1.0, 1.0])  # compiled, so that there is something that cannot be pickled
    assert clone(GAMMA) == GAMMA
    assert clone(WEDGE).describe() == WEDGE.describe()


@settings(deadline=None)
@given(hnp.arrays(float, st.tuples(st.integers(0, 4), st.just(2)), elements=st.floats(width=64)))
def test_membership_is_that_of_the_inequalities(points: np.ndarray) -> None:
    m, a = points.T
    finite = np.isfinite(points).all(axis=-1)
    np.testing.assert_array_equal(WEDGE.contains(points), finite & (a > 0) & (m < a) & (a <= 5))


def test_membership_keeps_the_leading_axes() -> None:
    assert GAMMA.contains(np.ones((3, 1, 4, 2))).shape == (3, 1, 4)
    assert GAMMA.contains(np.ones((0, 2))).shape == (0,)
    assert np.shape(GAMMA.contains([1, 1])) == ()


@pytest.mark.parametrize("points", [1.0, [1.0], np.ones((2, 3)), np.ones((0,))])
def test_a_wrong_last_axis_is_refused(points) -> None:
    with pytest.raises(ShapeError, match=r"must have length 2: \(alpha, beta\)"):
        GAMMA.contains(points)
    with pytest.raises(ShapeError, match=r"^start: "):
        GAMMA.require(points)


@pytest.mark.parametrize(
    ("domain", "points", "message"),
    [
        (GAMMA, [-1, 1], "start: alpha = -1.0 is outside its domain alpha > 0"),
        (GAMMA, [1, 0], "start: beta = 0.0 is outside its domain beta > 0"),
        (GAMMA, [[1, 1], [1, 1], [1, 1], [1, -2.5]], "start[3]: beta = -2.5 is outside its domain beta > 0"),
        (GAMMA, [[[1, 1]], [[np.nan, 1]]], "start[1, 0]: alpha = nan is not finite"),
        (GAMMA, [np.inf, -1], "start: alpha = inf is not finite"),
        (INTERVAL, [1.5], "start: p = 1.5 is outside its domain p > 0, p < 1"),
        (WEDGE, [2, 1], "start: mu = 2.0, alpha = 1.0 is outside the domain mu < alpha"),
    ],
)
def test_the_first_point_outside_is_named(domain: Domain, points, message: str) -> None:
    with pytest.raises(DomainError) as caught:
        domain.require(points)
    assert str(caught.value) == message


def test_points_inside_are_let_pass() -> None:
    GAMMA.require(np.ones((2, 3, 2)))
    GAMMA.require(np.ones((0, 2)))


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_interior_points_have_positive_margins(domain: Domain) -> None:
    points = domain.interior_points(200, rng=1)
    assert points.shape == (200, domain.dimension)
    assert domain.contains(points).all()
    for margin in domain.margins:
        values = array_function(domain.parameters, [margin])(points)
        assert (values > 0).all()


def test_interior_points_come_from_the_seed() -> None:
    np.testing.assert_array_equal(GAMMA.interior_points(5, 3), GAMMA.interior_points(5, np.random.default_rng(3)))
    assert not np.array_equal(GAMMA.interior_points(5, 3), GAMMA.interior_points(5, 4))


def test_interior_points_spread_over_three_decades_of_a_half_line() -> None:
    points = GAMMA.interior_points(1000)
    assert 2.5 < np.log10(points.max() / points.min()) < 3.5


def test_interior_points_are_found_in_a_simplex_of_many_coordinates() -> None:
    symbols = sp.symbols("p:20", positive=True)
    points = Domain.of(symbols, [sum(symbols) < 1]).interior_points(10)
    assert (points.sum(axis=-1) < 1).all()


def test_a_domain_without_interior_has_no_interior_points() -> None:
    with pytest.raises(ModelError, match=r"no points found that satisfy mu\*\*2 \+ 1 < mu"):
        Domain.of((mu,), [mu**2 + 1 < mu]).interior_points(1)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_free_coordinates_are_undone_by_their_inverse(domain: Domain) -> None:
    points = domain.interior_points(50)
    free = domain.to_free(points)
    np.testing.assert_allclose(domain.from_free(free), points, rtol=1e-12)
    step = 1e-6
    slope = (domain.from_free(free + step) - domain.from_free(free - step)) / (2 * step)
    np.testing.assert_allclose(domain.free_slope(points), slope, rtol=1e-5)


def test_pulling_back_drops_what_the_new_assumptions_imply() -> None:
    a, b = sp.symbols("a b", positive=True)
    assert GAMMA.pull_back((a, b), {alpha: a**2, beta: 1 / b}).describe() == "a > 0, b > 0"
    s = sp.Symbol("s", real=True)
    assert GAMMA.pull_back((a, s), {alpha: a, beta: sp.exp(s)}).describe() == "a > 0"
    assert GAMMA.pull_back((a, s), {alpha: a, beta: s + 1}).describe() == "a > 0, s > -1"


def test_pulling_back_exchanges_all_coordinates_at_once() -> None:
    x, y = sp.symbols("x y", real=True)
    swapped = Domain.of((x, y), [x < y]).pull_back((x, y), {x: y, y: x})
    assert swapped.describe() == "y < x"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (-alpha, r"condition -alpha > 0 never holds"),
        (beta, r"condition beta > 0: beta is not one of the parameters \(alpha\)"),
        (sp.I * alpha, r"is not an inequality between real expressions"),
    ],
)
def test_a_pull_back_that_is_empty_or_foreign_is_refused(expression: sp.Expr, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Domain.of((alpha,)).pull_back((alpha,), {alpha: expression})


@settings(deadline=None)
@given(hnp.arrays(float, (5, 2), elements=st.floats(-10, 10)))
def test_a_point_lies_in_the_pull_back_exactly_if_its_image_lies_in_the_domain(points: np.ndarray) -> None:
    x, y = sp.symbols("x y", real=True)
    pulled = WEDGE.pull_back((x, y), {mu: x * y, alpha: x + y})
    images = np.stack([points[:, 0] * points[:, 1], points.sum(axis=-1)], axis=-1)
    np.testing.assert_array_equal(pulled.contains(points), WEDGE.contains(images))


def test_points_are_looked_at_block_by_block(monkeypatch):
    monkeypatch.setattr("riemopt.models.domain._BLOCK", 7)
    points = np.random.default_rng(0).normal(size=(20, 3, 2))
    domain = Domain.of(sp.symbols("a b", positive=True))
    np.testing.assert_array_equal(domain.contains(points), (points > 0).all(axis=-1))
    with pytest.raises(DomainError, match=r"start\[9, 1\]: b = nan"):
        wrong = np.ones((20, 3, 2))
        wrong[9, 1, 1] = np.nan
        domain.require(wrong)
