"""Curvature to many digits by mpmath, from metrics typed here and difference quotients: nothing of riemopt is used."""

from itertools import product

import mpmath as mp

DIGITS = 60
STEP = mp.mpf(2) ** -40
"""Of difference quotients, whose errors are then about 1e-23."""


def psi(k, x):
    return mp.polygamma(k, x)


def gamma(a, b):
    return [[psi(1, a), -1 / b], [-1 / b, a / b**2]]


def beta(*alpha):
    """Also of the Dirichlet model."""
    total = psi(1, sum(alpha))
    n = len(alpha)
    return [[(psi(1, alpha[i]) if i == j else 0) - total for j in range(n)] for i in range(n)]


def inverse_gaussian(mu, shape):
    return [[shape / mu**3, 0], [0, 1 / (2 * shape**2)]]


def nakagami(m, omega):
    return [[psi(1, m) - 1 / m, 0], [0, m / omega**2]]


def student_t(nu, mu, sigma):
    """Lange, Little and Taylor, Robust Statistical Modeling Using the t Distribution, JASA 84 (1989), appendix B."""
    a = (psi(1, nu / 2) - psi(1, (nu + 1) / 2)) / 4 - (nu + 5) / (2 * nu * (nu + 1) * (nu + 3))
    b = -2 / ((nu + 1) * (nu + 3) * sigma)
    return [[a, 0, b], [0, (nu + 1) / ((nu + 3) * sigma**2), 0], [b, 0, 2 * nu / ((nu + 3) * sigma**2)]]


def von_mises(mu, kappa):
    ratio = mp.besseli(1, kappa) / mp.besseli(0, kappa)
    return [[kappa * ratio, 0], [0, 1 - ratio**2 - ratio / kappa]]


def weibull(k, scale):
    off = (mp.euler - 1) / scale
    return [[((1 - mp.euler) ** 2 + mp.pi**2 / 6) / k**2, off], [off, (k / scale) ** 2]]


def kumaraswamy(a, b):
    """Jones, Kumaraswamy's distribution, Statistical Methodology 6 (2009), section 5."""
    bent = (psi(0, b) - psi(0, 2)) ** 2 - psi(1, b) + psi(1, 2)
    off = -(psi(0, b + 1) - psi(0, 2)) / (a * (b - 1))
    return [[(1 + b / (b - 2) * bent) / a**2, off], [off, 1 / b**2]]


def categorical(*p):
    """Also of the multinomial model with one trial."""
    rest, n = 1 / (1 - sum(p)), len(p)
    return [[(1 / p[i] if i == j else 0) + rest for j in range(n)] for i in range(n)]


def bivariate_normal(m, n, p, q, r):
    """∂_iμᵀ Σ⁻¹ ∂_jμ + ½ tr(Σ⁻¹ ∂_iΣ Σ⁻¹ ∂_jΣ)."""
    precision = mp.matrix([[p, q], [q, r]]) ** -1
    slopes = [mp.matrix(e) for e in ([[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]])]
    g = mp.zeros(5)
    g[:2, :2] = precision
    for i, j in product(range(3), repeat=2):
        both = precision * slopes[i] * precision * slopes[j]
        g[2 + i, 2 + j] = (both[0, 0] + both[1, 1]) / 2
    return g.tolist()


def _moved(x, k, h):
    return [value + (h if i == k else 0) for i, value in enumerate(x)]


def _slopes(f, x):
    """The derivatives of a function with values in nested lists of numbers, flattened."""
    return [
        [(u - v) / (2 * STEP) for u, v in zip(f(_moved(x, k, STEP)), f(_moved(x, k, -STEP)), strict=True)]
        for k in range(len(x))
    ]


def christoffel(metric, x):
    """Γ^μ_αβ as a flat list."""
    n = len(x)
    change = _slopes(lambda y: [e for row in metric(*y) for e in row], x)

    def first(nu, a, b):
        return (change[a][nu * n + b] + change[b][nu * n + a] - change[nu][a * n + b]) / 2

    inverse = mp.matrix(metric(*x)) ** -1
    every = range(n)
    return [mp.fsum(inverse[m, v] * first(v, a, b) for v in every) for m, a, b in product(every, repeat=3)]


def riemann(metric, point):
    """R^ρ_σμν as a dictionary, every component from the definition."""
    with mp.workdps(DIGITS):
        x = [mp.mpf(value) for value in point]
        n, every = len(x), range(len(x))
        flat = christoffel(metric, x)
        change = _slopes(lambda y: christoffel(metric, y), x)

        def symbol(m, a, b):
            return flat[(m * n + a) * n + b]

        def component(r, s, m, v):
            squares = [symbol(r, m, k) * symbol(k, v, s) - symbol(r, v, k) * symbol(k, m, s) for k in every]
            return change[m][(r * n + v) * n + s] - change[v][(r * n + m) * n + s] + mp.fsum(squares)

        return {index: component(*index) for index in product(every, repeat=4)}
