"""How to move: each update rule written once, on nothing but a problem's primitives."""

from riemopt.integrators.base import Integrator, by_name, names
from riemopt.integrators.euler import GradientDescent, NaturalGradient
from riemopt.integrators.flow import ExactFlow
from riemopt.integrators.geodesic import FasterGeodesicCorrection, GeodesicCorrection, RiemannianEuler
from riemopt.integrators.midpoint import Midpoint

__all__ = [
    "ExactFlow",
    "FasterGeodesicCorrection",
    "GeodesicCorrection",
    "GradientDescent",
    "Integrator",
    "Midpoint",
    "NaturalGradient",
    "RiemannianEuler",
    "by_name",
    "names",
]
