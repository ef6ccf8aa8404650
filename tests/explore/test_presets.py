"""Presets show what their sentences say."""

import numpy as np
import pytest

from riemopt.experiments import InvarianceStudy
from riemopt.experiments.settings import example_samples, typed_chart
from riemopt.explore.opening import explorable
from riemopt.explore.presets import PRESETS, default_start
from riemopt.explore.requests import checked
from riemopt.models import family

OPEN = ("family", "charts", "data", "start", "integrators", "step_size", "steps")
BY_NAME = {preset["name"]: preset for preset in PRESETS}


@pytest.fixture(scope="module")
def study(gamma):
    charts = {text: typed_chart(gamma.model, text) for text in PRESETS[0]["charts"]}
    return InvarianceStudy(gamma.model, example_samples(gamma.model, 1234), charts, backend="numpy", distances="numba")


def result(study, name, *integrators):
    preset = BY_NAME[name]
    keys = integrators or preset["integrators"]
    return study.run(start=preset["start"], integrators=keys, step_size=preset["step_size"], steps=preset["steps"])


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset["name"])
def test_a_preset_is_a_request_with_a_sentence_and_a_chart_to_look_at(preset):
    checked({"type": "open", "id": 0, **{name: preset[name] for name in OPEN}})
    assert preset["watch"].endswith(".") and preset["watch"].count(". ") == 0
    assert preset["view"] in ["alpha, beta", *preset["charts"]]


def test_charts_part_visibly_at_first(study):
    found = result(study, "Charts part", "ng", "geo")
    error = 1 / np.sqrt(10_000)
    assert found.gap["ng"][-1] > 10 * error > 10 * found.gap["geo"][-1]


def test_ng_leaves_the_domain_where_geo_does_not(study):
    found = result(study, "Where ng leaves the domain", "ng", "mid", "geo")
    view = BY_NAME["Where ng leaves the domain"]["view"]
    assert found.status[view]["ng"].name == "LEFT_DOMAIN"
    assert all(row["geo"].success and row["mid"].success for row in found.status.values())


def test_geof_fails_where_geo_does_not(study):
    found = result(study, "Where geof fails", "ng", "geo", "geof")
    assert not found.status["beta = 1/b"]["geof"].success
    assert all(row["geo"].success and row["ng"].success for row in found.status.values())


def test_in_the_natural_chart_ng_takes_the_steps_of_mirror_dual(study):
    found = result(study, "A mirror chart, where steps are straight")
    own, *others = found.points
    np.testing.assert_allclose(found.points[own]["ng"], found.points[own]["mirror-dual"], rtol=1e-9)
    for chart in others:
        assert np.abs(found.points[chart]["ng"] - found.points[chart]["mirror-dual"]).max() > 0.1


@pytest.mark.parametrize("entry", explorable(), ids=lambda entry: entry["key"])
def test_every_family_starts_inside_its_domain(entry):
    model = family(entry["key"])
    start = default_start(entry["key"], model)
    assert start.shape == (model.dimension,) and model.domain.contains(start)


def test_all_families_of_one_to_three_parameters_are_offered():
    from riemopt.models.families import names

    offered = {entry["key"] for entry in explorable()}
    assert offered == {name for name in names() if family(name).dimension <= 3}
