"""The step control of the stepper, the same for every equation: functions that text calls.

They branch on no number, so that they control one solution as well as several in lanes.
"""

from math import inf, sqrt

from riemopt.kernels.functions.scalar import every, maximum, minimum, select

__all__ = ["LONGER", "add_pairs", "ended", "error_norm", "first_guess", "first_step", "resize"]

SHORTER, LONGER = 0.333, 6.0
"""The least and the most that the length of a step changes by."""

SAFETY = 0.75
"""How much of the step to take that is expected to be just good enough."""

STEPS = 4.0
"""The number of steps whose errors are expected to add up: each may make so much less of an error than the whole."""


def ended(outcome: float) -> bool:
    """Whether there is nothing more to do, for any lane."""
    return every(outcome >= 0.0)


def eighth_root(x: float) -> float:
    """x^(1/8)."""
    return sqrt(sqrt(sqrt(x)))


def error_norm(sums: tuple[float, float], h: float, dimension: float) -> float:
    """The error of a step, from the sums of squares of its two estimates; up to 1 it is small enough.

    Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section II.10, equation (10.17).
    """
    fifth, third = sums
    error = STEPS * h * fifth / sqrt((fifth + 0.01 * third) * dimension)
    return select(fifth + third == 0.0, 0.0, error)


def first_guess(size: float, speed: float, dimension: float) -> float:
    """A length to try first, from the sums of squares of the scaled state and of its derivative.

    The same, section II.4, "Starting step size".
    """
    d0, d1 = sqrt(size / dimension), sqrt(speed / dimension)
    # without an absolute tolerance, what begins at 0 has no scale
    return select((d0 >= 1e-5) & (d1 >= 1e-5) & (d1 < inf), 0.01 * d0 / d1, 1e-6)


def first_step(h: float, speed: float, change: float, dimension: float) -> float:
    """The length of the first step, from the sum of squares of the derivative's change over the first guess h.

    The same section.
    """
    largest = maximum(sqrt(speed / dimension), sqrt(change / dimension) / h)
    longer = select(largest <= 1e-15, maximum(1e-6, h * 1e-3), eighth_root(0.01 / largest))
    return select(largest < inf, minimum(100.0 * h, longer), h)


def add_pairs(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """a + b."""
    return a[0] + b[0], a[1] + b[1]


def resize(error: float) -> float:
    """By what to multiply the length of a step of some error. The same, section II.4, equation (4.13)."""
    return minimum(LONGER, maximum(SHORTER, SAFETY / eighth_root(error)))
