"""The widget: settings as traitlets, answers as those of the page, and models of one's own."""

import json

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, DomainError, ShapeError, UnknownNameError
from riemopt.explore.requests import read
from tests.explore.conftest import CHART, RUN


@pytest.fixture
def widget(gamma, gamma_samples):
    charts = {CHART: ro.experiments.settings.typed_chart(gamma.model, CHART)}
    return ro.explore(gamma.model, gamma_samples, charts, **RUN)


class Notebook:
    """The other end of a widget: what is sent to it arrives as a browser's messages do, and its answers are kept."""

    def __init__(self, widget):
        self.widget, self.answers = widget, []
        widget.send = lambda content, buffers=None: self.answers.append(
            json.loads(json.dumps(content, allow_nan=False))
        )

    def ask(self, kind, **more):
        self.answers.clear()
        self.widget._handle_custom_msg({"type": kind, "id": 5, **more}, [])
        return self.answers[-1]

    def open(self, **changes):
        opening = {**self.widget.hello["opening"], **changes}
        names = ("family", "charts", "data", "start", "integrators", "step_size", "steps")
        return self.ask("open", **{name: opening[name] for name in names})


def test_settings_are_traitlets_that_can_be_read_set_and_observed(widget):
    assert (widget.start, widget.step_size, widget.steps, widget.view) == ([4.0, 2.0], 0.5, 6, CHART)
    seen = []
    widget.observe(lambda change: seen.append((change["name"], change["new"])))
    widget.start = [3.0, 3.0]
    widget.steps = 2
    assert seen == [("start", [3.0, 3.0]), ("steps", 2)]
    np.testing.assert_array_equal(widget.result.points["alpha, beta"]["ng"][0], [3.0, 3.0])
    assert widget.result.gap["geo"].shape == (3,)


@pytest.mark.parametrize(
    "name, value, error",
    [
        ("start", [-1.0, 1.0], DomainError), ("start", [1.0], ShapeError), ("step_size", 0.0, ArgumentError),
        ("steps", 0, ArgumentError), ("steps", 10_000, ArgumentError), ("integrators", ["nope"], UnknownNameError),
        ("view", "elsewhere", ArgumentError),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_when_it_is_set(widget, name, value, error):
    before = getattr(widget, name)
    with pytest.raises(error):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


def test_its_answers_are_the_numbers_of_the_experiment(widget):
    notebook = Notebook(widget)
    assert notebook.open()["type"] == "opened"
    answer = notebook.ask("run", **RUN)
    result = widget.result
    assert answer["gap"] == [gap.tolist() for gap in result.gap.values()]


def test_charts_can_be_typed_and_refused(widget):
    notebook = Notebook(widget)
    answer = notebook.open(charts=[CHART, "alpha = exp(a)", "beta = sin(b)"])
    assert [chart["label"] for chart in answer["charts"]] == ["alpha, beta", CHART, "alpha = exp(a)"]
    assert "not invertible" in answer["refused"]["beta = sin(b)"]


def test_what_is_no_request_is_refused(widget):
    notebook = Notebook(widget)
    for content in ({}, {"type": "eval", "id": 1}, 3):
        notebook.answers.clear()
        widget._handle_custom_msg(content, [])
        assert notebook.answers[-1]["type"] == "refused"
    assert notebook.ask("run", **{**RUN, "start": [-1.0, 1.0]})["reason"].startswith("start: alpha = -1.0")


def test_two_widgets_share_no_settings(gamma, gamma_samples):
    first, second = (ro.explore(gamma.model, gamma_samples, start=[2.0, 2.0], integrators=["ng"]) for _ in range(2))
    first.start = [5.0, 5.0]
    first.steps = 3
    assert second.start == [2.0, 2.0] and second.steps == 10


def test_a_model_of_ones_own_and_a_rule_of_ones_own_work_as_the_catalogue_does():
    rate, x, r = sp.symbols("rate x r", positive=True)
    model = ro.StatisticalModel(sp.log(rate) - rate * x, x, sp.Interval.open(0, sp.oo), (rate,), name="Wait")

    class Half(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return theta - h / 2 * problem.natural_gradient(theta), memory

    moved = model.reparametrize({rate: 1 / r}, (r,))
    samples = np.random.default_rng(0).exponential(0.5, 100)
    widget = ro.explore(model, samples, {"by the mean": moved}, start=[1.0], integrators={"half": Half(), "ng": "ng"})
    answer = Notebook(widget).open()
    assert answer["model"] == "Wait" and [chart["label"] for chart in answer["charts"]] == ["rate", "by the mean"]
    assert answer["ran"]["integrators"] == ["half", "ng"]
    assert "half" in widget.hello["styles"]


def test_a_result_can_be_explored_from_where_it_is(gamma_study):
    result = gamma_study.run(**RUN)
    widget = result.explore()
    assert (widget.start, widget.steps, widget.step_size) == (RUN["start"], RUN["steps"], RUN["step_size"])
    assert widget.integrators == RUN["integrators"] and widget.charts == [CHART]
    for key, gap in widget.result.gap.items():
        np.testing.assert_allclose(gap, result.gap[key], rtol=1e-6, atol=1e-12)


def test_the_settings_of_a_page_are_requests(widget):
    opening = {name: widget.hello["opening"][name] for name in ("family", "charts", "data", *RUN)}
    assert read(json.dumps({"type": "open", "id": 0, **opening}))
