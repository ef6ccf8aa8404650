"""Optimizers that ignore the geometry show no order of invariance, the others the one that theory gives them."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import riemopt as ro

SCRIPT = Path(__file__).parents[2] / "examples" / "order_of_invariance.py"


def run_script(folder, **instead):
    """The names of the script and its figure; with other arguments for the study, if any are given."""
    figure = folder / "orders.png"
    study = ro.experiments.order_of_invariance
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), "--output", str(figure)])
        patch.setattr(ro.experiments, "order_of_invariance", lambda *given, **named: study(*given, **named | instead))
        return runpy.run_path(str(SCRIPT)), figure


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_script(tmp_path_factory.mktemp("order_of_invariance"))


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """The script with one integrator and nothing to compile: the kernels of all of them take half a minute."""
    less = {"integrators": ["ng"], "steps": (8, 16), "quantities": ["invariance"], "backend": "numpy"}
    return run_script(tmp_path_factory.mktemp("order_of_invariance"), **less)


@pytest.mark.slow
def test_integrators_show_the_orders_of_theory(run):
    result = run[0]["result"]
    for key, theory in result.theory.items():
        if theory is not None:
            measured = result.slopes["Gamma"][key]
            found = ~np.isnan(measured)
            np.testing.assert_allclose(np.array(measured)[found], np.array(theory)[found], atol=0.05)


@pytest.mark.slow
def test_optimizers_have_no_order_of_invariance_and_newton_follows_the_flow_in_natural_parameters(run):
    slopes = run[0]["result"].slopes["Gamma"]
    for key in ("adam", "momentum", "newton"):
        assert abs(slopes[key].invariance) < 0.3
    assert slopes["newton"].flow == pytest.approx(1.0, abs=0.05)


@pytest.mark.slow
def test_a_newton_step_solves_with_the_metric_in_natural_parameters(quick_run):
    names, _ = quick_run
    problem = names["result"].subjects["Gamma"].own.problem
    theta = np.array([1.5, 0.7])
    step = names["newton"](problem, 0.1)(theta, problem.gradient(theta)) - theta
    np.testing.assert_allclose(step, -0.1 * problem.natural_gradient(theta), rtol=1e-6)


def test_a_figure_is_saved(quick_run):
    _, figure = quick_run
    assert figure.read_bytes().startswith(b"\x89PNG")
