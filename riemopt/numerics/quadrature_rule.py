"""Constants of quadrature: the rule of Gauss and Kronrod, where the double exponential map ends, what is negligible.

The compiled integrals (:mod:`riemopt.kernels.text.algorithms`) and their reference on arrays
(:mod:`riemopt.numerics.quadrature`) share them.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "FAR",
    "FARTHEST",
    "GAUSS_WEIGHTS",
    "KRONROD_NODES",
    "KRONROD_WEIGHTS",
    "LARGEST_WIDTH",
    "LATTICE_TAIL",
    "LEAST_PEAK",
    "LEAST_PEAK_OF_LATTICE",
    "MASS_ERROR",
    "NARROWEST",
    "NEGLIGIBLE",
    "NEGLIGIBLE_WIDTH",
]

FARTHEST = 6.5
"""Where the double exponential map ends: sinh(π/2 sinh 6.5) is about 1e226."""

NEGLIGIBLE = 1e-60
"""Weights below this, relative to the peak, are not looked at."""

FAR = 34.0
"""How far w may be below its peak before a term that is not a number counts: exp(-34) is rounding."""

LEAST_PEAK, LEAST_PEAK_OF_LATTICE = 100.0, 60.0
"""How far below the highest peak of w another one counts: on the line, and on the integers."""

LATTICE_TAIL = 1e-22
"""Weights below this, relative to the peak, end a sum over integers beyond its last peak."""

NARROWEST, NEGLIGIBLE_WIDTH = 4e-15, 1e-24
"""The smallest width of a peak: relative to where it is, and at all."""

LARGEST_WIDTH = 1e200
"""The width from which on that of a peak is not looked for any more."""

MASS_ERROR = 1e-9
"""What an integral may differ from 1 that is known to be 1."""

# The 10- and 21-point rules of Gauss and Kronrod (Piessens et al., QUADPACK, 1983): nodes from the middle outward, then
# the weights of Kronrod and, for every second node, of Gauss
_NODES = (
    0.0,
    0.14887433898163121,
    0.29439286270146020,
    0.43339539412924719,
    0.56275713466860468,
    0.67940956829902441,
    0.78081772658641690,
    0.86506336668898451,
    0.93015749135570823,
    0.97390652851717172,
    0.99565716302580808,
)
_KRONROD = (
    0.14944555400291691,
    0.14773910490133849,
    0.14277593857706008,
    0.13470921731147333,
    0.12349197626206585,
    0.10938715880229764,
    0.093125454583697606,
    0.075039674810919953,
    0.054755896574351996,
    0.032558162307964727,
    0.011694638867371874,
)
_GAUSS = (
    0.0,
    0.29552422471475287,
    0.0,
    0.26926671930999636,
    0.0,
    0.21908636251598204,
    0.0,
    0.14945134915058059,
    0.0,
    0.066671344308688138,
    0.0,
)


def _mirrored(values: Sequence[float], sign: float) -> tuple[float, ...]:
    return (*(sign * v for v in reversed(values[1:])), *values)


KRONROD_NODES = _mirrored(_NODES, -1.0)
"""The nodes of Kronrod's rule on [-1, 1], ascending."""

KRONROD_WEIGHTS = _mirrored(_KRONROD, 1.0)
"""Kronrod's weights."""

GAUSS_WEIGHTS = _mirrored(_GAUSS, 1.0)
"""The weights of Gauss's rule at the same nodes, zero where it has none."""
