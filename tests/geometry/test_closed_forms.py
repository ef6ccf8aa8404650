"""Which standard spaces models are isometric to."""

import pytest
import sympy as sp

import riemopt as ro
from riemopt.geometry.closed_forms import isometry
from riemopt.geometry.positive_matrices import PositiveMatrices
from riemopt.geometry.spaces import Flat, HalfSpace, Simplex
from tests.catalogue import KNOWN, model
from tests.marks import slow

NAMES = {
    Flat: "bernoulli binomial exponential geometric pareto poisson rayleigh",
    HalfSpace: "cauchy gumbel inversegaussian logistic loglogistic lognormal normal weibull",
    Simplex: "categorical multinomial",
}
SPACES = {name: [space] for space, names in NAMES.items() for name in names.split()} | {
    "zero-mean normal": [PositiveMatrices],
    "normal by precision": [PositiveMatrices],
    "known covariance": [Flat],
    "round normal": [HalfSpace],
    "normal by variance": [HalfSpace],
    "positive mean": [HalfSpace],
    "log counts": [Flat],
    "log odds": [Flat],
    "two waits": [Flat, Flat],
}


@pytest.mark.parametrize(
    "name", [slow(n) if n in ("gumbel", "logistic", "loglogistic", "weibull") else n for n in KNOWN]
)
@pytest.mark.slow_for(
    "loglogistic", "logistic", "cauchy", "zero-mean normal", "round normal", "normal by precision", "known covariance"
)
def test_spaces_are_recognised(name):
    assert [type(space) for space in isometry(model(name)).spaces] == SPACES[name]


@pytest.mark.parametrize("order", [3, 4, 5])
@pytest.mark.slow_for("5")
def test_zero_mean_normals_of_several_observations_are_positive_matrices(order):
    x = sp.symbols(f"x_1:{order + 1}", real=True)
    places = [(i, j) for i in range(order) for j in range(i + 1)]
    entry = {(i, j): sp.Symbol(f"p_{i}{j}", real=True, positive=(i == j) or None) for i, j in places}
    precision = sp.Matrix(order, order, lambda i, j: entry[max(i, j), min(i, j)])
    minors = [precision[:k, :k].det(method="berkowitz") for k in range(2, order + 1)]
    quadratic = (sp.Matrix([x]) * precision * sp.Matrix(x))[0, 0]
    density = -quadratic / 2 + sp.log(minors[-1]) / 2 - order * sp.log(2 * sp.pi) / 2
    reals, domain = (sp.S.Reals,) * order, [minor > 0 for minor in minors]
    found = ro.StatisticalModel(density, x, reals, tuple(entry.values()), domain=domain, check=False)
    assert isometry(found).spaces == (PositiveMatrices(order),)


@pytest.mark.parametrize("name", ["beta", "gamma", "dirichlet", "multivariatenormal", "studentt", "vonmises"])
@pytest.mark.slow_for("multivariatenormal", "studentt")
def test_nothing_is_recognised_that_is_not_there(name):
    assert isometry(ro.models.family(name)) is None


@pytest.mark.slow
def test_what_restricts_a_domain_is_not_overlooked():
    """A half-plane with a curved edge, and a simplex with an edge of its own: their geodesics leave earlier."""
    mu, x = sp.symbols("mu x", real=True)
    sigma, p, q = sp.symbols("sigma p q", positive=True)
    density = -((x - mu) ** 2) / (2 * sigma**2) - sp.log(sigma) - sp.log(2 * sp.pi) / 2
    restricted = ro.StatisticalModel(density, x, sp.S.Reals, (mu, sigma), domain=[mu < sigma])
    assert isometry(restricted) is None
    assert isometry(ro.StatisticalModel(density, x, sp.S.Reals, (mu, sigma), domain=[sigma < 2])) is None
    k = sp.Symbol("k", integer=True, nonnegative=True)
    chances = sp.Piecewise((sp.log(p), sp.Eq(k, 0)), (sp.log(q), sp.Eq(k, 1)), (sp.log(1 - p - q), True))
    odd = ro.StatisticalModel(chances, k, sp.FiniteSet(0, 1, 2), (p, q), domain=[p + q < sp.Rational(1, 2)])
    assert isometry(odd) is None
