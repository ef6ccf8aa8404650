"""Metrics, distances, geodesics and transport against other libraries and published formulas; see ``libraries.py``."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from tests.marks import slow

SOURCES = json.loads(Path(__file__).with_name("libraries.json").read_text())
LINES = [line for source in SOURCES.values() for line in source["values"] if "wrong" not in line]
# the geometry of three observations takes half a minute to derive
MODELS = sorted({line["model"] for line in LINES} - {"zero-mean normal 3"})
SHOOTING = ["beta", "dirichlet"]
"""Models whose geodesics take long to find from their ends without compiled kernels."""

FINE = {"rtol": 1e-13, "atol": 1e-15}

QUANTITIES: dict[str, Callable] = {
    "metric": lambda m, p: m.metric(p),
    "exp": lambda m, p, v: m.exp(p, v, **FINE),
    "log": lambda m, p, q: m.log(p, q),
    "distance": lambda m, p, q: m.distance(p, q),
    "midpoint": lambda m, p, q: m.exp(p, 0.5 * m.log(p, q), **FINE),
    "transport": lambda m, p, v, w: m.transport(p, v, w, **FINE),
}
OWN = {"metric": 1e-13, "exp": 1e-12, "log": 1e-9, "distance": 1e-10, "midpoint": 1e-9, "transport": 1e-11}
"""What riemopt's own error may be, in the units of the file's tolerances."""


def zero_mean_normal(d: int) -> ro.StatisticalModel:
    """N(0, Σ); the parameters are the lower triangle of Σ by rows."""
    x = sp.symbols(f"x_1:{d + 1}", real=True)
    entry = {
        (i, j): sp.Symbol(f"s_{i + 1}{j + 1}", **{"positive" if i == j else "real": True})
        for i in range(d)
        for j in range(i + 1)
    }
    covariance = sp.Matrix(d, d, lambda i, j: entry[max(i, j), min(i, j)])
    minors = [covariance[:size, :size].det() for size in range(1, d + 1)]
    quadratic = (sp.Matrix([x]) * covariance.adjugate() * sp.Matrix(x))[0] / minors[-1]
    return ro.StatisticalModel(
        -quadratic / 2 - sp.log(minors[-1]) / 2 - d * sp.log(2 * sp.pi) / 2,
        observation=x,
        support=(sp.S.Reals,) * d,
        parameters=tuple(entry.values()),
        domain=[minor > 0 for minor in minors[1:]],
        name=f"ZeroMeanNormal{d}",
    )


def two_normals() -> ro.StatisticalModel:
    """Two independent normal observations."""
    x, m = sp.symbols("x_1:3", real=True), sp.symbols("m_1:3", real=True)
    s = sp.symbols("s_1:3", positive=True)
    density = sum(-(((x[i] - m[i]) / s[i]) ** 2) / 2 - sp.log(s[i]) - sp.log(2 * sp.pi) / 2 for i in range(2))
    return ro.StatisticalModel(
        density,
        observation=x,
        support=(sp.S.Reals, sp.S.Reals),
        parameters=(m[0], s[0], m[1], s[1]),
        name="TwoNormals",
    )


def manifold(model: str, quantity: str) -> ro.Manifold:
    compiled = model in SHOOTING and quantity in ("log", "distance", "midpoint")
    return _manifold(model, "numba" if compiled else "numpy")


@cache
def _manifold(model: str, backend: str) -> ro.Manifold:
    return ro.Manifold(_model(model), backend=backend)


@cache
def _model(model: str) -> ro.StatisticalModel:
    if model == "two normals":
        return two_normals()
    if model.startswith("zero-mean normal"):
        return zero_mean_normal(int(model[-1]))
    return ro.models.family(model)


def unit(quantity: str, arguments: list[np.ndarray], value: np.ndarray) -> np.ndarray:
    """What tolerances are in units of."""
    if quantity == "metric":
        return np.sqrt(np.einsum("ki,kj->kij", *[np.diagonal(value, axis1=1, axis2=2)] * 2))
    if quantity == "distance":
        return np.abs(value)
    return np.maximum(np.abs(value), np.abs(arguments[1 if quantity == "log" else 0]))


@pytest.mark.parametrize("model", [slow(name) if name == "dirichlet" else name for name in MODELS])
@pytest.mark.slow_for(
    "gamma", "dirichlet", "beta", "zero-mean normal 2", "two normals", "multivariatenormal", "logistic", "loglogistic"
)
def test_other_libraries_find_the_same(model):
    wrong = []
    for quantity, evaluate in QUANTITIES.items():
        lines = [line for line in LINES if (line["model"], line["quantity"]) == (model, quantity)]
        if not lines:
            continue
        arguments = [np.array(column) for column in zip(*(line["arguments"] for line in lines), strict=True)]
        value = np.array([line["value"] for line in lines])
        found = evaluate(manifold(model, quantity), *arguments)
        scale = unit(quantity, arguments, value)
        error = np.abs(found - value) / np.where(scale > 0, scale, 1.0)
        for line, e, y in zip(lines, error.reshape(len(lines), -1).max(axis=1), found, strict=True):
            if not e <= line["tolerance"] + OWN[quantity]:
                wrong.append(f"{line['via']} {quantity}{line['arguments']}: {line['value']}, not {y.tolist()}: {e:.1e}")
    assert not wrong, "\n".join(wrong)
