"""The standard spaces by themselves: their geodesics solve the geodesic equation of their metric, and keep its laws."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from riemopt.geometry.positive_matrices import PositiveMatrices
from riemopt.geometry.spaces import Flat, HalfSpace, Simplex

SPACES = {
    "flat": Flat(((2.0, 0.5), (0.5, 1.0)), (-np.inf, 0.0), (3.0, np.inf)),
    "half-plane": HalfSpace(2, 1.5),
    "half of the half-plane": HalfSpace(2, 1.5, upper=0.5),
    "half-space": HalfSpace(4, 0.5),
    "simplex": Simplex(3, 2.0),
    "positive numbers": PositiveMatrices(1),
    "positive matrices": PositiveMatrices(2),
    "positive matrices of order 3": PositiveMatrices(3),
    "positive matrices of order 5": PositiveMatrices(5),
}
seeds = st.integers(0, 10_000)
lengths = st.floats(1e-6, 4.0)


def some_point(space, rng):
    if isinstance(space, Flat):
        return np.array([rng.normal(), rng.exponential() + 0.1])
    if isinstance(space, HalfSpace):
        return np.array([*(0.4 * rng.random(space.dimension - 1)), np.exp(rng.normal())])
    if isinstance(space, Simplex):
        return rng.dirichlet(np.full(space.dimension + 1, 2.0))[:-1]
    root = rng.normal(size=(space.order, space.order + 2))
    return (root @ root.T)[np.tril_indices(space.order)]


def norm(space, u, *vectors):
    v, w = (*vectors, vectors[-1])[:2]
    return inner(space, u, v, w) ** (1.0 if len(vectors) > 1 else 0.5)


def inner(space, u, v, w):
    if not isinstance(space, PositiveMatrices):
        return float(v @ space.metric(u) @ w)
    # the matrix of the metric has the square of P's condition number: tr(P⁻¹VP⁻¹W) is lost in its rounding
    root = np.linalg.cholesky(symmetric(space, u))
    sides = [np.linalg.solve(root, np.linalg.solve(root, symmetric(space, side)).T) for side in (v, w)]
    return space.scale * float(np.sum(sides[0] * sides[1]))


def symmetric(space, u):
    matrix = np.zeros((space.order, space.order))
    matrix[np.tril_indices(space.order)] = u
    return matrix + np.tril(matrix, -1).T


def some_vector(space, u, length, rng):
    w = rng.normal(size=space.dimension)
    return w * length / norm(space, u, w)


def derivative(space, u, direction, h=1e-30):
    """∂g along a direction by a step into the complex plane; all metrics here are analytic."""
    return space.metric(u + 1j * h * direction).imag / h


def acceleration(space, u, w):
    g = space.metric(u)
    slopes = np.array([derivative(space, u, unit) for unit in np.eye(len(u))])
    product = np.einsum("abc,a,b->c", slopes, w, w) - 0.5 * np.einsum("cab,a,b->c", slopes, w, w)
    return -np.linalg.solve(g, product)


@pytest.mark.parametrize("name", SPACES)
@given(seed=seeds, length=lengths)
@pytest.mark.slow_for("positive matrices of order 5")
def test_log_is_the_inverse_of_exp_and_distance_is_symmetric(name, seed, length):
    space, rng = SPACES[name], np.random.default_rng(seed)
    u = some_point(space, rng)
    w = some_vector(space, u, length, rng)
    assume(space.leaving(u, w) < 1.0)
    end = space.exp(u, w)
    found = space.log(u, end)
    scale = 1.0 + length
    # the end is known to its last digits only, which geodesics that meet there magnify
    condition = np.sqrt(np.linalg.cond(space.metric(end)))
    rounding = 1e-15 * (np.exp(length) * (1.0 + norm(space, end, end)) + condition)
    assert norm(space, u, found - w) <= 1e-11 * scale + 100 * rounding
    assert norm(space, end, space.log(end, u)) == pytest.approx(length, rel=1e-11, abs=100 * rounding)


@pytest.mark.parametrize("name", SPACES)
@given(seed=seeds, length=lengths)
@pytest.mark.slow_for("positive matrices of order 5")
def test_transport_is_an_isometry_that_takes_the_velocity_along(name, seed, length):
    space, rng = SPACES[name], np.random.default_rng(seed)
    u = some_point(space, rng)
    w = some_vector(space, u, length, rng)
    assume(space.leaving(u, w) < 1.0)
    end = space.exp(u, w)
    y, z = (some_vector(space, u, 1.0, rng) for _ in range(2))
    moved = [space.transport(u, w, vector) for vector in (y, z)]
    tolerance = 1e-11 * np.exp(length)
    assert norm(space, end, *moved) == pytest.approx(norm(space, u, y, z), abs=tolerance)
    assert norm(space, end, moved[0]) == pytest.approx(1.0, abs=tolerance)
    velocity = space.transport(u, w, w)
    back = space.exp(end, -velocity)
    assert norm(space, u, back - u) <= 1e-10 * np.exp(length) * (1.0 + norm(space, u, u))


@pytest.mark.parametrize("name", [name for name in SPACES if "5" not in name])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow_for(
    "positive matrices of order 3", "0-positive matrices of order 3", "2-positive matrices of order 3"
)
def test_geodesics_and_transport_solve_their_equations(name, seed):
    space, rng = SPACES[name], np.random.default_rng(seed)
    u, n = some_point(space, rng), space.dimension
    w = some_vector(space, u, 1.0, rng)
    w = 0.7 * w / max(1.0, float(space.leaving(u, w)))
    z = some_vector(space, u, 1.0, rng)

    def field(t, state):
        x, v, carried = state[:n], state[n : 2 * n], state[2 * n :]
        # Γ(v, z) by polarization
        turned = acceleration(space, x, v + carried) - acceleration(space, x, v - carried)
        return np.concatenate([v, acceleration(space, x, v), turned / 4])

    solution = solve_ivp(field, (0.0, 1.0), np.concatenate([u, w, z]), method="DOP853", rtol=1e-12, atol=1e-13)
    end = solution.y[:, -1]
    np.testing.assert_allclose(space.exp(u, w), end[:n], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(space.transport(u, w, z), end[2 * n :], rtol=1e-8, atol=1e-9)


def test_what_leaves_leaves_when_it_reaches_the_edge():
    box = SPACES["flat"]
    assert box.leaving(np.array([1.0, 1.0]), np.array([4.0, 0.0])) == 2.0
    assert box.leaving(np.array([1.0, 1.0]), np.array([-4.0, -0.5])) == 0.5
    half = HalfSpace(2, upper=1.0)
    for w in ([2.0, 0.0], [1.0, -0.5], [1.0, 3.0], [0.5, 0.1]):
        u, w = np.array([0.0, 2.0]), np.array(w)
        rate = float(half.leaving(u, w))
        assert half.exp(u, w / rate)[0] == pytest.approx(1.0, abs=1e-14)
    assert half.leaving(np.array([0.0, 0.1]), np.array([0.1, 0.0])) == 0.0
    assert half.leaving(np.array([0.0, 0.1]), np.array([-5.0, 0.0])) == 0.0
    simplex = Simplex(2)
    u, w = np.array([0.25, 0.25]), np.array([0.3, -0.2])
    rate = float(simplex.leaving(u, w))
    touching = simplex.exp(u, w / rate)
    assert min(*touching, 1 - touching.sum()) == pytest.approx(0.0, abs=1e-15)
    assert np.all(simplex.exp(u, 0.99 * w / rate) > 0)


@pytest.mark.parametrize("name", SPACES)
def test_no_velocity_is_no_way(name):
    space = SPACES[name]
    u = some_point(space, np.random.default_rng(1))
    z = some_vector(space, u, 1.0, np.random.default_rng(2))
    still = np.zeros(space.dimension)
    np.testing.assert_allclose(space.exp(u, still), u, rtol=1e-14)
    np.testing.assert_allclose(space.log(u, u), still, atol=1e-14)
    np.testing.assert_allclose(space.transport(u, still, z), z, rtol=1e-12, atol=1e-14)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert space.leaving(u, still) == 0.0


@given(seed=seeds, exponent=st.floats(-16.0, 0.0))
def test_short_distances_between_positive_matrices_keep_their_digits(seed, exponent):
    space, rng = PositiveMatrices(3), np.random.default_rng(seed)
    u = some_point(space, rng)
    target = u + 10.0**exponent * u * rng.normal(size=6) * 0.1
    assume(np.linalg.eigvalsh(symmetric(space, target)).min() > 0.0)
    with mp.workdps(50):
        here, there = (mp.matrix(symmetric(space, x).tolist()) for x in (u, target))
        root = mp.inverse(mp.cholesky(here))
        logs = [mp.log1p(value) for value in mp.eigsy(root * (there - here) * root.T, eigvals_only=True)]
        length = mp.sqrt(space.scale * sum(x * x for x in logs))
    condition = np.linalg.cond(symmetric(space, u))
    assert norm(space, u, space.log(u, target)) == pytest.approx(float(length), rel=1e-15 * condition + 1e-12)
    assert not space.log(u, u).any()
