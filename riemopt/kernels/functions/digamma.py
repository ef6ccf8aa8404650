"""The digamma function for x > 0, as scalar code that every compiled target can take.

It branches only to return early, so that several numbers are computed side by side
(:mod:`riemopt.kernels.targets.llvm`). The quotient and the polynomial in it were fitted as those of the polygammas: see
:mod:`riemopt.kernels.functions.coefficients`. The bound holds as measured on [1e-30, 1e20] too.
"""

from math import log, nan

from riemopt.kernels.functions.scalar import every, select

__all__ = ["digamma"]


def digamma(x: float) -> float:
    """Return the digamma function psi(x) = d/dx log Gamma(x), for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives infinity.

    Returns
    -------
    float
        psi(x), with relative error below 9e-16 on [1e-6, 1e8], its root x0 = 1.4616... included.

    Notes
    -----
    For x < 4, psi(x) = (x - x0)/x P(x)/Q(x): the root (DLMF Table 5.4.1) and the pole (DLMF 5.7.6) are factors, so
    neither costs accuracy. Otherwise psi(x) = log z + w A(w) with z = x - 1/2 and w = 1/z^2, where A is a polynomial
    fitted on 0 < w < 4/49 to the tail of DLMF 5.11.8 with h = 1/2, differentiated (DLMF 5.11.2 shifted by a half).
    The tail begins 1/24 - 7/960 w.

    Examples
    --------
    >>> digamma(1.0)  # minus Euler's constant, DLMF 5.4.12
    -0.5772156649015329
    """
    # only one of the two is computed unless they are wanted side by side
    if every(x < 4.0):
        return _digamma_near(x)
    if every(x >= 4.0):
        return _digamma_far(x)
    return select(x < 4.0, _digamma_near(select(x < 4.0, x, 1.0)), _digamma_far(x))


def _digamma_near(x: float) -> float:
    """psi(x) for 0 < x < 4, else NaN."""
    if not x > 0.0:
        return nan
    # Degrees 8 and 8 in x, fit 4.6e-18.
    p = 5.761542973533275e-07
    p = p * x + 9.032289608920226e-05
    p = p * x + 0.0034876590237029694
    p = p * x + 0.053722749281613795
    p = p * x + 0.3957665929946181
    p = p * x + 1.4906639335410299
    p = p * x + 2.839811550225951
    p = p * x + 2.4573095635464415
    p = p * x + 0.6841666717870696
    q = 8.669342762135388e-08
    q = q * x + 1.979325112665132e-05
    q = q * x + 0.0009935118715812756
    q = q * x + 0.019162890180759642
    q = q * x + 0.1747520044194879
    q = q * x + 0.8195611145645245
    q = q * x + 1.9932985070249805
    q = q * x + 2.3303003115290535
    q = q * x + 1.0
    # x0 = 1.46163214496836234126265954232572... (mpmath.findroot; DLMF Table 5.4.1) as the sum of two doubles:
    # near x0 the first difference is exact, by Sterbenz's lemma.
    return ((x - 1.4616321449683622) - 9.549995429965697e-17) * p / (x * q)


def _digamma_far(x: float) -> float:
    """psi(x) for x >= 4."""
    z = x - 0.5
    w = 1.0 / (z * z)
    # Degree 8 in w, fit 2.2e-17.
    a = 0.2957234245955792
    a = a * w - 0.1856088673826698
    a = a * w + 0.0651448426229606
    a = a * w - 0.020190745235112897
    a = a * w + 0.007531932007910633
    a = a * w - 0.004133517447176289
    a = a * w + 0.003844238848699183
    a = a * w - 0.007291666623009841
    a = a * w + 0.041666666666572254
    return log(z) + w * a
