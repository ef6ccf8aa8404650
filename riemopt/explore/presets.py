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
    {
        "name": "Where ng leaves the domain",
        "watch": "With h = 1, ng leaves the domain in the chart of the scale, at the cross; geo bends, and stays in.",
        **DEFAULTS,
        "charts": _GAMMA_CHARTS,
        "start": [2.0, 1.0],
        "step_size": 1.0,
        "integrators": ["ng", "mid", "geo", "geo-exact"],
        "view": "beta = 1/b",
    },
    {
        "name": "Where geof fails",
        "watch": "geof bends a step by the one before: where the path turns sharply, it is thrown out, and geo is not.",
        **DEFAULTS,
        "charts": _GAMMA_CHARTS,
        "start": [1.0, 2.0],
        "integrators": ["ng", "geo", "geof", "geo-exact"],
        "view": "beta = 1/b",
    },
    {
        "name": "A mirror chart, where steps are straight",
        "watch": "Shape and rate are natural parameters: there, and only there, ng takes the steps of mirror-dual.",
        **DEFAULTS,
        "charts": _GAMMA_CHARTS,
        "integrators": ["ng", "mirror-dual"],
        "view": "alpha, beta",
    },
]

_STARTS: dict[str, tuple[float, ...]] = {
    "bernoulli": (0.2,),
    "beta": (4.0, 4.0),
    "betaprime": (2.0, 4.0),
    "binomial": (0.2,),
    "categorical": (0.2, 0.2),
    "cauchy": (-2.0, 0.2),
    "dirichlet": (2.0, 0.2, 1.0),
    "exponential": (4.0,),
    "gamma": (4.0, 2.0),
    "geometric": (0.2,),
    "gumbel": (-2.0, 1.0),
    "inversegamma": (4.0, 4.0),
    "inversegaussian": (2.0, 4.0),
    "kumaraswamy": (4.0, 2.0),
    "logistic": (-2.0, 1.0),
    "loglogistic": (1.0, 4.0),
    "lognormal": (-0.8, 1.0),
    "multinomial": (0.2, 0.2),
    "nakagami": (4.0, 2.0),
    "negativebinomial": (0.5, 0.5),
    "normal": (-0.8, 1.0),
    "pareto": (4.0,),
    "poisson": (4.0,),
    "rayleigh": (4.0,),
    "studentt": (0.2, -2.0, 1.0),
    "vonmises": (-0.8, 2.0),
    "weibull": (0.5, 0.5),
}
"""Starts from which charts part visibly with the data and charts by default, and `geo` arrives in all of them."""


def default_start(name: str, model: StatisticalModel) -> np.ndarray:
    """Where a page starts in a family."""
    return np.array(_STARTS[name]) if name in _STARTS else settings.default_start(model)
