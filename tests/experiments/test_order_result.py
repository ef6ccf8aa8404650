"""What the result of a study of orders prints and keeps."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import riemopt as ro
from riemopt.experiments import OrderResult, Subject
from riemopt.experiments.convergence import Convergence
from riemopt.integrators import Orders


@pytest.fixture(scope="module")
def result():
    subject = Subject.of(ro.models.Exponential(), [0.5, 0.2], start=[1.0], backend="numpy")
    h = 1.0 / np.array([4, 6, 8, 12, 16, 24, 32, 48])
    curves = {
        "flow": Convergence(h, 0.3 * h**2, np.full(8, 1e-14)),
        "invariance": Convergence(h, np.full(8, 1e-15), np.full(8, 1e-15)),
    }
    theory = {"mine": None, "ng": Orders(1.0, 1.0, 1.0)}
    return OrderResult({"Exponential": subject}, {"Exponential": {"mine": curves, "ng": {}}}, theory, ["a remark"])


def test_slopes_are_by_subject_integrator_and_quantity(result):
    slopes = result.slopes["Exponential"]["mine"]
    assert abs(slopes.flow - 2.0) < 1e-6
    assert slopes.invariance == np.inf and np.isnan(slopes.riemannian_euler)
    assert np.isnan(result.slopes["Exponential"]["ng"]).all()


def test_the_table_has_slopes_beside_theory_and_remarks_below(result):
    text = str(result.table())
    assert "Exponential to the time 1, in the charts rate" in text
    assert "2.00±0.00" in text and "4-48" in text and "≤ 1e-15" in text
    assert text.splitlines()[-1] == "a remark"
    assert repr(result) == "OrderResult(['Exponential'], integrators=['mine', 'ng'])"


@pytest.mark.slow
def test_every_distance_is_kept(result, tmp_path):
    paths = result.save(tmp_path)
    assert [path.name for path in paths] == ["order.png", "order.svg", "slopes.csv", "distances.csv"]
    with open(paths[3], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert float(rows[0]["distance"]) == 0.3 / 16 and rows[0]["fitted"] in ("True", "False")
