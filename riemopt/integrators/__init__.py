"""How to move: each update rule written once, on nothing but a problem's primitives."""

from riemopt.integrators.adaptive import AdaptiveFlow
from riemopt.integrators.base import Integrator, Orders, by_name, names
from riemopt.integrators.euler import GradientDescent, NaturalGradient
from riemopt.integrators.flow import ExactFlow
from riemopt.integrators.geodesic import (
    FasterGeodesicCorrection,
    GeodesicCorrection,
    GeodesicSeries,
    RiemannianEuler,
)
from riemopt.integrators.midpoint import Midpoint, RiemannianMidpoint
from riemopt.integrators.mirror import MirrorDescent
from riemopt.integrators.optimizer import OptimizerStep
from riemopt.integrators.path import Path
from riemopt.integrators.runge_kutta import RungeKutta
from riemopt.numerics.tableaux import Tableau

__all__ = [
    "AdaptiveFlow",
    "ExactFlow",
    "FasterGeodesicCorrection",
    "GeodesicCorrection",
    "GeodesicSeries",
    "GradientDescent",
    "Integrator",
    "Midpoint",
    "MirrorDescent",
    "NaturalGradient",
    "OptimizerStep",
    "Orders",
    "Path",
    "RiemannianEuler",
    "RiemannianMidpoint",
    "RungeKutta",
    "Tableau",
    "by_name",
    "names",
]
