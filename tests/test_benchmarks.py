"""Contenders of the benchmarks solve the equations that riemopt solves, and what they find can be shown."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import riemopt as ro
from benchmarks.geodesics import hyperbolic
from benchmarks.peers import gamma_acceleration, geodesic_correction, normal_acceleration
from benchmarks.records import COMPARISONS, RESULTS, Bound, Record, Table, figures, overview
from benchmarks.trajectories import batched_solve
from benchmarks.work import STEP_SIZE, STEPS, gamma_fit, geodesics, starts

GAMMA = ro.Manifold(ro.models.Gamma(), backend="numpy")
NORMAL = ro.Manifold(ro.models.Normal(), backend="numpy")


@pytest.mark.parametrize(
    "manifold, acceleration",
    [(GAMMA, lambda state: gamma_acceleration(state, scipy.special.polygamma)), (NORMAL, normal_acceleration)],
    ids=["gamma", "normal"],
)
def test_peers_are_given_the_geodesic_equation(manifold, acceleration):
    points, vectors = geodesics(manifold, [0.5, 0.5], [5.0, 5.0], 50)
    ours = -manifold.raise_index(points, manifold.connection(points, vectors))
    theirs = np.stack(acceleration((*points.T, *vectors.T)), axis=-1)
    np.testing.assert_allclose(theirs, ours, rtol=1e-10, atol=1e-12)


def test_the_reference_of_normal_geodesics_is_their_exponential_map():
    points, vectors = geodesics(NORMAL, [20.0, 0.5], [30.0, 2.0], 50)
    np.testing.assert_allclose(hyperbolic(points, vectors), NORMAL.exp(points, vectors), rtol=1e-14)


def test_the_transcription_takes_the_steps_of_geo():
    samples, start = gamma_fit()[1], starts(3)
    settings = {"h": STEP_SIZE, "steps": STEPS, "mean": samples.mean(), "mean_log": np.log(samples).mean()}
    ours = ro.minimize(GAMMA.likelihood(samples), "geo", start=start, step_size=STEP_SIZE, steps=STEPS).x
    alone = [geodesic_correction(theta, **settings) for theta in start]
    together = geodesic_correction(start.T, **settings, solve=batched_solve).T
    np.testing.assert_allclose(alone, ours, rtol=1e-11)
    np.testing.assert_allclose(together, ours, rtol=1e-11)


@pytest.mark.parametrize("name", COMPARISONS)
def test_every_comparison_measures_and_has_its_place_in_the_documentation(name):
    assert callable(importlib.import_module(f"benchmarks.{name}").measure)
    pages = [page.read_text(encoding="utf-8") for page in (Path(__file__).parents[1] / "docs").glob("*.md")]
    assert len(re.findall(rf"^```{{benchmark-results}} {name}$", "\n".join(pages), flags=re.MULTILINE)) == 1


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_what_was_kept_can_be_shown(file):
    record = Record.load(file.stem)
    assert file.stem in COMPARISONS and record.name == file.stem
    for table in (*record.tables, overview([record])):
        lines = table.markdown().splitlines()[2:]
        assert {line.count(" | ") for line in lines} == {len(table.columns) - 1}
        assert len(lines) == 2 + len(table.rows)
    assert record.machine["date"] in record.markdown()


def test_a_record_is_kept_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.records.RESULTS", tmp_path)
    record = Record(
        "a", {"date": "2026-01-01"}, [Table("t", ["", "x"], [["y", 1.5], ["z", None]])], [Bound("b", 2.0, 1.0)]
    )
    assert Record.load("a") is None
    record.save()
    assert Record.load("a") == record


def test_bounds_hold_from_one_side_and_not_without_a_number():
    assert Bound("", 2.0, least=1.8).holds and not Bound("", 1.7, least=1.8).holds
    assert Bound("", 0.2, most=0.3).holds and not Bound("", 0.4, most=0.3).holds
    assert Bound("", None, most=0.3).holds is None


@pytest.mark.parametrize(
    "cell, text",
    [(None, "–"), (True, "yes"), (10_000, "10,000"), ("a", "a"), (0.0, "0"), (1.0, "1.00"), (999.6, "1,000"),
     (12345.6, "12,346"), (-0.0785, "-0.0785"), (2.8e-11, "2.8e-11")],
)  # fmt: skip
def test_numbers_are_shown_with_three_figures(cell, text):
    assert figures(cell) == text
