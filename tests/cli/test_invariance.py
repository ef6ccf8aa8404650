"""The command ``riemopt invariance``: what it writes; bad input ends with one line and leaves nothing behind."""

from __future__ import annotations

import csv
import functools
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import riemopt.experiments
from riemopt.cli import main

OUTPUTS = ["gaps.csv", "invariance.png", "invariance.svg", "losses.csv", "points.csv"]

FILES = {
    "text.csv": "day,wait\n1,0.5\n2,long\n",
    "empty.csv": "day,wait\n1,0.5\n2,\n",
    "nan.csv": "wait\n0.5\nnan\n",
    "infinite.csv": "0.5\ninf\n",
    "negative.csv": "0.5\n1.5\n-2.5\n",
    "blank.csv": "",
    "in-the-way": "a file",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("riemopt.cli.output._PATIENCE", np.inf)  # no lines of progress on a slow machine
    for name, text in FILES.items():
        Path(name).write_text(text)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, arguments, prog_name="riemopt")


def listing(folder):
    return {path.relative_to(folder).as_posix(): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# -- bad input

BAD = [
    (["--step-size", "-1"], "'--step-size'"),
    (["--step-size", "0"], "'--step-size'"),
    (["--step-size", "nan"], "step_size must be positive and finite, not nan"),
    (["--step-size", "inf"], "step_size must be positive and finite, not inf"),
    (["--steps", "x"], "'--steps'"),
    (["--steps", "0"], "'--steps'"),
    (["--seed", "-1"], "'--seed'"),
    (["--start", "abc"], "'abc' is not a list of numbers such as 1,1"),
    (["--start", "1"], "start"),
    (["--start", "-1,1"], "start: alpha = -1.0 is outside its domain alpha > 0"),
    (["--start", "1,0"], "start: beta = 0.0 is outside its domain beta > 0"),
    (["--start", "1,nan"], "start: beta = nan is not finite"),
    (["--family", "gama"], "unknown family 'gama': did you mean 'gamma'"),
    (["--integrators", "ng,geoo"], "unknown integrator 'geoo': did you mean 'geo' or 'geof'?"),
    (["--integrators", "ng,ng"], "the integrator 'ng' is named twice"),
    (["--integrators", ","], "there are no integrators"),
    (["--chart", "beta = sin(b)"], "beta = sin(b) is not invertible"),
    (["--chart", "beta = 1/b + c"], "alpha, b, c"),
    (["--chart", "beta = alpha"], "chart"),
    (["--chart", "gamma = 1/b"], "unknown parameter 'gamma'"),
    (["--chart", "beta = frobnicate(b)"], "unknown function 'frobnicate'"),
    (["--chart", "beta"], "'beta' is not an assignment"),
    (["--chart", "beta = __import__('os')"], "column 19: a string is not allowed"),
    (["--chart", "beta = b.__class__"], "attribute access ('.') is not allowed"),
    (["--chart", ""], "the text is empty"),
    (["--chart", "beta = 1/b", "--chart", "beta = 1/b"], "two charts are called 'beta = 1/b'"),
    (["--chart", "beta = 5 + exp(b)"], "the chart 'beta = 5 + exp(b)' does not reach alpha = 1.0, beta = 1.0"),
    (["--data", "nowhere.csv"], "nowhere.csv: no such file"),
    (["--data", "text.csv"], "text.csv: the file has 2 columns, say which (day, wait)"),
    (["--data", "text.csv", "--column", "wait"], "text.csv: row 3, column 'wait': 'long' is not a number"),
    (["--data", "text.csv", "--column", "weight"], "text.csv: no column 'weight': did you mean 'wait'?"),
    (["--data", "text.csv", "--column", "3"], "text.csv: no column 3"),
    (["--data", "empty.csv", "--column", "2"], "empty.csv: row 3, column 'wait': the cell is empty"),
    (["--data", "nan.csv"], "nan.csv: row 3, column 'wait': nan is not a finite number"),
    (["--data", "infinite.csv"], "infinite.csv: row 2, column 1: inf is not a finite number"),
    (["--data", "negative.csv"], "negative.csv: row 3, column 1: x = -2.5 lies outside the support of Gamma"),
    (["--data", "blank.csv"], "blank.csv: the file is empty"),
    (["--data", "."], ".: this is a directory, not a file"),
    (["--column", "wait"], "--column needs --data"),
    (["--output", "in-the-way"], "cannot write to 'in-the-way': Not a directory"),
    (["--output", "in-the-way/below"], "cannot write to 'in-the-way/below': Not a directory"),
    (["--outptu", "x"], "--outptu"),
    (["extra"], "extra"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_writes_nothing(folder, arguments, message):
    before = listing(folder)
    result = run("invariance", *arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("riemopt: error: ")
    assert message in line
    assert result.stdout == ""
    assert listing(folder) == before


def test_a_failure_after_the_output_folder_was_made_leaves_an_existing_one_alone(folder):
    Path("mine").mkdir()
    Path("mine/losses.csv").write_text("mine")
    before = listing(folder)
    assert run("invariance", "--output", "mine", "--start", "0,0").exit_code == 2
    assert listing(folder) == before


def test_an_interruption_leaves_nothing(folder, monkeypatch):
    def interrupted(*arguments, **settings):
        raise KeyboardInterrupt

    before = listing(folder)
    monkeypatch.setattr(riemopt.experiments, "invariance", interrupted)
    result = run("invariance")
    assert result.exit_code == 130
    assert result.stderr.strip() == "riemopt: interrupted"
    assert listing(folder) == before


def test_an_error_of_our_own_making_is_not_dressed_up_as_bad_input(folder, monkeypatch):
    def broken(*arguments, **settings):
        return int("not a number")

    monkeypatch.setattr(riemopt.experiments, "invariance", broken)
    assert isinstance(run("invariance").exception, ValueError)


# -- what comes out


def test_invariance_prints_tables_and_writes_figure_and_numbers(folder, monkeypatch):
    # on NumPy, which compiles nothing: the same numbers sooner
    uncompiled = functools.partial(riemopt.experiments.invariance, backend="numpy")
    monkeypatch.setattr(riemopt.experiments, "invariance", uncompiled)
    Path("waits.csv").write_text("day;wait\n" + "".join(f"{i};{0.5 + i % 7 / 4}\n" for i in range(40)))
    chart, keys = "alpha = a**2, beta = b**2", ["ng", "geo", "geo-exact"]
    result = run(
        *["invariance", "--data", "waits.csv", "--column", "wait", "--chart", chart, "--start", "2,2"],
        *["--integrators", ", ".join(keys), "--steps", "3", "--step-size", "0.25", "--output", "new/place"],
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Gamma: 40 observations, start 2, 2, step size 0.25\n")
    assert "Invariance gap" in result.stdout
    assert "In new/place: invariance.png, invariance.svg, losses.csv, gaps.csv, points.csv" in result.stdout
    assert sorted(os.listdir("new/place")) == OUTPUTS
    losses = rows("new/place/losses.csv")
    assert [(r["chart"], r["integrator"], r["iteration"]) for r in losses] == [
        (c, key, str(k)) for c in ("alpha, beta", chart) for key in keys for k in range(4)
    ]
    assert np.isfinite([float(row["loss"]) for row in losses]).all()
    assert all(float(row["gap"]) < 1e-8 for row in rows("new/place/gaps.csv") if row["integrator"] == "geo-exact")


def test_the_default_is_the_experiment_of_the_paper(folder, monkeypatch):
    asked = {}

    def asking(model, samples, charts, **settings):
        asked.update(model=model, samples=samples, charts=charts, **settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(riemopt.experiments, "invariance", asking)
    run("invariance")
    assert repr(asked["model"]) == "Gamma(alpha, beta): alpha > 0, beta > 0"
    assert (asked["samples"] == np.random.RandomState(1234).gamma(20, 1 / 20, 10000)).all()
    assert [chart.chart.describe() for _, chart in asked["charts"]] == [
        "alpha = alpha, beta = 1/b",
        "alpha = alpha, beta = b**3",
        "alpha = a**2, beta = b**2",
    ]
    assert asked["integrators"] == ("ng", "mid", "geo", "geof", "ng-exact", "geo-exact")
    assert (tuple(asked["start"]), asked["step_size"], asked["steps"]) == ((1.0, 1.0), 0.5, 10)
