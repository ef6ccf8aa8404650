"""The figure of a fit."""

import numpy as np

from riemopt import figures


def test_counts_are_bars_of_their_share_and_the_fit_has_markers():
    samples = np.array([0.0, 1.0, 1.0, 3.0])
    figure = figures.fit_figure(samples, lambda x: np.full_like(x, 0.25), True, "Poisson", "x")
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.25, 0.5, 0.25]
    assert axes.get_ylabel() == "probability"
    (line,) = axes.get_lines()
    assert line.get_xdata().tolist() == [0.0, 1.0, 2.0, 3.0] and line.get_marker() == "o"


def test_an_infinite_density_and_a_far_sample_leave_room_for_the_rest():
    samples = np.append(np.linspace(0.1, 2.0, 200), 1e6)
    figure = figures.fit_figure(samples, lambda x: np.where(x > x[0], 0.5, np.inf), False, "no $\\begin{cases}", "x")
    (axes,) = figure.axes
    assert axes.get_xlim()[1] < 50.0
    assert np.isfinite(axes.get_ylim()).all() and axes.get_ylim()[1] < 2.0
    assert axes.get_ylabel() == "density"
