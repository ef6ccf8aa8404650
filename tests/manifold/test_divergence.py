"""The Kullback-Leibler divergence: closed forms, close points, and what it has to do with the geometry."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.errors import ShapeError, UnsupportedError

mp.mp.dps = 50


def gamma(p, q):
    a, b, c, d = map(mp.mpf, (*p, *q))
    return (a - c) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(c) + c * mp.log(b / d) + a * (d - b) / b


def normal(p, q):
    m, s, n, t = map(mp.mpf, (*p, *q))
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2


def beta(p, q):
    a, b, c, d = map(mp.mpf, (*p, *q))
    ratio = mp.log(mp.beta(c, d) / mp.beta(a, b))
    return ratio + (a - c) * mp.psi(0, a) + (b - d) * mp.psi(0, b) + (c - a + d - b) * mp.psi(0, a + b)


def poisson(p, q):
    a, b = mp.mpf(p[0]), mp.mpf(q[0])
    return a * mp.log(a / b) + b - a


def exponential(p, q):
    a, b = mp.mpf(p[0]), mp.mpf(q[0])
    return mp.log(a / b) + b / a - 1


def categorical(p, q):
    p, q = ([*map(mp.mpf, x), 1 - mp.fsum(map(mp.mpf, x))] for x in (p, q))
    return mp.fsum(a * mp.log(a / b) for a, b in zip(p, q, strict=True))


def inversegaussian(p, q):
    m, a, n, b = map(mp.mpf, (*p, *q))
    return (mp.log(a / b) - 1 + b / a + b * m * (1 / n - 1 / m) ** 2) / 2


def weibull(p, q):
    k, s, m, t = map(mp.mpf, (*p, *q))
    return (
        mp.log(k / s**k)
        - mp.log(m / t**m)
        + (k - m) * (mp.log(s) - mp.euler / k)
        + (s / t) ** m * mp.gamma(m / k + 1)
        - 1
    )


def gumbel(p, q):
    m, b, n, d = map(mp.mpf, (*p, *q))
    return mp.log(d / b) + mp.euler * (b / d - 1) + (m - n) / d + mp.exp((n - m) / d) * mp.gamma(b / d + 1) - 1


REFERENCES = {
    "gamma": (gamma, [[2.0, 0.5], [0.01, 3.0], [1e4, 20.0], [1e6, 1e3]]),
    "normal": (normal, [[0.0, 1.0], [3.0, 0.2], [1e6, 1.0]]),
    "beta": (beta, [[2.0, 0.5], [30.0, 4.0], [0.1, 0.2]]),
    "poisson": (poisson, [[3.0], [1e-3], [1e6]]),
    "exponential": (exponential, [[3.0], [1e-3]]),
    "categorical": (categorical, [[0.2, 0.5], [0.01, 0.9]]),
    "inversegaussian": (inversegaussian, [[1.0, 2.0], [0.1, 30.0]]),
    "weibull": (weibull, [[1.5, 2.0], [0.7, 0.1]]),
    "gumbel": (gumbel, [[0.5, 2.0], [-3.0, 0.1]]),
}
SCALES = [1e-10, 1e-6, 1e-4, 1e-2, 0.3]


def pairs(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points, and targets from very near to far, shape (scales, points, n)."""
    points = np.array(REFERENCES[name][1])
    directions = np.random.default_rng(3).uniform(-1.0, 1.0, (len(SCALES), *points.shape))
    steps = np.array(SCALES)[:, None, None] * directions
    if name == "normal":  # the mean moves by standard deviations
        return np.broadcast_to(points, steps.shape), points + steps * points[:, 1:]
    if name == "categorical":
        return np.broadcast_to(points, steps.shape), points + 0.05 * steps
    return np.broadcast_to(points, steps.shape), points * (1.0 + steps)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_divergence_is_the_closed_form_of_the_literature_near_and_far(name):
    points, targets = pairs(name)
    found = ro.Manifold(ro.models.family(name), backend="numpy").kl_divergence(points, targets)
    reference = REFERENCES[name][0]
    flat = zip(
        points.reshape(-1, points.shape[-1]).tolist(), targets.reshape(-1, points.shape[-1]).tolist(), strict=True
    )
    expected = np.array([float(reference(p, q)) for p, q in flat]).reshape(found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.slow
def test_backends_agree():
    model = ro.models.Gamma()
    points, targets = pairs("gamma")
    found = ro.Manifold(model).kl_divergence(points, targets)
    np.testing.assert_allclose(found, ro.Manifold(model, backend="numpy").kl_divergence(points, targets), rtol=1e-9)


MANIFOLD = ro.Manifold(ro.models.Gamma(), backend="numpy")
logs = st.floats(-3.0, 3.0)


@given(logs, logs, logs, logs)
@example(2.220446049250313e-16, 0.0, 0.0, 0.0)
def test_the_divergence_is_nowhere_negative(a, b, c, d):
    p, q = np.exp([a, b]), np.exp([c, d])
    found = float(MANIFOLD.kl_divergence(p, q))
    assert found >= 0.0
    assert found == pytest.approx(float(gamma(p, q)), rel=1e-9, abs=1e-300)
    assert MANIFOLD.kl_divergence(p, p) == 0.0


def test_a_point_outside_has_no_divergence():
    found = MANIFOLD.kl_divergence([[1.0, 1.0], [1.0, -1.0], [np.nan, 1.0]], [[[1.0, 2.0]], [[-1.0, 2.0]]])
    assert found.shape == (2, 3)
    assert np.isfinite(found).tolist() == [[True, False, False], [False, False, False]]
    with pytest.raises(ShapeError):
        MANIFOLD.kl_divergence([1.0, 1.0], [1.0])


def test_a_conditional_model_has_none():
    logistic = ro.models.FeedForward([1, 1], output="bernoulli")
    with pytest.raises(UnsupportedError, match="mean over inputs"):
        ro.Manifold(logistic).kl_divergence([0.0, 0.0], [0.0, 0.0])


@pytest.mark.parametrize("name", ["gamma", "normal", "vonmises", "dirichlet", "multivariatenormal", "negativebinomial"])
def test_it_is_half_the_squared_length_of_a_small_step(name):
    model = ro.models.family(name)
    manifold = ro.Manifold(model, backend="numpy")
    x = model.domain.interior_points(3, spread=0.2)
    v = np.random.default_rng(0).normal(size=x.shape)
    v /= manifold.norm(x, v)[:, None]
    for h in (1e-3, 1e-5):
        np.testing.assert_allclose(manifold.kl_divergence(x, x + h * v), h**2 / 2, rtol=20 * h)


def test_it_does_not_care_about_the_chart():
    model = ro.models.Gamma()
    alpha, beta = model.parameters
    a, b = sp.symbols("a b", positive=True)
    scale = model.reparametrize({alpha: a**2, beta: 1 / b}, parameters=(a, b))
    points, targets = np.array([[2.0, 0.5], [0.3, 4.0]]), np.array([[2.5, 0.5], [0.3001, 4.0]])
    expected = MANIFOLD.kl_divergence(points, targets)
    for moved in (scale, model.natural_chart(), model.mean_chart()):
        there = moved.chart.from_original
        found = ro.Manifold(moved, backend="numpy").kl_divergence(there(points), there(targets))
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("name", ["gamma", "normal", "categorical"])
def test_it_is_the_bregman_divergence_of_the_log_partition_and_of_its_dual(name):
    model = ro.models.family(name)
    natural, mean = model.natural_chart(), model.mean_chart()
    p, q = model.domain.interior_points(2, spread=0.2)
    form = natural.exponential_form
    partition = sp.lambdify(natural.parameters, form.log_partition, "scipy")
    z, there = natural.chart.from_original(p), natural.chart.from_original(q)
    eta, other = mean.chart.from_original(p), mean.chart.from_original(q)
    manifold = ro.Manifold(model, backend="numpy")
    found = float(manifold.kl_divergence(p, q))
    assert manifold.bregman_divergence(q, p) == found
    assert partition(*there) - partition(*z) - (there - z) @ eta == pytest.approx(found, rel=1e-9)
    # A*(η) = z·η - A(z), whose slope is z
    dual, dual_there = z @ eta - partition(*z), there @ other - partition(*there)
    assert dual - dual_there - (eta - other) @ there == pytest.approx(found, rel=1e-9)


def test_what_is_no_exponential_family_has_no_bregman_divergence():
    with pytest.raises(UnsupportedError, match="Cauchy is not an exponential family"):
        ro.Manifold(ro.models.Cauchy(), backend="numpy").bregman_divergence([0.0, 1.0], [1.0, 1.0])


@pytest.mark.parametrize("name", ["normal", "categorical", "gamma", "inversegaussian"])
def test_pythagoras_holds_for_a_mixture_and_an_exponential_geodesic_at_right_angles(name):
    model = ro.models.family(name)
    manifold = ro.Manifold(model, backend="numpy")
    corner = model.domain.interior_points(3, spread=0.2)
    u, v = np.random.default_rng(1).normal(size=(2, *corner.shape))
    v -= u * (manifold.inner(corner, u, v) / manifold.inner(corner, u, u))[:, None]
    u, v = (0.3 * w / manifold.norm(corner, w)[:, None] for w in (u, v))
    p, r = manifold.exp(corner, u, a=-1.0), manifold.exp(corner, v, a=1.0)
    sides = manifold.kl_divergence(p, corner) + manifold.kl_divergence(corner, r)
    np.testing.assert_allclose(manifold.kl_divergence(p, r), sides, rtol=1e-8)
