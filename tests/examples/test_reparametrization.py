"""The first example a user reads does what it says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "reparametrization.py"


@pytest.mark.slow
def test_exact_methods_agree_in_every_chart(capsys):
    result = runpy.run_path(str(SCRIPT))["result"]
    assert max(result.gap[key].max() for key in ("ng-exact", "geo-exact")) < 1e-8
    assert result.gap["geo"][-1] < result.gap["mid"][-1] < result.gap["ng"][-1]
    assert "Invariance gap" in capsys.readouterr().out
