"""The charts of a model by label, and points on the way from and to its own."""

from __future__ import annotations

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import DomainError, ShapeError
from riemopt.experiments.charts import charts_of, listed, own_label, start_in, title, to_own
from riemopt.experiments.settings import typed_chart

GAMMA = ro.models.Gamma()
SCALE = typed_chart(GAMMA, "beta = 1/b")


def test_the_own_chart_is_the_first_and_called_by_its_parameters():
    assert own_label(GAMMA) == "alpha, beta"
    assert list(charts_of(GAMMA, {"scale": SCALE})) == ["alpha, beta", "scale"]
    assert charts_of(GAMMA, [("scale", SCALE)])["scale"] is SCALE


def test_points_go_into_a_chart_and_back():
    start = start_in(GAMMA, "scale", SCALE, [2, 4])
    np.testing.assert_allclose(start, [2.0, 0.25], rtol=1e-15)
    points = np.array([[2.0, 0.25], [3.0, 0.5]])
    np.testing.assert_allclose(to_own(GAMMA, SCALE, points), [[2.0, 4.0], [3.0, 2.0]], rtol=1e-15)
    assert to_own(GAMMA, GAMMA, points) is points


def test_a_point_changes_chart_as_it_does_among_others():
    points = np.random.default_rng(0).uniform(0.1, 5.0, (6, 11, 2))
    together = to_own(GAMMA, SCALE, points)
    np.testing.assert_array_equal(together, [to_own(GAMMA, SCALE, path) for path in points])


def test_a_start_is_one_point_inside_that_the_chart_reaches():
    with pytest.raises(ShapeError, match="must be one point"):
        start_in(GAMMA, "scale", SCALE, [[1.0, 1.0]])
    with pytest.raises(DomainError, match=r"start: beta = -1\.0 is outside"):
        start_in(GAMMA, "scale", SCALE, [1.0, -1.0])
    with pytest.raises(DomainError, match=r"the chart 'far' does not reach alpha = 1\.0, beta = 1\.0"):
        start_in(GAMMA, "far", typed_chart(GAMMA, "beta = 5 + exp(b)"), [1.0, 1.0])
    assert listed(GAMMA, [1, 2]) == "alpha = 1.0, beta = 2.0"


def test_equations_are_typeset_and_other_labels_are_not():
    assert title("alpha, beta", GAMMA) == r"$\alpha$, $\beta$"
    assert title("beta = 1/b", SCALE) == r"$\beta = 1 / b$"
    assert title("scale", SCALE) == "scale"
