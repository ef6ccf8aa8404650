"""The error estimate of QUADPACK."""

from math import sqrt

from riemopt.kernels.functions.scalar import absolute, minimum

__all__ = ["panel_error"]


def panel_error(difference: float, scale: float) -> float:
    """The error on a panel, from the difference of the two rules and the integral of the absolute value.

    Piessens et al., QUADPACK, 1983, section 2.2.4.1.
    """
    if not scale > 0.0:
        return absolute(difference)
    r = 200.0 * absolute(difference) / scale
    return scale * minimum(1.0, r * sqrt(r))
