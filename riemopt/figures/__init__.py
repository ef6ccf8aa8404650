"""Figures, drawn with Matplotlib and shown by nobody: each function returns a ``matplotlib.figure.Figure``."""

from matplotlib.figure import Figure

from riemopt.figures.cost import cost_figure
from riemopt.figures.fit import fit_figure
from riemopt.figures.invariance import invariance_figure
from riemopt.figures.order import order_figure
from riemopt.figures.saving import save
from riemopt.figures.styles import Style, styles

__all__ = ["Figure", "Style", "cost_figure", "fit_figure", "invariance_figure", "order_figure", "save", "styles"]
