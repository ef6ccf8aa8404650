"""The Fisher metric: against expectations by quadrature, and as a tensor under every change of chart."""

from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from riemopt.geometry.metric import fisher_metric, volume_element


@pytest.mark.slow_for("gamma by cube", "gamma by squares")
def test_metric_is_the_mean_square_of_the_score(case):
    ell, parameters, point = case.model.log_density, case.model.parameters, case.points[1]
    expected = [[case.mean(ell.diff(u) * ell.diff(v), point) for u in parameters] for v in parameters]
    np.testing.assert_allclose(case.numpy.metric(point), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.slow_for("gamma by cube", "gamma by squares")
def test_metric_is_minus_the_mean_second_derivative(case):
    ell, parameters, point = case.model.log_density, case.model.parameters, case.points[1]
    expected = [[-case.mean(ell.diff(u, v), point) for u in parameters] for v in parameters]
    np.testing.assert_allclose(case.numpy.metric(point), expected, rtol=1e-9, atol=1e-10)


def test_metric_for_reading_is_the_metric_that_is_compiled(case):
    symbolic = sp.lambdify(case.model.parameters, case.numpy.symbolic.metric, "scipy")
    for point in case.points:
        np.testing.assert_allclose(case.numpy.metric(point), symbolic(*point), rtol=1e-11)


def test_metric_is_symmetric_and_positive_definite(case):
    metrics = case.numpy.metric(case.points)
    np.testing.assert_array_equal(metrics, np.swapaxes(metrics, -1, -2))
    assert np.all(np.linalg.eigvalsh(metrics) > 0)


def test_volume_element_is_the_root_of_the_determinant(case):
    volume = sp.lambdify(case.model.parameters, case.numpy.symbolic.volume_element, "scipy")
    expected = np.sqrt(np.linalg.det(case.numpy.metric(case.points)))
    np.testing.assert_allclose([volume(*point) for point in case.points], expected, rtol=1e-8)
    g = fisher_metric(case.model)
    assert sp.simplify(volume_element(g) ** 2 - g.det()) == 0


def test_volume_of_the_normal_model_is_jeffreys_prior(normal):
    _, sigma = normal.model.parameters
    assert sp.simplify(normal.numpy.symbolic.volume_element - sp.sqrt(2) / sigma**2) == 0


coordinate = st.floats(-2.0, 2.0).map(lambda t: float(np.exp(t)))
component = st.integers(-12, 12).map(lambda k: k / 4)


@given(
    st.tuples(coordinate, coordinate),
    st.tuples(component, component),
    st.tuples(component, component),
)
def test_metric_transforms_as_a_tensor(chart_case, gamma, point, u, v):
    """g_ξ = Jᵀ g_θ J: inner products are those of the vectors in the original chart."""
    chart = chart_case.model.chart
    theta, jacobian = chart.to_original(point), chart.jacobian(point)
    g = gamma.numpy.metric(theta)
    moved = chart_case.numpy.metric(point)
    root = np.sqrt(np.diag(moved))
    assert np.all(np.abs(moved - jacobian.T @ g @ jacobian) <= 1e-11 * np.outer(root, root))
    pushed = chart.push_forward(point, u), chart.push_forward(point, v)
    size = chart_case.numpy.norm(point, u) * chart_case.numpy.norm(point, v)
    difference = chart_case.numpy.inner(point, u, v) - gamma.numpy.inner(theta, *pushed)
    assert abs(difference) <= 1e-10 * size


@given(st.tuples(coordinate, coordinate), st.tuples(component, component))
def test_raised_indices_transform_as_vectors(chart_case, gamma, point, covector):
    """A covector pulled back and raised there is pushed forward to the covector raised here."""
    chart = chart_case.model.chart
    theta = chart.to_original(point)
    here = gamma.numpy.raise_index(theta, covector)
    there = chart_case.numpy.raise_index(point, chart.pull_back_covectors(point, covector))
    scale = gamma.numpy.norm(theta, here)
    assert gamma.numpy.norm(theta, chart.push_forward(point, there) - here) <= 1e-10 * scale


@cache
def likelihood(case):
    return case.numpy.likelihood([0.5, 1.0, 1.75])


@given(st.tuples(coordinate, coordinate))
def test_loss_gradient_and_natural_gradient_transform_as_scalar_covector_and_vector(chart_case, gamma, point):
    here, there = likelihood(gamma), likelihood(chart_case)
    chart = chart_case.model.chart
    theta = chart.to_original(point)
    assert there.loss(point) == pytest.approx(float(here.loss(theta)), rel=1e-11, abs=1e-11)
    pulled = chart.pull_back_covectors(point, here.gradient(theta))
    scale = np.abs(chart.jacobian(point)).T @ (1 + np.abs(theta) + 1 / theta)
    assert np.all(np.abs(there.gradient(point) - pulled) <= 1e-11 * scale)
    v = here.natural_gradient(theta)
    pushed = chart.push_forward(point, there.natural_gradient(point))
    assert gamma.numpy.norm(theta, pushed - v) <= 1e-9 * (1 + gamma.numpy.norm(theta, v))
