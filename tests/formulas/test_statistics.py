"""Samples of an exponential family are reduced to a few numbers, and lose no digits by it."""

import numpy as np
import pytest

import riemopt as ro


def slope(function, theta, direction, h=1e-3):
    """A derivative by differences of fourth order."""
    theta, direction = np.asarray(theta, dtype=float), np.asarray(direction, dtype=float)
    values = [np.asarray(function(theta + k * h * direction)) for k in (-2, -1, 1, 2)]
    return np.tensordot([1, -8, 8, -1], values, axes=1) / (12 * h)


def close(found, expected, rtol=1e-11):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@pytest.mark.parametrize("family", ["normal", "gamma", "poisson", "beta", "vonmises"])
def test_samples_of_an_exponential_family_are_reduced_to_a_few_numbers(family):
    model = ro.models.family(family)
    point = np.array([0.6, 2.0, 0.5])[: model.dimension] if family != "poisson" else np.array([3.0])
    manifold = ro.Manifold(model, backend="numpy")
    few, many = (model.sample(point, size, rng=3) for size in (100, 10**6))
    problems = [manifold.likelihood(samples) for samples in (few, many)]
    assert len(problems[0].data) == len(problems[1].data) <= 4
    assert all(problem.table is None for problem in problems)
    elsewhere = 1.1 * point
    for problem, samples in zip(problems, (few, many), strict=True):
        assert problem.count == len(samples)
        expected = -np.mean(model.log_density_at(elsewhere, samples))
        assert problem.loss(elsewhere) == pytest.approx(expected, rel=1e-11, abs=1e-12)
        gradient = [slope(lambda p: -np.mean(model.log_density_at(p, few)), elsewhere, e) for e in np.eye(len(point))]
        if samples is few:
            close(problem.gradient(elsewhere), gradient, rtol=1e-7)


def test_samples_far_from_zero_keep_what_tells_them_apart():
    """Raw moments of samples at a million and one would lose eleven digits of their variance."""
    samples = 1e6 + np.random.default_rng(4).choice([-1.0, 1.0], 1001)
    exact_mean, exact_square = np.mean(samples - 1e6), np.mean((samples - 1e6) ** 2)
    problem = ro.Manifold(ro.models.Normal(), backend="numpy").likelihood(samples)
    for shift, sigma in ((0.1, 1.0), (-0.5, 0.8), (0.0, 3.0)):
        mu = 1e6 + shift
        shift = mu - 1e6
        square = exact_square - 2 * shift * exact_mean + shift**2
        expected = square / (2 * sigma**2) + np.log(sigma) + 0.5 * np.log(2 * np.pi)
        assert problem.loss([mu, sigma]) == pytest.approx(expected, rel=1e-9)
        gradient = [(shift - exact_mean) / sigma**2, 1 / sigma - square / sigma**3]
        np.testing.assert_allclose(problem.gradient([mu, sigma]), gradient, rtol=1e-9, atol=1e-9)
