"""Zero-mean normal distributions with every covariance matrix: isometric to the positive definite matrices."""

from __future__ import annotations

import sympy as sp

from riemopt.geometry.isometry import Isometry
from riemopt.geometry.positive_matrices import PositiveMatrices
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain
from riemopt.models.statistical import StatisticalModel

__all__ = ["covariance_matrices"]

_LARGEST_ORDER = 5
"""Of matrices whose eigenvalues are found in straight-line code."""


def covariance_matrices(model: StatisticalModel) -> Isometry | None:
    """The isometry of a model of several observations, read off its density; None if it is no such model."""
    x, n = model.observation, model.dimension
    order = len(x)
    if not 1 < order <= _LARGEST_ORDER or n != order * (order + 1) // 2 or set(model.support) != {sp.S.Reals}:
        return None
    hessian = -sp.hessian(model.log_density, x)
    rest = sp.expand(model.log_density - model.log_density.xreplace(dict.fromkeys(x, sp.S.Zero)))
    quadratic = -(sp.Matrix([x]) * hessian * sp.Matrix(x))[0, 0] / 2
    if hessian.free_symbols & set(x) or sp.simplify(rest - quadratic) != 0 or model.constraints:
        return None
    lower = [(i, j) for i in range(order) for j in range(i + 1)]
    symbols = tuple(sp.Symbol(f"u_{i + 1}{j + 1}", real=True) for i, j in lower)
    precision = hessian.applyfunc(sp.simplify)
    # P and its inverse have the same geometry: that whose entries are parameters first, if it is the precision
    ways = [lambda: precision, lambda: precision.inv().applyfunc(sp.simplify)]
    for matrix in ways if all(e.is_Symbol for e in precision) else reversed(ways):
        entries = matrix()
        forward = tuple(entries[i, j] for i, j in lower)
        conditions = [u > 0 for u, (i, j) in zip(symbols, lower, strict=True) if i == j]
        chart = Chart(symbols, model.parameters, forward, Domain.of(symbols, conditions), model.domain, validate=False)
        backward = chart.inverse_expressions
        if backward is not None:
            return Isometry((PositiveMatrices(order),), symbols, forward, backward)
    return None
