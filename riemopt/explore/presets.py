"""Presets: settings worth seeing, each with a sentence of what to watch; and where each family starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from riemopt.experiments import settings
from riemopt.models import StatisticalModel

__all__ = ["DEFAULTS", "MOST_PARAMETERS", "PRESETS", "default_start"]

MOST_PARAMETERS = 3

DEFAULTS: dict[str, Any] = {
    "family": "gamma",
    "data": {"kind": "drawn", "point": None, "size": 10_000, "seed": 1234},
    "start": [4.0, 2.0],
    "integrators": ["ng", "mid", "geo", "geof", "ng-exact", "geo-exact"],
    "step_size": 0.5,
    "steps": 10,
}
"""What a page shows first, in the charts of the family by default."""

_GAMMA_CHARTS = list(settings.GAMMA_CHARTS)

PRESETS: list[dict[str, Any]] = [
    {
        "name": "Charts part",
        "watch": "Watch the orange paths of ng: one method, one start, four charts, four ways.",
        **DEFAULTS,
        "charts": _GAMMA_CHARTS,
        "view": "beta = 1/b",
    },
    {
        "name": "The paper's experiment",
        "watch": "The settings of the paper: watch how far ng strays in the chart of the scale, and geo does not.",
        **DEFAULTS,
        "charts": _GAMMA_CHARTS,
        "start": [1.0, 1.0],
        "view": "beta = 1/b",
    },
]

_STARTS: dict[str, tuple[float, ...]] = {"gamma": (4.0, 2.0)}
"""Starts from which charts part visibly; other families start where experiments do."""


def default_start(name: str, model: StatisticalModel) -> np.ndarray:
    """Where a page starts in a family."""
    return np.array(_STARTS[name]) if name in _STARTS else settings.default_start(model)
