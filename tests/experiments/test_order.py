"""The order of invariance: measured slopes are those of theory, on models, problems and other people's optimizers."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, DomainError, ModelError, ShapeError, UnknownNameError, UnsupportedError
from riemopt.experiments import Subject, order_of_invariance
from riemopt.experiments.settings import typed_chart
from riemopt.models.chart import Chart
from riemopt.models.domain import Domain

PAPER = ("ng", "mid", "geo", "geof")
STEPS = (24, 28, 32, 40, 48, 56, 64, 80, 96)


def agree(result):
    """Every slope is within 0.1 of theory, and what should be exact is noise."""
    for subject, rows in result.curves.items():
        for key, curves in rows.items():
            for quantity, curve in curves.items():
                expected = getattr(result.theory[key], quantity)
                assert curve.slope == expected or abs(curve.slope - expected) < 0.1, (
                    subject,
                    key,
                    quantity,
                    curve.slope,
                )
                if expected == np.inf:
                    assert curve.is_noise
                    assert np.nanmax(curve.distances) < 1e-10


@pytest.fixture(scope="module")
def gamma():
    model = ro.models.Gamma()
    samples = model.sample([20.0, 20.0], 2000, rng=0)
    return Subject.of(model, samples, {"beta = 1/b": typed_chart(model, "beta = 1/b")}, start=[2.0, 1.0], time=2.0)


@pytest.fixture(scope="module")
def normal():
    """The normal model, whose geodesics are known: what takes steps of a small model by NumPy need not be compiled."""
    model, chart = ro.models.Normal(), "mu = sinh(m), sigma = s**3"
    samples, charts = model.sample([1.0, 2.0], 2000, rng=0), {chart: typed_chart(model, chart)}
    return Subject.of(model, samples, charts, start=[3.0, 3.0], time=2.0, backend="numpy")


@pytest.fixture(scope="module")
def on_normal(normal):
    return order_of_invariance([normal], steps=STEPS, integrators=("ng", "geo", "geo3", "mid-exact"))


@pytest.mark.slow
def test_slopes_on_the_normal_model_are_those_of_theory(on_normal):
    agree(on_normal)


@pytest.mark.slow
def test_slopes_on_gamma_are_those_of_theory(gamma):
    keys = (*PAPER, "geo3", "heun", "rk4", "rk5", "geo-exact", "mirror", "mid-exact", "ng-exact")
    agree(order_of_invariance([gamma], steps=STEPS, integrators=keys))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "truth", "start", "chart", "backend"),
    [
        ("Normal", [1.0, 2.0], [3.0, 3.0], "mu = sinh(m), sigma = s**3", "numpy"),
        ("Beta", [3.0, 2.0], [1.0, 1.0], "alpha = 1/a, beta = 1/b", "numba"),
    ],
)
def test_slopes_on_other_families_are_those_of_theory(name, truth, start, chart, backend):
    model = getattr(ro.models, name)()
    samples, charts = model.sample(truth, 2000, rng=0), {chart: typed_chart(model, chart)}
    agree(
        order_of_invariance(
            model,
            samples,
            charts,
            start=start,
            time=2.0,
            steps=STEPS,
            integrators=(*PAPER, "rk4", "geo-exact"),
            backend=backend,
        )
    )


@pytest.mark.slow
def test_slopes_on_a_model_with_quadrature_are_those_of_theory():
    model = ro.models.Kumaraswamy()
    samples, chart = model.sample([2.0, 3.0], 50, rng=0), typed_chart(model, "a = 1/c, b = d**2")
    agree(
        order_of_invariance(
            model,
            samples,
            {"chart": chart},
            start=[1.2, 1.5],
            steps=STEPS,
            integrators=("ng", "mid"),
            quantities=["invariance"],
        )
    )


@pytest.fixture(scope="module")
def logistic():
    u, w0, w1, q0, q1 = sp.symbols("u w0 w1 q0 q1", real=True)
    model = ro.ConditionalModel([w0 + w1 * u], "bernoulli", inputs=(u,), parameters=(w0, w1), name="logistic")
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=60)
    targets = (rng.uniform(size=60) < 1 / (1 + np.exp(-1 - 2 * inputs))).astype(float)
    charts = {"bent": model.reparametrize({w0: q0 + q1**3 / 3, w1: q1 + q1**3 / 6}, (q0, q1))}
    return model, targets, charts, inputs


@pytest.mark.slow
def test_slopes_on_a_logistic_regression_are_those_of_theory(logistic):
    model, targets, charts, inputs = logistic
    agree(
        order_of_invariance(
            model,
            targets,
            charts,
            inputs=inputs,
            start=[0.0, 0.5],
            time=2.0,
            steps=STEPS,
            integrators=(*PAPER, "rk4"),
            quantities=("flow", "invariance"),
            backend="numpy",
        )
    )


@pytest.mark.slow
def test_slopes_on_a_network_are_those_of_theory():
    """A network of 2-3-1 units is too much compiling for a test: that is in the benchmark, and in many digits."""
    model = ro.models.FeedForward([1, 1, 1])
    rng = np.random.default_rng(0)
    inputs, start = 1.5 * rng.normal(size=40), np.array([1.0, 0.2, 1.5, -0.3])
    network = sp.lambdify([*model.inputs, *model.parameters], model.outputs[0])
    targets = network(inputs, *(start + 0.3 * rng.normal(size=4))) + 0.3 * rng.normal(size=40)
    bent = {p: sp.sinh(sp.Symbol(f"{p.name}_bent", real=True)) for p in model.parameters}
    chart = model.reparametrize(bent, [e.args[0] for e in bent.values()])
    agree(
        order_of_invariance(
            model,
            targets,
            {"sinh": chart},
            inputs=inputs,
            start=start,
            steps=STEPS,
            integrators=("ng", "mid", "geo"),
            quantities=["invariance"],
            backend="numpy",
        )
    )


# -- a user's own products


def hyperbolic_plane(connection=True):
    """A loss on the half-plane y > 0 with the metric δ/y², by products."""

    def product(theta, v):
        a, b = v
        return np.array([-2 * a * b, a * a - b * b]) / theta[1] ** 3

    return ro.OperatorProblem(
        loss=lambda theta: np.sum((theta - np.array([1.0, 2.0])) ** 2) / 2,
        gradient=lambda theta: theta - np.array([1.0, 2.0]),
        fisher_product=lambda theta, v: v / theta[1] ** 2,
        connection=product if connection else None,
        rtol=1e-12,
    )


def bent_chart():
    x, y, s, t = sp.symbols("x y s t", real=True)
    return Chart.of(Domain.of((x, y)), {x: s + t**2 / 4, y: sp.exp(t)}, (s, t))


ON_PRODUCTS = {"charts": {"bent": bent_chart()}, "start": [0.0, 1.0], "time": 0.5}


@pytest.mark.slow
@pytest.mark.parametrize("keys", [PAPER, ["rk4"]])
def test_slopes_on_products_are_those_of_theory(keys):
    result = order_of_invariance(hyperbolic_plane(), **ON_PRODUCTS, steps=(12, 14, 16, 20, 24), integrators=keys)
    agree(result)
    assert not result.remarks


@pytest.mark.slow
def test_slopes_over_all_steps_are_those_of_theory():
    """The steps of a study that names none."""
    model = ro.models.Exponential()
    r = sp.Symbol("r", positive=True)
    moved = model.reparametrize({model.parameters[0]: 1 / r}, parameters=(r,))
    result = order_of_invariance(
        model, [0.5, 0.2, 0.1], {"rate = 1/r": moved}, start=[1.0], integrators=["ng", "mid"], backend="numpy"
    )
    assert {key: round(orders.invariance, 1) for key, orders in result.slopes["Exponential"].items()} == {
        "ng": 1.0,
        "mid": 2.0,
    }


@pytest.mark.slow
def test_an_exact_method_on_products_does_not_care_about_the_chart():
    settings = {**ON_PRODUCTS, "steps": (4, 8), "quantities": ["invariance"]}
    agree(order_of_invariance(hyperbolic_plane(), **settings, integrators=["mid-exact"]))


@pytest.mark.slow
def test_without_a_connection_straight_lines_are_measured_and_a_remark_says_so():
    result = order_of_invariance(
        hyperbolic_plane(connection=False),
        charts={"bent": bent_chart()},
        start=[0.0, 1.0],
        time=0.5,
        steps=(12, 14, 16, 20, 24),
        integrators=("ng", "mid", "rk4"),
    )
    agree(result)
    assert result.remarks == [
        "OperatorProblem: without geodesics, distances are lengths of straight lines in the chart"
    ]
    assert "riemannian_euler" not in result.curves["OperatorProblem"]["ng"]
    assert np.isnan(result.slopes["OperatorProblem"]["ng"].riemannian_euler)


# -- other people's optimizers


class Adam:
    """Kingma and Ba, "Adam", 2015, algorithm 1."""

    first = second = 0.0
    count = 0

    def __call__(self, theta, gradient):
        self.count += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        mean, square = self.first / (1 - 0.9**self.count), self.second / (1 - 0.999**self.count)
        return theta - mean / (np.sqrt(square) + 1e-8)


def newton(problem, h):
    """Newton's method with a Hessian by differences of gradients."""

    def step(theta, gradient):
        small = 1e-6
        columns = [
            (problem.gradient(theta + small * unit) - problem.gradient(theta - small * unit)) / (2 * small)
            for unit in np.eye(len(theta))
        ]
        return theta - h * np.linalg.solve(columns, gradient)

    return step


@pytest.mark.slow
def test_optimizers_that_know_no_geometry_have_no_order(gamma):
    optimizers = {
        "Adam": Adam(),
        "gradient": lambda theta, gradient: theta - gradient,
        "Newton": ro.integrators.OptimizerStep(make=newton),
        "ng": "ng",
    }
    settings = {"steps": STEPS, "integrators": optimizers, "quantities": ("flow", "invariance")}
    result = order_of_invariance([dataclasses.replace(gamma, time=0.5)], **settings)
    slopes = result.slopes["Gamma"]
    for name in ("Adam", "gradient", "Newton"):
        assert abs(slopes[name].invariance) < 0.1
    assert slopes["ng"].invariance == pytest.approx(1.0, abs=0.1)
    assert abs(slopes["Adam"].flow) < 0.2
    assert abs(slopes["gradient"].flow) < 0.1
    # in natural parameters, up to a sign, the Hessian of the loss is the metric; in another chart it is not
    assert slopes["Newton"].flow == pytest.approx(1.0, abs=0.1)
    assert result.theory["Adam"] is None
    # Newton's method does not mind other units
    assert result.remarks == [f"Gamma: {name} depends on the units of the coordinates" for name in ("Adam", "gradient")]


@pytest.mark.slow
def test_optimizers_on_products_have_no_order_either():
    optimizers = {"Adam": Adam(), "gradient": lambda theta, gradient: theta - gradient, "ng": "ng"}
    settings = {**ON_PRODUCTS, "steps": (12, 14, 16, 20, 24), "quantities": ["invariance"]}
    result = order_of_invariance(hyperbolic_plane(), **settings, integrators=optimizers)
    slopes = {name: orders.invariance for name, orders in result.slopes["OperatorProblem"].items()}
    assert abs(slopes["Adam"]) < 0.3 and abs(slopes["gradient"]) < 0.3
    assert slopes["ng"] == pytest.approx(1.0, abs=0.1)
    assert result.theory["Adam"] is None


# -- the result


@pytest.mark.slow
def test_the_table_shows_slopes_their_ranges_and_what_is_noise(on_normal):
    lines = str(on_normal.table()).splitlines()
    assert lines[0] == "Normal to the time 2, in the charts mu, sigma; mu = sinh(m), sigma = s**3"
    (row,) = (line for line in lines if line.startswith("geo3 "))
    assert row.split()[:3] == ["geo3", "1.00±0.01", "24-96"]
    (row,) = (line for line in lines if line.startswith("mid-exact "))
    assert "≤" in row
    assert row.endswith("exact")


@pytest.mark.slow
def test_numbers_and_figures_are_saved(on_normal, tmp_path):
    paths = on_normal.save(tmp_path)
    assert [path.name for path in paths] == ["order.png", "order.svg", "slopes.csv", "distances.csv"]
    with open(tmp_path / "slopes.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (row,) = (r for r in rows if (r["integrator"], r["quantity"]) == ("geo", "invariance"))
    assert float(row["slope"]) == on_normal.slopes["Normal"]["geo"].invariance
    assert float(row["theory"]) == 2.0
    with open(tmp_path / "distances.csv", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["integrator"] == "mid-exact" and r["quantity"] == "invariance"]
    assert len(rows) == len(STEPS)
    assert {r["fitted"] for r in rows} == {"False"}


@pytest.mark.slow
def test_failures_at_coarse_steps_do_not_spoil_the_others(gamma):
    # from there, long steps leave the domain
    places = {
        label: dataclasses.replace(place, start=np.array(start))
        for (label, place), start in zip(gamma.places.items(), ([10.0, 5.0], [10.0, 0.2]), strict=True)
    }
    control = dataclasses.replace(gamma.control, start=np.array([7.0, 35.0 / 17.0]))
    far = dataclasses.replace(gamma, places=places, control=control)
    result = order_of_invariance([far], steps=(1, 2, *STEPS), integrators=("ng", "mid"), quantities=["invariance"])
    assert np.isnan(result.curves["Gamma"]["ng"]["invariance"].distances[:2]).all()
    agree(result)


def bernoulli(steps, **changes):
    model = ro.models.Bernoulli()
    (p,) = model.parameters
    q = sp.Symbol("q", positive=True)
    chart = model.reparametrize({p: q**2}, (q,))
    settings = {"start": [0.05], "time": 3.0, "backend": "numpy", "integrators": ["ng", "geo"], **changes}
    return order_of_invariance(model, [1] * 19 + [0], {"q": chart}, steps=steps, **settings)


@pytest.mark.slow
def test_a_reference_that_fails_at_coarse_steps_does_not_spoil_the_others():
    fine = (32, 40, 48, 56, 64, 80)
    (with_coarse,), (without,) = (result.curves.values() for result in (bernoulli((1, 2, *fine)), bernoulli(fine)))
    for key, curves in without.items():
        assert np.isnan(with_coarse[key]["riemannian_euler"].floor[0])
        slope = with_coarse[key]["riemannian_euler"].slope
        assert slope == pytest.approx(curves["riemannian_euler"].slope, abs=1e-6)


class Wrong(ro.Problem):
    """A problem whose flow is wrong by a part."""

    def __init__(self, problem, part):
        self.problem, self.part = problem, part
        self.offers, self.dimension = problem.offers, problem.dimension

    def flow(self, theta, time):
        return self.problem.flow(theta, (1 + self.part) * time)

    def __getattribute__(self, name):
        own = ("problem", "part", "offers", "dimension", "flow", "trajectories", "__class__", "__dict__")
        return object.__getattribute__(self, name) if name in own else getattr(self.problem, name)


@pytest.mark.parametrize(("part", "remark"), [(0.05, "that is no reference"), (np.nan, "there is no reference")])
def test_a_wrong_reference_is_no_reference(normal, part, remark):
    own, (label, place) = normal.own, list(normal.places.items())[1]
    wrong = dataclasses.replace(place, problem=Wrong(place.problem, part))
    spoiled = dataclasses.replace(normal, places={"own": own, label: wrong})
    result = order_of_invariance([spoiled], steps=STEPS[:5], integrators=["ng"], quantities=["flow"])
    assert np.isnan(result.slopes["Normal"]["ng"].flow)
    (found,) = result.remarks
    assert remark in found


@pytest.mark.slow
def test_noise_in_products_is_no_slope():
    rng = np.random.default_rng(0)
    exact = hyperbolic_plane()
    noisy = ro.OperatorProblem(
        loss=exact.loss,
        gradient=lambda theta: exact.gradient(theta) * (1 + 1e-6 * rng.normal(size=2)),
        fisher_product=exact.fisher_product,
    )
    settings = {"charts": {"bent": bent_chart()}, "start": [0.0, 1.0], "time": 0.5, "steps": STEPS[:6]}
    result = order_of_invariance(noisy, **settings, integrators=["rk4", "ng"], quantities=["invariance"])
    assert result.curves["OperatorProblem"]["rk4"]["invariance"].is_noise
    assert result.slopes["OperatorProblem"]["ng"].invariance == pytest.approx(1.0, abs=0.1)
    assert all("counts as noise" in remark for remark in result.remarks[1:])


def test_without_names_integrators_are_those_that_a_problem_allows():
    result = order_of_invariance(
        hyperbolic_plane(connection=False), start=[0.0, 1.0], time=0.2, steps=[4, 8], quantities=["flow"]
    )
    assert list(result.theory) == ["ng", "mid", "heun", "rk4", "rk5", "dop853"]


# -- misuse


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"start": None}, ArgumentError, "needs a start"),
        ({"start": [1.0]}, ShapeError, "start"),
        ({"start": [-1.0, 1.0]}, DomainError, "alpha = -1.0 is outside its domain"),
        ({"samples": None}, ArgumentError, "Gamma needs samples"),
        ({"time": 0.0}, ArgumentError, "time must be positive and finite, not 0.0"),
        ({"steps": ()}, ArgumentError, "steps must be positive whole numbers"),
        ({"steps": (4, 0)}, ArgumentError, "steps must be positive whole numbers"),
        ({"steps": (4, 2.5)}, ArgumentError, "steps must be positive whole numbers"),
        ({"quantities": ["gap"]}, UnknownNameError, "unknown quantity 'gap'"),
        ({"integrators": ()}, ArgumentError, "there are no integrators"),
        ({"integrators": ("ng", "ng")}, ArgumentError, "the integrator 'ng' is named twice"),
        ({"integrators": "geoo"}, UnknownNameError, "did you mean 'geo'"),
        ({"charts": {"other": ro.models.Normal()}}, ModelError, "'other' is not a reparametrization"),
        ({"integrators": "ng-adaptive"}, ArgumentError, "ng-adaptive chooses its steps by itself"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, error, message):
    settings = {"samples": [1.0, 2.0], "charts": {}, "start": [1.0, 1.0], **changes}
    with pytest.raises(error, match=message):
        order_of_invariance(ro.models.Gamma(), settings.pop("samples"), settings.pop("charts"), **settings)


def test_problems_that_cannot_be_studied_are_refused():
    plain = ro.OperatorProblem(lambda x: 0.0, lambda x: x)
    with pytest.raises(ArgumentError, match="without the metric's product"):
        order_of_invariance(plain, start=[1.0])
    with pytest.raises(ArgumentError, match="samples and inputs belong to a model"):
        order_of_invariance(hyperbolic_plane(), [1.0], start=[0.0, 1.0])
    with pytest.raises(UnsupportedError, match="needs the primitive 'connection'"):
        order_of_invariance(hyperbolic_plane(connection=False), start=[0.0, 1.0], integrators="geo")
    for charts, error, message in (
        ({"own": bent_chart()}, ArgumentError, "two charts are called 'own'"),
        ({"model": ro.models.Gamma()}, ArgumentError, "the chart 'model' of a problem must be a riemopt.models.chart"),
        ({"bent": bent_chart()}, DomainError, r"the chart 'bent' does not reach the point \[0.0, -1.0\]"),
    ):
        with pytest.raises(error, match=message):
            order_of_invariance(hyperbolic_plane(), charts=charts, start=[0.0, -1.0])
    single = ro.OperatorProblem(lambda x: 0.0, lambda x: np.float32(x), lambda x, v: v)
    with pytest.raises(ArgumentError, match="computes in single precision"):
        order_of_invariance(single, start=[1.0])


def test_a_study_needs_a_subject():
    with pytest.raises(ArgumentError, match="there are no subjects"):
        order_of_invariance([])


def test_subjects_need_different_names(gamma):
    with pytest.raises(ArgumentError, match="two subjects are called 'Gamma'"):
        order_of_invariance([gamma, gamma])
