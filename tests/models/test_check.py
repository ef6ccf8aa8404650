"""What is no density, or has a parameter too many, is refused when the model is made, and the message says why."""

import re

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ModelError, RiemoptError

x, mu, nu, shift = sp.symbols("x mu nu shift", real=True)
t, s, a, b, c, rate = sp.symbols("t s a b c rate", positive=True)
p = sp.Symbol("p", positive=True)
k = sp.Symbol("k", integer=True, nonnegative=True)
HALF_LINE, UNIT, LINE = sp.Interval.open(0, sp.oo), sp.Interval.open(0, 1), sp.S.Reals


def normal(mean, scale):
    return -((x - mean) ** 2) / (2 * scale**2) - sp.log(scale) - sp.log(2 * sp.pi) / 2


# -- mass


WRONG_MASS = {
    "a constant forgotten": (normal(mu, s) + sp.log(2 * sp.pi) / 2, x, LINE, (mu, s), "2.50663"),
    "a scale forgotten": (normal(mu, s) + sp.log(s), x, LINE, (mu, s), r"at mu = -?[\d.]+, s = [\d.]+ it gives"),
    "a factor 1 + 1e-5": (normal(mu, s) + sp.log(1 + sp.Float("1e-5")), x, LINE, (mu, s), r"1\.00001"),
    "half of the line": (normal(mu, s), x, HALF_LINE, (mu, s), "it gives 0"),
    "counts from 1": (k * sp.log(rate) - rate - sp.loggamma(k + 1), k, sp.S.Naturals, (rate,), "it gives 0"),
    "a finite sum": (k * sp.log(p) + (1 - k) * sp.log(1 - p) + sp.log(3), k, sp.FiniteSet(0, 1), (p,), "it gives 3"),
    "two observations": (
        sp.log(rate) - rate * t + normal(mu, 1) - sp.log(7),
        (t, x),
        (HALF_LINE, LINE),
        (rate, mu),
        r"0\.142857",
    ),
}


@pytest.mark.parametrize("name", WRONG_MASS)
def test_density_that_does_not_integrate_to_one_is_refused_with_its_mass(name):
    density, observation, support, parameters, number = WRONG_MASS[name]
    domain = [p < 1] if p in parameters else []
    with pytest.raises(ModelError, match=f"{re.escape(name)}: the density does not integrate to one: .*{number}"):
        ro.StatisticalModel(density, observation, support, parameters, name=name, domain=domain)
    # whoever knows better may have it
    model = ro.StatisticalModel(density, observation, support, parameters, name=name, domain=domain, check=False)
    assert model.dimension == len(parameters)


def test_mass_in_the_message_is_the_integral_at_the_point_in_it():
    with pytest.raises(ModelError) as caught:
        ro.StatisticalModel(-rate * t**2, t, HALF_LINE, (rate,))
    value, mass = (float(text.split()[0].rstrip(".")) for text in str(caught.value).split("rate = ")[1].split("gives "))
    assert mass == pytest.approx(np.sqrt(np.pi / value) / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("density", "support"),
    [(-a * sp.log(1 + x**2) / (1 + a), LINE), (-a * x, LINE), (-sp.log(1 + a * t), HALF_LINE)],
    ids=["a tail too heavy", "no tail", "1/t"],
)
def test_density_without_an_integral_is_refused(density, support):
    (observation,) = density.free_symbols - {a}
    with pytest.raises(ModelError, match="the density does not integrate to one"):
        ro.StatisticalModel(density, observation, support, (a,))
    assert ro.StatisticalModel(density, observation, support, (a,), check=False).dimension == 1


GOOD = {
    "normal": (normal(mu, s), x, LINE, (mu, s), []),
    "Cauchy": (-sp.log(sp.pi * s * (1 + ((x - mu) / s) ** 2)), x, LINE, (mu, s), []),
    "Beta": ((a - 1) * sp.log(t) + (b - 1) * sp.log(1 - t) - sp.log(sp.beta(a, b)), t, UNIT, (a, b), []),
    "singular at both ends": (
        sp.log(1 + mu * (2 * t - 1)) - sp.log(sp.pi) - (sp.log(t) + sp.log(1 - t)) / 2,
        t,
        UNIT,
        (mu,),
        [mu**2 < 1],
    ),
    "far from its origin": (normal(mu + 10**6, s), x, LINE, (mu, s), []),
    "two peaks far apart": (
        sp.log(p * sp.exp(normal(mu, s)) + (1 - p) * sp.exp(normal(mu + 30, s / 5))),
        x,
        LINE,
        (p, mu, s),
        [p < 1],
    ),
    "Poisson of zeros": (
        sp.log(p * sp.KroneckerDelta(k, 0) + (1 - p) * rate**k * sp.exp(-rate) / sp.factorial(k)),
        k,
        sp.S.Naturals0,
        (p, rate),
        [p < 1],
    ),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.slow_for("two peaks far apart")
def test_density_that_is_one_is_taken(name):
    density, observation, support, parameters, domain = GOOD[name]
    assert ro.StatisticalModel(density, observation, support, parameters, domain=domain).dimension == len(parameters)


# -- parameters that do not count


FLAT = {
    "a sum": (normal(mu + nu, s), (mu, nu, s), ["dmu - dnu"]),
    "a difference": (normal(mu - nu, s), (mu, nu, s), [r"dmu \+ dnu"]),
    "a weighted sum": (normal(2 * mu + nu, s), (mu, nu, s), [r"- 0\.5 dmu \+ dnu"]),
    "two of three": (normal(mu + nu + shift, 1), (mu, nu, shift), ["dmu", "dnu", "dshift", " and "]),
    "through a periodic function": (normal(mu, 1) + sp.sin(s) ** 2 + sp.cos(s) ** 2 - 1, (mu, s), ["along ds"]),
}


@pytest.mark.parametrize("name", FLAT)
def test_direction_that_changes_nothing_is_named(name):
    density, parameters, directions = FLAT[name]
    with pytest.raises(ModelError, match=f"{name}: the Fisher metric is singular: the density does not change along"):
        ro.StatisticalModel(density, x, LINE, parameters, name=name)
    for text in directions:
        with pytest.raises(ModelError, match=text):
            ro.StatisticalModel(density, x, LINE, parameters, name=name)
    assert ro.StatisticalModel(density, x, LINE, parameters, check=False).dimension == len(parameters)


@pytest.mark.parametrize(
    ("density", "observation", "support", "parameters"),
    [
        (sp.log(a * b) - a * b * t, t, HALF_LINE, (a, b)),
        (normal(mu * nu, s), x, LINE, (mu, nu, s)),
        (normal(a**3 + b**3, 1), x, LINE, (a, b)),
    ],
    ids=["a product", "a product as mean", "a sum of cubes"],
)
def test_direction_that_turns_from_point_to_point_is_named_at_one(density, observation, support, parameters):
    message = "the Fisher metric is singular: the density does not change along (.*) at (.*). Use fewer"
    with pytest.raises(ModelError, match=message) as caught:
        ro.StatisticalModel(density, observation, support, parameters)
    direction, point = re.search(message, str(caught.value)).groups()
    at = {q: float(re.search(rf"\b{q} = (-?[\d.]+)", point)[1]) for q in parameters}
    named, slopes = {q.name: q for q in parameters}, {}
    for sign, number, name in re.findall(r"(-?) ?([\d.]*) ?d(\w+)", direction):
        slopes[named[name]] = float(f"{sign}{number or 1}")
    change = sum(density.diff(q) * slope for q, slope in slopes.items())
    for place in (0.3, 2.0):
        assert abs(change.subs(at).subs(observation, place)) < 5e-3


def test_metric_that_is_singular_at_a_point_only_is_taken():
    # at mu = 0 a mean of mu³ does not move
    assert ro.StatisticalModel(normal(mu**3 + mu, 1), x, LINE, (mu,)).dimension == 1
    cube = ro.StatisticalModel(normal(mu**3, s), x, LINE, (mu, s))
    assert cube.dimension == 2
    # and parameters of very different scales are not redundant
    model = ro.StatisticalModel(normal(mu * sp.Float(1e8), s * sp.Float(1e-6)), x, LINE, (mu, s))
    assert model.dimension == 2


def test_finite_supports_are_added_up_and_constraints_kept():
    i, j = sp.symbols("i j", integer=True, nonnegative=True)
    support = (sp.FiniteSet(0, 1, 2), sp.FiniteSet(0, 1, 2))
    binomial = sp.log(sp.binomial(2, i)) + i * sp.log(p) + j * sp.log(1 - p)
    model = ro.StatisticalModel(binomial, (i, j), support, (p,), domain=[p < 1], constraints=[sp.Eq(i + j, 2)])
    assert model.dimension == 1
    with pytest.raises(ModelError, match="does not integrate to one"):
        ro.StatisticalModel(binomial, (i, j), support, (p,), domain=[p < 1])


# -- symbols, supports and functions


MISFITS = {
    "a support that moves": (-sp.log(s), t, sp.Interval(0, s), (s,), "the support of t depends on s; it must be"),
    "a parameter that is missing": (normal(mu, 1), x, LINE, (mu, s), "the parameter s does not occur in the log-"),
    "an observation that is missing": (
        -sp.log(s) + 0 * x, x, LINE, (s,), "the observation x does not occur in the log-density"
    ),
    "a stranger": (normal(mu, s), x, LINE, (mu,), "s occurs in the log-density but is neither a parameter nor an obs"),
    "another symbol of the same name": (
        normal(mu, s), sp.Symbol("x"), LINE, (mu, s), "a symbol of that name but with other assumptions does"
    ),
    "an integer on an interval": (-s * k, k, HALF_LINE, (s,), r"does not fit k, which is declared (nonneg|integ)"),
    "too few supports": (-s * t - x**2, (t, x), HALF_LINE, (s,), "1 supports for 2 observations"),
    "no SymPy set": (-s * t, t, (0, 1), (s,), "2 supports for 1 observations|is not a SymPy set"),
    "an unknown function": (
        -s * t + sp.Function("f")(t), t, HALF_LINE, (s,), r"f\(t\)|the function f"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_named(name):
    density, observation, support, parameters, message = MISFITS[name]
    for check in (True, False):
        with pytest.raises(ModelError, match=message):
            ro.StatisticalModel(density, observation, support, parameters, name=name, check=check)


def test_function_that_cannot_be_compiled_is_named_when_it_is_needed():
    """The Riemann zeta distribution has its normalizing sum as a function that no target has."""
    n = sp.Symbol("n", integer=True, positive=True)
    arguments = -s * sp.log(n) - sp.log(sp.zeta(s)), n, sp.S.Naturals, (s,)
    with pytest.raises(ModelError, match=r"cannot be computed: .*zeta\(s\)"):
        ro.StatisticalModel(*arguments, domain=[s > 1])
    model = ro.StatisticalModel(*arguments, domain=[s > 1], check=False)
    manifold = ro.Manifold(model, backend="numpy")
    with pytest.raises(RiemoptError, match="zeta"):
        manifold.metric([2.5])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_function_inside_an_integral_is_named_too(backend):
    density = sp.log(1 + sp.besselj(0, t) * sp.sin(mu) / 9) - t - sp.log(1 + sp.sin(mu) / 9 / sp.sqrt(2))
    model = ro.StatisticalModel(density, t, HALF_LINE, (mu,))
    with pytest.raises(ModelError, match="the function besselj in besselj"):
        ro.Manifold(model, backend=backend).metric([0.3])
