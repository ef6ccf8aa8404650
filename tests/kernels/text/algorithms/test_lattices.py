"""Sums over integers, in plain Python."""

import itertools
import math

import pytest

from riemopt.kernels.text.algorithms.lattices import height_on_lattice, largest_term, lattice_sum, scaled_integer
from riemopt.status import Status

INF = math.inf


def poisson(rate):
    return lambda k: k * math.log(rate) - rate - math.lgamma(k + 1)


def taken(weight, low, high, *values, normalized=False):
    status, (best, *totals) = lattice_sum(
        weight, lambda k: (weight(k), *(f(k) for f in values)), low, high, len(values), normalized
    )
    return status, [math.exp(best) * total for total in totals]


@pytest.mark.parametrize("rate", [1e-6, 0.7, 40.0, 1e4])
def test_moments_of_a_poisson_sum(rate):
    status, found = taken(poisson(rate), 0.0, INF, lambda k: 1.0, lambda k: k, lambda k: (k - rate) ** 2)
    assert status == 0 and found == pytest.approx([1.0, rate, rate], rel=1e-10)


def test_sums_over_other_ranges():
    assert taken(lambda k: -abs(k) * math.log(2.0), -INF, INF, lambda k: 1.0, lambda k: k)[1] == pytest.approx([3, 0])
    assert taken(lambda k: k * math.log(2.0), -INF, 0.0, lambda k: 1.0, lambda k: k)[1] == pytest.approx([2, -2])
    assert taken(lambda k: 0.0, 3.0, 1002.0, lambda k: 1.0, lambda k: k)[1] == pytest.approx([1000, 502_500])


def test_two_far_peaks_of_a_sum():
    def weight(k):
        a, b = math.log(0.3) + poisson(2.0)(k), math.log(0.7) + poisson(4000.0)(k)
        return max(a, b) + math.log1p(math.exp(-abs(a - b)))

    assert taken(weight, 0.0, INF, lambda k: 1.0, lambda k: k)[1] == pytest.approx([1.0, 2800.6], rel=1e-10)


def test_sum_that_is_not_one_although_it_must_be_has_a_status():
    def half(k):
        return poisson(3.0)(k) - math.log(2.0)

    assert taken(half, 0.0, INF, lambda k: 1.0) == (0.0, pytest.approx([0.5]))
    status, found = taken(half, 0.0, INF, lambda k: 1.0, normalized=True)
    assert status == Status.NON_FINITE and math.isnan(found[0])


def test_largest_term_is_found_in_any_range():
    assert largest_term(lambda k: -((k - 123_456.25) ** 2), 0.0, INF) == (123_456.0, -(0.25**2))
    assert height_on_lattice(lambda k: -k, 3.0, INF) == (0.0, (-3.0,))
    assert height_on_lattice(lambda k: k, -INF, -7.0) == (0.0, (-7.0,))


def test_scaled_integers_are_all_of_the_small_ones():
    integers = sorted({scaled_integer(i) for i in range(-110, 111)})
    assert integers[:3] == [0, 1, 2] and integers[-1] > 1e15
    assert all(b - a <= 1.0 + 0.5 * a for a, b in itertools.pairwise(integers))
