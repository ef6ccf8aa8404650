"""The figure of orders."""

import numpy as np

from riemopt import figures
from riemopt.experiments.convergence import Convergence


def test_distances_are_filled_where_fitted_and_hollow_where_they_are_not():
    h = 2.0 ** -np.arange(12)
    curve = Convergence(h, h**2, np.full(12, 1e-5))
    figure = figures.order_figure({"a": {"ng": {"flow": curve}}, "b": {"ng": {}}}, {"flow": "error", "gap": "gap"})
    assert [axes.get_title() for axes in figure.axes] == ["error", "gap", "", ""]
    line, fitted, usable, noise = figure.axes[0].get_lines()
    assert len(line.get_xdata()) == curve.usable.sum()
    assert len(fitted.get_xdata()) == curve.fitted.sum() >= 5
    assert len(noise.get_xdata()) == (~curve.usable).sum() > 0
    assert usable.get_markerfacecolor() == "white" and noise.get_markerfacecolor() == "none"
    assert not figure.axes[1].get_lines()
    assert {axes.get_xscale() for axes in figure.axes} == {"log"}
