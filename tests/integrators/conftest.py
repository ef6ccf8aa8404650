"""A problem on which every rule is a formula on paper."""

import pytest

import riemopt as ro
from tests import catalogue


@pytest.fixture(scope="package")
def poisson() -> ro.LikelihoodProblem:
    """The Poisson model with samples of mean 4, in the coordinate m, its mean.

    Its metric is 1/m and ∂L = 1 - 4/m, so that v = -g⁻¹∂L = 4 - m and the flow is m(t) = 4 + (m - 4) e⁻ᵗ. Geodesics are
    straight lines in the root of m: Exp(m, v) = m + v + v²/(4m), and θ̈ = v²/(2m).
    """
    return catalogue.manifold("poisson").likelihood([3.0, 5.0])
