"""The invariance experiment: against a transcription of the update rules, and against itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.special import gammaln, polygamma, psi

import riemopt as ro
from riemopt.errors import ArgumentError, DataError, DomainError, ModelError, ShapeError, UnknownNameError
from riemopt.experiments import InvarianceStudy, invariance
from riemopt.experiments.settings import typed_chart
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget

STEP, STEPS = 0.5, 10
CORRECTED = ("mid", "geo", "geof")
EXACT = ("ng-exact", "geo-exact")
OWN = "alpha, beta"


@pytest.fixture(scope="module")
def samples():
    np.random.seed(1234)  # noqa: NPY002
    return np.random.gamma(20, 1 / 20, 10000)  # noqa: NPY002


@pytest.fixture(scope="module")
def gamma():
    return ro.models.Gamma()


@pytest.fixture(scope="module")
def charts(gamma):
    alpha, beta = gamma.parameters
    a, b = sp.symbols("a b", positive=True)
    substitutions = {
        "beta = 1/b": {alpha: a, beta: 1 / b},
        "beta = b**3": {alpha: a, beta: b**3},
        "alpha = a**2, beta = b**2": {alpha: a**2, beta: b**2},
    }
    return {label: gamma.reparametrize(changes, parameters=(a, b)) for label, changes in substitutions.items()}


@pytest.fixture(scope="module")
def result(gamma, samples, charts):
    keys = ("ng", *CORRECTED, *EXACT)
    return invariance(gamma, samples, charts, start=(1.0, 1.0), integrators=keys, step_size=STEP, steps=STEPS)


# -- the update rules written out again, with the geometry of the Gamma distributions derived by hand


class GammaByHand:
    """The Gamma model in a chart α = p(a), β = q(b); the functions are given with two derivatives."""

    def __init__(self, samples, p, q):
        self.mean, self.mean_log, self.maps = samples.mean(), np.log(samples).mean(), (p, q)

    def original(self, xi):
        return np.array([f[0](x) for f, x in zip(self.maps, xi, strict=True)])

    def derivative(self, xi, order):
        return np.array([f[order](x) for f, x in zip(self.maps, xi, strict=True)])

    def loss(self, xi):
        a, b = self.original(xi)
        return -(a * np.log(b) + (a - 1) * self.mean_log - b * self.mean - gammaln(a))

    def gradient(self, xi):
        a, b = self.original(xi)
        return self.derivative(xi, 1) * -np.array([np.log(b) + self.mean_log - psi(a), a / b - self.mean])

    def metric_in_original(self, xi):
        a, b = self.original(xi)
        return np.array([[polygamma(1, a), -1 / b], [-1 / b, a / b**2]])

    def metric(self, xi):
        slope = self.derivative(xi, 1)
        return slope[:, None] * self.metric_in_original(xi) * slope

    def connection(self, xi, v):
        """Γ_k(v) = J^ν_k (Γ_ν(Jv) + g_νμ ∂²φ^μ[v, v]), mathematics.md section 1."""
        a, b = self.original(xi)
        slope, bend = self.derivative(xi, 1), self.derivative(xi, 2)
        va, vb = slope * v
        own = [polygamma(2, a) * va**2 / 2 + vb**2 / (2 * b**2), va * vb / b**2 - a * vb**2 / b**3]
        return slope * (own + self.metric_in_original(xi) @ (bend * v**2))

    def raised(self, xi, covector):
        return np.linalg.solve(self.metric(xi), covector)

    def velocity(self, xi):
        return -self.raised(xi, self.gradient(xi))


def ng(m, x, h, before):
    return x + h * m.velocity(x)


def mid(m, x, h, before):
    return x + h * m.velocity(x + 0.5 * h * m.velocity(x))


def geo(m, x, h, before):
    v = m.velocity(x)
    return x + h * v - 0.5 * h**2 * m.raised(x, m.connection(x, v))


def geof(m, x, h, before):
    previous = m.velocity(x) if before is None else (x - before) / h
    return x + h * m.raised(x, -m.gradient(x) - 0.5 * h * m.connection(x, previous))


TIGHT = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}


def ng_exact(m, x, h, before):
    return solve_ivp(lambda t, y: m.velocity(y), (0, h), x, **TIGHT).y[:, -1]


def geo_exact(m, x, h, before):
    def geodesic(t, y):
        return np.concatenate([y[2:], -m.raised(y[:2], m.connection(y[:2], y[2:]))])

    return solve_ivp(geodesic, (0, 1), [*x, *(h * m.velocity(x))], **TIGHT).y[:2, -1]


IDENTITY = (lambda x: x, lambda x: 1.0, lambda x: 0.0)
RECIPROCAL = (lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3)
CUBE = (lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x)
SQUARE = (lambda x: x**2, lambda x: 2 * x, lambda x: 2.0)
MAPS = {
    OWN: (IDENTITY, IDENTITY),
    "beta = 1/b": (IDENTITY, RECIPROCAL),
    "beta = b**3": (IDENTITY, CUBE),
    "alpha = a**2, beta = b**2": (SQUARE, SQUARE),
}


def run_by_hand(model, rule):
    """The points in the original chart and the losses, from α = β = 1, which is (1, 1) in all four charts."""
    before, x = None, np.ones(2)
    points, losses = [model.original(x)], [model.loss(x)]
    for _ in range(STEPS):
        before, x = x, rule(model, x, STEP, before)
        points.append(model.original(x))
        losses.append(model.loss(x))
    return np.array(points), np.array(losses)


@pytest.mark.parametrize("chart", MAPS)
@pytest.mark.parametrize("rule", [ng, mid, geo, geof])
@pytest.mark.slow_for("ng-alpha, beta")
def test_each_method_follows_its_update_rule_in_each_chart(result, samples, chart, rule):
    points, losses = run_by_hand(GammaByHand(samples, *MAPS[chart]), rule)
    np.testing.assert_allclose(result.losses[chart][rule.__name__], losses, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.points[chart][rule.__name__], points, rtol=1e-9)


@pytest.mark.parametrize(("key", "rule"), [("ng-exact", ng_exact), ("geo-exact", geo_exact)])
def test_exact_methods_agree_across_charts_and_with_scipy(result, samples, key, rule):
    points, losses = run_by_hand(GammaByHand(samples, *MAPS[OWN]), rule)
    for chart in MAPS:
        np.testing.assert_allclose(result.losses[chart][key], result.losses[OWN][key], rtol=0, atol=1e-8)
        np.testing.assert_allclose(result.points[chart][key], result.points[OWN][key], rtol=1e-8)
        np.testing.assert_allclose(result.losses[chart][key], losses, rtol=0, atol=1e-8)
        np.testing.assert_allclose(result.points[chart][key], points, rtol=1e-8)
    assert result.gap[key].max() < 1e-8


@pytest.mark.slow
def test_compiled_trajectories_are_the_same(result, gamma, samples, charts):
    keys = ("ng", "geof", "geo-exact")
    one = {"beta = 1/b": charts["beta = 1/b"]}
    compiled = invariance(
        gamma, samples, one, start=(1.0, 1.0), integrators=keys, step_size=STEP, steps=STEPS, backend="numba"
    )
    for chart in compiled.charts:
        for key in keys:
            np.testing.assert_allclose(compiled.losses[chart][key], result.losses[chart][key], rtol=0, atol=1e-9)


# -- what the result has to show


def test_the_natural_gradient_depends_on_the_chart(result):
    ends = [losses["ng"][-1] for losses in result.losses.values()]
    assert max(ends) - min(ends) > 0.04
    assert result.gap["ng"][1:].min() > 0.2


@pytest.mark.parametrize("key", CORRECTED)
def test_a_corrected_method_depends_less_on_the_chart(result, key):
    assert result.gap[key][-1] < 0.6 * result.gap["ng"][-1]
    assert result.gap[key].mean() < result.gap["ng"].mean()


@pytest.mark.parametrize("key", ["mid", "geo"])
def test_the_gap_of_methods_without_memory_is_smaller_after_every_step(result, key):
    assert (result.gap[key][1:] < result.gap["ng"][1:]).all()


def test_everything_starts_at_the_same_distribution(result):
    assert all(gap[0] == 0.0 for gap in result.gap.values())
    for points in result.points.values():
        for path in points.values():
            np.testing.assert_allclose(path[0], [1.0, 1.0], rtol=1e-14)


@pytest.mark.slow
def test_the_gap_is_the_largest_distance_between_charts():
    normal = ro.models.Normal()
    charts = [(text, typed_chart(normal, text)) for text in ("sigma = exp(s)", "mu = sinh(m), sigma = 1/s")]
    drawn = normal.sample([0.5, 1.5], 500)
    result = invariance(normal, drawn, charts, start=(0.0, 1.0), integrators=["ng"], steps=3)
    (mu, sigma), pairs = np.array([p["ng"] for p in result.points.values()]).T, ([0, 0, 1], [1, 2, 2])
    (m, s), (n, t) = ((mu[:, i], sigma[:, i]) for i in pairs)
    # the half-plane model of the hyperbolic plane, mathematics.md section 4
    distances = np.sqrt(2) * np.arccosh(1 + ((m - n) ** 2 / 2 + (s - t) ** 2) / (2 * s * t))
    np.testing.assert_allclose(result.gap["ng"], distances.max(axis=1), rtol=1e-7, atol=1e-12)


@pytest.mark.slow
def test_a_trajectory_that_leaves_the_domain_harms_no_other(gamma, samples, charts):
    one = {"beta = 1/b": charts["beta = 1/b"]}
    result = invariance(gamma, samples, one, start=(1.0, 1.0), integrators=("ng", "geo-exact"), step_size=1.6, steps=3)
    assert result.status["beta = 1/b"]["ng"] is ro.Status.LEFT_DOMAIN
    assert np.isfinite(result.losses["beta = 1/b"]["ng"]).tolist() == [True, False, False, False]
    assert result.gap["ng"][0] == 0.0 and np.isnan(result.gap["ng"][1:]).all()
    assert result.status[OWN]["ng"] is ro.Status.COMPLETED and np.isfinite(result.losses[OWN]["ng"]).all()
    assert result.gap["geo-exact"].max() < 1e-8
    (remark,) = result.remarks
    assert remark.startswith("ng in the chart beta = 1/b ended after iteration 0: ")
    assert "ended after iteration 0" in str(result.table())
    assert result.plot().axes


def test_one_chart_has_no_gap(gamma, samples):
    result = invariance(gamma, samples, start=(1.0, 1.0), integrators="ng", steps=2)
    assert list(result.charts) == [OWN]
    assert (result.gap["ng"] == 0.0).all()


def test_the_own_chart_may_be_a_moved_one(gamma, samples, charts):
    moved = charts["beta = 1/b"]
    result = invariance(
        moved, samples, {"rate": gamma}, start=(1.0, 0.5), integrators=["geo-exact"], steps=2, backend="numpy"
    )
    np.testing.assert_allclose(result.points["rate"]["geo-exact"], result.points["a, b"]["geo-exact"], rtol=1e-8)
    assert result.gap["geo-exact"].max() < 1e-8
    assert result.points["rate"]["geo-exact"][0].tolist() == [1.0, 0.5]


def test_an_integrator_of_ones_own_is_called_by_its_class(gamma, samples):
    class Heun(ro.Integrator):
        def step(self, problem, theta, h, memory):
            v = -problem.natural_gradient(theta)
            w = -problem.natural_gradient(theta + h * v)
            return theta + h / 2 * (v + w), memory

    result = invariance(gamma, samples, start=(1.0, 1.0), integrators=[Heun(), "gd"], steps=2)
    assert list(result.gap) == ["Heun", "gd"]


def test_progress_is_told_before_each_piece_of_work(gamma, samples, charts):
    told = []
    invariance(
        gamma, samples, charts, start=(1, 1), integrators=["ng", "geo"], steps=1, progress=lambda *a: told.append(a)
    )
    assert [done for done, _, _ in told] == list(range(9))
    assert {total for _, total, _ in told} == {9}
    assert told[0][2] == "ng in the chart alpha, beta"


# -- a study that is prepared once


def counted(monkeypatch):
    """What the targets are given to compile from here on."""
    compiled = []

    def counting(target, name):
        method = getattr(target, name)

        def wrapper(self, *arguments, **options):
            compiled.append((target.name, name))
            return method(self, *arguments, **options)

        monkeypatch.setattr(target, name, wrapper)

    for target in (NumpyTarget, NumbaTarget):
        counting(target, "pointwise")
    counting(NumbaTarget, "trajectories")
    return compiled


def same(one, other):
    for name in ("losses", "points"):
        for chart, rows in getattr(one, name).items():
            for key, numbers in rows.items():
                np.testing.assert_array_equal(numbers, getattr(other, name)[chart][key])
    for key, gap in one.gap.items():
        np.testing.assert_array_equal(gap, other.gap[key])
    assert (one.status, list(one.charts)) == (other.status, list(other.charts))


@pytest.fixture(scope="module")
def study(gamma, samples, charts):
    return InvarianceStudy(gamma, samples, {"beta = 1/b": charts["beta = 1/b"]})


SHORT = {"start": (2.0, 1.5), "integrators": ("ng", "geo-exact"), "step_size": 0.25, "steps": 4}


def test_a_study_gives_the_numbers_of_the_experiment(study, gamma, samples):
    others = {label: moved for label, moved in study.charts.items() if label != OWN}
    for changed in ({}, {"start": (1.0, 1.0), "step_size": 1.6}):  # which leaves the domain in one chart
        settings = {**SHORT, **changed}
        same(
            study.run(**settings),
            invariance(gamma, samples, others, **settings, backend="numba"),
        )


@pytest.mark.slow
def test_a_study_on_numpy_is_the_experiment_as_it_runs_by_itself(gamma, samples, charts):
    one = {"beta = 1/b": charts["beta = 1/b"]}
    study = InvarianceStudy(gamma, samples, one, backend="numpy", distances="numba")
    same(study.run(**SHORT), invariance(gamma, samples, one, **SHORT))


def test_a_second_run_compiles_nothing_from_wherever_it_starts(study, monkeypatch):
    first = study.run(**SHORT)
    compiled = counted(monkeypatch)
    same(study.run(**SHORT), first)
    other = study.run(**{**SHORT, "start": (5.0, 0.5), "step_size": 0.1, "steps": 7})
    assert other.gap["ng"].shape == (8,)
    assert compiled == []


def test_what_a_study_is_given_to_compile_is_compiled_when_it_runs(gamma, samples, monkeypatch):
    study = InvarianceStudy(gamma, samples, integrators=["ng"])
    compiled = counted(monkeypatch)
    study.run(start=(1.0, 1.0), integrators=["ng"], steps=2)
    assert compiled == []


def test_runs_of_a_study_do_not_disturb_one_another(study):
    settings = [{**SHORT, "step_size": h} for h in (0.1, 0.2, 0.3, 0.4)]
    alone = [study.run(**each) for each in settings]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(lambda each: study.run(**each), settings), strict=True):
            same(one, other)


def test_the_result_of_a_study_is_the_readers_own(study):
    result = study.run(**SHORT)
    result.charts.clear()
    result.points["beta = 1/b"]["ng"][:] = 0.0
    assert len(study.charts) == 2
    assert study.run(**SHORT).points["beta = 1/b"]["ng"].all()


def test_an_error_in_one_run_spoils_no_other(study):
    for changed, error in (({"start": (-1.0, 1.0)}, DomainError), ({"step_size": 0.0}, ArgumentError)):
        with pytest.raises(error):
            study.run(**{**SHORT, **changed})
    assert study.run(**SHORT).gap["geo-exact"].max() < 1e-8
    assert repr(study) == "InvarianceStudy(Gamma, charts=['alpha, beta', 'beta = 1/b'])"


def test_single_points_are_moved_on_the_processor(gamma, samples):
    for options in ({"backend": "cupy"}, {"distances": "cupy"}):
        with pytest.raises(ArgumentError, match="backend must be 'numba' or 'numpy'"):
            InvarianceStudy(gamma, samples, **options)


# -- misuse


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"integrators": ["ng", "geoo"]}, UnknownNameError, "unknown integrator 'geoo': did you mean 'geo'"),
        ({"integrators": ["ng", "ng"]}, ArgumentError, "the integrator 'ng' is named twice"),
        ({"integrators": []}, ArgumentError, "there are no integrators"),
        ({"start": (-1.0, 1.0)}, DomainError, r"start: alpha = -1\.0 is outside its domain alpha > 0"),
        ({"start": (1.0,)}, ShapeError, "start"),
        ({"start": [(1.0, 1.0)]}, ShapeError, r"start has shape \(1, 2\), but must be one point: \(2,\)"),
        ({"step_size": -0.5}, ArgumentError, r"step_size must be positive and finite, not -0\.5"),
        ({"step_size": [0.5, 0.25]}, ArgumentError, "step_size must be one number"),
        ({"steps": -1}, ArgumentError, "steps must be a whole number of at least 0, not -1"),
    ],
)
def test_misuse_is_refused(gamma, samples, changed, error, message):
    with pytest.raises(error, match=message):
        invariance(gamma, samples, **{"start": (1.0, 1.0), **changed})


def test_samples_outside_the_support_are_refused(gamma):
    with pytest.raises(DataError, match=r"sample 1: x = -2\.0 lies outside the support of Gamma"):
        invariance(gamma, [1.0, -2.0], start=(1.0, 1.0))


def test_charts_are_reparametrizations_with_names_of_their_own(gamma, samples, charts):
    moved = charts["beta = 1/b"]
    with pytest.raises(ModelError, match="the chart 'normal' is not a reparametrization of Gamma"):
        invariance(gamma, samples, {"normal": ro.models.Normal()}, start=(1.0, 1.0))
    with pytest.raises(ArgumentError, match="two charts are called 'alpha, beta'"):
        invariance(gamma, samples, {OWN: moved}, start=(1.0, 1.0))
    with pytest.raises(ArgumentError, match="two charts are called 'b'"):
        invariance(gamma, samples, [("b", moved), ("b", moved)], start=(1.0, 1.0))


def test_a_chart_has_to_reach_the_start(gamma, samples):
    with pytest.raises(DomainError, match=r"the chart 'far' does not reach alpha = 1\.0, beta = 1\.0"):
        invariance(gamma, samples, {"far": typed_chart(gamma, "beta = 5 + exp(b)")}, start=(1.0, 1.0))
