"""The figure of costs."""

import numpy as np

from riemopt import figures
from riemopt.experiments import Cost


def test_costs_are_drawn_against_falling_distances_and_hollow_where_extrapolated():
    costs = [Cost(10.0, 10.0, achieved=0.09), Cost(1e3, 1e3, extrapolated=True), Cost()]
    rows = {"a": {"ng": costs, "rk4": costs}, "b": {"ng": costs}}
    figure = figures.cost_figure([1e-1, 1e-3, 1e-5], rows)
    first, second = figure.axes
    assert (first.get_title(), second.get_title()) == ("a", "b")
    assert first.xaxis.get_inverted() and first.get_xscale() == first.get_yscale() == "log"
    _, measured, extrapolated = second.get_lines()
    assert np.isfinite(measured.get_ydata()).sum() == 1
    assert extrapolated.get_ydata().tolist() == [1e3] and extrapolated.get_markerfacecolor() == "white"
