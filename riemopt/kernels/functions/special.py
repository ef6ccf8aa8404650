"""Scalar special functions for compiled targets: digamma, the polygammas to order 6, their remainders, Bessel's I_n.

Numba and CUDA have none of these, and a pointer into SciPy's compiled code can be neither cached on disk nor run on a
GPU. So these are plain scalar Python over ``math`` and ``select``, and one text serves three readers: the interpreter,
``numba.njit`` and a ``numba.cuda`` device function. The log-gamma function is not here: ``math.lgamma`` compiles on
every target.

Digamma and the polygammas branch only to return early, so that several are computed side by side
(:mod:`riemopt.kernels.targets.llvm`).

How the polygammas are computed. For every x > 0, with z = x + 3/2 and w = 1/z^2,

    |psi_n(x)| = n!/x^(n+1) + n!/(x+1)^(n+1) + |psi_n(x+2)|          recurrence, DLMF 5.15.5 twice
    |psi_n(x+2)| = ((n-1)! + w f_n(w)) / z^n                         x + 2 = z + 1/2

The expansion of f_n about w = 0 is DLMF 5.11.8 with h = 1/2, differentiated n + 1 times (the half shift of DLMF
5.15.8 and 5.15.9: no odd powers of 1/z are left beside z^-n); it begins f_n(0) = -(n+1)!/24. Being asymptotic it
would need x > 7. Instead f_n is replaced by a quotient P(w)/Q(w) fitted over the whole of 0 < w < 4/9, that is x > 0.
The correction w f_n is negative and less than half of (n-1)!, and every other term is positive: nothing cancels.

How the remainders are computed. Sums such as x psi_1(x) - 1 cancel, so the polygammas are also here without their two
leading terms, as rho_n(x) = psi_n(x) + (-1)^n ((n-1)!/x^n + n!/(2 x^(n+1))). With a = 1/x, b = 1/(x+1), w = 1/(x+2)^2,

    rho_1(x) = (ab)^2/2 + rho_1(x+1)                                 recurrence, DLMF 5.15.5
    |rho_n(x+2)| = ((n+1)!/12 + w f_n(w)) / (x+2)^(n+2)              the rest of DLMF 5.15.8 and 5.15.9

and the recurrence is differentiated n - 1 times, which gives (ab)^2 (n-1)!/2 times the sum of (i+1)(n-i) a^(n-1-i) b^i
over i = 0, ..., n - 1. Again f_n is negative and small, and replaced by a P(w)/Q(w) that is fitted over 0 < w < 1/4.
Every other term is positive.

How the constants were fitted. Each P/Q is close to the minimax rational function of its degrees: it interpolates at
nodes that are moved until the peaks of the error between them are level, in mpmath at 40 digits, the error being
weighted so as to be relative to the value returned. "Fit" in a comment below is the largest weighted error left, before
rounding to double.

The bounds in the docstrings are the largest relative errors measured against mpmath at 30 digits over 100,000 points of
the range that is named, rounded up. Those of digamma and the polygammas, which are functions on x > 0, hold as measured
on [1e-30, 1e20] too, where the value is a normal double. A value too large for a double is returned as an infinity and
one too small as a zero, of the right sign, and nothing raises.
"""

from math import exp, log, nan, sqrt

from riemopt.kernels.functions.scalar import every, select

__all__ = [
    "digamma",
    "polygamma_1",
    "polygamma_2",
    "polygamma_3",
    "polygamma_4",
    "polygamma_5",
    "polygamma_6",
    "polygamma_remainder_1",
    "polygamma_remainder_2",
    "polygamma_remainder_3",
    "polygamma_remainder_4",
    "polygamma_remainder_5",
    "polygamma_remainder_6",
    "scaled_bessel_i",
]


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


def polygamma_1(x: float) -> float:
    """Return the polygamma function of order 1, the first derivative of digamma, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives 0.0.

    Returns
    -------
    float
        psi_1(x), positive, with relative error below 5e-16 on [1e-6, 1e8].

    Notes
    -----
    Two steps of DLMF 5.15.5, then DLMF 5.15.8 shifted by a half and refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_1(1.0)  # pi^2/6, DLMF 5.4.12
    1.6449340668482264
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    r = 1.0 / (x + 1.5)
    w = r * r
    # Degrees 6 and 7 in w, fit 4.1e-17.
    p = -1.7847108763769173
    p = p * w - 17.32919577078479
    p = p * w - 40.23262007176036
    p = p * w - 33.94923236661075
    p = p * w - 11.91439390338927
    p = p * w - 1.7276864787741981
    p = p * w - 0.08333333333333315
    q = 2.85447917144401
    q = q * w + 65.86709126715526
    q = q * w + 338.34725549201846
    q = q * w + 607.7801328235045
    q = q * w + 454.4785539948384
    q = q * w + 150.07472434341562
    q = q * w + 21.08223774527449
    q = q * w + 1.0
    return (b * b + a * a) + r * (1.0 + w * (p / q))


def polygamma_2(x: float) -> float:
    """Return the polygamma function of order 2, the second derivative of digamma, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives -0.0.

    Returns
    -------
    float
        psi_2(x), negative, with relative error below 7e-16 on [1e-6, 1e8].

    Notes
    -----
    Two steps of DLMF 5.15.5, then DLMF 5.15.9 shifted by a half and refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_2(1.0)  # -2 zeta(3), DLMF 5.15.2
    -2.4041138063191885
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    r = 1.0 / (x + 1.5)
    w = r * r
    # Degrees 6 and 7 in w, fit 3.8e-17.
    p = -42.23649465799142
    p = p * w - 271.23832301382816
    p = p * w - 436.21259635190177
    p = p * w - 260.9558000980154
    p = p * w - 66.01866470127626
    p = p * w - 6.998901756323635
    p = p * w - 0.24999999999999958
    q = 47.672944731005956
    q = q * w + 591.9012770956575
    q = q * w + 1903.1432635010342
    q = q * w + 2288.788986855076
    q = q * w + 1189.9481860747337
    q = q * w + 280.09987401536284
    q = q * w + 28.578940358625122
    q = q * w + 1.0
    return -(2.0 * (b * b * b + a * a * a) + w * (1.0 + w * (p / q)))


def polygamma_3(x: float) -> float:
    """Return the polygamma function of order 3, the third derivative of digamma, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives 0.0.

    Returns
    -------
    float
        psi_3(x), positive, with relative error below 9e-16 on [1e-6, 1e8].

    Notes
    -----
    Two steps of DLMF 5.15.5, then DLMF 5.15.9 shifted by a half and refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_3(1.0)  # pi^4/15, DLMF 5.15.2
    6.493939402266829
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    r = 1.0 / (x + 1.5)
    w = r * r
    # Degrees 6 and 7 in w, fit 1.1e-17.
    p = -445.78962823938184
    p = p * w - 2191.3154509387223
    p = p * w - 2922.061851018552
    p = p * w - 1499.323793622246
    p = p * w - 331.80129597254864
    p = p * w - 31.205540593311362
    p = p * w - 0.9999999999999882
    q = 223.25611585006024
    q = q * w + 1797.082525492744
    q = q * w + 4277.342649803425
    q = q * w + 4097.198228547084
    q = q * w + 1774.620579985989
    q = q * w + 358.5801023296155
    q = q * w + 32.080540593297805
    q = q * w + 1.0
    a2 = a * a
    b2 = b * b
    return 6.0 * (b2 * b2 + a2 * a2) + r * w * (2.0 + w * (p / q))


def polygamma_4(x: float) -> float:
    """Return the polygamma function of order 4, the fourth derivative of digamma, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives -0.0.

    Returns
    -------
    float
        psi_4(x), negative, with relative error below 1.1e-15 on [1e-6, 1e8].

    Notes
    -----
    Two steps of DLMF 5.15.5, then DLMF 5.15.9 shifted by a half and refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_4(1.0)  # -24 zeta(5), DLMF 5.15.2
    -24.88626612344088
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    r = 1.0 / (x + 1.5)
    w = r * r
    # Degrees 6 and 7 in w, fit 4.9e-18.
    p = -15795.80163619312
    p = p * w - 46409.9302440219
    p = p * w - 41800.653417328744
    p = p * w - 15561.195984681657
    p = p * w - 2617.85082330544
    p = p * w - 193.50834021593698
    p = p * w - 4.999999999999962
    q = 2534.4764345546405
    q = q * w + 11798.940579546328
    q = q * w + 17953.1560446754
    q = q * w + 11832.41574703227
    q = q * w + 3724.3984133973763
    q = q * w + 570.1553330183269
    q = q * w + 39.926668043175944
    q = q * w + 1.0
    a2 = a * a
    b2 = b * b
    return -(24.0 * (b2 * b2 * b + a2 * a2 * a) + w * w * (6.0 + w * (p / q)))


def polygamma_5(x: float) -> float:
    """Return the polygamma function of order 5, the fifth derivative of digamma, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives 0.0.

    Returns
    -------
    float
        psi_5(x), positive, with relative error below 1.3e-15 on [1e-6, 1e8].

    Notes
    -----
    Two steps of DLMF 5.15.5, then DLMF 5.15.9 shifted by a half and refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_5(1.0)  # 120 zeta(6), DLMF 5.15.2
    122.0811674381339
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    r = 1.0 / (x + 1.5)
    w = r * r
    # Degrees 7 and 7 in w, fit 3.8e-18.
    p = 1820.9883095410896
    p = p * w - 437267.7762692899
    p = p * w - 910660.1379442412
    p = p * w - 612349.7041194899
    p = p * w - 176470.04544616866
    p = p * w - 23583.109365629858
    p = p * w - 1411.8770887972732
    p = p * w - 29.999999999999986
    q = 16925.602919372894
    q = q * w + 54092.604288341834
    q = q * w + 59300.7168246667
    q = q * w + 29269.53128527843
    q = q * w + 7114.285067758761
    q = q * w + 861.7652870230917
    q = q * w + 48.695902959907805
    q = q * w + 1.0
    a2 = a * a
    b2 = b * b
    return 120.0 * (b2 * b2 * b2 + a2 * a2 * a2) + r * w * w * (24.0 + w * (p / q))


def polygamma_6(x: float) -> float:
    """Return the polygamma function of order 6, the sixth derivative of digamma, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives -0.0.

    Returns
    -------
    float
        psi_6(x), negative, with relative error below 1.4e-15 on [1e-6, 1e8].

    Notes
    -----
    Two steps of DLMF 5.15.5, then DLMF 5.15.9 shifted by a half and refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_6(1.0)  # -720 zeta(7), DLMF 5.15.2
    -726.0114797149845
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    r = 1.0 / (x + 1.5)
    w = r * r
    # Degrees 6 and 7 in w, fit 8.0e-17.
    p = -24338.71257534117
    p = p * w - 1857173.8675610619
    p = p * w - 2267130.1802733676
    p = p * w - 881032.3269126556
    p = p * w - 139962.67928739364
    p = p * w - 9296.60978142504
    p = p * w - 209.9999999999999
    q = 322.7558952236945
    q = q * w + 14272.157847436565
    q = q * w + 27946.15794202901
    q = q * w + 18789.876584600737
    q = q * w + 5528.686335548061
    q = q * w + 757.7757610901394
    q = q * w + 46.369570387735486
    q = q * w + 1.0
    a2 = a * a
    b2 = b * b
    return -(720.0 * (b2 * b2 * b2 * b + a2 * a2 * a2 * a) + w * w * w * (120.0 + w * (p / q)))


def polygamma_remainder_1(x: float) -> float:
    """Return psi_1(x) - 1/x - 1/(2 x^2), psi_1 without its two leading terms for large x, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives 0.0.

    Returns
    -------
    float
        rho_1(x), positive, with relative error below 8.1e-16 on [1e-6, 1e8].

    Notes
    -----
    Two steps of the recurrence, then DLMF 5.15.8 refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_remainder_1(1.0)  # pi^2/6 - 3/2, DLMF 5.4.12
    0.14493406684822643
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    d = 1.0 / (x + 2.0)
    c = a * b
    e = b * d
    w = d * d
    # Degrees 5 and 6 in w, fit 1.1e-17.
    p = -4.186762194560422
    p = p * w - 17.544233632213114
    p = p * w - 17.39134545033982
    p = p * w - 6.043270431500518
    p = p * w - 0.7967292623972423
    p = p * w - 0.033333333333328836
    q = 39.05746517099096
    q = q * w + 378.706475610116
    q = q * w + 834.4704655365698
    q = q * w + 640.7405568825417
    q = q * w + 197.88108696478966
    q = q * w + 24.616163586091396
    q = q * w + 1.0
    return 0.5 * (e * e + c * c) + d * w * (1.0 / 6.0 + w * (p / q))


def polygamma_remainder_2(x: float) -> float:
    """Return psi_2(x) + 1/x^2 + 1/x^3, psi_2 without its two leading terms for large x, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives -0.0.

    Returns
    -------
    float
        rho_2(x), negative, with relative error below 9.1e-16 on [1e-6, 1e8].

    Notes
    -----
    Two steps of the recurrence, then DLMF 5.15.9 refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_remainder_2(1.0)  # 2 - 2 zeta(3), DLMF 5.15.2
    -0.4041138063191886
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    d = 1.0 / (x + 2.0)
    c = a * b
    e = b * d
    w = d * d
    # Degrees 5 and 6 in w, fit 1.8e-17.
    p = -42.03151449298913
    p = p * w - 151.52855791352644
    p = p * w - 129.8822493263666
    p = p * w - 39.236298994249175
    p = p * w - 4.524806002545234
    p = p * w - 0.16666666666664062
    q = 117.8266805302124
    q = q * w + 872.9257531512457
    q = q * w + 1554.3855878006216
    q = q * w + 995.3922139681166
    q = q * w + 261.76663002834164
    q = q * w + 28.148836015118217
    q = q * w + 1.0
    return -((e * e * (b + d) + c * c * (a + b)) + w * w * (0.5 + w * (p / q)))


def polygamma_remainder_3(x: float) -> float:
    """Return psi_3(x) - 2/x^3 - 3/x^4, psi_3 without its two leading terms for large x, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives 0.0.

    Returns
    -------
    float
        rho_3(x), positive, with relative error below 1.1e-15 on [1e-6, 1e8].

    Notes
    -----
    Two steps of the recurrence, then DLMF 5.15.9 refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_remainder_3(1.0)  # pi^4/15 - 5, DLMF 5.15.2
    1.4939394022668293
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    d = 1.0 / (x + 2.0)
    c = a * b
    e = b * d
    w = d * d
    # Degrees 5 and 6 in w, fit 2.4e-17.
    p = -480.4429030556789
    p = p * w - 1510.8865767303114
    p = p * w - 1132.8277627756754
    p = p * w - 300.5480817723875
    p = p * w - 30.591470028912696
    p = p * w - 0.9999999999998266
    q = 317.07201162004
    q = q * w + 1875.1445644711346
    q = q * w + 2764.444811623856
    q = q * w + 1500.5393222800678
    q = q * w + 340.1144863256231
    q = q * w + 31.924803362049666
    q = q * w + 1.0
    first = c * c * (3.0 * (a * a + b * b) + 4.0 * c)
    second = e * e * (3.0 * (b * b + w) + 4.0 * e)
    return (second + first) + d * w * w * (2.0 + w * (p / q))


def polygamma_remainder_4(x: float) -> float:
    """Return psi_4(x) + 6/x^4 + 12/x^5, psi_4 without its two leading terms for large x, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives -0.0.

    Returns
    -------
    float
        rho_4(x), negative, with relative error below 1.4e-15 on [1e-6, 1e8].

    Notes
    -----
    Two steps of the recurrence, then DLMF 5.15.9 refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_remainder_4(1.0)  # 18 - 24 zeta(5), DLMF 5.15.2
    -6.886266123440879
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    d = 1.0 / (x + 2.0)
    c = a * b
    e = b * d
    w = d * d
    # Degrees 5 and 6 in w, fit 3.1e-17.
    p = -6095.067176467144
    p = p * w - 16946.476712018393
    p = p * w - 11235.563875551603
    p = p * w - 2642.9725538569523
    p = p * w - 239.46442914403607
    p = p * w - 6.999999999998738
    q = 774.3444769083401
    q = q * w + 3781.7394557636685
    q = q * w + 4711.100428406018
    q = q * w + 2199.0463923363777
    q = q * w + 434.4363475812289
    q = q * w + 35.92348987748304
    q = q * w + 1.0
    first = c * c * (a + b) * (2.0 * (a * a + b * b) + c)
    second = e * e * (b + d) * (2.0 * (b * b + w) + e)
    return -(6.0 * (second + first) + w * w * w * (10.0 + w * (p / q)))


def polygamma_remainder_5(x: float) -> float:
    """Return psi_5(x) - 24/x^5 - 60/x^6, psi_5 without its two leading terms for large x, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives 0.0.

    Returns
    -------
    float
        rho_5(x), positive, with relative error below 1.4e-15 on [1e-6, 1e8].

    Notes
    -----
    Two steps of the recurrence, then DLMF 5.15.9 refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_remainder_5(1.0)  # 120 zeta(6) - 84, DLMF 5.15.2
    38.081167438133896
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    d = 1.0 / (x + 2.0)
    c = a * b
    e = b * d
    w = d * d
    # Degrees 5 and 6 in w, fit 3.6e-17.
    p = -84669.35535749627
    p = p * w - 210524.9661172562
    p = p * w - 124560.12194828641
    p = p * w - 26191.546236631508
    p = p * w - 2127.991091228922
    p = p * w - 55.999999999989804
    q = 1746.5647890512178
    q = q * w + 7230.872991082228
    q = q * w + 7738.795591167543
    q = q * w + 3144.3248305476895
    q = q * w + 546.6548216198318
    q = q * w + 40.142698057385395
    q = q * w + 1.0
    a2 = a * a
    b2 = b * b
    first = c * c * (5.0 * (a2 * a2 + b2 * b2) + c * (8.0 * (a2 + b2) + 9.0 * c))
    second = e * e * (5.0 * (b2 * b2 + w * w) + e * (8.0 * (b2 + w) + 9.0 * e))
    return 12.0 * (second + first) + d * w * w * w * (60.0 + w * (p / q))


def polygamma_remainder_6(x: float) -> float:
    """Return psi_6(x) + 120/x^6 + 360/x^7, psi_6 without its two leading terms for large x, for x > 0.

    Parameters
    ----------
    x : float
        A positive number. Zero, a negative number or NaN gives NaN; infinity gives -0.0.

    Returns
    -------
    float
        rho_6(x), negative, with relative error below 1.6e-15 on [1e-6, 1e8].

    Notes
    -----
    Two steps of the recurrence, then DLMF 5.15.9 refitted: see the top of this file.

    Examples
    --------
    >>> polygamma_remainder_6(1.0)  # 480 - 720 zeta(7), DLMF 5.15.2
    -246.01147971498443
    """
    if not x > 0.0:
        return nan
    a = 1.0 / x
    b = 1.0 / (x + 1.0)
    d = 1.0 / (x + 2.0)
    c = a * b
    e = b * d
    w = d * d
    # Degrees 5 and 6 in w, fit 3.8e-17.
    p = -1275945.0146995338
    p = p * w - 2863876.247252347
    p = p * w - 1523810.9455234725
    p = p * w - 288423.9663733178
    p = p * w - 21148.927354109415
    p = p * w - 503.99999999990706
    q = 3689.381063168757
    q = q * w + 13213.835947005673
    q = q * w + 12314.612985538455
    q = q * w + 4400.086748680773
    q = q * w + 678.8157879861617
    q = q * w + 44.58120506736559
    q = q * w + 1.0
    a2 = a * a
    b2 = b * b
    first = c * c * (a + b) * (3.0 * (a2 * a2 + b2 * b2) + c * (2.0 * (a2 + b2) + 4.0 * c))
    second = e * e * (b + d) * (3.0 * (b2 * b2 + w * w) + e * (2.0 * (b2 + w) + 4.0 * e))
    return -(120.0 * (second + first) + w * w * w * w * (420.0 + w * (p / q)))


def scaled_bessel_i(order: float, x: float) -> float:
    """Return exp(-|x|) I_n(x), the modified Bessel function of the first kind without its growth, for n = 0, 1, 2, ...

    Parameters
    ----------
    order : float
        n, a whole number and not negative; anything else gives NaN. The cost grows with it where n^2 > 2 |x|.
    x : float
        Any number; the sign of I_n(-x) is (-1)^n. NaN gives NaN, and an infinity 0.0.

    Returns
    -------
    float
        exp(-|x|) I_n(x), with relative error below 1.1e-15 for 1e-12 <= |x| <= 1e6 and n = 0, ..., 8. For larger n the
        error grows like n: below 2e-14 at n = 500.

    Notes
    -----
    For |x| < 4 the power series, DLMF 10.25.2, from its last term inwards. For |x| >= 25 and n^2 <= 2 |x| the expansion
    for large arguments, DLMF 10.40.1, as far as its terms count; the smallest of them is near exp(-2 |x|). In between
    Miller's algorithm, DLMF 3.6(iii): the recurrence I_(k-1) = I_(k+1) + (2k/x) I_k, DLMF 10.29.1, runs down from zero
    at an order where exp(-x) I_k is below 1e-17, and DLMF 10.35.5, I_0 + 2 (I_1 + I_2 + ...) = exp(x), gives the scale.
    The terms of the series and of the recurrence are all positive: nothing cancels.

    Examples
    --------
    >>> scaled_bessel_i(0.0, 0.0)  # DLMF 10.30.1
    1.0
    >>> scaled_bessel_i(1.0, -2.0)
    -0.21526928924893768
    """
    size = abs(x)
    if not (order >= 0.0 and order % 1.0 == 0.0 and size >= 0.0):
        return nan
    sign = -1.0 if x < 0.0 and order % 2.0 == 1.0 else 1.0
    if size < 4.0:
        y = 0.25 * size * size
        # 18 terms leave out less than 4^18/18!^2 = 1.7e-21
        total = 1.0
        for k in range(18, 0, -1):
            total = 1.0 + total * (y / (k * (k + order)))
        first = exp(-size)
        for k in range(1, int(order) + 1):
            first *= 0.5 * size / k
        return sign * first * total
    if size >= 25.0 and size >= 0.5 * order * order:
        # the k-th term is the one before times ((2k - 1)^2 - 4 n^2) / (8 k x)
        total = 1.0
        term = 1.0
        odd = 1.0
        while abs(term) > 1e-17:
            term *= (odd * odd - 4.0 * order * order) / (4.0 * (odd + 1.0) * size)
            total += term
            odd += 2.0
        return sign * total * 0.3989422804014327 / sqrt(size)  # 1/sqrt(2 pi)
    double = 2.0 / size
    above = 0.0
    here = 1e-280
    total = 0.0
    wanted = 0.0
    for k in range(int(order + 12.0 + 8.5 * sqrt(size)), 0, -1):
        if k == order:
            wanted = here
        total += here
        below = above + k * double * here
        above = here
        here = below
        if here > 1e200:
            above *= 1e-200
            here *= 1e-200
            total *= 1e-200
            wanted *= 1e-200
    if order == 0.0:
        wanted = here
    return sign * wanted / (here + 2.0 * total)
