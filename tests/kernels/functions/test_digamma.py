"""Facts about the digamma function alone; those that it shares with the polygammas are with these."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from tests.kernels.functions.psi import BOUND, worst_relative_error

ROOT = 1.4616321449683622  # of digamma, rounded to a double
BRANCH = 4.0  # where digamma changes its formula


def test_digamma_keeps_its_relative_accuracy_at_its_root(target: SimpleNamespace) -> None:
    steps = np.geomspace(2.0**-52, 0.5, 150)
    points = [ROOT, *(ROOT + steps), *(ROOT - steps)]
    error, x = worst_relative_error(target.digamma, 0, points)
    assert error < BOUND, x


def test_digamma_is_accurate_on_both_sides_of_its_change_of_formula(target: SimpleNamespace) -> None:
    steps = np.geomspace(2.0**-50, 0.5, 80)
    points = [math.nextafter(BRANCH, 0), BRANCH, *(BRANCH + steps), *(BRANCH - steps)]
    error, x = worst_relative_error(target.digamma, 0, points)
    assert error < BOUND, x


def test_digamma_of_infinity_is_infinity(target: SimpleNamespace) -> None:
    assert target.digamma(math.inf) == math.inf


def test_digamma_of_the_largest_doubles_is_the_logarithm(target: SimpleNamespace) -> None:
    for x in (1e155, 1e300, 1.7e308):
        assert target.digamma(x) == pytest.approx(math.log(x), rel=1e-15)
