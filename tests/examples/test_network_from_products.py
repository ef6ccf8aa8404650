"""Facts about the network that is trained from products written in JAX."""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click.testing
import numpy as np
import pytest

import riemopt as ro
from tests.marks import slow

SCRIPT = Path(__file__).parents[2] / "examples" / "network_from_products.py"
TINY = [(2, 1), (2, 3, 1), slow((3, 2, 2, 2))]


def remembered(products: Callable[..., dict]) -> Callable[..., dict]:
    """The products of a network and its data, made once: each takes JAX a good part of a second to compile."""
    known: dict[tuple, dict] = {}

    def once(inputs: np.ndarray, targets: np.ndarray, layers: Sequence[int]) -> dict:
        key = inputs.tobytes(), targets.tobytes(), tuple(layers)
        if key not in known:
            known[key] = products(inputs, targets, layers)
        return known[key]

    return once


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    import jax  # which takes a second, and not every process has these tests

    before = jax.config.jax_enable_x64
    spec = importlib.util.spec_from_file_location("network_from_products", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.products = remembered(module.products)
    yield module
    jax.config.update("jax_enable_x64", before)  # the script sets it, and other tests have their own


@pytest.fixture(scope="module")
def trajectories(example: ModuleType) -> dict[str, ro.Trajectory]:
    return example.main(steps=12)


class Tiny:
    """A small network at random data: its products, and its metric as a matrix."""

    def __init__(self, example: ModuleType, layers: tuple[int, ...], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.jax = example.jax
        self.inputs = rng.normal(size=(7, layers[0]))
        self.targets = rng.integers(0, 2, size=(7, layers[-1])).astype(float)
        self.products = example.products(self.inputs, self.targets, layers)
        self.outputs = self.jax.jit(lambda theta: example.logits(theta, self.inputs, layers))
        self.metric = self.jax.jit(self._metric)
        self.theta = example.initial_weights(layers, seed)
        self.theta = self.theta + rng.normal(scale=0.3, size=self.theta.shape)  # biases too
        self.v, self.w = rng.normal(size=(2, *self.theta.shape))

    def _metric(self, theta: Any) -> Any:
        """E[Jᵀ H J], with the whole Jacobian."""
        y = self.jax.nn.sigmoid(self.outputs(theta))
        jacobian = self.jax.jacfwd(self.outputs)(theta)
        return self.jax.numpy.einsum("xo,xom,xon->mn", y * (1 - y), jacobian, jacobian) / len(self.inputs)


@cache
def tiny_network(example: ModuleType, layers: tuple[int, ...]) -> Tiny:
    return Tiny(example, layers)


@pytest.fixture(scope="module", params=TINY, ids=str)
def tiny(example: ModuleType, request: pytest.FixtureRequest) -> Tiny:
    return tiny_network(example, request.param)


# -- the products


def test_the_loss_is_the_mean_cross_entropy(tiny: Tiny) -> None:
    y = np.array(tiny.jax.nn.sigmoid(tiny.outputs(tiny.theta)))
    t = tiny.targets
    wanted = -np.sum(t * np.log(y) + (1 - t) * np.log(1 - y)) / len(t)
    np.testing.assert_allclose(tiny.products["loss"](tiny.theta), wanted, rtol=1e-12)


def test_the_gradient_pulls_the_residuals_back(tiny: Tiny) -> None:
    residuals = np.array(tiny.jax.nn.sigmoid(tiny.outputs(tiny.theta))) - tiny.targets
    jacobian = np.array(tiny.jax.jit(tiny.jax.jacrev(tiny.outputs))(tiny.theta))
    wanted = np.einsum("xom,xo->m", jacobian, residuals) / len(tiny.inputs)
    np.testing.assert_allclose(tiny.products["gradient"](tiny.theta), wanted, atol=1e-14)


@pytest.mark.slow_for("(2, 3, 1)")
def test_the_fisher_product_is_that_of_the_explicit_metric(tiny: Tiny) -> None:
    wanted = tiny.metric(tiny.theta) @ tiny.v
    np.testing.assert_allclose(tiny.products["fisher_product"](tiny.theta, tiny.v), wanted, rtol=1e-12, atol=1e-14)


def test_the_fisher_product_is_symmetric_and_positive(tiny: Tiny) -> None:
    product = tiny.products["fisher_product"]
    np.testing.assert_allclose(
        tiny.w @ product(tiny.theta, tiny.v), tiny.v @ product(tiny.theta, tiny.w), rtol=1e-12, atol=1e-14
    )
    assert tiny.v @ product(tiny.theta, tiny.v) > 0


@pytest.mark.slow_for("(2, 3, 1)")
def test_the_connection_product_is_made_of_derivatives_of_the_explicit_metric(tiny: Tiny) -> None:
    slopes = np.array(tiny.jax.jit(tiny.jax.jacfwd(tiny.metric))(tiny.theta))  # ∂_κ g_μν, axes [μ, ν, κ]
    v = tiny.v
    wanted = np.einsum("nba,a,b->n", slopes, v, v) - np.einsum("abn,a,b->n", slopes, v, v) / 2
    np.testing.assert_allclose(tiny.products["connection"](tiny.theta, v), wanted, rtol=1e-11, atol=1e-13)


def test_the_connection_product_is_made_of_differences_of_the_fisher_product(tiny: Tiny) -> None:
    step, theta, v = 1e-5, tiny.theta, tiny.v
    product = tiny.products["fisher_product"]

    def slope(direction: np.ndarray) -> np.ndarray:
        return np.array(product(theta + step * direction, v) - product(theta - step * direction, v)) / (2 * step)

    along = np.array([v @ slope(unit) for unit in np.eye(len(theta))])  # ∂_ν g_αβ v^α v^β
    wanted = slope(v) - along / 2
    np.testing.assert_allclose(tiny.products["connection"](theta, v), wanted, rtol=1e-7, atol=1e-8)


@pytest.mark.slow
def test_a_damped_metric_has_the_same_connection_product(example: ModuleType) -> None:
    tiny = tiny_network(example, (2, 3, 1))
    slopes = [tiny.jax.jacfwd(lambda x, c=c: tiny.metric(x) + c * np.eye(len(x)))(tiny.theta) for c in (0.0, 0.1)]
    np.testing.assert_array_equal(*slopes)


def test_outputs_that_are_sure_of_themselves_do_no_harm(example: ModuleType) -> None:
    tiny = tiny_network(example, (2, 3, 1))
    far = 1e3 * tiny.theta
    for name, function in tiny.products.items():
        arguments = [tiny.v] if name in ("fisher_product", "connection") else []
        assert np.all(np.isfinite(function(far, *arguments))), name


def test_two_steps_of_each_rule_agree_with_explicit_solves(example: ModuleType) -> None:
    tiny, h, damping = tiny_network(example, (2, 3, 1)), 0.3, 0.05
    p = tiny.products

    def solved(theta: np.ndarray, covector: np.ndarray) -> np.ndarray:
        return np.linalg.solve(np.array(tiny.metric(theta)) + damping * np.eye(len(theta)), covector)

    def v(theta: np.ndarray) -> np.ndarray:
        return -solved(theta, np.array(p["gradient"](theta)))

    def geo(theta: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        return theta + h * v(theta) - h**2 / 2 * solved(theta, np.array(p["connection"](theta, v(theta))))

    def geof(theta: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        delta = v(theta) if before is None else (theta - before) / h
        return theta + h * solved(theta, np.array(-p["gradient"](theta) - h / 2 * p["connection"](theta, delta)))

    rules = {
        "ng": lambda theta, before: theta + h * v(theta),
        "mid": lambda theta, before: theta + h * v(theta + h / 2 * v(theta)),
        "geo": geo,
        "geof": geof,
    }
    problem = ro.OperatorProblem(**p, solver=ro.ConjugateGradient(damping=damping))
    for key, rule in rules.items():
        first = rule(tiny.theta, None)
        second = rule(first, tiny.theta)
        trajectory = ro.minimize(problem, key, tiny.theta, h, 2)
        np.testing.assert_allclose(trajectory.points, [tiny.theta, first, second], rtol=1e-9, atol=1e-10)


# -- the training


def test_training_brings_the_loss_of_every_method_to_an_eighth(trajectories: dict[str, ro.Trajectory]) -> None:
    assert tuple(trajectories) == ("ng", "mid", "geo", "geof")
    for key, trajectory in trajectories.items():
        assert trajectory.status is ro.Status.COMPLETED, key
        assert trajectory.points.dtype == np.float64
        assert trajectory.loss < trajectory.losses[0] / 8, key


def test_corrected_methods_are_ahead_of_the_natural_gradient(trajectories: dict[str, ro.Trajectory]) -> None:
    for key in ("mid", "geo", "geof"):
        assert np.all(trajectories[key].losses[5:] < trajectories["ng"].losses[5:]), key


def test_the_first_step_of_geof_is_that_of_geo(trajectories: dict[str, ro.Trajectory]) -> None:
    np.testing.assert_allclose(trajectories["geof"].points[1], trajectories["geo"].points[1], rtol=1e-9, atol=1e-9)
    assert np.abs(trajectories["geof"].points[2] - trajectories["geo"].points[2]).max() > 1e-3


def test_halving_the_step_quarters_the_distance_to_the_flow_for_mid_alone(example: ModuleType) -> None:
    tiny = tiny_network(example, (2, 3, 1))
    problem = ro.OperatorProblem(**tiny.products, solver=ro.ConjugateGradient(damping=0.1))
    end = problem.flow(tiny.theta, 1.0)
    ratios = {}
    for key in ("ng", "mid", "geo", "geof"):
        errors = [np.linalg.norm(ro.minimize(problem, key, tiny.theta, 1.0 / n, n).x - end) for n in (16, 32)]
        ratios[key] = errors[0] / errors[1]
    assert ratios["mid"] == pytest.approx(4.0, rel=0.15)
    assert [ratios[key] for key in ("ng", "geo", "geof")] == pytest.approx([2.0] * 3, rel=0.15)


@pytest.mark.slow
def test_halving_the_step_quarters_the_distance_to_riemannian_euler_for_the_geodesic_ones(example: ModuleType) -> None:
    tiny = tiny_network(example, (2, 3, 1))
    problem = ro.OperatorProblem(**tiny.products, solver=ro.ConjugateGradient(damping=0.1))
    exact = {n: ro.minimize(problem, "geo-exact", tiny.theta, 1.0 / n, n).x for n in (16, 32)}
    errors = {
        key: [np.linalg.norm(ro.minimize(problem, key, tiny.theta, 1.0 / n, n).x - end) for n, end in exact.items()]
        for key in ("ng", "geo", "geof")
    }
    ratios = {key: coarse / fine for key, (coarse, fine) in errors.items()}
    assert ratios["ng"] == pytest.approx(2.0, rel=0.15)
    assert [ratios[key] for key in ("geo", "geof")] == pytest.approx([4.0] * 2, rel=0.15)


def test_without_damping_the_metric_is_singular(example: ModuleType) -> None:
    (trajectory,) = example.main(steps=1, damping=0.0, integrators=["ng"]).values()
    assert trajectory.status is ro.Status.SINGULAR_METRIC


# -- the script


def test_the_script_prints_a_table_and_saves_a_figure_only_if_asked(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = click.testing.CliRunner()
    plain = runner.invoke(example.command, ["--steps", "2"])
    assert plain.exit_code == 0, plain.output
    for word in ("iteration", "ng", "mid", "geo", "geof"):
        assert word in plain.output
    assert not list(tmp_path.iterdir())
    drawn = runner.invoke(example.command, ["--steps", "2", "--output", "losses.png"])
    assert drawn.exit_code == 0, drawn.output
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
