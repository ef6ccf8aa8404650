"""The CuPy target on Numba's simulator of CUDA, in a process of its own: its numbers are those of NumPy.

A scenario is a function of a backend. It runs here on NumPy, and in that process on kernels and on arrays that refuse
what CuPy's refuse.
"""

import multiprocessing
import os
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import sympy as sp

import riemopt as ro
from riemopt.numerics.arrays import on_host

POINTS = np.array([[1.0, 1.0], [2.5, 0.75], [20.0, 20.0], [-1.0, 1.0]])
VECTORS = np.array([[0.3, -0.1], [-1.0, 0.5], [1.0, 2.0], [1.0, 1.0]])
SAMPLES = np.random.default_rng(0).gamma(2.0, 1.0, 100)
MODELS = {name: ro.models.family(name) for name in ("gamma", "normal", "weibull", "vonmises", "poisson")}


def slow(name):
    """A case that takes the simulator many seconds."""
    return pytest.param(name, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def device():
    """Runs a function in a process in which the GPU is simulated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_ENABLE_CUDASIM", "1")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=simulated) as pool:
            yield lambda function, *arguments: pool.submit(function, *arguments).result()


def simulated():
    from tests.kernels.device import simulate

    # the simulator's threads do not share the process's np.errstate
    warnings.simplefilter("ignore")
    simulate()


def on_backend(scenario, backend, *arguments):
    """The arrays of a scenario as ones of NumPy, which must have been on the device if it is one."""
    from tests.kernels import device

    device.copies = 0
    results = scenario(backend, *arguments)
    if backend == "cupy":
        assert not device.copies
        assert all(isinstance(array, device.DeviceArray) for array in results)
    return [on_host(array) for array in results]


@pytest.fixture
def agree(device):
    """Compare a scenario on the device with the same on NumPy."""

    def compare(scenario, *arguments, rtol, atol=0.0):
        found = device(on_backend, scenario, "cupy", *arguments)
        expected = on_backend(scenario, "numpy", *arguments)
        for one, other in zip(found, expected, strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
        return expected

    return compare


# -- tensors and geodesics


def tensors(backend, name):
    manifold = ro.Manifold(MODELS[name], backend=backend)
    values = [manifold.metric(POINTS), manifold.raise_index(POINTS, VECTORS), manifold.christoffel(POINTS[:, None])]
    return [*values, manifold.connection(POINTS, VECTORS, a=0.5), manifold.norm(POINTS[0], VECTORS)]


@pytest.mark.parametrize("name", [slow("gamma"), "normal", slow("vonmises")])
def test_tensors_are_those_of_numpy(agree, name):
    metric, *_ = agree(tensors, name, rtol=1e-10)
    assert np.isnan(metric[3]).all() == (name == "gamma")


def geodesics(backend, name):
    manifold = ro.Manifold(MODELS[name], backend=backend)
    curves, info = manifold.geodesic(POINTS, VECTORS, [1.0, -0.5, 0.0, 0.5], full_output=True)
    ends = [manifold.exp(POINTS, VECTORS), manifold.transport(POINTS, VECTORS, VECTORS[::-1].copy())]
    return [*ends, curves, info.status, info.entry_time, info.exit_time]


@pytest.mark.parametrize("name", [slow("gamma"), "normal"])
def test_geodesics_are_those_of_numpy(agree, name):
    exp, _, _, status, *_ = agree(geodesics, name, rtol=1e-9, atol=1e-9)
    assert np.isfinite(exp).all(axis=-1).tolist() == (status == 0).tolist()


def leaving(backend):
    manifold = ro.Manifold(MODELS["poisson"], backend=backend, closed_forms=False)
    curves, info = manifold.geodesic([1.0], [[-1.0], [-3.0], [1.0]], [0.5, 1.0], full_output=True)
    return [curves, info.status, info.exit_time]


def test_geodesics_that_leave_the_domain_are_nan_from_there_on(agree):
    curves, status, exits = agree(leaving, rtol=1e-8)
    assert np.isnan(curves[..., 0]).tolist() == [[False, False], [False, True], [False, False]]
    assert status.tolist() == [0, 2, 0]
    assert exits[1] == pytest.approx(2.0 / 3.0)


def logs(backend, name):
    manifold = ro.Manifold(MODELS[name], backend=backend)
    targets = POINTS + 0.2 * np.abs(VECTORS)
    velocities, info = manifold.log(POINTS, targets, full_output=True)
    return [velocities, info.status, manifold.distance(POINTS, targets), manifold.kl_divergence(POINTS, targets)]


@pytest.mark.parametrize("name", [slow("gamma"), "normal"])
def test_logs_and_divergences_are_those_of_numpy(agree, name):
    agree(logs, name, rtol=1e-8, atol=1e-12)


def implicit(backend):
    model = MODELS["gamma"].mean_chart()
    manifold = ro.Manifold(model, backend=backend)
    points = model.chart.from_original(POINTS[:3])
    return [manifold.metric(points), manifold.exp(points, 0.01 * points)]


def test_chart_without_a_closed_form_is_inverted_in_the_kernel(agree):
    agree(implicit, rtol=1e-9)


def expectations(backend):
    models = ro.models.Kumaraswamy(), ro.models.NegativeBinomial()
    return [ro.Manifold(model, backend=backend).metric([2.0, 0.5]) for model in models]


@pytest.mark.slow
def test_integrals_and_sums_over_a_support_are_taken_in_the_kernel(agree):
    agree(expectations, rtol=1e-9)


# -- problems


def problem(backend, name):
    if name != "logistic":
        return ro.Manifold(MODELS[name], backend=backend).likelihood(SAMPLES)
    u, w0, w1 = sp.symbols("u w0 w1", real=True)
    model = ro.ConditionalModel(outputs=[w0 + w1 * u], output="bernoulli", inputs=(u,), parameters=(w0, w1))
    return ro.Manifold(model, backend=backend).likelihood(SAMPLES > 2.0, inputs=SAMPLES)


def primitives(backend, name):
    p = problem(backend, name)
    values = [p.loss(POINTS), p.gradient(POINTS), p.metric(POINTS[0]), p.natural_gradient(POINTS[:3])]
    return [*values, p.connection(POINTS[:2], VECTORS[:2])]


def trajectories(backend, name, key, keep, tolerance):
    h = np.array([0.5, 0.5, 0.25, 1.0])
    starts = np.array([[1.0, 1.0], [2.5, 0.75], [1.0, 2.0], [0.3, 3.0]])
    moved = ro.minimize(problem(backend, name), key, start=starts, step_size=h, steps=3, keep=keep, tolerance=tolerance)
    return [moved.points, moved.losses, moved.status, moved.x, moved.loss, moved.success]


@pytest.mark.parametrize("name", ["gamma", slow("weibull"), slow("logistic")])
def test_primitives_are_those_of_numpy_also_as_sums_over_data(agree, name):
    agree(primitives, name, rtol=1e-11)


@pytest.mark.parametrize("key", ["geo", slow("geo-exact"), slow("ng-exact")])
def test_trajectories_are_those_of_numpy(agree, key):
    agree(trajectories, "gamma", key, "all", 1e-2, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gamma", "weibull", "logistic"])
def test_trajectories_may_keep_their_end_only_and_sum_over_data(agree, name):
    _, _, status, *_ = agree(trajectories, name, "geo", "last", None, rtol=1e-8)
    assert ro.Status.COMPLETED in status


class Stateful(ro.Integrator):
    """A rule that cannot be traced, since it looks at a number."""

    def step(self, problem, theta, h, memory):
        v = problem.natural_gradient(theta)
        return theta - h * v if float(v @ v) > 1e-30 else theta, memory


def one_by_one(backend):
    moved = ro.minimize(problem(backend, "gamma"), Stateful(), start=POINTS[:2], step_size=0.5, steps=2, tolerance=1e-9)
    return [moved.points, moved.losses, moved.status]


def test_rule_that_cannot_be_traced_runs_on_arrays_of_the_device(agree):
    agree(one_by_one, rtol=1e-11)


def single(backend):
    moved = ro.minimize(problem(backend, "gamma"), "geo", start=[1.0, 1.0], step_size=0.5, steps=2)
    point, target = [1.0, 1.0], [2.0, 1.0]
    _, info = ro.Manifold(MODELS["gamma"], backend=backend).log(point, target, full_output=True)
    return moved.loss, moved.status, moved.success, moved.message, str(moved), info.status, info.error


def test_single_trajectory_has_a_number_and_a_status(device):
    for one, other in zip(device(single, "cupy"), single("numpy"), strict=True):
        assert type(one) is type(other)
        assert one == (pytest.approx(other, abs=1e-9) if isinstance(other, float) else other)


def misuse(backend):
    points = ro.Manifold(MODELS["gamma"], backend=backend).metric([1.0, 1.0])
    with pytest.raises(ro.errors.ShapeError, match="points lies on a GPU: use backend='cupy'"):
        ro.Manifold(MODELS["gamma"], backend="numpy").metric(points)
    for error, start in ((ro.errors.DomainError, [[1.0, 1.0], [-1.0, 1.0]]), (ro.errors.ShapeError, [1.0, 1.0, 1.0])):
        with pytest.raises(error, match="start"):
            ro.minimize(problem(backend, "gamma"), "geo", start=start, step_size=0.5, steps=1)


def test_misuse_is_refused_as_on_the_processor(device):
    device(misuse, "cupy")


# -- without a GPU


@pytest.mark.slow
def test_backend_says_what_is_missing():
    program = "import riemopt as ro; ro.Manifold(ro.models.Gamma(), backend='cupy')"
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_ENABLE_CUDASIM"}
    environment["CUDA_VISIBLE_DEVICES"] = "-1"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment
    )
    error = result.stderr.splitlines()[-1]
    assert error.startswith("riemopt.errors.BackendError: backend='cupy' needs")
    assert 'pip install "riemopt[cupy]"' in error


@pytest.mark.parametrize("run", [ro.fit, ro.experiments.invariance])
@pytest.mark.slow_for("invariance")
def test_what_moves_single_points_runs_on_the_processor(run):
    with pytest.raises(ro.errors.ArgumentError, match="backend"):
        run(MODELS["gamma"], SAMPLES, start=[1.0, 1.0], backend="cupy")
