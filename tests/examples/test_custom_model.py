"""A density of one's own is fitted, and its geodesic ball is the region that its likelihood allows."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

# what it shows, ``tests/optimize/test_fit.py`` and ``tests/models/test_custom_densities.py`` state of quicker densities
pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "examples" / "custom_model.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    figure = tmp_path_factory.mktemp("custom_model") / "gompertz.png"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), "--output", str(figure)])
        return runpy.run_path(str(SCRIPT)), figure


def test_the_optimum_is_that_of_the_likelihood_written_out(run):
    names, _ = run
    h, g = names["fit"].x
    ages = names["lifetimes"]
    slope_h = np.mean(1 / h - np.expm1(g * ages) / g)
    slope_g = np.mean(ages + h / g**2 * np.expm1(g * ages) - h / g * ages * np.exp(g * ages))
    assert names["fit"].success
    np.testing.assert_allclose([slope_h * h, slope_g * g], 0.0, atol=1e-9)


def test_a_corner_of_the_metric_is_that_of_its_closed_form(run):
    names, _ = run
    # ∂²ℓ/∂h² = -1/h²
    np.testing.assert_allclose(names["manifold"].metric([0.02, 0.1])[0, 0], 0.02**-2, rtol=1e-9)


def test_the_geodesic_ball_is_nearer_to_the_likelihood_region_than_the_ellipse(run):
    names, _ = run
    fit, problem = names["fit"], names["problem"]

    def misses(rim):
        """How far the fall of the log-likelihood on a rim is from χ²/2, at the worst."""
        below = fit.log_likelihood + fit.count * problem.loss(rim)
        return np.abs(below - names["chi_squared"] / 2).max()

    assert misses(names["rim"]) < misses(names["ellipse"]) / 2


def test_a_figure_is_saved(run):
    _, figure = run
    assert figure.read_bytes().startswith(b"\x89PNG")
