"""Outputs of conditional models and their targets."""

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import DataError, ModelError, ShapeError

u, v, w0, w1, w2 = sp.symbols("u v w0 w1 w2", real=True)
c, q = sp.symbols("c q", real=True)
LINEAR = w0 + w1 * u


def model(outputs=(LINEAR,), output="bernoulli", inputs=(u,), parameters=(w0, w1), **options):
    return ro.ConditionalModel(outputs, output, inputs, parameters, **options)


def test_log_partition_of_other_symbols_is_refused():
    with pytest.raises(ModelError, match="the log-partition contains q, which is not an output"):
        ro.ExponentialFamily(c**2 + q, c)


BAD_DATA = {
    "targets outside": (
        "bernoulli",
        [0, 2],
        DataError,
        r"target 1: 2\.0 is not between 0 and 1, as a bernoulli",
    ),
    "a target that is no number": ("bernoulli", [0, np.nan], DataError, "target 1: nan is not between 0 and 1"),
    "half a count": ("poisson", [0.5, 1], DataError, r"target 0: 0\.5 is not a count 0, 1, 2, \.\.\., as a poisson"),
    "a negative count": ("poisson", [3, -1], DataError, r"target 1: -1\.0 is not a count"),
    "an infinite target": ("gaussian", [0, np.inf], DataError, "target 1: inf is not finite"),
    "too many targets": (
        "gaussian",
        [0, 1, 2],
        ShapeError,
        r"shape \(3,\), but for 2 inputs it must be \(2,\)",
    ),
    "a table of targets": (
        "gaussian",
        np.zeros((2, 2)),
        ShapeError,
        r"shape \(2, 2\), but .* must be \(2,\)",
    ),
    "text": ("gaussian", ["a", "b"], DataError, "the targets are not an array of numbers"),
    "one number": ("gaussian", 1.0, ShapeError, r"targets has shape \(\), but for 2 inputs"),
}


@pytest.mark.parametrize("what", BAD_DATA)
def test_targets_that_do_not_fit_are_named(what):
    output, targets, error, message = BAD_DATA[what]
    manifold = ro.Manifold(model(output=output), backend="numpy")
    with pytest.raises(error, match=message):
        manifold.likelihood(targets, inputs=[1.0, 2.0])


LABELS = [w0, w1 * u, w2 - u]


def test_labels_and_probabilities_of_categories():
    manifold = ro.Manifold(model(LABELS, "categorical", parameters=(w0, w1, w2)), backend="numpy")
    inputs, theta = [0.5, -1.0, 2.0], [0.1, 0.2, -0.3]
    by_label = manifold.likelihood([0, 2, 1], inputs=inputs)
    by_row = manifold.likelihood(np.eye(3)[[0, 2, 1]], inputs=inputs)
    assert by_label.loss(theta) == by_row.loss(theta)
    soft = manifold.likelihood([[0.2, 0.3, 0.5]] * 3, inputs=inputs)
    each = [manifold.likelihood([label] * 3, inputs=inputs).loss(theta) for label in range(3)]
    assert soft.loss(theta) == pytest.approx(np.dot([0.2, 0.3, 0.5], each), rel=1e-14)
    for targets, error, message in (
        ([0, 1, 3], DataError, r"target 2: 3\.0 is not a label 0, \.\.\., 2"),
        ([0, 0.5, 1], DataError, r"target 1: 0\.5 is not a label"),
        ([[0.5, 0.5, 0.5]] * 3, DataError, "rows of probabilities that add up to 1"),
        ([[1.5, -0.5, 0.0]] * 3, DataError, "rows of probabilities that add up to 1"),
        ([0, 1], ShapeError, r"targets has shape \(2,\), but for 3 inputs it must be \(3,\)"),
    ):
        with pytest.raises(error, match=message):
            manifold.likelihood(targets, inputs=inputs)
