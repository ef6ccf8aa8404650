"""Facts about expectations in closed form, against known information matrices and against mpmath."""

import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import mpmath as mp
import pytest
import sympy as sp

from riemopt.models import exact
from riemopt.models.exact import exact_expectations, poles
from riemopt.models.integrals import program
from riemopt.models.integrals.results import NotFound
from tests.marks import slow

x, mu = sp.symbols("x mu", real=True)
t, a, b, k, nu, p, s, v, rate = sp.symbols("t a b k nu p s v rate", positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
z = (x - mu) / s
POSITIVE, UNIT = sp.Interval.open(0, sp.oo), sp.Interval.open(0, 1)
PATIENCE = 120.0
"""Seconds; what is found is found in one or two, on a machine with nothing else to do."""


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is put to SymPy, as in a new process; see ``conftest.py``."""
    monkeypatch.setattr(exact, "_search", exact._search.__wrapped__)


@pytest.fixture
def in_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is a process that begins by loading SymPy, as a user's; see ``searches.py``."""
    monkeypatch.setattr(exact, "subprocess", subprocess)


AT = {mu: 0.25, a: 0.75, b: 3.5, k: 1.5, nu: 3.25, p: 0.375, s: 1.75, v: 2.25, rate: 1.25}

STUDENT = (
    sp.loggamma((nu + 1) / 2)
    - sp.loggamma(nu / 2)
    - sp.log(sp.pi * nu) / 2
    - sp.log(s)
    - (nu + 1) / 2 * sp.log(1 + z**2 / nu)
)
euler = sp.EulerGamma


def metric(
    log_density: sp.Expr, observation: sp.Symbol, support: sp.Set, parameters: Sequence[sp.Symbol]
) -> tuple[sp.Expr, ...]:
    """E[∂_iℓ ∂_jℓ], the upper triangle."""
    scores = [log_density.diff(q) for q in parameters]
    products = [f * g for f, g in itertools.combinations_with_replacement(scores, 2)]
    return exact_expectations(products, log_density, [observation], [support], parameters, PATIENCE)


def number(expression: sp.Expr) -> float:
    return float(expression.subs(AT))


def average(value: sp.Expr, log_density: sp.Expr, observation: sp.Symbol, places: Sequence[float] | range) -> float:
    """E[value] by mpmath: an integral with its interval split at places, or a sum over them."""
    f = sp.lambdify(observation, (value * sp.exp(log_density)).subs(AT), "mpmath")
    if isinstance(places, range):
        return float(mp.fsum(f(mp.mpf(place)) for place in places))
    return float(mp.quad(f, places))


HALF_PI_SQUARE = sp.pi**2 / 6 + (1 - sp.EulerGamma) ** 2
KNOWN = {
    "Weibull": (
        (sp.log(k / s) + (k - 1) * sp.log(t / s) - (t / s) ** k, t, POSITIVE, (k, s)),
        (HALF_PI_SQUARE / k**2, -(1 - euler) / s, k**2 / s**2),
    ),
    "Cauchy": ((-sp.log(sp.pi * s * (1 + z**2)), x, sp.S.Reals, (mu, s)), (1 / (2 * s**2), 0, 1 / (2 * s**2))),
    "logistic": (
        (-z - sp.log(s) - 2 * sp.log(1 + sp.exp(-z)), x, sp.S.Reals, (mu, s)),
        (1 / (3 * s**2), 0, (3 + sp.pi**2) / (9 * s**2)),
    ),
    "Gumbel": (
        (-z - sp.exp(-z) - sp.log(s), x, sp.S.Reals, (mu, s)),
        (1 / s**2, -(1 - euler) / s**2, HALF_PI_SQUARE / s**2),
    ),
    "Student": (
        (STUDENT, x, sp.S.Reals, (nu, mu, s)),
        (
            (sp.polygamma(1, nu / 2) - sp.polygamma(1, (nu + 1) / 2)) / 4 - (nu + 5) / (2 * nu * (nu + 1) * (nu + 3)),
            0,
            -2 / (s * (nu + 1) * (nu + 3)),
            (nu + 1) / ((nu + 3) * s**2),
            0,
            2 * nu / ((nu + 3) * s**2),
        ),
    ),
    "log-logistic": (
        (sp.log(k / s) + (k - 1) * sp.log(t / s) - 2 * sp.log(1 + (t / s) ** k), t, POSITIVE, (k, s)),
        ((3 + sp.pi**2) / (9 * k**2), 0, k**2 / (3 * s**2)),
    ),
    "Laplace": ((-sp.log(2 * s) - sp.Abs(x - mu) / s, x, sp.S.Reals, (mu, s)), (1 / s**2, 0, 1 / s**2)),
    "hyperbolic secant": (
        (-sp.log(2 * s) - sp.log(sp.cosh(sp.pi * z / 2)), x, sp.S.Reals, (mu, s)),
        (sp.pi**2 / (8 * s**2), 0, sp.pi**2 / (8 * s**2)),
    ),
    "Pareto": ((sp.log(a) - (a + 1) * sp.log(t), t, sp.Interval.open(1, sp.oo), (a,)), (1 / a**2,)),
    "geometric": ((sp.log(1 - p) + n * sp.log(p), n, sp.S.Naturals0, (p,)), (1 / (p * (1 - p) ** 2),)),
    "Poisson with a sum for its rate": (
        (n * sp.log(a + b) - a - b - sp.log(sp.factorial(n)), n, sp.S.Naturals0, (a, b)),
        (1 / (a + b),) * 3,
    ),
}


@pytest.mark.parametrize("name", [n if n in ("Weibull", "Student", "Pareto") else slow(n) for n in KNOWN])
def test_information_is_the_known_one(name: str) -> None:
    model, known = KNOWN[name]
    for found, expected in zip(metric(*model), known, strict=True):
        assert sp.simplify(sp.expand_func(found - expected)) == 0


SIDES = sp.Piecewise((-a * x, x > 0), (b * x, True))
ZEROS = sp.Piecewise(
    (sp.log(p + (1 - p) * sp.exp(-rate)), sp.Eq(n, 0)),
    (sp.log(1 - p) - rate + n * sp.log(rate) - sp.loggamma(n + 1), True),
)
SEEN_BY_MPMATH = {
    "Kumaraswamy": (
        sp.log(a * b) + (a - 1) * sp.log(t) + (b - 1) * sp.log(1 - t**a),
        t,
        UNIT,
        (a, b),
        [0, 0.1, 0.9, 1],
    ),
    "an expanded square": (
        sp.log(s) - sp.log(sp.pi) - sp.log(sp.expand(s**2 + (x - mu) ** 2)),
        *(x, sp.S.Reals, (mu, s), [-mp.inf, -1, 1, mp.inf]),
    ),
    "two half-lines": (sp.log(a * b / (a + b)) + SIDES, x, sp.S.Reals, (a, b), [-mp.inf, 0, mp.inf]),
    "generalized gamma": (
        sp.log(k) - a * k * sp.log(s) - sp.loggamma(a) + (a * k - 1) * sp.log(t) - (t / s) ** k,
        *(t, POSITIVE, (a, s, k), [0, 1, 4, mp.inf]),
    ),
    "a tilted interval": (sp.log(1 + mu * (t - sp.S.Half)), t, UNIT, (mu,), [0, 1]),
    "zero-inflated Poisson": (ZEROS, n, sp.S.Naturals0, (p, rate), range(60)),
    "every other count": (
        n / 2 * sp.log(v) - sp.loggamma(n / 2 + 1) - v,
        n,
        sp.Range(0, sp.oo, 2),
        (v,),
        range(0, 90, 2),
    ),
}


@pytest.mark.parametrize("name", [n if n == "Kumaraswamy" else slow(n) for n in SEEN_BY_MPMATH])
def test_information_agrees_with_mpmath(name: str) -> None:
    log_density, observation, support, parameters, places = SEEN_BY_MPMATH[name]
    scores = [log_density.diff(q) for q in parameters]
    products = [f * g for f, g in itertools.combinations_with_replacement(scores, 2)]
    for product, found in zip(products, metric(log_density, observation, support, parameters), strict=True):
        assert number(found) == pytest.approx(average(product, log_density, observation, places), rel=1e-8)


def test_third_moments_of_the_score_are_found_too() -> None:
    model = sp.log(k) + (k - 1) * sp.log(t) - t**k
    (found,) = exact_expectations([model.diff(k) ** 3], model, [t], [POSITIVE], [k], PATIENCE)
    assert number(found) == pytest.approx(average(model.diff(k) ** 3, model, t, [0, 1, 3, mp.inf]), rel=1e-10)


def test_a_chart_does_not_matter() -> None:
    """With k = e^c and s = e^d, the Weibull information is a number for c and does not depend on d."""
    c, d = sp.symbols("c d", real=True)
    model, _ = KNOWN["Weibull"]
    moved = model[0].subs({k: sp.exp(c), s: sp.exp(d)}, simultaneous=True)
    cc, cd, dd = metric(moved, t, POSITIVE, (c, d))
    assert sp.simplify(cc - HALF_PI_SQUARE) == 0
    assert sp.simplify(cd + (1 - euler) * sp.exp(c)) == 0
    assert sp.simplify(dd - sp.exp(2 * c)) == 0


@pytest.mark.parametrize("order", [(0, 1), slow((1, 0))])
def test_two_observations_are_integrated_one_within_the_other(order: tuple[int, int]) -> None:
    """A normal observation whose precision is itself observed, and has a gamma distribution."""
    log_density = a * sp.log(b) - sp.loggamma(a) + (a - sp.S.Half) * sp.log(t) - b * t - t * (x - mu) ** 2 / 2
    log_density -= sp.log(2 * sp.pi) / 2
    observed = [(x, sp.S.Reals), (t, POSITIVE)]
    observation, support = zip(*(observed[i] for i in order), strict=True)
    products = [log_density.diff(q) * log_density.diff(r) for q, r in [(a, a), (a, b), (b, b), (mu, mu), (mu, a)]]
    found = exact_expectations(products, log_density, observation, support, (a, b, mu), PATIENCE)
    expected = (sp.polygamma(1, a), -1 / b, a / b**2, a / b, 0)
    assert [sp.simplify(f - e) for f, e in zip(found, expected, strict=True)] == [0] * 5


def test_a_choice_and_a_number_are_summed_and_integrated() -> None:
    chosen = sp.Piecewise((p, sp.Eq(n, 1)), (1 - p, True))
    log_density = sp.log(chosen) - (x - mu * n) ** 2 / 2 - sp.log(2 * sp.pi) / 2
    supports = [sp.FiniteSet(0, 1), sp.S.Reals]
    (found,) = exact_expectations([log_density.diff(mu) ** 2], log_density, [n, x], supports, (p, mu), PATIENCE)
    assert sp.simplify(found - p) == 0


def test_sums_of_a_few_terms_are_in_lowest_terms() -> None:
    chances = sp.Piecewise((sp.log(a), sp.Eq(x, 1)), (sp.log(b), sp.Eq(x, 2)), (sp.log(1 - a - b), True))
    found = metric(chances, x, sp.FiniteSet(1, 2, 5), (a, b))
    rest = 1 / (1 - a - b)
    assert [sp.simplify(f - e) for f, e in zip(found, (1 / a + rest, rest, 1 / b + rest), strict=True)] == [0] * 3


def test_sums_of_many_terms_are_written_out() -> None:
    log_density = sp.log(sp.binomial(100, n)) + n * sp.log(p) + (100 - n) * sp.log(1 - p)
    (found,) = metric(log_density, n, sp.Range(101), (p,))
    assert number(found) == pytest.approx(100 / (0.375 * 0.625), rel=1e-12)


@pytest.mark.usefixtures("in_its_own_process")
def test_what_takes_too_long_is_not_waited_for() -> None:
    mixture = sp.log(p * sp.exp(-(x**2) / 2) + (1 - p) * sp.exp(-((x - mu) ** 2) / 2))
    with pytest.raises(NotFound, match=r"^not found within 0\.5 s$"):
        exact_expectations([mixture.diff(p) ** 2], mixture, [x], [sp.S.Reals], (p, mu), seconds=0.5)


def test_what_sympy_does_not_know_is_said_not_to_be_found() -> None:
    log_density = sp.loggamma(n + a) - sp.loggamma(a) - sp.loggamma(n + 1) + a * sp.log(1 - p) + n * sp.log(p)
    with pytest.raises(NotFound, match="no closed form"):
        exact_expectations([log_density.diff(a) ** 2], log_density, [n], [sp.S.Naturals0], (a, p), PATIENCE)


@pytest.mark.usefixtures("in_its_own_process")
def test_symbols_may_have_any_name_and_no_assumptions() -> None:
    wait, slowness = sp.symbols("lambda __import__")
    found = exact_expectations(
        [(wait - slowness) ** 2], -((wait - slowness) ** 2) / 2, [wait], [sp.S.Reals], [slowness]
    )
    assert found == (sp.sqrt(2 * sp.pi),)


@pytest.mark.usefixtures("in_its_own_process")
def test_noise_on_the_output_of_the_search_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('riemopt:noise;x'); print('welcome', end='')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert exact_expectations([t], -t, [t], [POSITIVE], [], PATIENCE) == (1,)


def test_the_search_loads_nothing_of_riemopt() -> None:
    question = (
        "import sys, runpy; runpy.run_path(sys.argv[1])['load']('expectations');"
        "print(*sorted({n.split('.')[0] for n in sys.modules}))"
    )
    command = [sys.executable, "-P", "-c", question, program.__file__]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "sympy" in loaded
    assert not {"riemopt", "numba", "scipy"} & set(loaded)


def test_poles_are_where_a_form_has_no_value_though_the_expectation_does() -> None:
    model = sp.log(a * b) + (a - 1) * sp.log(t) + (b - 1) * sp.log(1 - t**a)
    found = metric(model, t, UNIT, (a, b))
    assert poles(found) == {(b, 1), (b, 2)}
    # the limits are what mpmath integrates there
    for where, (i, product) in itertools.product((1, 2), enumerate([(a, a), (a, b)])):
        value = (model.diff(product[0]) * model.diff(product[1])).subs(b, where)
        expected = average(value, model.subs(b, where), t, [0, 0.1, 0.9, 1])
        near = (found[i].subs(b, where + 1e-5) + found[i].subs(b, where - 1e-5)) / 2
        assert number(near) == pytest.approx(expected, rel=1e-4)


def test_poles_obey_what_is_assumed_of_the_symbols() -> None:
    assert poles([1 / (a + 1), 1 / (mu + 1), sp.gamma(mu), 1 / a]) == {(mu, -1), (mu, 0), (mu, -2)}
