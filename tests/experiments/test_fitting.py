"""A fit as files."""

from __future__ import annotations

import csv

import riemopt as ro
from riemopt.experiments.fitting import save_fit


def test_estimates_are_kept_with_their_errors_and_intervals(tmp_path):
    model = ro.models.Poisson()
    samples = model.sample([2.0], 50, rng=0)
    fit = ro.fit(model, samples, backend="numpy")
    paths = save_fit(fit, samples, tmp_path)
    assert [path.name for path in paths] == ["fit.png", "fit.svg", "parameters.csv"]
    with open(paths[2], newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["estimate"]) == fit.x[0] and float(row["standard_error"]) == fit.standard_errors[0]
    assert [float(row["lower_95"]), float(row["upper_95"])] == fit.confidence_intervals()[0].tolist()
