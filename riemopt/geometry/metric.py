"""The Fisher metric and what follows from it alone."""

from __future__ import annotations

import sympy as sp

from riemopt.models.statistical import StatisticalModel

__all__ = ["fisher_metric", "volume_element"]


def fisher_metric(model: StatisticalModel) -> sp.ImmutableMatrix:
    """The Fisher metric g_μν = E[∂_μℓ ∂_νℓ] of a model, shape (n, n), by the model's way of taking expectations."""
    return model.expectation.metric


def volume_element(metric: sp.Matrix) -> sp.Expr:
    """The density √det g of the Riemannian volume, which is Jeffreys' prior up to its normalization."""
    return sp.sqrt(metric.det())
