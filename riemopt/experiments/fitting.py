"""A family fitted to observations, as a figure and as numbers to keep."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import sympy as sp

from riemopt.experiments.files import save_all
from riemopt.models import StatisticalModel
from riemopt.optimize import Fit

__all__ = ["save_fit"]


def save_fit(fit: Fit, samples: np.ndarray, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the figure and the numbers of a fit.

    Parameters
    ----------
    fit : Fit
        Of a StatisticalModel with one observation.
    samples : array, shape (N,)
        What it was fitted to.
    folder : str or path-like
        Made if need be; files of the same names are replaced.

    Returns
    -------
    list of Path
        ``fit.png``, ``fit.svg`` and ``parameters.csv``, all in the folder.

    Raises
    ------
    OSError
        If the folder or a file cannot be written; nothing half written is left then.
    """
    from riemopt import figures

    model = fit.model
    assert isinstance(model, StatisticalModel)
    (support,), (symbol,) = model.support, model.observation
    counts = bool(support.is_subset(sp.S.Integers))
    names = [f"${sp.latex(p)}$" if len(p.name) == 1 or sp.latex(p) != p.name else p.name for p in model.parameters]
    values = ", ".join(f"{name} = {x:.4g}" for name, x in zip(names, fit.x, strict=True))

    def density(x: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(model.log_density_at(fit.x, x)))

    figure = figures.fit_figure(samples, density, counts, f"{model.name}: {values}", sp.latex(symbol))
    rows = zip(fit.parameters.items(), fit.standard_errors, fit.confidence_intervals(), strict=True)
    estimates = ([name, x, float(error), *map(float, interval)] for (name, x), error, interval in rows)
    header = ["parameter", "estimate", "standard_error", "lower_95", "upper_95"]
    return save_all(folder, "fit", figure, {"parameters.csv": (header, estimates)})
