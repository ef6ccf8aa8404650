"""Outputs of networks keep their digits, saturated or not: the log-partition differentiated with mpmath."""

import mpmath as mp
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from riemopt.autodiff.outputs import NAMES, Framework, output_of
from riemopt.errors import ArgumentError, DataError, ModelError, ShapeError, UnknownNameError

WIDTH = 3
SCALE = 0.7


def made(name):
    return output_of(name, Framework(np, scipy.special), SCALE)


def target(name, rng):
    if name == "categorical":
        return np.array([rng.integers(WIDTH)])
    return {
        "gaussian": rng.normal(size=(1, WIDTH)),
        "bernoulli": rng.integers(0, 2, size=(1, WIDTH)).astype(float),
        "poisson": rng.poisson(2.0, size=(1, WIDTH)).astype(float),
    }[name]


def by_mpmath(name, z, t, u, w):
    """The loss, its slope, H u and A'''[u, w] of one case from cumulants, in fifty digits."""
    z, u, w = ([mp.mpf(float(x)) for x in row] for row in (z, u, w))
    if name == "categorical":
        total = mp.fsum(map(mp.exp, z))
        y = [mp.exp(x) / total for x in z]

        def mean(values):
            return mp.fsum(p * value for p, value in zip(y, values, strict=True))

        c, d = ([x - mean(row) for x in row] for row in (u, w))
        both = [p * q for p, q in zip(c, d, strict=True)]
        return (
            mp.log(total) - z[t[0]],
            [p - (k == t[0]) for k, p in enumerate(y)],
            [p * x for p, x in zip(y, c, strict=True)],
            [p * (x - mean(both)) for p, x in zip(y, both, strict=True)],
        )
    t = [mp.mpf(float(x)) for x in t[0]]
    variance = mp.mpf(SCALE) ** 2
    partition, first, second, third = {
        "gaussian": (
            lambda x, b: (x - b) ** 2 / (2 * variance) + mp.log(2 * mp.pi * variance) / 2,
            lambda x, b: (x - b) / variance,
            lambda x: 1 / variance,
            lambda x: mp.mpf(0),
        ),
        "bernoulli": (
            lambda x, b: mp.log(1 + mp.exp(x)) - b * x,
            lambda x, b: 1 / (1 + mp.exp(-x)) - b,
            lambda x: 1 / ((1 + mp.exp(-x)) * (1 + mp.exp(x))),
            lambda x: -mp.tanh(x / 2) / ((1 + mp.exp(-x)) * (1 + mp.exp(x))),
        ),
        "poisson": (
            lambda x, b: mp.exp(x) - b * x + mp.log(mp.factorial(b)),
            lambda x, b: mp.exp(x) - b,
            mp.exp,
            mp.exp,
        ),
    }[name]
    return (
        mp.fsum(partition(x, b) for x, b in zip(z, t, strict=True)),
        [first(x, b) for x, b in zip(z, t, strict=True)],
        [second(x) * a for x, a in zip(z, u, strict=True)],
        [third(x) * a * b for x, a, b in zip(z, u, w, strict=True)],
    )


@pytest.mark.parametrize("name", NAMES)
@given(st.integers(0, 10**6), st.floats(-1.0, 2.7))
def test_losses_and_derivatives_keep_their_digits_where_an_output_saturates(name, seed, size):
    rng, output = np.random.default_rng(seed), made(name)
    z, u, w = rng.normal(size=(3, WIDTH))
    z = 10.0**size * z if name != "poisson" else 5.0 * z
    t = output.targets(target(name, rng), z[None])
    with mp.workdps(400):
        loss, slope, hessian, third = by_mpmath(name, z, t, u, w)
        largest = max(abs(x) for x in map(mp.mpf, z))
    # a logit of 500 carries a rounding of its own into every exponential
    rtol = 1e-14 * (1.0 + float(largest))
    assert output.losses(z[None], t) == pytest.approx([float(loss)], rel=rtol, abs=1e-300)
    for found, exact in (
        (output.slope(z[None], t), slope),
        (output.hessian(z[None], u[None]), hessian),
        (output.third(z[None], u[None], w[None]), third),
    ):
        scale = 1e-14 * float(mp.fsum(map(abs, exact)) / WIDTH) if name == "categorical" else 0.0
        np.testing.assert_allclose(found[0], [float(x) for x in exact], rtol=10 * rtol, atol=scale + 1e-300)


@pytest.mark.parametrize("z", [40.0, -40.0, 700.0, -700.0])
def test_a_saturated_probability_is_known_with_its_complement(z):
    output = made("bernoulli")
    sure, tiny = np.array([[z]]), np.exp(-abs(z))
    t = np.array([[float(z > 0)]])
    assert output.losses(sure, t)[0] == pytest.approx(tiny, rel=1e-13)
    assert abs(output.slope(sure, t)[0, 0]) == pytest.approx(tiny, rel=1e-13)
    assert output.hessian(sure, np.ones((1, 1)))[0, 0] == pytest.approx(tiny, rel=1e-13)
    other = made("categorical")
    pair = np.array([[z, 0.0]])
    assert other.losses(pair, np.array([int(z < 0)]))[0] == pytest.approx(tiny, rel=1e-13)
    assert abs(other.slope(pair, np.array([int(z < 0)]))[0]) == pytest.approx([tiny, tiny], rel=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_factors_make_up_the_hessian(name):
    rng, output = np.random.default_rng(0), made(name)
    z, u = rng.normal(size=(2, 5, WIDTH))
    total = sum(h * (h * u).sum(-1, keepdims=True) for h in output.factors(z))
    np.testing.assert_allclose(total, output.hessian(z, u), rtol=1e-13, atol=1e-15)


def test_targets_may_be_labels_or_probabilities_and_columns_may_be_flat():
    output, z = made("categorical"), np.zeros((2, WIDTH))
    labels = output.targets([2, 0], z)
    rows = output.targets(np.eye(WIDTH)[[2, 0]], z)
    np.testing.assert_array_equal(output.losses(z, labels), output.losses(z, rows))
    np.testing.assert_array_equal(output.slope(z, labels), output.slope(z, rows))
    assert made("gaussian").targets([1.0, 2.0], np.zeros((2, 1))).shape == (2, 1)


@pytest.mark.parametrize(
    ("name", "targets", "error", "message"),
    [
        ("gaussian", [[0.0, 1.0, np.nan]], DataError, "target 0: nan is not finite"),
        ("bernoulli", [[0.0, 1.0, 1.5]], DataError, "target 0: 1.5 is not between 0 and 1"),
        ("poisson", [[0.0, 1.0, 0.5]], DataError, "target 0: 0.5 is not a count"),
        ("categorical", [3], DataError, "target 0: 3 is not a label 0, ..., 2"),
        ("categorical", [0.5], DataError, "is not a label"),
        ("categorical", [[0.5, 0.2, 0.2]], DataError, "add up to 1"),
        ("categorical", [0, 1], ShapeError, r"labels of these outputs have shape \(1,\)"),
        ("gaussian", [1.0, 2.0], ShapeError, r"targets has shape \(2,\)"),
    ],
)
def test_targets_that_cannot_be_are_named(name, targets, error, message):
    with pytest.raises(error, match=message):
        made(name).targets(targets, np.zeros((1, WIDTH)))


def test_what_is_no_output_is_said():
    with pytest.raises(UnknownNameError, match="bernouli"):
        made("bernouli")
    with pytest.raises(ModelError, match="at least two"):
        made("categorical").targets([0], np.zeros((1, 1)))
    with pytest.raises(ArgumentError, match="scale"):
        output_of("gaussian", Framework(np, scipy.special), scale=-1.0)
