"""Models whose geodesics are known: which standard spaces a model is isometric to, and by which coordinates.

Nothing is looked up by name. A candidate is read off the metric in the model's original coordinates (or, for
zero-mean normal distributions, off the density), and accepted if the metric of the standard spaces, pulled back, is
the model's at some points of the domain. Another chart of the model comes on top.
"""

from __future__ import annotations

import sympy as sp

from riemopt.geometry.blocks import blocks, standard_space
from riemopt.geometry.covariance import covariance_matrices
from riemopt.geometry.isometry import Isometry
from riemopt.geometry.metric import fisher_metric
from riemopt.geometry.spaces import Space
from riemopt.models.statistical import StatisticalModel

__all__ = ["Isometry", "isometry"]

_LONG = 1000
"""The number of operations beyond which a metric is none of those that are known."""


def isometry(model: StatisticalModel) -> Isometry | None:
    """The standard spaces that a model is isometric to, or None if none were found.

    Parameters
    ----------
    model : StatisticalModel
        In any chart whose inverse is a closed form.

    Examples
    --------
    >>> import riemopt as ro
    >>> isometry(ro.models.Normal()).forward
    (sqrt(2)*mu/2, sigma)
    >>> isometry(ro.models.Gamma()) is None
    True
    """
    original = model.original
    found = covariance_matrices(original) or _product(original)
    if found is None:
        return None
    return found if model is original else found.in_chart(model.chart)


def _product(model: StatisticalModel) -> Isometry | None:
    """The product of the standard spaces of the blocks of a model's metric."""
    metric = fisher_metric(model)
    if metric.has(sp.Integral, sp.Sum) or sum(e.count_ops() for e in metric) > _LONG:
        return None
    simple = sp.ImmutableMatrix(metric.applyfunc(sp.simplify))
    spaces: list[Space] = []
    symbols: list[sp.Symbol] = []
    forward: list[sp.Expr] = []
    backward: dict[sp.Symbol, sp.Expr] = {}
    for block in blocks(model.domain, simple):
        factor = standard_space(block)
        if factor is None:
            return None
        names = tuple(sp.Symbol(f"u_{len(symbols) + i + 1}", real=True) for i in range(len(block.parameters)))
        spaces.append(factor.spaces[0])
        forward += factor.forward
        renamed = dict(zip(factor.symbols, names, strict=True))
        backward |= {p: e.xreplace(renamed) for p, e in zip(block.parameters, factor.backward, strict=True)}
        symbols += names
    found = Isometry(tuple(spaces), tuple(symbols), tuple(forward), tuple(backward[p] for p in model.parameters))
    return found if found.agrees(model.domain, metric) else None
