"""What the invariance experiment runs on where a user gives nothing: data, a start and charts for any family."""

from __future__ import annotations

import numpy as np
import sympy as sp

from riemopt.models import StatisticalModel
from riemopt.models.chart import infer_symbols
from riemopt.symbolic.parser import parse_assignments
from riemopt.symbolic.vocabulary import CONSTANTS, FUNCTIONS

__all__ = ["default_charts", "default_start", "example_samples", "typed_chart"]

_SAMPLES = 10_000
GAMMA_CHARTS = ("beta = 1/b", "beta = b**3", "alpha = a**2, beta = b**2")


def example_samples(model: StatisticalModel, seed: int) -> np.ndarray:
    """10,000 draws: for the Gamma family from Gamma(20, 20), as in the paper.

    For other families they come from the point where a positive parameter is √e = 1.65 and a real one is 0.5.

    Parameters
    ----------
    model : StatisticalModel
    seed : int
        For the Gamma family the draws are those of ``np.random.seed(seed); np.random.gamma(20, 1/20, 10000)``.

    Returns
    -------
    array, shape (10000,), or (10000, d) for d > 1 observations
    """
    if model.name == "Gamma":
        return np.random.RandomState(seed).gamma(20.0, 1 / 20, _SAMPLES)
    return model.sample(_inside(model, 0.5), _SAMPLES, rng=seed)


def default_start(model: StatisticalModel) -> np.ndarray:
    """Where to start: positive parameters are 1, real ones 0.

    Returns
    -------
    array, shape (n,)

    Examples
    --------
    >>> import riemopt as ro
    >>> default_start(ro.models.Normal())
    array([0., 1.])
    """
    return _inside(model, 0.0)


def _inside(model: StatisticalModel, value: float) -> np.ndarray:
    """A point with all free coordinates at a value, or a random one where that lies outside the domain."""
    point = model.domain.from_free(np.full(model.dimension, value))
    return point if model.domain.contains(point) else model.domain.interior_points(1, rng=int(100 * value))[0]


def default_charts(model: StatisticalModel) -> tuple[str, ...]:
    """Charts as text: the paper's for the Gamma family.

    For other families reciprocals, cubes and exponentials of new coordinates for the positive parameters; next to the
    cubes a hyperbolic sine for the real ones; squares, cubes and a logistic function for probabilities.

    Examples
    --------
    >>> import riemopt as ro
    >>> default_charts(ro.models.Normal())
    ('sigma = 1/s', 'mu = sinh(m), sigma = s**3', 'sigma = exp(s)')
    """
    if model.name == "Gamma":
        return GAMMA_CHARTS
    forms = [("1/{}", "", "{}**2"), ("{}**3", "sinh({})", "{}**3"), ("exp({})", "", "1/(1 + exp(-{}))")]
    charts = [
        ", ".join(
            f"{symbol} = {form.format(_fresh_name(symbol, model))}"
            for symbol in model.parameters
            if (form := _form(model, symbol, positive, real, bounded))
        )
        for positive, real, bounded in forms
    ]
    return tuple(filter(None, charts))


def _form(model: StatisticalModel, symbol: sp.Symbol, positive: str, real: str, bounded: str) -> str:
    low, high = (bound[model.parameters.index(symbol)] for bound in model.domain.bounds)
    if np.isfinite(low) and np.isfinite(high):
        return bounded
    return positive if symbol.is_positive else real


def _fresh_name(symbol: sp.Symbol, model: StatisticalModel) -> str:
    """A name for the coordinate that replaces a parameter: its first letter, if that is free."""
    names = [str(parameter) for parameter in model.parameters]
    initial = str(symbol)[0]
    taken = initial in (*names, *map(str, model.observation)) or initial in CONSTANTS or initial in FUNCTIONS
    return f"{symbol}_new" if taken or sum(name[0] == initial for name in names) > 1 else initial


def typed_chart(model: StatisticalModel, text: str) -> StatisticalModel:
    """A model in a chart typed as text; nothing in it is evaluated.

    Parameters
    ----------
    model : StatisticalModel
    text : str
        Parameters as formulas of new coordinates, with commas between them; those left out stay as they are.

    Raises
    ------
    ExpressionError
        If the text holds anything but mathematics, or a name that is neither a parameter nor a coordinate.
    ModelError
        If the chart is not invertible.

    Examples
    --------
    >>> import riemopt as ro
    >>> typed_chart(ro.models.Gamma(), "alpha = a, beta = 1/b").chart.describe()
    'alpha = a, beta = 1/b'
    """
    assignments = parse_assignments(text, map(str, model.parameters), where="chart")
    formulas = {name: formula for name, (formula, _) in assignments.items()}
    symbols, expressions = infer_symbols(model.parameters, formulas, model.domain)
    return model.reparametrize(dict(zip(model.parameters, expressions, strict=True)), symbols)
