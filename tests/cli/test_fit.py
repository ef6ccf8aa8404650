"""riemopt fit: what it prints and writes, and that bad input ends with one line and leaves nothing behind."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import riemopt as ro
from riemopt.cli import main

WAITS = np.random.default_rng(3).gamma(4.0, 0.5, size=60).round(6)
FILES = {
    "waits.csv": "day,wait\n" + "".join(f"{i},{wait}\n" for i, wait in enumerate(WAITS)),
    "counts.csv": "".join(f"{count}\n" for count in np.random.default_rng(3).poisson(2.0, size=60)),
    "even.csv": "3\n3\n3\n",
    "text.csv": "day,wait\n1,0.5\n2,long\n",
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
    return CliRunner().invoke(main, ["fit", *arguments], prog_name="riemopt")


def listing(folder):
    return {path.relative_to(folder).as_posix(): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_fit_prints_a_summary_and_writes_figure_and_numbers(folder):
    result = run("gamma", "waits.csv", "--column", "wait", "--output", "new/place")
    assert result.exit_code == 0, result.output
    expected = ro.fit(ro.models.Gamma(), WAITS, backend="numpy")
    assert result.stdout.startswith(expected.summary())
    assert "In new/place: fit.png, fit.svg, parameters.csv" in result.stdout
    assert sorted(path.name for path in Path("new/place").iterdir()) == ["fit.png", "fit.svg", "parameters.csv"]
    assert Path("new/place/fit.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in Path("new/place/fit.svg").read_text(encoding="utf-8")
    written = rows("new/place/parameters.csv")
    assert [row["parameter"] for row in written] == ["alpha", "beta"]
    for row, x, error, interval in zip(
        written, expected.x, expected.standard_errors, expected.confidence_intervals(), strict=True
    ):
        numbers = [float(row[key]) for key in ("estimate", "standard_error", "lower_95", "upper_95")]
        np.testing.assert_array_equal(numbers, [x, error, *interval])


def test_fit_in_a_typed_chart_from_a_start(folder):
    result = run("gamma", "waits.csv", "--column", "2", "--chart", "beta = 1/b", "--start", "1,1")
    assert result.exit_code == 0, result.output
    expected = ro.fit(ro.models.Gamma(), WAITS, backend="numpy").x
    found = {row["parameter"]: float(row["estimate"]) for row in rows("riemopt-fit/parameters.csv")}
    np.testing.assert_allclose([found["alpha"], 1.0 / found["b"]], expected, rtol=1e-9)


def test_fit_of_counts(folder):
    result = run("poisson", "counts.csv")
    assert result.exit_code == 0, result.output
    assert "Poisson, fitted by maximum likelihood" in result.stdout


@pytest.mark.slow
def test_a_fit_that_cannot_be_trusted_says_so_by_its_exit_status(folder):
    Path("narrow.csv").write_text("2\n2\n2\n3\n")
    result = run("negativebinomial", "narrow.csv")
    assert result.exit_code == 1
    assert "NOT TO BE TRUSTED" in result.stdout
    *_, line = result.stderr.splitlines()  # after those of progress
    assert line.startswith("riemopt: warning: ")
    assert Path("riemopt-fit/parameters.csv").exists()


BAD = [
    ([], "FAMILY"),
    (["gamma"], "FILE.csv"),
    (["gama", "waits.csv"], "unknown family 'gama': did you mean 'gamma'"),
    (["gamma", "nowhere.csv"], "nowhere.csv: no such file"),
    (["gamma", "waits.csv"], "waits.csv: the file has 2 columns, say which (day, wait)"),
    (["gamma", "waits.csv", "--column", "weight"], "waits.csv: no column 'weight': did you mean 'wait'?"),
    (["gamma", "text.csv", "--column", "wait"], "text.csv: row 3, column 'wait': 'long' is not a number"),
    (["poisson", "waits.csv", "--column", "wait"], "waits.csv: row 2, column 'wait'"),
    (["gamma", "even.csv"], "every sample is 3: the likelihood of Gamma has no maximum inside the domain"),
    (["multivariatenormal", "even.csv"], "must have shape (N, 2)"),
    (["gamma", "waits.csv", "--column", "2", "--start", "1,-1"], "start: beta = -1.0 is outside its domain beta > 0"),
    (["gamma", "waits.csv", "--column", "2", "--start", "1"], "start: the last axis of shape (1,) must have length 2"),
    (["gamma", "waits.csv", "--column", "2", "--start", "a,b"], "'a,b' is not a list of numbers"),
    (["gamma", "waits.csv", "--column", "2", "--chart", "beta = __import__('os')"], "a string is not allowed"),
    (["gamma", "waits.csv", "--column", "2", "--chart", "beta = sin(b)"], "beta = sin(b) is not invertible"),
    (["gamma", "waits.csv", "--column", "2", "--output", "in-the-way"], "cannot write to 'in-the-way'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_writes_nothing(folder, arguments, message):
    before = listing(folder)
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("riemopt: error: ")
    assert message in line
    assert result.stdout == ""
    assert listing(folder) == before
