"""The natural and the mean chart: z and E[T] as coordinates, in closed form or found by Newton's method."""

from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ModelError
from tests import catalogue
from tests.marks import slow

FAMILIES = [
    "bernoulli",
    "beta",
    "betaprime",
    "binomial",
    "categorical",
    "dirichlet",
    "exponential",
    "gamma",
    "geometric",
    "inversegamma",
    "inversegaussian",
    "lognormal",
    "multinomial",
    "multivariatenormal",
    "nakagami",
    "normal",
    "pareto",
    "poisson",
    "rayleigh",
    "vonmises",
]
QUICK = ("bernoulli", "beta", "categorical", "exponential", "gamma", "multivariatenormal", "normal", "vonmises")
SOME = [name if name in QUICK else slow(name) for name in FAMILIES]


@cache
def charts(name: str) -> tuple[ro.StatisticalModel, ro.StatisticalModel, ro.StatisticalModel, np.ndarray]:
    """A family, its natural and its mean chart, and some points."""
    model = catalogue.model(name)
    return model, model.natural_chart(), model.mean_chart(), model.domain.interior_points(5, spread=0.4)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.slow_for("multivariatenormal")
def test_points_go_there_and_back(name):
    _, natural, mean, points = charts(name)
    for moved in (natural, mean):
        there = moved.chart.from_original(points)
        assert moved.domain.contains(there).all()
        np.testing.assert_allclose(moved.chart.to_original(there), points, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["beta", "gamma", "vonmises"])
def test_the_second_derivative_of_an_implicit_chart_is_the_change_of_vectors_along_themselves(name):
    chart, points = charts(name)[2].chart, charts(name)[3]
    there = chart.from_original(points)
    jacobian = np.linalg.inv(chart.jacobian(there))
    vectors = np.einsum("...ij,...j", jacobian, 0.1 * points)  # of the size of the coordinates in the original chart
    h = 1e-4
    change = chart.push_forward(there + h * vectors, vectors) - chart.push_forward(there - h * vectors, vectors)
    np.testing.assert_allclose(chart.second_derivative(there, vectors), change / (2 * h), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.slow_for("multivariatenormal")
def test_the_density_is_the_same(name):
    model, natural, mean, points = charts(name)
    samples = model.sample(points[0], 4)
    for moved in (natural, mean):
        there = moved.chart.from_original(points[:2])
        expected = model.log_density_at(points[:2], samples)
        np.testing.assert_allclose(moved.log_density_at(there, samples), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", [name for name in SOME if name != "multivariatenormal"])
@pytest.mark.slow_for("inversegaussian", "inversegamma", "vonmises")
def test_the_metrics_are_inverse_to_one_another(name):
    model, natural, mean, points = charts(name)
    g = ro.Manifold(natural, backend="numpy").metric(natural.chart.from_original(points))
    inverse = ro.Manifold(mean, backend="numpy").metric(mean.chart.from_original(points))
    unit = np.broadcast_to(np.eye(model.dimension), g.shape)
    size = np.abs(g)[..., :, None, :] * np.abs(np.swapaxes(inverse, -1, -2))[..., None, :, :]
    assert (np.abs(g @ inverse - unit) <= 1e-9 * size.sum(axis=-1) + 1e-12).all()


@pytest.mark.parametrize("name", SOME)
@pytest.mark.slow_for("multivariatenormal")
def test_the_natural_metric_is_the_hessian_of_the_log_partition(name):
    _, natural, _, points = charts(name)
    z = natural.chart.from_original(points[0])
    form = natural.exponential_form
    assert set(form.natural) == set(natural.parameters)
    hessian = sp.hessian(form.log_partition, natural.parameters)
    expected = hessian.subs(dict(zip(natural.parameters, z, strict=True))).evalf()
    found = ro.Manifold(natural, backend="numpy").metric(z)
    np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "theta"),
    [
        ("gamma", [2.5, 1.5]),
        ("normal", [0.5, 2.0]),
        ("inversegaussian", [1.5, 2.0]),
        ("poisson", [3.0]),
        ("vonmises", [0.5, 2.0]),
    ],
)
def test_mean_parameters_are_the_means_of_the_statistics(name, theta):
    model, natural, mean, _ = charts(name)
    (x,) = model.observation
    statistics = [_statistic(natural, k) for k in range(model.dimension)]
    eta = mean.chart.from_original(theta)
    values = dict(zip(model.parameters, map(float, theta), strict=True))
    density = sp.lambdify(x, sp.exp(model.log_density).subs(values), "mpmath")
    for k, t in enumerate(statistics):
        function = sp.lambdify(x, t, "mpmath")
        if model.support[0] == sp.S.Naturals0:
            found = mp.nsum(lambda i, f=function: f(i) * density(i), [0, 80])
        else:
            ends = {"vonmises": [-mp.pi, 0, mp.pi], "normal": [-mp.inf, 0, mp.inf]}.get(name, [0, 1, 5, mp.inf])
            found = mp.quad(lambda u, f=function: f(u) * density(u), ends)
        assert float(found) == pytest.approx(eta[k], rel=1e-7)


def _statistic(natural: ro.StatisticalModel, k: int) -> sp.Expr:
    form = natural.exponential_form
    return form.statistics[form.natural.index(natural.parameters[k])]


@pytest.mark.slow
def test_charts_read_as_one_would_write_them():
    described = {
        name: [model.chart.describe() for model in charts(name)[1:3]]
        for name in ("normal", "categorical", "inversegaussian")
    }
    assert described["normal"] == [
        "mu = -z_1/(2*z_2), sigma = sqrt(2)/(2*sqrt(-z_2))",
        "mu = eta_1, sigma = sqrt(-eta_1**2 + eta_2)",
    ]
    assert described["categorical"][1] == "p_1 = eta_1, p_2 = eta_2"
    assert described["inversegaussian"][0] == "mu = sqrt(-z_1)/sqrt(-z_2), shape = -2*z_1"
    natural = charts("multivariatenormal")[1]
    assert natural.domain.describe() == "z_3 < 0, z_5 < 0, 4*z_3*z_5 - z_4**2 > 0"
    assert charts("bernoulli")[1].domain.describe() == ""


def test_a_reparametrized_model_has_the_charts_of_the_original():
    model, natural, mean, _ = charts("gamma")
    alpha, beta = model.parameters
    a, b = sp.symbols("a b", positive=True)
    moved = model.reparametrize({alpha: a, beta: 1 / b}, parameters=(a, b))
    for other in (moved, natural, mean):
        assert other.natural_chart().chart == natural.chart
        assert other.mean_chart().chart == mean.chart


def test_names_that_are_taken_get_an_underscore():
    z, eta = sp.Symbol("z", positive=True), sp.Symbol("eta", positive=True)
    model = ro.StatisticalModel(
        sp.log(eta) - eta * z, z, sp.Interval(0, sp.oo), (eta,), check=False, name="Exponential"
    )
    assert [str(p) for p in (*model.natural_chart().parameters, *model.mean_chart().parameters)] == ["z_", "eta_"]


def test_what_is_no_exponential_family_has_no_natural_chart():
    with pytest.raises(ModelError, match="not an exponential family"):
        ro.models.Weibull().natural_chart()
    mu = sp.Symbol("mu", positive=True)
    x = sp.Symbol("x", real=True)
    density = -((x - mu) ** 2) / (2 * mu**2) - sp.log(mu) - sp.log(2 * sp.pi) / 2
    curved = ro.StatisticalModel(density, x, sp.S.Reals, (mu,), name="Curved")
    with pytest.raises(ModelError, match="Curved is a curved exponential family: its 2 natural parameters"):
        curved.mean_chart()


@pytest.mark.slow
def test_a_model_whose_hessian_is_free_of_the_observation_is_in_its_natural_chart():
    theta, x = sp.symbols("theta x", positive=True)
    # does not separate as it is written
    model = ro.StatisticalModel(
        sp.log(sp.exp(theta * x) * theta / (sp.exp(theta) - 1)), x, sp.Interval(0, 1), (theta,), check=False
    )
    model.__dict__["exponential_form"] = None
    natural = model.natural_chart()
    assert natural.chart.describe() == "theta = z"
    mean = model.mean_chart()
    point = np.array([2.0])
    eta = mean.chart.from_original(point)
    slope = mp.diff(lambda t: mp.log((mp.exp(t) - 1) / t), 2.0)
    start = mp.diff(lambda t: mp.log((mp.exp(t) - 1) / t), 1.0)
    other = mean.chart.from_original([1.0])
    assert float(eta[0] - other[0]) == pytest.approx(float(slope - start), rel=1e-8)
    np.testing.assert_allclose(mean.chart.to_original(eta), point, rtol=1e-12)


def test_the_mean_chart_of_gamma_reaches_from_tiny_to_huge_shapes():
    mean = charts("gamma")[2]
    alpha, beta = np.meshgrid(10.0 ** np.arange(-3.0, 7.0), [1e-3, 1.0, 1e4])
    points = np.stack([alpha.ravel(), beta.ravel()], axis=-1)
    eta = mean.chart.from_original(points)
    # log E[x] - E[log x] is 1/(2α): what is left of the digits of E[log x] are those of α
    digits = 1e-15 * (4.0 + 4.0 * points[:, 0] * (1.0 + np.abs(eta[:, 0])))
    assert (np.abs(mean.chart.to_original(eta) / points - 1.0).max(axis=-1) < digits).all()


@pytest.mark.slow
def test_there_is_no_preimage_outside_the_domain():
    mean = charts("gamma")[2]
    # by Jensen, E[log x] < log E[x]
    points = [[np.log(2.0) - 1e-3, 2.0], [np.log(2.0) + 1e-3, 2.0], [0.0, -1.0], [np.nan, 1.0]]
    assert mean.domain.contains(points).tolist() == [True, False, False, False]
    assert np.isfinite(mean.chart.to_original(points)).all(axis=-1).tolist() == [True, False, False, False]
    for backend in ("numpy", "numba"):
        metric = ro.Manifold(mean, backend=backend).metric(points)
        assert np.isfinite(metric).all(axis=(-1, -2)).tolist() == [True, False, False, False]


def test_a_domain_without_conditions_ends_where_there_is_no_preimage():
    theta, x = sp.Symbol("theta", real=True), sp.Symbol("x", real=True)
    # E[cos x] is I₁(θ)/I₀(θ), which lies between -1 and 1
    density = theta * sp.cos(x) - sp.log(sp.besseli(0, theta)) - sp.log(2 * sp.pi)
    model = ro.StatisticalModel(density, x, sp.Interval(-sp.pi, sp.pi), (theta,), check=False)
    mean = model.mean_chart()
    assert mean.domain.contains([[-0.5], [0.0], [0.5], [1.5]]).tolist() == [True, True, True, False]
    found = mean.chart.to_original([[-0.5], [0.5]])
    np.testing.assert_allclose(found[1], -found[0], rtol=1e-12)


@pytest.mark.slow
def test_the_jacobian_of_an_implicit_chart_is_that_of_differences():
    for name in ("gamma", "vonmises", "dirichlet"):
        _, _, mean, points = charts(name)
        eta = mean.chart.from_original(points[1])
        steps = 1e-5 * np.eye(len(eta))
        there = mean.chart.to_original
        differences = np.stack([(there(eta + h) - there(eta - h)) / 2e-5 for h in steps], axis=-1)
        np.testing.assert_allclose(mean.chart.jacobian(eta), differences, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", ["numpy", slow("numba")])
def test_the_geometry_of_an_implicit_chart_is_the_transformed_one(backend):
    model, _, mean, _ = charts("gamma")
    own = ro.Manifold(model, backend=backend)
    moved = ro.Manifold(mean, backend=backend)
    points = np.array([[2.0, 0.5], [0.3, 4.0], [50.0, 3.0]])
    eta = mean.chart.from_original(points)
    jacobian = np.linalg.inv(np.array([[[mp.psi(1, a), -1 / b], [1 / b, -a / b**2]] for a, b in points], dtype=float))
    g = own.metric(points)
    np.testing.assert_allclose(moved.metric(eta), np.swapaxes(jacobian, -1, -2) @ g @ jacobian, rtol=1e-8)
    v = 0.1 * np.random.default_rng(0).normal(size=eta.shape)
    v /= moved.norm(eta, v)[:, None]
    theta = np.einsum("...ij,...j", jacobian, v)
    expected = own.exp(points, theta)
    np.testing.assert_allclose(mean.chart.to_original(moved.exp(eta, v)), expected, rtol=1e-7)


def test_tensors_of_an_implicit_chart_are_the_transformed_ones():
    model, _, mean, _ = charts("beta")
    own, moved = ro.Manifold(model, backend="numpy"), ro.Manifold(mean, backend="numpy")
    points = np.array([[2.0, 0.5], [0.7, 3.0]])
    eta = mean.chart.from_original(points)
    j = mean.chart.jacobian(eta)
    inverse = np.linalg.inv(j)
    skewness = np.einsum("bijk,bil,bjm,bkn->blmn", own.amari_chentsov(points), j, j, j)
    np.testing.assert_allclose(moved.amari_chentsov(eta), skewness, rtol=1e-10)
    curvature = np.einsum("brsmn,bar,bsc,bmd,bne->bacde", own.riemann(points), inverse, j, j, j)
    np.testing.assert_allclose(moved.riemann(eta), curvature, rtol=1e-8, atol=1e-8 * np.abs(curvature).max())
    np.testing.assert_allclose(moved.scalar_curvature(eta), own.scalar_curvature(points), rtol=1e-10)


def test_the_likelihood_of_an_implicit_chart_is_fitted_by_the_mean_statistics():
    model, _, mean, _ = charts("gamma")
    samples = model.sample([2.0, 3.0], 300)
    problem = ro.Manifold(mean, backend="numpy").likelihood(samples)
    own = ro.Manifold(model, backend="numpy").likelihood(samples)
    eta = mean.chart.from_original([1.5, 2.0])
    assert problem.loss(eta) == pytest.approx(own.loss([1.5, 2.0]), rel=1e-12)
    best = np.array([np.log(samples).mean(), samples.mean()])
    # in mean parameters one natural gradient step is there
    np.testing.assert_allclose(eta - problem.natural_gradient(eta), best, rtol=1e-9)
    np.testing.assert_allclose(problem.gradient(best), 0.0, atol=1e-9)


@pytest.mark.slow
def test_the_natural_gradient_flow_does_not_care_about_the_mean_chart():
    model, natural, mean, _ = charts("gamma")
    result = ro.experiments.invariance(
        model,
        model.sample([2.0, 3.0], 200),
        {"natural": natural, "mean": mean},
        start=(1.0, 1.0),
        steps=4,
        integrators=("ng", "geo", "geo-exact"),
        backend="numpy",
    )
    assert result.gap["ng"][-1] > 1e-3
    assert result.gap["geo"][-1] < 0.1 * result.gap["ng"][-1]
    assert result.gap["geo-exact"].max() < 1e-8


@pytest.mark.slow
def test_an_implicit_chart_can_be_reparametrized():
    model, _, mean, _ = charts("gamma")
    s = sp.Symbol("s", real=True)
    first, second = mean.parameters
    moved = mean.reparametrize({second: sp.exp(s)}, parameters=(first, s))
    assert moved.chart.is_implicit
    point = np.array([2.0, 0.5])
    there = moved.chart.from_original(point)
    np.testing.assert_allclose(there, [float(mp.digamma(2) - mp.log(0.5)), np.log(4.0)], rtol=1e-9)
    jacobian = moved.chart.jacobian(there)
    expected = jacobian.T @ ro.Manifold(model, backend="numpy").metric(point) @ jacobian
    np.testing.assert_allclose(ro.Manifold(moved, backend="numpy").metric(there), expected, rtol=1e-8)
