"""Where to start a fit: points that the data suggest."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.optimize.start import candidates, search
from tests import catalogue

SAMPLES = np.random.default_rng(0).gamma(3.0, 2000.0, size=50)


@pytest.mark.parametrize("name", ["gamma", "normal", "bernoulli", "multinomial", "vonmises"])
def test_candidates_lie_in_the_domain(name):
    domain = catalogue.model(name).domain
    points = candidates(domain, [SAMPLES], [], 200)
    assert len(points) > 64 and domain.contains(points).all()


def test_candidates_follow_the_scale_of_the_data():
    domain = catalogue.model("normal").domain
    here, there = (candidates(domain, [scale * SAMPLES], [], 400) for scale in (1.0, 2.0**40))
    assert np.median(np.abs(there[:, 0])) > 2.0**10 * np.median(np.abs(here[:, 0]))


def test_the_first_start_that_is_found_is_near_the_optimum():
    model = catalogue.model("gamma")
    problem = catalogue.manifold("gamma").likelihood(SAMPLES)
    best, *_ = search(problem, model.domain, [SAMPLES], [])
    optimum = ro.fit(model, SAMPLES, backend="numpy")
    np.testing.assert_allclose(best, optimum.x, rtol=1e-3)
