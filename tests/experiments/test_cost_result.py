"""What the result of a study of costs prints and keeps."""

from __future__ import annotations

import csv
import math

import pytest

import riemopt as ro
from riemopt.experiments import Cost, CostResult, Subject


@pytest.fixture(scope="module")
def result():
    subject = Subject.of(ro.models.Exponential(), [0.5, 0.2], start=[1.0], backend="numpy")
    ng = [Cost(7.0, 7.0, 7.0, 0.0, 0.009), Cost(35_123.0, 35_123.0, 35_123.0, 0.0, extrapolated=True), Cost()]
    mid = [Cost(4.0, 8.0, 8.0, 0.0, 0.008), Cost(100.0, 200.0, 200.0, 0.0, 1e-5), Cost()]
    return CostResult({"Exponential": subject}, (1e-2, 1e-5, 1e-9), {"Exponential": {"ng": ng, "mid": mid}})


def test_a_cost_is_told_by_its_solves():
    assert (Cost().text, Cost(solves=120.0, achieved=0.1).text) == ("–", "120")
    assert Cost(solves=35_123.0, extrapolated=True).text == "~35,000"
    assert Cost(solves=3.51e7, extrapolated=True).text == "~3.5e+07"
    assert not Cost().is_measured


def test_the_fewest_solves_are_marked(result):
    assert result.least("Exponential")[:2] == [7.0, 200.0] and math.isnan(result.least("Exponential")[2])
    text = str(result.table())
    assert "7*" in text and "200*" in text and "~35,000" in text
    assert repr(result) == "CostResult(['Exponential'], wanted=[0.01, 1e-05, 1e-09])"


@pytest.mark.slow
def test_numbers_are_arrays_and_rows(result, tmp_path):
    assert result.steps["Exponential"]["mid"][:2].tolist() == [4.0, 100.0]
    assert math.isnan(result.achieved["Exponential"]["ng"][1])
    paths = result.save(tmp_path)
    with open(paths[2], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["integrator"], row["extrapolated"]) for row in rows][:2] == [("ng", "False"), ("ng", "True")]
