"""The figure of the invariance experiment: what is in it, and that it can be drawn from awkward results."""

from __future__ import annotations

import numpy as np
import pytest

from riemopt import figures

STEPS = 6


def bowl(points):
    return ((np.asarray(points) - 5.0) ** 2).sum(axis=-1) / 50


def paths(keys, dimension, charts):
    start = np.ones(dimension)
    times = 1 - np.exp(-np.arange(STEPS + 1) / 2.0)
    points = [
        {key: start + 4 * (times[:, None] ** (1 + 0.1 * i + 0.05 * c)) for i, key in enumerate(keys)}
        for c in range(charts)
    ]
    losses = [{key: bowl(path) for key, path in chart.items()} for chart in points]
    return losses, points


def draw(keys=("ng", "geo-exact"), dimension=2, charts=2, losses=None, points=None, titles=None):
    made_losses, made_points = paths(keys, dimension, charts)
    gap = {key: np.arange(STEPS + 1) * 10.0 ** (-3 * i) for i, key in enumerate(keys)}
    names = [rf"\theta_{i}" for i in range(dimension)]
    titles = titles or [f"chart {c}" for c in range(charts)]
    return figures.invariance_figure(losses or made_losses, points or made_points, gap, titles, names, bowl)


def titled(figure):
    return [axes for axes in figure.axes if axes.get_title()]


def labelled(figure, text):
    return [axes for axes in figure.axes if axes.get_ylabel() == text]


@pytest.mark.parametrize(("dimension", "panels"), [(1, 3 + 2), (2, 3 + 3 + 2), (3, 3 + 2)])
def test_paths_are_drawn_for_two_parameters_only(dimension, panels):
    assert len(draw(dimension=dimension, charts=3).axes) == panels


@pytest.mark.slow
def test_all_charts_are_on_one_scale():
    figure = draw(charts=6)
    assert len(titled(figure)) == 6
    assert len({axes.get_ylim() for axes in titled(figure)}) == 1


def test_the_gap_is_shown_on_a_linear_and_on_a_logarithmic_scale():
    assert [axes.get_yscale() for axes in labelled(draw(), "invariance gap")] == ["linear", "log"]


def test_an_integrator_has_one_colour_throughout():
    figure = draw(keys=("ng", "geo", "mine"))
    for i, style in enumerate(figures.styles(["ng", "geo", "mine"]).values()):
        assert {axes.get_lines()[i].get_color() for axes in figure.axes} == {style.colour}


def test_a_path_over_decades_has_logarithmic_axes():
    losses, points = paths(("ng",), 2, 1)
    points[0]["ng"] = np.geomspace(0.1, 5.0, STEPS + 1)[:, None] * np.ones(2)
    losses[0]["ng"] = bowl(points[0]["ng"])
    (axes,) = labelled(draw(("ng",), 2, 1, losses, points), r"$\theta_1$")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_what_fails_ends_with_a_cross():
    losses, points = paths(("ng",), 2, 1)
    losses[0]["ng"][3:] = np.nan
    points[0]["ng"][3:] = np.nan
    losing, moving = draw(("ng",), 2, 1, losses, points).axes[:2]
    assert losing.get_lines()[1].get_xydata().tolist() == [[2.0, losses[0]["ng"][2]]]
    assert moving.get_lines()[1].get_xydata().tolist() == [points[0]["ng"][2].tolist()]


def test_what_diverges_does_not_set_the_scale():
    losses, points = paths(("ng", "geo"), 2, 1)
    points[0]["ng"][3:] *= 1e6
    losses[0]["ng"] = bowl(points[0]["ng"])
    losing, moving = draw(("ng", "geo"), 2, 1, losses, points).axes[:2]
    assert losing.get_ylim()[1] < 2 * losses[0]["ng"][0]
    assert moving.get_xlim()[1] < 10


def test_a_run_that_fails_at_once_can_be_drawn():
    losses, points = paths(("ng",), 2, 1)
    losses[0]["ng"][1:] = np.nan
    points[0]["ng"][1:] = np.nan
    assert draw(("ng",), 2, 1, losses, points).axes


@pytest.mark.slow
def test_no_text_leaves_the_figure(tmp_path):
    figure = draw(charts=4)
    figures.save(figure, tmp_path / "figure.png")
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1


def test_latex_that_matplotlib_does_not_know_is_shown_as_it_is():
    figure = draw(charts=1, titles=[r"$\begin{cases}b\end{cases}$"])
    assert figure.axes[0].get_title() == r"\begin{cases}b\end{cases}"
