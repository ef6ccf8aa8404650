"""What the result of the invariance experiment prints and keeps."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import riemopt as ro
from riemopt import figures
from riemopt.experiments import invariance
from riemopt.experiments.settings import default_charts, typed_chart

OWN = "alpha, beta"
MAPS = (OWN, "beta = 1/b", "beta = b**3", "alpha = a**2, beta = b**2")


@pytest.fixture(scope="module")
def gamma():
    return ro.models.Gamma()


@pytest.fixture(scope="module")
def samples(gamma):
    return gamma.sample([20.0, 20.0], 100, rng=0)


@pytest.fixture(scope="module")
def charts(gamma):
    return {text: typed_chart(gamma, text) for text in default_charts(gamma)}


@pytest.fixture(scope="module")
def result(gamma, samples, charts):
    return invariance(gamma, samples, charts, start=(1.0, 1.0), integrators=("ng", "mid", "geo", "geo-exact"), steps=4)


@pytest.mark.slow
def test_the_table_shows_every_chart_and_integrator(result):
    text = str(result.table())
    assert all(chart in text for chart in MAPS)
    assert all(key in text for key in result.gap)
    assert f"{result.losses[OWN]['geo'][-1]:.5f}" in text
    assert f"{result.gap['mid'][-1]:.2e}" in text
    assert max(map(len, text.splitlines())) < 100


def test_a_label_is_not_read_as_markup(gamma, samples, charts):
    result = invariance(
        gamma, samples, {"[bold]rate[1]": charts["beta = 1/b"]}, start=(1, 1), integrators="ng", steps=1
    )
    assert "[bold]rate[1]" in str(result.table())


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_saving_keeps_every_digit(result, tmp_path):
    folder = tmp_path / "new" / "folder"
    paths = result.save(folder)
    names = ["invariance.png", "invariance.svg", "losses.csv", "gaps.csv", "points.csv"]
    assert [path.relative_to(folder).as_posix() for path in paths] == names
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in paths[1].read_text(encoding="utf-8")

    losses = {(r["chart"], r["integrator"], int(r["iteration"])): float(r["loss"]) for r in rows(paths[2])}
    assert losses == {
        (c, i, k): x for c, by in result.losses.items() for i, line in by.items() for k, x in enumerate(line)
    }
    gaps = {(r["integrator"], int(r["iteration"])): float(r["gap"]) for r in rows(paths[3])}
    assert gaps == {(i, k): x for i, line in result.gap.items() for k, x in enumerate(line)}
    last = rows(paths[4])[-1]
    assert list(last) == ["chart", "integrator", "iteration", "alpha", "beta", "status"]
    assert [float(last["alpha"]), float(last["beta"])] == result.points[last["chart"]]["geo-exact"][-1].tolist()
    assert last["status"] == "COMPLETED"


@pytest.mark.slow
def test_a_failure_leaves_nothing_half_written(result, tmp_path, monkeypatch):
    existing = tmp_path / "existing"
    existing.mkdir()
    (existing / "losses.csv").write_text("mine")

    def failing(figure, path):
        if str(path).endswith(".svg"):
            raise OSError(28, "No space left on device")
        Path(path).write_bytes(b"half")

    monkeypatch.setattr(figures, "save", failing)
    for folder in (existing, tmp_path / "new" / "folder"):
        with pytest.raises(OSError, match="No space left"):
            result.save(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["existing"]
    assert [path.name for path in existing.iterdir()] == ["losses.csv"]
    assert (existing / "losses.csv").read_text() == "mine"


def test_a_folder_in_the_way_of_a_file_is_found_before_any_is_replaced(result, tmp_path):
    (tmp_path / "gaps.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        result.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gaps.csv"]
