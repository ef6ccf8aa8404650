"""What all tests share: a kernel cache of their own, hypothesis settings, and the catalogue in several charts."""

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache, cached_property

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import settings

import riemopt as ro

# Compiled anew, as by a user who has just installed riemopt. Workers of pytest-xdist inherit the variable.
if "RIEMOPT_CACHE" not in os.environ:
    os.environ["RIEMOPT_CACHE"] = tempfile.mkdtemp(prefix="riemopt-tests-")  # for its owner only
    atexit.register(shutil.rmtree, os.environ["RIEMOPT_CACHE"], ignore_errors=True)

settings.register_profile("riemopt", deadline=None, max_examples=40, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("riemopt")


@dataclass(frozen=True, eq=False)
class Case:
    """A model in one chart, with points to look at and both backends."""

    model: ro.StatisticalModel
    points: np.ndarray

    @cached_property
    def numpy(self) -> ro.Manifold:
        return ro.Manifold(self.model, backend="numpy")

    @cached_property
    def numba(self) -> ro.Manifold:
        return ro.Manifold(self.model)

    def vectors(self, length: float, seed: int = 0) -> np.ndarray:
        """A vector of a given Riemannian length at each point."""
        vectors = np.random.default_rng(seed).normal(size=self.points.shape)
        norms = np.sqrt(np.einsum("...i,...ij,...j", vectors, self.numpy.metric(self.points), vectors))
        return length * vectors / norms[:, None]

    def mean(self, expression: sp.Expr, point: np.ndarray) -> float:
        """E[f(x)] by mpmath: an integral, or a sum over counts."""
        model = self.model
        (x,) = model.observation
        values = dict(zip(model.parameters, map(float, point), strict=True))
        integrand = sp.lambdify(x, (sp.exp(model.log_density) * expression).xreplace(values), "mpmath")
        if model.support[0] == sp.S.Naturals0:
            return float(mp.nsum(lambda k: integrand(mp.mpf(k)), [0, 60]))
        pieces = [-mp.inf, values[model.parameters[0]], mp.inf] if model.support[0] == sp.S.Reals else [0, 1, 5, mp.inf]
        return float(mp.quad(integrand, pieces))


_POINTS = {
    "gamma": [[1.0, 1.0], [2.5, 0.75], [20.0, 20.0], [0.25, 5.0]],
    "normal": [[0.0, 1.0], [-1.5, 0.25], [3.0, 2.0]],
    "exponential": [[1.0], [0.125], [20.0]],
    "poisson": [[1.0], [0.125], [20.0]],
}
a, b = sp.symbols("a b", positive=True)
_CHARTS = {"by scale": (a, 1 / b), "by cube": (a, b**3), "by squares": (a**2, b**2), "by mean": (b, b / a)}
_NAMES = [*_POINTS, "gamma by scale", "gamma by cube", "gamma by squares"]


@cache
def _case(name: str) -> Case:
    family, _, chart = name.partition(" ")
    model, points = ro.models.family(family), np.array(_POINTS[family])
    if chart:
        model = model.reparametrize(dict(zip(model.parameters, _CHARTS[chart], strict=True)), parameters=(a, b))
        points = model.chart.from_original(points)
    return Case(model, points)


@pytest.fixture(scope="session")
def gamma() -> Case:
    """The Gamma model in its own chart."""
    return _case("gamma")


@pytest.fixture(scope="session")
def normal() -> Case:
    """The normal model."""
    return _case("normal")


@pytest.fixture(scope="session", params=_NAMES)
def case(request) -> Case:
    """Each model of the catalogue in turn, the Gamma model in its four charts."""
    return _case(request.param)


@pytest.fixture(scope="session", params=_CHARTS)
def chart_case(request) -> Case:
    """The Gamma model in each chart that is not its own; the last one mixes the coordinates."""
    return _case(f"gamma {request.param}")
