"""Nonlinear regressions of the NIST Statistical Reference Datasets, from the far one of their two starts.

Data, starts and certified values: https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml (public domain).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.optimize.descent import descend
from tests.marks import slow

DATASETS = json.loads(Path(__file__).with_name("nist.json").read_text(encoding="utf-8"))
ALL = pytest.mark.parametrize("name", DATASETS)
# the residuals of Lanczos1 are 1e-13 of its numbers: three of their digits are there
WELL_DETERMINED = [name for name in DATASETS if name != "Lanczos1"]


@cache
def symbols(name):
    """The parameters, the inputs and the response curve of a dataset."""
    data = DATASETS[name]
    b = sp.symbols(f"b1:{len(data['start']) + 1}", real=True)
    x = sp.symbols(data["variables"], real=True)
    return b, x, sp.sympify(data["model"], locals={s.name: s for s in (*b, *x)})


class Regression(ro.Problem):
    """Least squares as the profiled likelihood of normal errors, from an exact Jacobian: nothing of riemopt's own."""

    def __init__(self, name):
        data, (b, x, curve) = DATASETS[name], symbols(name)
        v = sp.symbols(f"v1:{len(b) + 1}", real=True)
        slopes = [curve.diff(p) for p in b]
        bend = sum(u * w * slope.diff(p) for u, slope in zip(v, slopes, strict=True) for w, p in zip(v, b, strict=True))
        self._curve, self._slopes = (sp.lambdify([b, x], e, "numpy", cse=True) for e in (curve, slopes))
        self._bend = sp.lambdify([b, x, v], bend, "numpy", cse=True)
        self._x, self._y = np.array(data["inputs"]), np.array(data["targets"])

    def _at(self, theta):
        residuals = self._y - self._curve(theta, self._x)
        slopes = np.stack([np.broadcast_to(s, self._y.shape) for s in self._slopes(theta, self._x)])
        return residuals, slopes, residuals @ residuals

    def loss(self, theta):
        return 0.5 * np.log(2.0 * np.pi * np.e * self._at(theta)[2] / len(self._y))

    def gradient(self, theta):
        residuals, slopes, rss = self._at(theta)
        return -slopes @ residuals / rss

    def metric(self, theta):
        _, slopes, rss = self._at(theta)
        return slopes @ slopes.T / rss

    def connection(self, theta, vector, a=0.0):
        _, slopes, rss = self._at(theta)
        return slopes @ np.broadcast_to(self._bend(theta, self._x, vector), self._y.shape) / rss


@ALL
@pytest.mark.slow_for("MGH10", "MGH17", "ENSO", "Lanczos1", "Hahn1")
def test_descent_from_start_1_reaches_ten_of_the_certified_digits(name):
    data = DATASETS[name]
    with np.errstate(all="ignore"):
        descent = descend(Regression(name), np.array(data["start"]), tolerance=1e-12, max_steps=2000)
    assert descent.status.success
    np.testing.assert_allclose(descent.points[-1], data["certified"], rtol=1e-10)


def fitted(name, start):
    data, (b, x, curve) = DATASETS[name], symbols(name)
    model = ro.ConditionalModel(outputs=[curve], output="gaussian", inputs=x, parameters=b, name=name)
    inputs = np.array(data["inputs"]).T
    return ro.fit(model, data["targets"], inputs if len(x) > 1 else inputs[:, 0], start, backend="numpy")


@ALL
@pytest.mark.slow_for("MGH17", "MGH10", "ENSO", "Lanczos1", "Thurber")
def test_fit_from_start_1_reaches_ten_of_the_certified_digits(name):
    data = DATASETS[name]
    fit = fitted(name, data["start"])
    assert fit.success
    np.testing.assert_allclose(fit.x, data["certified"], rtol=1e-10)
    assert fit.freedom == len(data["targets"]) - len(data["start"])
    rtol = 1e-6 if name in WELL_DETERMINED else 1e-2
    np.testing.assert_allclose(fit.standard_errors, data["deviations"], rtol=rtol)
    if name in WELL_DETERMINED:
        count = len(data["targets"])
        rss = count * np.exp(-2.0 * fit.log_likelihood / count) / (2.0 * np.pi * np.e)
        np.testing.assert_allclose(rss, data["rss"], rtol=1e-9)


@pytest.mark.parametrize(
    "name", ["Misra1a", "Nelson", "MGH10", *map(slow, ("Chwirut2", "Roszman1", "Hahn1", "MGH09", "Bennett5"))]
)
@pytest.mark.slow_for("MGH10", "Bennett5", "Hahn1")
def test_fit_finds_a_start_of_its_own(name):
    fit = fitted(name, None)
    assert fit.success
    np.testing.assert_allclose(fit.x, DATASETS[name]["certified"], rtol=1e-9)


@pytest.mark.parametrize("name", ["MGH09", "Thurber", "Eckerle4"])
def test_units_of_the_parameters_do_not_matter(name):
    problem, data = Regression(name), DATASETS[name]
    units = 10.0 ** np.linspace(-5.0, 5.0, len(data["start"]))

    class Rescaled(ro.Problem):
        def loss(self, theta):
            return problem.loss(theta * units)

        def gradient(self, theta):
            return units * problem.gradient(theta * units)

        def metric(self, theta):
            return np.outer(units, units) * problem.metric(theta * units)

        def connection(self, theta, vector, a=0.0):
            return units * problem.connection(theta * units, vector * units)

    start = np.array(data["start"])
    with np.errstate(all="ignore"):
        ways = [
            descend(p, x, tolerance=1e-10, max_steps=2000) for p, x in ((problem, start), (Rescaled(), start / units))
        ]
    assert len(ways[0].points) == pytest.approx(len(ways[1].points), abs=2)
    np.testing.assert_allclose(ways[1].points[-1] * units, ways[0].points[-1], rtol=1e-8)
