"""A problem without compiled kernels."""

import pytest

import riemopt as ro
from tests import catalogue


@pytest.fixture(scope="package")
def poisson() -> ro.LikelihoodProblem:
    """The Poisson model with samples of mean 4: ∂L = 1 - 4/m, its metric is 1/m."""
    return catalogue.manifold("poisson").likelihood([3.0, 5.0])
