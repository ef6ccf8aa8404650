"""Changes of coordinates: the chart, its inverse in closed form and in numbers, and charts typed as text."""

from riemopt.models.chart.chart import Chart
from riemopt.models.chart.typed import infer_symbols

__all__ = ["Chart", "infer_symbols"]
