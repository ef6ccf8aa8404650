"""Fisher metrics of the catalogue and their derivatives by mpmath, from densities written a second time.

    python -m tests.models.reference [FAMILY]...

writes ``reference.json``. For each point it has the lower triangle of g by rows, and for each κ that of ∂_κ g. They are
expectations of products of scores s, ∂_κ g_μν = E[s_μκ s_ν + s_μ s_νκ + s_μ s_ν s_κ], each an integral or a sum to some
20 digits; for the Dirichlet and the multivariate normal distribution they are closed forms.
"""

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import mpmath as mp
import sympy as sp

FILE = Path(__file__).with_name("reference.json")

Point = tuple[float, ...]
Vector = list[mp.mpf]

_DROP = 60  # a density ends where it is this many nats below its largest value
_ORDER = 30  # of the Gauss–Legendre rule
_ERROR = 1e-21  # of an integral, in units of that of the absolute value


def triangle(n: int) -> list[tuple[int, int]]:
    """The entries of the lower triangle of a matrix, by rows."""
    return [(i, j) for i in range(n) for j in range(i + 1)]


def _remembered(function: Callable[..., mp.mpf]) -> Callable[..., mp.mpf]:
    """A function that is asked for the same value at every observation."""
    at = cache(lambda precision, *arguments: function(*arguments))
    return lambda *arguments: at(mp.mp.prec, *arguments)


_SPECIAL = {name: _remembered(getattr(mp, name)) for name in ("gamma", "psi", "besseli")}
_SPECIAL["polygamma"] = _SPECIAL["psi"]

# -- integrals and sums over a density with one mode


@cache
def _rule(precision: int) -> tuple[Vector, Vector]:
    """The nodes and weights of the Gauss–Legendre rule on [-1, 1]."""
    nodes = mp.polyroots(mp.taylor(lambda t: mp.legendre(_ORDER, t), 0, _ORDER)[::-1], maxsteps=500, extraprec=500)
    slopes = [_ORDER * mp.legendre(_ORDER - 1, t) / (1 - t * t) for t in nodes]
    return nodes, [2 / ((1 - t * t) * slope**2) for t, slope in zip(nodes, slopes, strict=True)]


def _panel(f: Callable[[mp.mpf], Vector], low: mp.mpf, high: mp.mpf) -> Vector:
    middle, half = (low + high) / 2, (high - low) / 2
    nodes, weights = _rule(mp.mp.prec)
    rows = [f(middle + half * t) for t in nodes]
    return [half * mp.fdot(weights, column) for column in zip(*rows, strict=True)]


def _integral(f: Callable[[mp.mpf], Vector], edges: Sequence[mp.mpf], floor: Callable[[Vector], Vector]) -> Vector:
    """∫f, by halving panels until both halves agree with the whole."""
    panels = [(low, high, _panel(f, low, high)) for low, high in itertools.pairwise(edges)]
    size = [mp.fsum(map(abs, column)) for column in zip(*(whole for _, _, whole in panels), strict=True)]
    allowed = [_ERROR * max(a, b) for a, b in zip(size, floor(size), strict=True)]
    total = [mp.mpf(0)] * len(size)
    while panels:
        low, high, whole = panels.pop()
        middle = (low + high) / 2
        left, right = _panel(f, low, middle), _panel(f, middle, high)
        both = [a + b for a, b in zip(left, right, strict=True)]
        if all(abs(a - b) <= bound for a, b, bound in zip(whole, both, allowed, strict=True)):
            total = [a + b for a, b in zip(total, both, strict=True)]
        else:
            panels += [(low, middle, left), (middle, high, right)]
    return total


def _mode(height: Callable[[mp.mpf], mp.mpf], start: mp.mpf, least: mp.mpf) -> mp.mpf:
    """Uphill with steps that double, until steps of the least length lead down."""
    here, step = start, mp.mpf(1)
    while step >= least:
        for way in (step, -step):
            if height(here + way) > height(here):
                here, step = here + way, 2 * step
                break
        else:
            step /= 2
    return here


def _descent(height: Callable[[mp.mpf], mp.mpf], mode: mp.mpf, way: int, drop: float, least: mp.mpf) -> mp.mpf:
    """Where, on one side of the mode, the height has dropped."""
    level, near, far = height(mode) - drop, mode, mode + way
    while height(far) > level:
        near, far = far, far + (far - mode) / 2
    while abs(far - near) > least:
        middle = (near + far) / 2
        near, far = (middle, far) if height(middle) > level else (near, middle)
    return far


# -- where observations lie


class Space:
    """How to add up over the observations."""

    def add_up(
        self, density: Callable[..., mp.mpf], f: Callable[..., Vector], point: Vector, floor: Callable[[Vector], Vector]
    ) -> Vector:
        """The integral or sum of f; `density` is the logarithm of the density."""
        raise NotImplementedError

    def digits_at(self, point: Point) -> int:
        """How many digits to compute with."""
        return 40


@dataclass(frozen=True)
class Interval(Space):
    """An interval, as the image of the line under x(u)."""

    x: Callable[..., mp.mpf]  # of u and the parameters
    slope: Callable[..., mp.mpf]
    digits_at: Callable[[Point], int] = lambda point: 70

    def add_up(self, density, f, point, floor):
        def weighted(u: mp.mpf) -> Vector:
            x, slope = self.x(u, *point), self.slope(u, *point)
            return [slope * value for value in f(x)]

        def height(u: mp.mpf) -> mp.mpf:
            return density(self.x(u, *point)) + mp.log(self.slope(u, *point))

        mode = _mode(height, mp.mpf(0), mp.mpf("0.01"))
        drops = (1, 4, 16, _DROP)
        below = [_descent(height, mode, -1, drop, mp.mpf("0.01")) for drop in reversed(drops)]
        above = [_descent(height, mode, 1, drop, mp.mpf("0.01")) for drop in drops]
        return _integral(weighted, [*below, mode, *above], floor)


@dataclass(frozen=True)
class Pieces(Space):
    """An interval given by its ends and where to cut it."""

    edges: Callable[..., Iterable[mp.mpf]]  # of the parameters

    def add_up(self, density, f, point, floor):
        return _integral(f, sorted(self.edges(*point)), floor)


@dataclass(frozen=True)
class Counts(Space):
    """The integers from a first one on."""

    first: int

    def add_up(self, density, f, point, floor):
        def height(k: mp.mpf) -> mp.mpf:
            return density(k) if k >= self.first else -mp.inf

        mode = _mode(height, mp.mpf(self.first), mp.mpf(1))
        low = max(self.first, int(mp.floor(_descent(height, mode, -1, _DROP, mp.mpf(1)))))
        high = int(mp.ceil(_descent(height, mode, 1, _DROP, mp.mpf(1))))
        rows = (f(mp.mpf(k)) for k in range(low, high + 1))
        return _sum(rows)


@dataclass(frozen=True)
class Finite(Space):
    """A list of observations."""

    members: list[tuple[int, ...]]

    def add_up(self, density, f, point, floor):
        return _sum(f(*map(mp.mpf, member)) for member in self.members)


def _sum(rows: Iterable[Vector]) -> Vector:
    total: Vector = []
    for row in rows:
        total = [a + b for a, b in zip(total, row, strict=True)] if total else row
    return total


def _line(centre: int, scale: int) -> Interval:
    """The line, of which two parameters, counted from 0, tell where the density is."""
    return Interval(
        lambda u, *point: point[centre] + point[scale] * mp.sinh(u), lambda u, *point: point[scale] * mp.cosh(u)
    )


_HALF_LINE = Interval(lambda u, *_: mp.exp(u), lambda u, *_: mp.exp(u))
_ABOVE_ONE = Interval(lambda u, *_: mp.exp(mp.exp(u)), lambda u, *_: mp.exp(u + mp.exp(u)))
# near 1, where the density is like a power of 1 - x, 1 - x is to have its digits
_UNIT = Interval(
    lambda u, *_: 1 / (1 + mp.exp(-u)), lambda u, *_: 1 / (2 + mp.exp(u) + mp.exp(-u)), lambda p: int(70 + 45 / p[1])
)
_CIRCLE = Pieces(lambda mu, kappa: [mu + i * mp.pi / 4 for i in range(-4, 5)])
_MIXED = Pieces(
    lambda w, mu, sigma, nu, tau: (m + i * s for m, s in ((mu, sigma), (nu, tau)) for i in (-12, -6, -3, 0, 3, 6, 12))
)
_CUBE = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
_THREE_COUNTS = [(i, j, 10 - i - j) for i in range(11) for j in range(11 - i)]


# -- the densities, as in the textbooks


@dataclass(frozen=True)
class Family:
    """A density as a function of observations and then parameters, and the points to look at."""

    density: Callable[..., sp.Expr]
    space: Space
    points: list[Point]

    @cached_property
    def compiled(self) -> Callable[..., list[mp.mpf]]:
        """log p, the scores and the lower triangle of the second derivatives, of the observations and parameters."""
        n = len(self.points[0])
        count = len(self.space.members[0]) if isinstance(self.space, Finite) else 1
        x, theta = sp.symbols(f"x:{count}", real=True), sp.symbols(f"t:{n}", real=True)
        log = sp.expand_log(sp.log(self.density(*x, *theta)), force=True)
        scores = [log.diff(p) for p in theta]
        second = [scores[i].diff(theta[j]) for i, j in triangle(n)]
        return sp.lambdify([*x, *theta], [log, *scores, *second], modules=[_SPECIAL, "mpmath"], cse=True)

    def reference(self, point: Point) -> dict[str, list]:
        """The metric at a point and its derivatives, as in the file."""
        n = len(point)
        pairs = triangle(n)
        with mp.workdps(self.space.digits_at(point)):
            theta = [mp.mpf(value) for value in point]

            def products(*x: mp.mpf) -> Vector:
                log, *rest = self.compiled(*x, *theta)
                s = rest[:n]
                h = {}
                for (i, j), value in zip(pairs, rest[n:], strict=True):
                    h[i, j] = h[j, i] = value
                squares = [s[i] * s[j] for i, j in pairs]
                slopes = [h[i, k] * s[j] + s[i] * h[j, k] + s[i] * s[j] * s[k] for k in range(n) for i, j in pairs]
                p = mp.exp(log)
                return [p, *(p * value for value in (*s, *squares, *slopes))]

            def natural(size: Vector) -> Vector:
                """What the integrals are of the order of, entries of g and ∂g by those on the diagonal of g."""
                squares = size[1 + n : 1 + n + len(pairs)]
                r = [mp.sqrt(value) for (i, j), value in zip(pairs, squares, strict=True) if i == j]
                slopes = [r[i] * r[j] * r[k] for k in range(n) for i, j in pairs]
                return [mp.mpf(1), *r, *(r[i] * r[j] for i, j in pairs), *slopes]

            values = self.space.add_up(lambda *x: self.compiled(*x, *theta)[0], products, theta, natural)
            sizes = natural(values)
            for value, exact, size in zip(values[: n + 1], [1] + [0] * n, sizes, strict=False):
                if abs(value - exact) > 1e-17 * size:
                    raise ArithmeticError(f"{self.density.__name__} at {point}: {value} for {exact}")
            numbers = [
                float(value) if abs(value) > 1e-19 * size else 0.0 for value, size in zip(values, sizes, strict=True)
            ]
        entries = numbers[1 + n :]
        metric, *slopes = [entries[i : i + len(pairs)] for i in range(0, len(entries), len(pairs))]
        return {"point": list(point), "metric": metric, "slopes": slopes}


def normal(x, mu, sigma):
    return sp.exp(-(((x - mu) / sigma) ** 2) / 2) / (sp.sqrt(2 * sp.pi) * sigma)


def normal_mixture(x, w, mu, sigma, nu, tau):
    return w * normal(x, mu, sigma) + (1 - w) * normal(x, nu, tau)


def student_t(x, nu, mu, sigma):
    constant = sp.gamma((nu + 1) / 2) / (sp.gamma(nu / 2) * sp.sqrt(sp.pi * nu) * sigma)
    return constant * (1 + (x - mu) ** 2 / (nu * sigma**2)) ** (-(nu + 1) / 2)


def cauchy(x, centre, gamma):
    return gamma / (sp.pi * ((x - centre) ** 2 + gamma**2))


def logistic(x, mu, s):
    return 1 / (4 * s * sp.cosh((x - mu) / (2 * s)) ** 2)


def gumbel(x, mu, beta):
    return sp.exp(-(x - mu) / beta) * sp.exp(-sp.exp(-(x - mu) / beta)) / beta


def von_mises(x, mu, kappa):
    return sp.exp(kappa * sp.cos(x - mu)) / (2 * sp.pi * sp.besseli(0, kappa))


def exponential(x, rate):
    return rate * sp.exp(-rate * x)


def gamma(x, alpha, beta):
    return beta**alpha * x ** (alpha - 1) * sp.exp(-beta * x) / sp.gamma(alpha)


def inverse_gamma(x, alpha, beta):
    return beta**alpha * x ** (-alpha - 1) * sp.exp(-beta / x) / sp.gamma(alpha)


def inverse_gaussian(x, mu, shape):
    return sp.sqrt(shape / (2 * sp.pi * x**3)) * sp.exp(-shape * (x - mu) ** 2 / (2 * mu**2 * x))


def log_normal(x, mu, sigma):
    return normal(sp.log(x), mu, sigma) / x


def log_logistic(x, alpha, beta):
    return beta / alpha * (x / alpha) ** (beta - 1) / (1 + (x / alpha) ** beta) ** 2


def weibull(x, k, scale):
    return k / scale * (x / scale) ** (k - 1) * sp.exp(-((x / scale) ** k))


def rayleigh(x, sigma):
    return x / sigma**2 * sp.exp(-(x**2) / (2 * sigma**2))


def nakagami(x, m, omega):
    return 2 * m**m / (sp.gamma(m) * omega**m) * x ** (2 * m - 1) * sp.exp(-m * x**2 / omega)


def beta_prime(x, alpha, beta):
    return x ** (alpha - 1) * (1 + x) ** (-alpha - beta) * _inverse_beta(alpha, beta)


def pareto(x, alpha):
    return alpha / x ** (alpha + 1)


def beta(x, alpha, beta):
    return x ** (alpha - 1) * (1 - x) ** (beta - 1) * _inverse_beta(alpha, beta)


def kumaraswamy(x, a, b):
    return a * b * x ** (a - 1) * (1 - x**a) ** (b - 1)


def bernoulli(k, p):
    return p**k * (1 - p) ** (1 - k)


def binomial(k, p):
    return sp.factorial(10) / (sp.gamma(k + 1) * sp.gamma(11 - k)) * p**k * (1 - p) ** (10 - k)


def geometric(k, p):
    return (1 - p) ** (k - 1) * p


def negative_binomial(k, r, p):
    return sp.gamma(k + r) / (sp.gamma(k + 1) * sp.gamma(r)) * (1 - p) ** k * p**r


def poisson(k, mean):
    return mean**k * sp.exp(-mean) / sp.gamma(k + 1)


def categorical(x, y, z, p, q):
    return p**x * q**y * (1 - p - q) ** z


def multinomial(i, j, k, p, q):
    ways = sp.factorial(10) / (sp.gamma(i + 1) * sp.gamma(j + 1) * sp.gamma(k + 1))
    return ways * p**i * q**j * (1 - p - q) ** k


def _inverse_beta(alpha, beta):
    return sp.gamma(alpha + beta) / (sp.gamma(alpha) * sp.gamma(beta))


@dataclass(frozen=True)
class ClosedForm:
    """A metric and its derivatives as formulas in mpmath."""

    tensors: Callable[..., tuple[mp.matrix, list[mp.matrix]]]
    points: list[Point]

    def reference(self, point: Point) -> dict[str, list]:
        """The metric at a point and its derivatives, as in the file."""
        with mp.workdps(40):
            tensors = self.tensors(*map(mp.mpf, point))
            metric, *slopes = [[float(g[i, j]) for i, j in triangle(len(point))] for g in tensors]
        return {"point": list(point), "metric": metric, "slopes": slopes}


def dirichlet(*alpha):
    """The second and third derivatives of the log-partition function Σ log Γ(α_i) - log Γ(Σ α_i)."""
    n, everything = len(alpha), mp.fsum(alpha)
    metric = mp.diag([mp.psi(1, a) for a in alpha]) - mp.psi(1, everything) * mp.ones(n)
    units = [mp.diag([int(i == k) for i in range(n)]) for k in range(n)]
    slopes = [mp.psi(2, a) * unit - mp.psi(2, everything) * mp.ones(n) for a, unit in zip(alpha, units, strict=True)]
    return metric, *slopes


def multivariate_normal(*point):
    """g(A, B) = tr(Σ⁻¹ A Σ⁻¹ B)/2 for changes A, B of Σ; g(a, b) = aᵀ Σ⁻¹ b for those of μ."""
    n = len(point)
    d = next(d for d in range(1, n) if d + len(triangle(d)) == n)
    changes = []
    for i, j in triangle(d):
        changes.append(mp.matrix(d))
        changes[-1][i, j] = changes[-1][j, i] = 1
    inverse = sum((value * change for value, change in zip(point[d:], changes, strict=True)), mp.matrix(d)) ** -1
    along = [mp.matrix(d)] * d + [-inverse * change * inverse for change in changes]  # the derivatives of Σ⁻¹

    def form(left, right):
        """Half the trace of A X B Y and the product X on means, for X = left and Y = right."""
        result = mp.matrix(n)
        result[:d, :d] = left
        for i, j in itertools.product(range(len(changes)), repeat=2):
            product = changes[i] * left * changes[j] * right
            result[d + i, d + j] = mp.fsum(product[m, m] for m in range(d)) / 2
        return result

    slopes = [form(slope, inverse) + form(inverse, slope) for slope in along]
    for slope, matrix in zip(along, slopes, strict=True):
        matrix[:d, :d] = slope
    return form(inverse, inverse), *slopes


_SHAPES = [(1.0, 1.0), (2.5, 0.75), (0.03, 30.0), (30.0, 0.03), (0.03, 0.03), (30.0, 30.0)]
# a power of x with a smaller exponent still counts where x is too large or too small for a double
_POWERS = [(1.0, 1.0), (2.5, 0.75), (0.05, 50.0), (50.0, 0.05), (0.05, 0.05), (50.0, 50.0)]
_LOCATIONS = [(0.0, 1.0), (-1.5, 0.25), (3.0, 2.0), (-30.0, 0.03), (30.0, 30.0), (0.03, 0.03)]
_SCALES = [(1.0,), (0.03,), (0.2,), (4.0,), (30.0,)]
_PROBABILITIES = [(0.5,), (0.001,), (0.03,), (0.8,), (0.999,)]
_SIMPLEX = [(0.25, 0.5), (0.001, 0.001), (0.998, 0.001), (0.001, 0.9), (0.3, 0.699), (0.03, 0.5)]

FAMILIES: dict[str, Family | ClosedForm] = {
    "bernoulli": Family(bernoulli, Finite([(0,), (1,)]), _PROBABILITIES),
    "beta": Family(beta, _UNIT, _SHAPES),
    "betaprime": Family(beta_prime, _HALF_LINE, _SHAPES),
    "binomial": Family(binomial, Finite([(k,) for k in range(11)]), _PROBABILITIES),
    "categorical": Family(categorical, Finite(_CUBE), _SIMPLEX),
    "cauchy": Family(cauchy, _line(0, 1), _LOCATIONS),
    "dirichlet": ClosedForm(
        dirichlet,
        [
            (1.0, 1.0, 1.0),
            (0.03, 1.0, 30.0),
            (30.0, 0.03, 0.03),
            (0.03, 0.03, 0.03),
            (30.0, 30.0, 30.0),
            (4.0, 0.5, 2.0),
        ],
    ),
    "exponential": Family(exponential, _HALF_LINE, _SCALES),
    "gamma": Family(gamma, _HALF_LINE, _SHAPES),
    "geometric": Family(geometric, Counts(1), _PROBABILITIES),
    "gumbel": Family(gumbel, _line(0, 1), _LOCATIONS),
    "inversegamma": Family(inverse_gamma, _HALF_LINE, _SHAPES),
    "inversegaussian": Family(inverse_gaussian, _HALF_LINE, _SHAPES),
    # closed forms have removable singularities at b = 1 and b = 2
    "kumaraswamy": Family(kumaraswamy, _UNIT, [*_POWERS, (3.0, 2.0), (0.5, 1.000001), (0.5, 1.9999)]),
    "logistic": Family(logistic, _line(0, 1), _LOCATIONS),
    "loglogistic": Family(log_logistic, _HALF_LINE, [(beta, alpha) for alpha, beta in _POWERS]),
    "lognormal": Family(log_normal, _HALF_LINE, _LOCATIONS),
    "multinomial": Family(multinomial, Finite(_THREE_COUNTS), _SIMPLEX),
    "multivariatenormal": ClosedForm(
        multivariate_normal,
        [
            (0.0, 0.0, 1.0, 0.0, 1.0),
            (1.0, -2.0, 2.0, -1.8, 2.0),
            (-30.0, 0.5, 30.0, 0.85, 0.03),
            (30.0, 30.0, 0.03, -0.1, 30.0),
            (0.03, -0.03, 0.03, 0.02, 0.03),
        ],
    ),
    "nakagami": Family(nakagami, _HALF_LINE, _SHAPES),
    "negativebinomial": Family(
        negative_binomial,
        Counts(0),
        [(1.0, 0.5), (2.5, 0.25), (0.03, 0.001), (0.03, 0.999), (30.0, 0.01), (30.0, 0.999), (0.5, 0.8)],
    ),
    "normal": Family(normal, _line(0, 1), _LOCATIONS),
    "normalmixture": Family(
        normal_mixture,
        _MIXED,
        [
            (0.5, -1.0, 1.0, 1.0, 1.0),
            (0.3, -1.0, 0.5, 2.0, 1.5),
            (0.001, 0.5, 0.03, 0.0, 1.0),
            (0.999, -30.0, 30.0, 30.0, 0.03),
            (0.7, -30.0, 1.0, 30.0, 0.1),
            (0.9, 0.0, 3.0, 0.0, 0.3),
        ],
    ),
    "pareto": Family(pareto, _ABOVE_ONE, _SCALES),
    "poisson": Family(poisson, Counts(0), _SCALES),
    "rayleigh": Family(rayleigh, _HALF_LINE, _SCALES),
    "studentt": Family(
        student_t,
        _line(1, 2),
        [
            (1.0, 0.0, 1.0),
            (3.0, -1.5, 0.25),
            (0.25, 30.0, 0.03),
            (0.25, -30.0, 30.0),
            (250.0, 3.0, 30.0),
            (30.0, 0.03, 0.03),
        ],
    ),
    "vonmises": Family(
        von_mises, _CIRCLE, [(0.0, 1.0), (0.03, 0.03), (-30.0, 30.0), (30.0, 4.0), (3.0, 0.2), (-1.5, 30.0)]
    ),
    "weibull": Family(weibull, _HALF_LINE, _POWERS),
}
"""By the names of the catalogue, with 10 trials and three categories, in dimension two, and with minimum 1."""


def load(file: Path = FILE) -> dict[str, list[dict[str, list]]]:
    """What is in the file."""
    return json.loads(file.read_text())


def write(families: Mapping[str, Family | ClosedForm], names: Sequence[str] = (), file: Path = FILE) -> None:
    """Compute the file anew, or some families of it."""
    stored = load(file) if file.exists() else {}
    for name in names or families:
        stored[name] = [families[name].reference(point) for point in families[name].points]
        print(name, flush=True)
        lines = (",\n".join(map(json.dumps, stored[key])) for key in sorted(stored))
        text = ",\n".join(f"{json.dumps(key)}: [\n{rows}\n]" for key, rows in zip(sorted(stored), lines, strict=True))
        file.write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    write(FAMILIES, sys.argv[1:])
