"""How far an integrator ends from references and from itself: on a subject whose flow is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import riemopt as ro
from riemopt.experiments import Subject
from riemopt.experiments.settings import typed_chart
from riemopt.experiments.subject_orders import SubjectOrders
from riemopt.integrators import by_name

QUANTITIES = ("flow", "riemannian_euler", "invariance")


@pytest.fixture(scope="module")
def orders():
    model = ro.models.Exponential()
    charts = {"scale": typed_chart(model, "rate = 1/r")}
    subject = Subject.of(model, [0.5, 0.2, 0.1], charts, start=[1.0], backend="numpy")
    return SubjectOrders(subject, (8, 12, 16, 24, 32), QUANTITIES)


def test_the_flow_ends_where_its_formula_says(orders):
    # in the mean μ = 1/λ the natural gradient flow is that of (μ - x̄)²/2
    end, noise = orders.flow
    mean = np.mean([0.5, 0.2, 0.1])
    np.testing.assert_allclose(end, [1.0 / (mean + (1.0 - mean) * np.exp(-1.0))], rtol=1e-11)
    assert noise < 1e-10


def test_distances_of_a_method_are_above_its_noise_and_fall_with_its_order(orders):
    curves = orders.curves("mid", by_name("mid"))
    assert list(curves) == list(QUANTITIES)
    assert abs(curves["flow"].slope - 2.0) < 0.1 and abs(curves["invariance"].slope - 2.0) < 0.1
    assert all(curve.usable.all() for curve in curves.values())


def test_riemannian_euler_is_not_compared_with_itself(orders):
    curves = orders.curves("geo-exact", by_name("geo-exact"))
    assert list(curves) == ["flow", "invariance"]
    assert curves["invariance"].is_noise
