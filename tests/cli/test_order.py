"""The command ``riemopt order``: what it prints and writes; bad input ends with one line and leaves nothing behind."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import riemopt.experiments
from riemopt.cli import main
from riemopt.experiments import Subject
from riemopt.experiments.order import INTEGRATORS, STEPS

OUTPUTS = ["distances.csv", "order.png", "order.svg", "slopes.csv"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("riemopt.cli.output._PATIENCE", np.inf)  # no lines of progress on a slow machine
    Path("in-the-way").write_text("a file")
    Path("waits.csv").write_text("day;wait\n" + "".join(f"{i};{0.5 + i % 7 / 4}\n" for i in range(40)))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["order", *arguments], prog_name="riemopt")


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# -- bad input

SEVERAL = ["--family", "exponential,poisson"]
BAD = [
    ([*SEVERAL, "--data", "waits.csv"], "--data goes with one family, not 2"),
    ([*SEVERAL, "--column", "wait"], "--column goes with one family, not 2"),
    ([*SEVERAL, "--chart", "rate = 1/r"], "--chart goes with one family, not 2"),
    ([*SEVERAL, "--start", "1"], "--start goes with one family, not 2"),
    (["--family", "gama"], "unknown family 'gama': did you mean 'gamma'"),
    (["--family", "poisson,poisson"], "--family takes families with commas between them, each once"),
    (["--family", ","], "--family takes families with commas between them, each once"),
    (["--time", "0"], "'--time'"),
    (["--time", "nan"], "time must be positive and finite, not nan"),
    (["--time", "inf"], "time must be positive and finite, not inf"),
    (["--steps", "4,1.5"], "'4,1.5' is not a list of whole numbers from 1 to 100000, such as 4,8,16"),
    (["--steps", "4,0"], "'4,0' is not a list of whole numbers"),
    (["--steps", ""], "'' is not a list of whole numbers"),
    (["--integrators", "ng,geoo"], "unknown integrator 'geoo': did you mean 'geo' or 'geof'?"),
    (["--integrators", "ng,ng"], "the integrator 'ng' is named twice"),
    (["--integrators", ","], "there are no integrators"),
    (["--start", "0,1"], "start: alpha = 0.0 is outside its domain alpha > 0"),
    (["--chart", "beta = sin(b)"], "beta = sin(b) is not invertible"),
    (["--chart", "beta = 5 + exp(b)"], "the chart 'beta = 5 + exp(b)' does not reach alpha = 1.0, beta = 1.0"),
    (["--data", "nowhere.csv"], "nowhere.csv: no such file"),
    (["--column", "wait"], "--column needs --data"),
    (["--output", "in-the-way"], "cannot write to 'in-the-way': Not a directory"),
    (["extra"], "extra"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_writes_nothing(folder, arguments, message):
    before = sorted(folder.rglob("*"))
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("riemopt: error: ")
    assert message in line
    assert result.stdout == ""
    assert sorted(folder.rglob("*")) == before


# -- what comes out


@pytest.fixture
def uncompiled(monkeypatch):
    """Models on NumPy, which compiles nothing: the same numbers sooner."""
    monkeypatch.setattr(Subject, "of", functools.partial(Subject.of, backend="numpy"))


@pytest.mark.usefixtures("uncompiled")
def test_order_prints_slopes_and_writes_figure_and_numbers(folder):
    result = run(
        *["--family", "exponential", "--data", "waits.csv", "--column", "wait", "--chart", "rate = exp(r)"],
        *["--start", "2", "--time", "1", "--steps", "24,16,12,10,8", "--integrators", "gd, geo, mirror"],
        *["--output", "new/place"],
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Exponential: 40 observations, start 2\n\n")
    assert "Exponential to the time 1, in the charts rate; rate = exp(r)\n" in result.stdout
    assert "In new/place: order.png, order.svg, slopes.csv, distances.csv" in result.stdout
    assert sorted(path.name for path in Path("new/place").iterdir()) == OUTPUTS

    slopes = rows("new/place/slopes.csv")
    assert [(row["integrator"], row["quantity"]) for row in slopes] == [
        (key, quantity) for key in ("gd", "geo", "mirror") for quantity in ("flow", "riemannian_euler", "invariance")
    ]
    wanted = {("gd", "invariance"): 0, ("geo", "flow"): 1, ("geo", "invariance"): 2, ("mirror", "invariance"): np.inf}
    for row in slopes:
        assert row["subject"] == "Exponential"
        order = wanted.get((row["integrator"], row["quantity"]))
        if order is not None:
            assert float(row["theory"]) == order
            np.testing.assert_allclose(float(row["slope"]), order, atol=0.1)

    distances = rows("new/place/distances.csv")
    assert len(distances) == 5 * len(slopes)
    assert [1 / float(row["step_size"]) for row in distances[:5]] == pytest.approx([8, 10, 12, 16, 24])
    noise = [row for row in distances if (row["integrator"], row["quantity"]) == ("mirror", "invariance")]
    assert max(float(row["distance"]) for row in noise) < 1e-12
    assert {row["fitted"] for row in noise} == {"False"}


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.slow
def test_several_families_are_one_study(folder):
    result = run(*SEVERAL, "--integrators", "ng", "--steps", "4,5,6,7,8")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[:2] == ["Exponential: 10000 observations, start 1", "Poisson: 10000 observations, start 1"]
    assert sum(line.startswith("ng ") for line in lines) == 2
    assert {row["subject"] for row in rows("riemopt-order/slopes.csv")} == {"Exponential", "Poisson"}


def test_the_default_is_the_study_of_the_library_on_the_family_of_the_paper(folder, monkeypatch):
    asked = {}

    def asking(subjects, **settings):
        asked.update(subjects=subjects, **settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(riemopt.experiments, "order_of_invariance", asking)
    assert run().exit_code == 130
    (subject,) = asked["subjects"]
    assert (subject.name, subject.time, subject.own.start.tolist()) == ("Gamma", 2.0, [1.0, 1.0])
    assert list(subject.places) == ["alpha, beta", "beta = 1/b", "beta = b**3", "alpha = a**2, beta = b**2"]
    assert (asked["steps"], asked["integrators"]) == (STEPS, INTEGRATORS)
