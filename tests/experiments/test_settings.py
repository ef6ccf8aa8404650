"""Settings where a user gives none lead somewhere."""

from __future__ import annotations

import numpy as np
import pytest

import riemopt as ro
from riemopt.experiments import invariance
from riemopt.experiments.settings import default_charts, default_start, example_samples, typed_chart
from tests.marks import slow


def test_the_gamma_samples_are_those_of_the_paper():
    np.random.seed(1234)  # noqa: NPY002
    samples = np.random.gamma(20, 1 / 20, 10000)  # noqa: NPY002
    assert (example_samples(ro.models.Gamma(), 1234) == samples).all()


@pytest.mark.parametrize(
    "name",
    [slow("gamma"), "normal", "exponential", "poisson", "bernoulli", slow("weibull")],
)
@pytest.mark.slow_for("normal", "exponential", "bernoulli", "gamma")
def test_families_have_settings_that_lead_somewhere(name):
    model = ro.models.family(name)
    charts = [(text, typed_chart(model, text)) for text in default_charts(model)]
    drawn = example_samples(model, 7)
    result = invariance(model, drawn, charts, start=default_start(model), integrators=("ng", "geo"), steps=4)
    assert len(result.charts) == 4
    assert not result.remarks
    assert all(losses["geo"][-1] < losses["geo"][0] for losses in result.losses.values())
