"""The invariance experiment: against a transcription of the update rules, and against itself."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.special import gammaln, polygamma, psi

import riemopt as ro
from riemopt import figures
from riemopt.errors import ArgumentError, DataError, DomainError, ModelError, ShapeError, UnknownNameError
from riemopt.experiments import invariance
from riemopt.experiments.settings import default_charts, default_start, example_samples, typed_chart

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
    result = invariance(moved, samples, {"rate": gamma}, start=(1.0, 0.5), integrators=["geo-exact"], steps=2)
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


# -- what is printed and kept


def test_the_table_shows_every_chart_and_integrator(result):
    text = str(result.table())
    assert all(chart in text for chart in MAPS)
    assert all(key in text for key in result.gap)
    assert f"{result.losses[OWN]['geo'][-1]:.5f}" in text
    assert f"{result.gap['mid'][-1]:.2e}" in text
    assert max(map(len, text.splitlines())) < 100


def test_a_label_is_not_read_as_markup(gamma, samples, charts):
    result = invariance(
        gamma, samples, {"[bold]rate[1]": charts["beta = 1/b"]}, start=(1, 1), integrators="ng", steps=1
    )
    assert "[bold]rate[1]" in str(result.table())


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_saving_keeps_every_digit(result, tmp_path):
    folder = tmp_path / "new" / "folder"
    paths = result.save(folder)
    names = ["invariance.png", "invariance.svg", "losses.csv", "gaps.csv", "points.csv"]
    assert [path.relative_to(folder).as_posix() for path in paths] == names
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in paths[1].read_text(encoding="utf-8")

    losses = {(r["chart"], r["integrator"], int(r["iteration"])): float(r["loss"]) for r in rows(paths[2])}
    assert losses == {
        (c, i, k): x for c, by in result.losses.items() for i, line in by.items() for k, x in enumerate(line)
    }
    gaps = {(r["integrator"], int(r["iteration"])): float(r["gap"]) for r in rows(paths[3])}
    assert gaps == {(i, k): x for i, line in result.gap.items() for k, x in enumerate(line)}
    last = rows(paths[4])[-1]
    assert list(last) == ["chart", "integrator", "iteration", "alpha", "beta", "status"]
    assert [float(last["alpha"]), float(last["beta"])] == result.points[last["chart"]]["geo-exact"][-1].tolist()
    assert last["status"] == "COMPLETED"


def test_a_failure_leaves_nothing_half_written(result, tmp_path, monkeypatch):
    existing = tmp_path / "existing"
    existing.mkdir()
    (existing / "losses.csv").write_text("mine")

    def failing(figure, path):
        if str(path).endswith(".svg"):
            raise OSError(28, "No space left on device")
        Path(path).write_bytes(b"half")

    monkeypatch.setattr(figures, "save", failing)
    for folder in (existing, tmp_path / "new" / "folder"):
        with pytest.raises(OSError, match="No space left"):
            result.save(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["existing"]
    assert [path.name for path in existing.iterdir()] == ["losses.csv"]
    assert (existing / "losses.csv").read_text() == "mine"


def test_a_folder_in_the_way_of_a_file_is_found_before_any_is_replaced(result, tmp_path):
    (tmp_path / "gaps.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        result.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gaps.csv"]


# -- settings where a user gives none


def test_the_gamma_samples_are_those_of_the_paper(gamma, samples):
    assert (example_samples(gamma, 1234) == samples).all()


@pytest.mark.parametrize("name", ["gamma", "normal", "exponential", "poisson", "bernoulli", "weibull"])
def test_families_have_settings_that_lead_somewhere(name):
    model = ro.models.family(name)
    charts = [(text, typed_chart(model, text)) for text in default_charts(model)]
    drawn = example_samples(model, 7)
    result = invariance(model, drawn, charts, start=default_start(model), integrators=("ng", "geo"), steps=4)
    assert len(result.charts) == 4
    assert not result.remarks
    assert all(losses["geo"][-1] < losses["geo"][0] for losses in result.losses.values())
