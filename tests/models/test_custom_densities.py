"""Densities that are in no catalogue, as a user would write them: their geometry against mpmath."""

from functools import cache
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.models.expectation import score_products
from riemopt.models.integrals.results import NotFound
from tests.marks import slow
from tests.models import reference
from tests.models.reference import ClosedForm, Family, Finite, Interval, Pieces, triangle

x, mu, skew = sp.symbols("x mu skew", real=True)
t, s, a, b, k, rate, shape = sp.symbols("t s a b k rate shape", positive=True)
p = sp.Symbol("p", positive=True)
nu = sp.Symbol("nu", real=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
m = sp.Symbol("m", integer=True, positive=True)
HALF_LINE, UNIT, LINE, CIRCLE = (
    sp.Interval.open(0, sp.oo), sp.Interval.open(0, 1), sp.S.Reals, sp.Interval(-sp.pi, sp.pi)
)  # fmt: skip
z = (x - mu) / s
HALF_LOG_2PI = sp.log(2 * sp.pi) / 2
MEMBERS = 6


def conway_maxwell():
    total = sp.Add(*(rate**j / sp.factorial(j) ** nu for j in range(MEMBERS)))
    return n * sp.log(rate) - nu * sp.log(sp.factorial(n)) - sp.log(total)


GAMMA = shape * sp.log(rate) - sp.loggamma(shape) + (shape - 1) * sp.log(t) - rate * t
MODELS = {
    "exponentiated Weibull": dict(
        log_density=sp.log(a * k / s)
        + (k - 1) * sp.log(t / s)
        - (t / s) ** k
        + (a - 1) * sp.log(1 - sp.exp(-((t / s) ** k))),
        observation=t,
        support=HALF_LINE,
        parameters=(a, k, s),
    ),
    "hyperbolic secant": dict(
        log_density=-sp.log(2 * s * sp.cosh(sp.pi * z / 2)), observation=x, support=LINE, parameters=(mu, s)
    ),
    "generalized normal": dict(
        log_density=sp.log(b / (2 * s * sp.gamma(1 / b))) - sp.Abs(z) ** b,
        observation=x,
        support=LINE,
        parameters=(mu, s, b),
    ),
    "skew normal": dict(
        log_density=-(z**2) / 2 - sp.log(s) - HALF_LOG_2PI + sp.log(sp.erfc(-skew * z / sp.sqrt(2))),
        observation=x,
        support=LINE,
        parameters=(mu, s, skew),
    ),
    "zero-inflated Poisson": dict(
        log_density=sp.log(p * sp.KroneckerDelta(n, 0) + (1 - p) * rate**n * sp.exp(-rate) / sp.factorial(n)),
        observation=n,
        support=sp.S.Naturals0,
        parameters=(p, rate),
        domain=[p < 1],
    ),
    "logarithmic": dict(
        log_density=m * sp.log(p) - sp.log(m) - sp.log(-sp.log(1 - p)),
        observation=m,
        support=sp.S.Naturals,
        parameters=(p,),
        domain=[p < 1],
    ),
    "Conway-Maxwell-Poisson": dict(
        log_density=conway_maxwell(), observation=n, support=sp.Range(0, MEMBERS), parameters=(rate, nu)
    ),
    "Gompertz": dict(
        log_density=sp.log(a * b) + a + b * t - a * sp.exp(b * t),
        observation=t,
        support=HALF_LINE,
        parameters=(a, b),
    ),
    "logit-normal": dict(
        log_density=-((sp.log(t / (1 - t)) - mu) ** 2) / (2 * s**2) - sp.log(s) - HALF_LOG_2PI - sp.log(t * (1 - t)),
        observation=t,
        support=UNIT,
        parameters=(mu, s),
    ),
    "wrapped Cauchy": dict(
        log_density=sp.log((1 - p**2) / (2 * sp.pi * (1 + p**2 - 2 * p * sp.cos(x - mu)))),
        observation=x,
        support=CIRCLE,
        parameters=(mu, p),
        domain=[p < 1],
    ),
    "tilted": dict(
        log_density=sp.log(1 + mu * x) - sp.log(2),
        observation=x,
        support=sp.Interval(-1, 1),
        parameters=(mu,),
        domain=[mu < 1, mu > -1],
    ),
    "gamma and normal": dict(
        log_density=GAMMA - (x - b * t) ** 2 / (2 * s**2) - sp.log(s) - HALF_LOG_2PI,
        observation=(t, x),
        support=(HALF_LINE, LINE),
        parameters=(shape, rate, b, s),
    ),
    "gamma and Poisson": dict(
        log_density=GAMMA + n * sp.log(b * t) - b * t - sp.log(sp.factorial(n)),
        observation=(t, n),
        support=(HALF_LINE, sp.S.Naturals0),
        parameters=(shape, rate, b),
    ),
    "two components of counts": dict(
        log_density=sp.log(p * rate**n * sp.exp(-rate) + (1 - p) * a**n * sp.exp(-a)) - sp.log(sp.factorial(n)),
        observation=n,
        support=sp.S.Naturals0,
        parameters=(p, rate, a),
        domain=[p < 1],
    ),
}


# -- the same densities, as mpmath has them


def exponentiated_weibull(t, a, k, s):
    u = sp.exp(-((t / s) ** k))
    return a * k / s * (t / s) ** (k - 1) * u * (1 - u) ** (a - 1)


def hyperbolic_secant(x, mu, s):
    return 1 / (2 * s * sp.cosh(sp.pi * (x - mu) / (2 * s)))


def skew_normal(x, mu, s, skew):
    u = (x - mu) / s
    return sp.exp(-(u**2) / 2) / (sp.sqrt(2 * sp.pi) * s) * sp.erfc(-skew * u / sp.sqrt(2))


def zero_inflated(n, p, rate):
    poisson = rate**n * sp.exp(-rate) / sp.gamma(n + 1)
    return sp.Piecewise((p + (1 - p) * sp.exp(-rate), n < 1), ((1 - p) * poisson, True))


def two_counts(n, p, rate, a):
    return (p * rate**n * sp.exp(-rate) + (1 - p) * a**n * sp.exp(-a)) / sp.gamma(n + 1)


def conway(n, rate, nu):
    total = sp.Add(*(rate**j / sp.gamma(j + 1) ** nu for j in range(MEMBERS)))
    return rate**n / sp.gamma(n + 1) ** nu / total


def gompertz(t, a, b):
    return a * b * sp.exp(a + b * t - a * sp.exp(b * t))


def logit_normal(t, mu, s):
    u = sp.log(t / (1 - t))
    return sp.exp(-(((u - mu) / s) ** 2) / 2) / (sp.sqrt(2 * sp.pi) * s * t * (1 - t))


def wrapped_cauchy(x, mu, p):
    return (1 - p**2) / (2 * sp.pi * (1 + p**2 - 2 * p * sp.cos(x - mu)))


def tilted(x, mu):
    return (1 + mu * x) / 2


def with_slopes(metric):
    """A metric, a function of mpmath numbers that returns rows, and its numerical derivatives at 40 digits."""

    def tensors(*point):
        size = len(point)

        def entry(i, j):
            return lambda *at: metric(*at)[i][j]

        slopes = []
        for kappa in range(size):
            order = tuple(int(i == kappa) for i in range(size))
            slopes.append(mp.matrix(size, size))
            for i in range(size):
                for j in range(size):
                    slopes[-1][i, j] = mp.diff(entry(i, j), point, order)
        return mp.matrix(metric(*point)), *slopes

    return tensors


def generalized_normal(mu, s, b):
    """u = |z|^b is a Gamma variable of shape 1/b; |∂_μ| = b u^(1 - 1/b)/s, ∂_s = (b u - 1)/s, ∂_b = c - u log(u)/b."""
    k = 1 / b
    square = k * (k + 1) * (mp.psi(1, k + 2) + mp.psi(0, k + 2) ** 2) - (k * mp.psi(0, k + 1)) ** 2
    mixed = -k / s * (mp.psi(0, k + 1) + 1)
    return [
        [b**2 / s**2 * mp.gamma(2 - k) / mp.gamma(k), 0, 0],
        [0, b / s**2, mixed],
        [0, mixed, k**2 * square],
    ]


def logarithmic(p):
    """The variance over p²: p is the exponential of the natural parameter."""
    log = mp.log(1 - p)
    return [[-(p**2 + p * log) / ((1 - p) * log * p) ** 2]]


def gamma_and_normal(shape, rate, b, s):
    second = shape * (shape + 1) / rate**2
    return [
        [mp.psi(1, shape), -1 / rate, 0, 0],
        [-1 / rate, shape / rate**2, 0, 0],
        [0, 0, second / s**2, 0],
        [0, 0, 0, 2 / s**2],
    ]


def gamma_and_poisson(shape, rate, b):
    return [[mp.psi(1, shape), -1 / rate, 0], [-1 / rate, shape / rate**2, 0], [0, 0, shape / (rate * b)]]


_LINE = Interval(lambda u, mu, s, *_: mu + s * mp.sinh(u), lambda u, mu, s, *_: s * mp.cosh(u))
_HALF_LINE = Interval(lambda u, *_: mp.exp(u), lambda u, *_: mp.exp(u))
_UNIT = Interval(lambda u, *_: 1 / (1 + mp.exp(-u)), lambda u, *_: 1 / (2 + mp.exp(u) + mp.exp(-u)))
_CIRCLE = Pieces(lambda mu, *_: [-mp.pi, *(place for place in (mu - 1, mu, mu + 1) if abs(place) < mp.pi), mp.pi])

# where t is small, 1 - exp(-t^k) is smaller
_WITH_DIGITS = Interval(_HALF_LINE.x, _HALF_LINE.slope, lambda point: 160)
# SymPy writes erfc(-u) as 2 - erfc(u)
_NEAR = Interval(lambda u, mu, s, *_: mu + s * u, lambda u, mu, s, *_: s, lambda point: int(60 + 80 * abs(point[2])))
_COUNTS = Finite([(i,) for i in range(520)])
REFERENCES = {
    "exponentiated Weibull": Family(
        exponentiated_weibull, _WITH_DIGITS, [(1.0, 1.0, 1.0), (0.3, 2.5, 7.0), (5.0, 0.4, 0.1)]
    ),
    "hyperbolic secant": Family(hyperbolic_secant, _LINE, [(0.0, 1.0), (-30.0, 0.1), (5.0, 40.0)]),
    "generalized normal": ClosedForm(with_slopes(generalized_normal), [(0.0, 1.0, 2.0), (-1.0, 5.0, 6.0)]),
    "skew normal": Family(skew_normal, _NEAR, [(0.0, 1.0, 1.0), (2.0, 0.1, -3.0), (-10.0, 5.0, 0.2)]),
    "zero-inflated Poisson": Family(zero_inflated, _COUNTS, [(0.5, 1.0), (0.03, 20.0), (0.9, 0.2), (0.3, 60.0)]),
    "logarithmic": ClosedForm(with_slopes(logarithmic), [(0.5,), (0.01,), (0.9,)]),
    "Conway-Maxwell-Poisson": Family(
        conway, Finite([(i,) for i in range(MEMBERS)]), [(1.0, 1.0), (4.0, 0.3), (0.2, -0.5)]
    ),
    "Gompertz": Family(gompertz, _HALF_LINE, [(1.0, 1.0), (0.01, 2.0), (30.0, 0.1)]),
    "logit-normal": Family(logit_normal, _UNIT, [(0.0, 1.0), (1.5, 0.3), (-2.0, 4.0)]),
    "wrapped Cauchy": Family(wrapped_cauchy, _CIRCLE, [(0.0, 0.5), (2.0, 0.95), (-3.0, 0.05)]),
    "tilted": Family(tilted, Pieces(lambda mu: [-1, 0, 1]), [(0.1,), (-0.9,), (0.999,)]),
    "gamma and normal": ClosedForm(
        with_slopes(gamma_and_normal), [(2.5, 0.5, 3.0, 0.7), (1.0, 1.0, 0.1, 1.0), (0.3, 4.0, 2.0, 5.0)]
    ),
    "gamma and Poisson": ClosedForm(
        with_slopes(gamma_and_poisson), [(2.5, 0.5, 3.0), (1.0, 1.0, 0.1), (0.3, 4.0, 2.0)]
    ),
    "two components of counts": Family(two_counts, _COUNTS, [(0.5, 1.0, 8.0), (0.1, 30.0, 2.0), (0.7, 0.5, 0.9)]),
}


FILE = Path(__file__).with_name("custom_densities.json")
"""What mpmath computes for the references, a minute's work: ``reference.write(REFERENCES, file=FILE)``."""
STORED = reference.load(FILE)


def test_file_of_references_has_every_point():
    assert {name: [tuple(row["point"]) for row in rows] for name, rows in STORED.items()} == {
        name: family.points for name, family in REFERENCES.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_file_of_references_is_what_mpmath_computes(name):
    for row in STORED[name]:
        again = REFERENCES[name].reference(tuple(row["point"]))
        np.testing.assert_allclose(again["metric"], row["metric"], rtol=1e-15)
        np.testing.assert_allclose(again["slopes"], row["slopes"], rtol=1e-15)


# -- the geometry


COMPILED = {"zero-inflated Poisson": (), "logit-normal": ()} | dict.fromkeys(
    # kernels with integrals take LLVM five seconds each; those of the catalogue are compiled every time
    ("hyperbolic secant", "wrapped Cauchy"),
    (pytest.mark.slow,),
)
SUMS_AND_IDENTITIES = {
    "logarithmic": "score identity: an exponential family with statistics m",
    "Conway-Maxwell-Poisson": "score identity: an exponential family with statistics",
    "logit-normal": "score identity",
    "gamma and Poisson": "score identity: an exponential family with statistics",
}
INTEGRALS_THAT_SYMPY_FINDS = ("hyperbolic secant", "gamma and normal")
TWO = "gamma and normal"  # integrals inside integrals: minutes by NumPy; its closed form is compared below
QUICK = ("hyperbolic secant", "zero-inflated Poisson", "logarithmic", "Gompertz", "logit-normal", "gamma and Poisson")
BACKENDS = [
    *((name, "numpy") if name in QUICK else slow(name, "numpy") for name in MODELS if name != TWO),
    *(pytest.param(name, "numba", marks=marks) for name, marks in COMPILED.items()),
]


@pytest.fixture
def no_closed_forms(monkeypatch):
    """SymPy is not asked for integrals, which takes seconds."""

    def nothing(*arguments):
        raise NotFound("not looked for")

    monkeypatch.setattr(score_products, "exact_expectations", nothing)


@cache
def tensors(name):
    """The points, the metric and its derivatives, shapes (N, n), (N, n, n) and (N, n, n, n) with κ first."""
    rows = STORED[name]
    size = len(rows[0]["point"])
    lower = tuple(np.transpose(triangle(size)))
    metric, slopes = np.zeros((len(rows), size, size)), np.zeros((len(rows), size, size, size))
    for each, slope, row in zip(metric, slopes, rows, strict=True):
        each[lower] = each.T[lower] = row["metric"]
        for matrix, entries in zip(slope, row["slopes"], strict=True):
            matrix[lower] = matrix.T[lower] = entries
    return np.array([row["point"] for row in rows]), metric, slopes


def assert_geometry(manifold, name, places=slice(None)):
    """g in units of the lengths of the coordinate vectors, and Γ_ν(v) in units of its terms, to 1e-9."""
    points, metric, slopes = (array[places] for array in tensors(name))
    lengths = np.sqrt(np.einsum("...ii->...i", metric))
    scale = lengths[:, :, None] * lengths[:, None, :]
    np.testing.assert_allclose(manifold.metric(points) / scale, metric / scale, rtol=0, atol=1e-9)
    vectors = np.random.default_rng(0).normal(size=points.shape) / lengths
    along = np.einsum("ranb,ra,rb->rn", slopes, vectors, vectors)
    down = np.einsum("rnab,ra,rb->rn", slopes, vectors, vectors)
    relative = np.abs(slopes) / scale[:, None] / lengths[:, :, None, None]
    unit = lengths * np.maximum(1.0, relative.max(axis=(1, 2, 3)))[:, None]
    found = manifold.connection(points, vectors)
    np.testing.assert_allclose(found / unit, (along - down / 2) / unit, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("name", "backend"), BACKENDS)
@pytest.mark.slow_for(
    "zero-inflated Poisson-numba",
    "Conway-Maxwell-Poisson-numpy",
    "generalized normal-numpy",
    "exponentiated Weibull-numpy",
    "gamma and Poisson-numpy",
)
def test_geometry_is_that_of_mpmath(name, backend, no_closed_forms):
    model = ro.StatisticalModel(name=name, **MODELS[name])
    way = SUMS_AND_IDENTITIES.get(name, "quadrature")
    assert str(model.expectation).startswith(way)
    # over two observations, a point takes a second
    places = slice(1) if name == "gamma and normal" else slice(None)
    assert_geometry(ro.Manifold(model, backend=backend), name, places)


@pytest.mark.parametrize("name", INTEGRALS_THAT_SYMPY_FINDS)
@pytest.mark.slow_for("gamma and normal")
def test_geometry_in_closed_form_is_that_of_mpmath(name):
    model = ro.StatisticalModel(name=name, **MODELS[name])
    # on a busy machine it may not be found in time, and quadrature takes its place
    way = str(model.expectation)
    assert way.startswith(("exact integrals over", "quadrature"))
    assert_geometry(ro.Manifold(model, backend="numpy"), name, slice(1) if way.startswith("quad") else slice(None))


@pytest.mark.parametrize("name", [n for n, family in REFERENCES.items() if not isinstance(family, ClosedForm)])
def test_log_density_is_that_of_mpmath(name):
    family = REFERENCES[name]
    model = ro.StatisticalModel(name=name, check=False, **MODELS[name])
    samples = {HALF_LINE: [0.05, 1.0, 4.0], UNIT: [0.01, 0.5, 0.98], LINE: [0.3, 1.5]}
    places = samples.get(model.support[0], [0.0, 1.0, 3.0] if model.observation[0].is_integer else [-0.9, 0.2, 0.7])
    for point in family.points:
        with mp.workdps(60):
            expected = [float(mp.re(family.compiled(mp.mpf(x), *map(mp.mpf, point))[0])) for x in places]
        np.testing.assert_allclose(model.log_density_at(point, places), expected, rtol=1e-11, atol=1e-12)
