"""The likelihood of samples as a sum over the rows of a table."""

import numpy as np
import pytest
import scipy.special as sc
import scipy.stats

import riemopt as ro
from tests.marks import slow


def close(found, expected, rtol=1e-11):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@pytest.mark.parametrize("backend", ["numpy", slow("numba")])
def test_samples_of_other_models_are_a_table(backend):
    """A mixture: its gradient also where both components are e^-1000 times less likely than elsewhere."""
    model = ro.models.NormalMixture()
    samples = np.array([0.0, 1.0, 3.5, -60.0])
    theta = np.array([0.3, 0.0, 1.0, 3.0, 0.5])
    problem = ro.Manifold(model, backend=backend).likelihood(samples)
    assert problem.table.shape == (1, 4)
    parts = [np.log(w) + scipy.stats.norm(m, s).logpdf(samples) for w, m, s in ((0.3, 0.0, 1.0), (0.7, 3.0, 0.5))]
    expected = -np.mean(np.logaddexp(*parts))
    assert problem.loss(theta) == pytest.approx(expected, rel=1e-12)
    first = sc.softmax(parts, axis=0)[0]
    at = {"weight": first / 0.3 - (1 - first) / 0.7}
    for name, share, m, s in (("first", first, 0.0, 1.0), ("second", 1 - first, 3.0, 0.5)):
        z = (samples - m) / s
        at[name, "mean"], at[name, "scale"] = share * z / s, share * (z * z - 1) / s
    close(problem.gradient(theta), [-np.mean(value) for value in at.values()], rtol=1e-11)
