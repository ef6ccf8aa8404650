"""What can be read of a chart without a closed form."""

from functools import cache

import numpy as np
import pytest

import riemopt as ro
from riemopt.errors import UnsupportedError


@cache
def charts(name: str) -> tuple[ro.StatisticalModel, ro.StatisticalModel, ro.StatisticalModel, np.ndarray]:
    """A family, its natural and its mean chart, and some points."""
    model = ro.models.family(name)
    return model, model.natural_chart(), model.mean_chart(), model.domain.interior_points(5, spread=0.4)


def test_there_are_no_tensors_to_read_in_an_implicit_chart():
    mean = charts("gamma")[2]
    with pytest.raises(UnsupportedError, match="no closed form in the coordinates eta_1, eta_2"):
        ro.Manifold(mean).symbolic.metric  # noqa: B018
    assert "no closed form" in str(mean.expectation)
