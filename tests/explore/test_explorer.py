"""An explorer answers with the numbers of the experiment, and with what follows from them."""

import json

import numpy as np
import pytest

import riemopt as ro
from riemopt.explore.explorer import check, formulas, plain
from riemopt.explore.worker import encoded
from tests.explore.conftest import CHART, RUN

PLANE, WINDOW = [0, 1], [[1.0, 20.0], [1.0, 20.0]]


def ask(explorer, kind, **more):
    return json.loads(encoded(explorer.answer({"type": kind, "id": 7, **more})))


def test_a_run_has_the_numbers_of_the_experiment_to_the_last_bit(explorer, gamma_study):
    answer = ask(explorer, "run", **RUN)
    result = ro.experiments.invariance(
        gamma_study.model, gamma_study.samples, dict([*gamma_study.charts.items()][1:]), backend="numpy", **RUN
    )
    for c, label in enumerate(result.charts):
        for k, key in enumerate(RUN["integrators"]):
            assert answer["losses"][c][k] == result.losses[label][key].tolist()
            assert answer["points"][c][k] == result.points[label][key].T.tolist()
    assert answer["gap"] == [gap.tolist() for gap in result.gap.values()]
    assert answer["id"] == 7 and answer["ended"] == []


@pytest.mark.slow
def test_a_trajectory_that_ends_says_where_and_why(explorer):
    answer = ask(explorer, "run", **{**RUN, "start": [4.0, 8.0], "steps": 12, "step_size": 1.0})
    (end,) = [end for end in answer["ended"] if (end["chart"], end["integrator"]) == (CHART, "ng")]
    assert "outside the domain" in end["reason"]
    losses = answer["losses"][1][0]
    assert None not in losses[: end["after"] + 1] and losses[end["after"] + 1] is None


def test_a_start_outside_the_domain_is_refused_with_its_coordinate(explorer):
    answer = ask(explorer, "run", **{**RUN, "start": [-1.0, 1.0]})
    assert answer["type"] == "refused" and answer["of"] == "run"
    assert answer["reason"] == "start: alpha = -1.0 is outside its domain alpha > 0"


def test_contours_are_lines_of_equal_loss(explorer, gamma_study):
    ask(explorer, "run", **RUN)
    answer = ask(explorer, "landscape", start=RUN["start"], plane=PLANE, window=None)
    assert len(answer["lines"]) >= 5
    for xs, ys in answer["lines"]:
        losses = gamma_study.problem.loss(np.stack([xs, ys], axis=-1))
        assert np.ptp(losses) < 0.02 * (1 + abs(losses.mean()))
    (low, high), _ = answer["window"]
    assert low < 4.0 < high


def test_steps_of_ng_are_straight_in_their_chart_and_bend_in_another(explorer, gamma_study):
    answer = ask(explorer, "bend", chart=CHART, plane=PLANE, window=WINDOW, **RUN)

    def bends(points):
        steps = np.diff(np.array(points).T[:9], axis=0)
        across = steps[:, 0] * steps[0, 1] - steps[:, 1] * steps[0, 0]
        return np.abs(across).max() / (steps**2).sum(axis=1).max()

    paths = answer["paths"]["ng"]
    assert bends(paths["there"]) < 1e-9 < 1e-4 < bends(paths["own"])
    run = ask(explorer, "run", **RUN)
    every_step = np.array(paths["own"])[:, ::8]
    np.testing.assert_allclose(every_step, run["points"][1][0], rtol=1e-12)


def test_both_coordinates_of_a_bent_picture_are_those_of_the_chart(explorer):
    answer = ask(explorer, "bend", chart=CHART, plane=PLANE, window=WINDOW, **RUN)
    for line in answer["lines"]:
        np.testing.assert_allclose(np.array(line["there"][1]) * np.array(line["own"][1]), 1.0, rtol=1e-3)


def test_balls_have_one_radius_and_ellipses_are_balls_to_first_order(explorer, gamma_study):
    answer = ask(explorer, "shapes", start=RUN["start"], plane=PLANE, window=[[3.0, 6.0], [3.0, 6.0]], chart=CHART)
    assert len(answer["balls"]) == len(answer["ellipses"]) > 4
    manifold = gamma_study.manifold
    ball = np.array(answer["balls"][6]).T
    opposite = ball[[0, 12]], ball[[24, 36]]
    np.testing.assert_allclose(manifold.distance(*opposite), 2 * answer["radius"], rtol=1e-3)
    difference = np.abs(np.array(answer["ellipses"][6]).T - ball).max()
    assert difference < np.ptp(ball, axis=0).max() / 2


def test_a_step_taken_apart_ends_where_ng_and_geo_go(explorer):
    run = ask(explorer, "run", **RUN)
    parts = ask(explorer, "anatomy", chart=CHART, point=RUN["start"], step_size=0.5, plane=PLANE)["parts"]
    ng, geo = ([row[1] for row in run["points"][1][k]] for k in range(2))
    np.testing.assert_allclose([row[-1] for row in parts["straight"]], ng, rtol=1e-10)
    np.testing.assert_allclose([row[-1] for row in parts["correction"]], geo, rtol=1e-10)
    assert [row[0] for row in parts["geodesic"]] == pytest.approx(RUN["start"])


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('true')", "().__class__", "lambda: 0", "9**9**9**9", "b if b else 1", "'b'", "b; b"],
)
def test_hostile_text_is_refused_with_a_reason(text):
    (echo,) = check({"formulas": [text]})["echoes"]
    assert echo.keys() == {"error"} and echo["error"]


def test_formulas_are_echoed_as_mathematics_and_errors_say_where():
    good, bad = check({"formulas": ["1/b", "1/("]})["echoes"]
    assert good["mathml"].startswith("<math>") and "<mfrac>" in good["mathml"]
    assert "not a formula" in bad["error"]


def test_what_is_asked_of_a_chart_that_there_is_not_is_refused(explorer):
    assert "unknown chart" in ask(explorer, "anatomy", chart="x", point=[1, 1], step_size=0.5, plane=PLANE)["reason"]
    assert "plane" in ask(explorer, "landscape", start=[1, 1], plane=[0, 2], window=WINDOW)["reason"]


def test_the_formulas_of_a_chart_are_its_metric_connection_and_curvature(gamma):
    titles = [part["title"] for part in formulas(gamma.model)["parts"]]
    assert [title.split()[0] for title in titles[1:]] == ["Fisher", "Levi-Civita", "Scalar", "Geodesic"]


def test_numbers_keep_their_bits_and_what_is_not_finite_is_none():
    assert plain(np.array([0.1 + 0.2, np.nan, np.inf])) == [0.1 + 0.2, None, None]
    assert plain(np.float64(np.nan)) is None


def test_the_description_names_coordinates_and_charts(explorer):
    described = explorer.describe()
    assert [c["name"] for c in described["coordinates"]] == ["alpha", "beta"]
    assert [c["scale"] for c in described["coordinates"]] == ["log", "log"]
    assert [c["label"] for c in described["charts"]] == ["alpha, beta", CHART]
    assert described["count"] == 500
