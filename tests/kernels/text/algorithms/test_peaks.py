"""The search for the largest value, in plain Python."""

import math

import pytest

from riemopt.kernels.text.algorithms.peaks import height, largest_peak, refined_peak


@pytest.mark.parametrize(("at", "scale"), [(0.0, 1.0), (-3e-7, 1e-9), (12.5, 0.01), (8e5, 1e3), (-3e12, 1e12)])
def test_peak_is_found_on_all_scales_with_its_widths(at, scale):
    c, best, left, right = largest_peak(lambda y: -(abs((y - at) / scale) ** 1.5))
    assert c == pytest.approx(at, abs=1e-5 * scale) and best == pytest.approx(0.0, abs=1e-6)
    # up to a factor of four
    assert scale <= left < 4.01 * scale and scale <= right < 4.01 * scale


def test_widths_differ_where_the_sides_do():
    _, _, left, right = largest_peak(lambda y: -1e6 * y if y > 0 else y)
    assert left > 1e4 * right


def test_refined_peak_lies_between_the_ends():
    c, best, *_ = refined_peak(lambda y: math.cos(y), 5.0, 8.0)
    assert c == pytest.approx(2 * math.pi, abs=1e-6) and best == 1.0


def test_height_of_what_is_nowhere_is_minus_infinity():
    assert height(lambda y: -math.inf) == (0.0, (-math.inf,))
    assert height(lambda y: 3.0 - abs(y)) == (0.0, (pytest.approx(3.0),))
