"""Straight steps on the Poisson model, where ∂L = 1 - 4/m and g⁻¹∂L = m - 4."""

import pytest

import riemopt as ro


@pytest.mark.parametrize("m", [0.5, 4.0, 10.0])
@pytest.mark.parametrize(("key", "slope"), [("gd", lambda m: 1 - 4 / m), ("ng", lambda m: m - 4)])
def test_a_step_goes_against_the_gradient(poisson, key, slope, m):
    trajectory = ro.minimize(poisson, key, [m], 0.125, 1)
    assert trajectory.x[0] == pytest.approx(m - 0.125 * slope(m), rel=1e-14)


def test_the_natural_gradient_is_the_same_step_in_the_mean_parameter_of_any_family():
    """In one step of size 1 it is at the mean, where the likelihood is largest."""
    for name, mean in (("poisson", 4.0), ("bernoulli", 0.5), ("binomial", 0.4)):
        model = ro.models.family(name)
        samples = {"poisson": [3.0, 5.0], "bernoulli": [0.0, 1.0], "binomial": [3.0, 5.0]}[name]
        problem = ro.Manifold(model, backend="numpy").likelihood(samples)
        assert ro.minimize(problem, "ng", [0.3], 1.0, 1).x[0] == pytest.approx(mean, rel=1e-13)
