"""The hard regression ends where NIST says it does, and draws its way there."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import riemopt as ro

# ``tests/optimize/test_fit_nist.py`` has this regression among others
pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "examples" / "regression.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    figure = tmp_path_factory.mktemp("regression") / "regression.png"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), "--output", str(figure)])
        return runpy.run_path(str(SCRIPT)), figure


def test_the_parameters_and_their_deviations_are_the_certified_ones(run):
    names, _ = run
    for fit in (names["fit"], names["alone"]):
        assert fit.success
        np.testing.assert_allclose(fit.x, names["certified"], rtol=1e-9)
        np.testing.assert_allclose(fit.standard_errors, [1.5687892471e-4, 23.309021107, 0.78486103508], rtol=1e-6)


def test_undamped_steps_fail(run):
    names, _ = run
    assert not names["plain"].success
    assert isinstance(names["plain"].status, ro.Status)


def test_a_figure_is_saved(run):
    _, figure = run
    assert figure.read_bytes().startswith(b"\x89PNG")
