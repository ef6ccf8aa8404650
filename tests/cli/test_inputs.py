"""What a study of a family runs on: options where they are given, defaults of the library elsewhere."""

from __future__ import annotations

import click
import pytest

import riemopt as ro
from riemopt.cli.inputs import samples_of, study_inputs
from riemopt.experiments.settings import default_charts, default_start, example_samples


def test_what_the_options_leave_out_are_the_defaults_of_the_library():
    inputs = study_inputs("normal", None, None, (), None, 7)
    assert inputs.model.name == "Normal"
    assert tuple(text for text, _ in inputs.charts) == default_charts(inputs.model)
    assert inputs.start == tuple(default_start(inputs.model))
    assert (inputs.samples == example_samples(inputs.model, 7)).all()
    assert str(inputs) == "Normal: 10000 observations, start 0, 1"


def test_options_are_what_a_study_runs_on(tmp_path):
    (tmp_path / "waits.csv").write_text("day,wait\n1,0.5\n2,1.5\n")
    inputs = study_inputs("gamma", str(tmp_path / "waits.csv"), "wait", ("beta = 1/b",), (2.0, 3.0), 0)
    assert inputs.samples.tolist() == [0.5, 1.5]
    assert [(text, moved.chart.describe()) for text, moved in inputs.charts] == [
        ("beta = 1/b", "alpha = alpha, beta = 1/b")
    ]
    assert str(inputs) == "Gamma: 2 observations, start 2, 3"


def test_a_sample_outside_the_support_is_named_by_file_and_row(tmp_path):
    (tmp_path / "waits.csv").write_text("0.5\n-1.5\n")
    with pytest.raises(ro.errors.DataError, match=r"waits\.csv: row 2, column 1: x = -1\.5 lies outside the support"):
        samples_of(ro.models.Gamma(), str(tmp_path / "waits.csv"), None, 0)


def test_a_column_needs_a_file():
    with pytest.raises(click.UsageError, match="--column needs --data"):
        samples_of(ro.models.Gamma(), None, "wait", 0)
