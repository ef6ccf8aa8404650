"""What all outputs share: targets that are checked, and the same numbers for outputs of any shape."""

import numpy as np
import pytest
import scipy.special

from riemopt.autodiff.outputs import NAMES, Framework, output_of
from riemopt.errors import DataError, ShapeError

FRAMEWORK = Framework(np, scipy.special)


def test_targets_of_one_output_may_lack_its_axis():
    output = output_of("gaussian", FRAMEWORK)
    assert output.targets([1.0, 2.0], np.zeros((2, 1))).shape == (2, 1)
    with pytest.raises(ShapeError, match=r"targets has shape \(2,\), but the outputs have shape \(2, 3\)"):
        output.targets([1.0, 2.0], np.zeros((2, 3)))


def test_the_first_target_that_cannot_be_is_named():
    with pytest.raises(DataError, match="target 1: inf is not finite, as a gaussian output needs"):
        output_of("gaussian", FRAMEWORK).targets([[0.0], [np.inf], [np.nan]], np.zeros((3, 1)))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "categorical"])
def test_an_image_of_outputs_is_its_row(name):
    output, rng = output_of(name, FRAMEWORK), np.random.default_rng(0)
    z, u, w = rng.normal(size=(3, 4, 2, 3))
    t = rng.integers(0, 2, size=z.shape).astype(float)
    flat = [array.reshape(4, 6) for array in (z, u, w, t)]
    np.testing.assert_allclose(output.losses(z, t), output.losses(flat[0], flat[3]), rtol=1e-14)
    np.testing.assert_array_equal(output.third(z, u, w).reshape(4, 6), output.third(*flat[:3]))


@pytest.mark.parametrize("name", NAMES)
def test_factors_are_roots_of_the_hessian(name):
    output, rng = output_of(name, FRAMEWORK), np.random.default_rng(1)
    z, u = rng.normal(size=(2, 5, 3))
    total = sum(h * (h * u).sum(-1, keepdims=True) for h in output.factors(z))
    np.testing.assert_allclose(total, output.hessian(z, u), rtol=1e-12, atol=1e-15)
