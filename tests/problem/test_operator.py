"""Facts about problems made of a user's own products."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import riemopt as ro
from riemopt.errors import ShapeError, UnsupportedError

ALL_SEVEN = ("gd", "ng", "mid", "geo", "geof", "geo-exact", "ng-exact")
Functions = dict[str, Callable[..., Any]]


def from_metric(
    loss: Callable[..., Any],
    gradient: Callable[..., Any],
    metric: Callable[[np.ndarray], Any],
    slopes: Callable[[np.ndarray], Any],
) -> Functions:
    """The four functions of a metric and its derivatives ∂_ν g_αβ, axes [ν, α, β]."""

    def connection(theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        slope = np.array(slopes(theta))
        return np.einsum("anb,a,b->n", slope, v, v) - np.einsum("nab,a,b->n", slope, v, v) / 2

    return {
        "loss": loss,
        "gradient": gradient,
        "fisher_product": lambda theta, v: np.array(metric(theta)) @ v,
        "connection": connection,
    }


def gamma_functions(samples: np.ndarray) -> Functions:
    """The products of the Gamma distribution, written by hand."""
    mean, mean_log = samples.mean(), np.log(samples).mean()

    def loss(theta: np.ndarray) -> float:
        a, b = theta
        return scipy.special.gammaln(a) - a * np.log(b) - (a - 1) * mean_log + b * mean

    def gradient(theta: np.ndarray) -> np.ndarray:
        a, b = theta
        return np.array([scipy.special.digamma(a) - np.log(b) - mean_log, mean - a / b])

    def metric(theta: np.ndarray) -> list[list[float]]:
        a, b = theta
        return [[scipy.special.polygamma(1, a), -1 / b], [-1 / b, a / b**2]]

    def slopes(theta: np.ndarray) -> list[list[list[float]]]:
        a, b = theta
        along_a = [[scipy.special.polygamma(2, a), 0], [0, 1 / b**2]]
        return [along_a, [[0, 1 / b**2], [1 / b**2, -2 * a / b**3]]]

    return from_metric(loss, gradient, metric, slopes)


def normal_functions(samples: np.ndarray) -> Functions:
    """The products of the normal distribution in mean and standard deviation, written by hand."""

    def loss(theta: np.ndarray) -> float:
        m, s = theta
        return np.mean((samples - m) ** 2) / (2 * s**2) + np.log(s) + np.log(2 * np.pi) / 2

    def gradient(theta: np.ndarray) -> np.ndarray:
        m, s = theta
        return np.array([(m - samples.mean()) / s**2, 1 / s - np.mean((samples - m) ** 2) / s**3])

    def slopes(theta: np.ndarray) -> list[Any]:
        s = theta[1]
        return [np.zeros((2, 2)), np.diag([-2 / s**3, -4 / s**3])]

    return from_metric(loss, gradient, lambda theta: np.diag([1, 2]) / theta[1] ** 2, slopes)


MODELS = {
    "gamma": (ro.models.Gamma(), gamma_functions, [20.0, 20.0], [1.0, 1.0]),
    "normal": (ro.models.Normal(), normal_functions, [1.0, 2.0], [0.0, 1.0]),
}


@pytest.fixture(scope="module")
def gamma() -> Functions:
    return gamma_functions(ro.models.Gamma().sample([20.0, 20.0], 100, rng=0))


def plane(**changed: Any) -> ro.OperatorProblem:
    """A quadratic loss in the Euclidean plane, with some functions changed."""
    functions: Functions = {
        "loss": lambda x: x @ x / 2,
        "gradient": lambda x: x,
        "fisher_product": lambda x, v: v,
        "connection": lambda x, v: 0 * v,
    }
    return ro.OperatorProblem(**{**functions, **changed})


# -- the same as a compiled problem


@pytest.mark.parametrize("key", ALL_SEVEN)
@pytest.mark.parametrize("name", MODELS)
def test_products_of_a_model_give_the_trajectories_of_its_likelihood(name: str, key: str) -> None:
    model, functions, truth, start = MODELS[name]
    samples = model.sample(truth, 1000, rng=1234)
    derived = ro.Manifold(model, backend="numpy").likelihood(samples)
    exact = key in ("geo-exact", "ng-exact")  # two integrations, each to a relative tolerance of 1e-10
    arguments = {"start": start, "step_size": 0.1 if key == "gd" else 0.5, "steps": 4 if exact else 10}
    ours = ro.minimize(ro.OperatorProblem(**functions(samples)), key, **arguments)
    theirs = ro.minimize(derived, key, **arguments)
    assert ours.status is theirs.status is ro.Status.COMPLETED
    np.testing.assert_allclose(ours.points, theirs.points, rtol=1e-8 if exact else 1e-10)
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-8 if exact else 1e-11)


def test_a_batch_is_its_members(gamma: Functions) -> None:
    problem = ro.OperatorProblem(**gamma)
    starts, steps = np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([[0.5], [0.25], [0.1]])
    batch = ro.minimize(problem, "geo", starts, steps, 3)
    assert batch.points.shape == (3, 2, 4, 2)
    alone = ro.minimize(problem, "geo", starts[1], 0.25, 3)
    np.testing.assert_array_equal(batch.points[1, 1], alone.points)
    np.testing.assert_array_equal(batch.losses[1, 1], alone.losses)


def test_keeping_the_last_point_keeps_the_end(gamma: Functions) -> None:
    problem = ro.OperatorProblem(**gamma)
    every = ro.minimize(problem, "ng", [1.0, 1.0], 0.5, 5)
    last = ro.minimize(problem, "ng", [1.0, 1.0], 0.5, 5, keep="last")
    assert last.points.shape == (1, 2)
    np.testing.assert_array_equal(last.x, every.x)
    assert last.loss == every.loss
    failed = ro.minimize(plane(fisher_product=lambda x, v: -v), "ng", [1.0, 1.0], 0.5, 5, keep="last")
    assert np.all(np.isnan(failed.points)) and np.isnan(failed.loss)


def test_a_users_own_rule_and_solver_are_used(gamma: Functions) -> None:
    class Heun(ro.Integrator):
        def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
            v = -problem.natural_gradient(theta)
            w = -problem.natural_gradient(theta + h * v)
            return theta + h / 2 * (v + w), memory

    def direct(product: Callable[[np.ndarray], np.ndarray], right: np.ndarray) -> np.ndarray:
        return np.linalg.solve(np.stack([product(unit) for unit in np.eye(len(right))], axis=1), right)

    ours = ro.minimize(ro.OperatorProblem(**gamma, solver=direct), Heun(), [1.0, 1.0], 0.2, 5)
    theirs = ro.minimize(ro.OperatorProblem(**gamma), Heun(), [1.0, 1.0], 0.2, 5)
    assert ours.success
    np.testing.assert_allclose(ours.points, theirs.points, rtol=1e-10)


# -- what is not offered


@pytest.mark.parametrize("key", ["geo", "geof"])
def test_without_a_connection_the_error_names_it_and_what_does_without(gamma: Functions, key: str) -> None:
    problem = ro.OperatorProblem(**{**gamma, "connection": None})
    wanted = r"'connection'.* these integrators do without: (?=.*\bgd\b)(?=.*\bng\b)(?=.*\bmid\b)(?!.*\bgeo)"
    with pytest.raises(UnsupportedError, match=wanted) as error:
        ro.minimize(problem, key, [1.0, 1.0], 0.5, 1)
    assert "\n" not in str(error.value)


def test_without_a_connection_there_is_no_exponential_map(gamma: Functions) -> None:
    problem = ro.OperatorProblem(**{**gamma, "connection": None})
    with pytest.raises(UnsupportedError, match="'exp'"):
        ro.minimize(problem, "geo-exact", [1.0, 1.0], 0.5, 1)
    for call in (problem.connection, problem.acceleration, problem.exp):
        with pytest.raises(UnsupportedError, match=r"'connection': it was made without connection="):
            call(np.ones(2), np.ones(2))


def test_without_a_fisher_product_there_is_gradient_descent_only() -> None:
    problem = plane(fisher_product=None)
    assert ro.minimize(problem, "gd", [1.0, 1.0], 0.5, 3).success
    with pytest.raises(UnsupportedError, match=r"'raise_index'.* do without: gd$"):
        ro.minimize(problem, "ng", [1.0, 1.0], 0.5, 1)
    with pytest.raises(UnsupportedError, match="it was made without fisher_product="):
        problem.raise_index(np.ones(2), np.ones(2))


# -- arrays


@pytest.mark.parametrize("key", ALL_SEVEN)
def test_single_precision_stays_single_precision(gamma: Functions, key: str) -> None:
    seen = set()

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: np.ndarray) -> Any:
            seen.update(argument.dtype for argument in arguments)
            return function(*(argument.astype(np.float64) for argument in arguments))  # and returns double precision

        return noted

    problem = ro.OperatorProblem(**{name: noting(function) for name, function in gamma.items()})
    single = ro.minimize(problem, key, np.ones(2, dtype=np.float32), 0.1, 3)
    assert single.success
    assert single.points.dtype == np.float32
    assert seen == {np.dtype(np.float32)}
    double = ro.minimize(ro.OperatorProblem(**gamma), key, [1.0, 1.0], 0.1, 3)
    np.testing.assert_allclose(single.points, double.points, rtol=1e-4)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_jax_arrays_may_come_and_go(precision: type) -> None:
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", precision is np.float64)
    try:
        weights = jax.numpy.array([1.0, 3.0], dtype=precision)
        problem = ro.OperatorProblem(
            loss=jax.jit(lambda x: jax.numpy.sum(weights * x**4) / 4),
            gradient=jax.jit(lambda x: weights * x**3),
            fisher_product=jax.jit(lambda x, v: (1 + x**2) * v),
            connection=jax.jit(lambda x, v: x * v**2),
        )
        start = jax.numpy.array([1.0, -2.0], dtype=precision)
        assert problem.natural_gradient(start).dtype == precision
        np.testing.assert_allclose(problem.natural_gradient(start), [0.5, -24.0 / 5.0], rtol=1e-6)
        for key in ALL_SEVEN:
            trajectory = ro.minimize(problem, key, start, 0.01, 3)
            assert trajectory.success
            assert type(trajectory.points) is np.ndarray and trajectory.points.dtype == precision
            assert np.all(np.diff(trajectory.losses) < 0)
    finally:
        jax.config.update("jax_enable_x64", before)


def test_lists_and_whole_numbers_are_taken_as_points() -> None:
    problem = plane()
    assert problem.loss([1, 2]) == 2.5
    np.testing.assert_array_equal(problem.gradient([1, 2]), [1.0, 2.0])
    assert problem.raise_index([1, 2], [3, 4]).dtype == np.float64


ONE, TWO, THREE = np.ones(1), np.ones(2), np.ones(3)


@pytest.mark.parametrize(
    ("changed", "call", "message"),
    [
        ({"loss": lambda x: x}, "loss", r"loss returned an array of shape \(2,\), not a number"),
        ({"loss": lambda x: None}, "loss", "loss returned None, not an array of real numbers"),
        ({"loss": lambda x: 1j}, "loss", "loss returned 1j, not an array of real numbers"),
        ({"gradient": lambda x: x[:1]}, "gradient", r"gradient returned an array of shape \(1,\), at .* \(2,\)"),
        ({"gradient": lambda x: 1.0}, "gradient", r"gradient returned an array of shape \(\), at .* \(2,\)"),
        ({"gradient": lambda x: x * 1j}, "gradient", "gradient returned .*, not an array of real numbers"),
        ({"fisher_product": lambda x, v: THREE}, "raise_index", r"fisher_product returned an array of shape \(3,\)"),
        ({"fisher_product": lambda x, v: np.eye(2)}, "raise_index", r"fisher_product returned .* shape \(2, 2\)"),
        ({"connection": lambda x, v: THREE}, "connection", r"connection returned an array of shape \(3,\)"),
        ({"solver": lambda product, right: THREE}, "raise_index", r"solver returned an array of shape \(3,\)"),
    ],
)
def test_what_a_function_returns_must_fit(changed: Functions, call: str, message: str) -> None:
    vectors = [TWO] if call in ("raise_index", "connection") else []
    with pytest.raises(ShapeError, match=message) as error:
        getattr(plane(**changed), call)(TWO, *vectors)
    assert "\n" not in str(error.value)


def test_what_a_primitive_is_given_must_fit() -> None:
    problem = plane()
    with pytest.raises(ShapeError, match=r"one point at a time, of shape \(n,\), not \(3, 2\)"):
        problem.gradient(np.ones((3, 2)))
    with pytest.raises(ShapeError, match="the point is 'here', not an array of real numbers"):
        problem.loss("here")
    for call, what in (("raise_index", "covector"), ("connection", "vector"), ("exp", "vector")):
        with pytest.raises(ShapeError, match=rf"the {what} is an array of shape \(3,\), at a point of shape \(2,\)"):
            getattr(problem, call)(TWO, THREE)


def test_a_rule_must_return_a_point() -> None:
    class Forgetful(ro.Integrator):
        def step(self, problem: Any, theta: Any, h: Any, memory: Any) -> tuple[Any, Any]:
            return theta[:1], memory

    with pytest.raises(ShapeError, match=r"Forgetful\(\) returned a point of shape \(1,\), not \(2,\)"):
        ro.minimize(plane(), Forgetful(), TWO, 0.1, 1)


# -- how trajectories end


@pytest.mark.parametrize("key", ["ng", "mid", "geo", "geof", "geo-exact", "ng-exact"])
def test_an_indefinite_product_is_a_singular_metric(key: str) -> None:
    problem = plane(fisher_product=lambda x, v: np.array([1.0, -1.0]) * v)
    trajectory = ro.minimize(problem, key, [1.0, 1.0], 0.5, 3)
    assert trajectory.status is ro.Status.SINGULAR_METRIC
    np.testing.assert_array_equal(trajectory.points[0], [1.0, 1.0])
    assert np.all(np.isnan(trajectory.points[1:])) and np.all(np.isnan(trajectory.losses[1:]))


def test_a_loss_that_overflows_is_not_finite() -> None:
    problem = plane(loss=lambda x: np.sum(np.exp(x)), gradient=lambda x: -np.ones(2))
    trajectory = ro.minimize(problem, "ng", [0.0, 0.0], 300.0, 5)
    assert trajectory.status is ro.Status.NON_FINITE
    assert np.isfinite(trajectory.losses).tolist() == [True, True, True, False, False, False]


@pytest.mark.parametrize("key", ["ng", "mid", "geo", "geof", "ng-exact", "geo-exact"])
@pytest.mark.parametrize(
    "changed",
    [{"gradient": lambda x: x * np.nan}, {"fisher_product": lambda x, v: v * np.inf}],
    ids=["gradient", "fisher_product"],
)
def test_a_function_that_is_not_finite_is_not_blamed_on_the_metric(changed: Functions, key: str) -> None:
    assert ro.minimize(plane(**changed), key, [1.0, 1.0], 0.5, 3).status is ro.Status.NON_FINITE


@pytest.mark.parametrize("key", ["geo", "geof", "geo-exact"])
def test_a_connection_that_is_not_finite_is_not_blamed_on_the_metric(key: str) -> None:
    problem = plane(connection=lambda x, v: v * np.nan)
    assert ro.minimize(problem, key, [1.0, 1.0], 0.5, 3).status is ro.Status.NON_FINITE


def test_a_geodesic_without_an_end_diverges() -> None:
    # g = e^(-2x) gives ẍ = ẋ²: from speed v, the geodesic is at infinity after the time 1/v
    problem = ro.OperatorProblem(
        loss=lambda x: -x[0],
        gradient=lambda x: -np.ones(1),
        fisher_product=lambda x, v: np.exp(-2 * x) * v,
        connection=lambda x, v: -np.exp(-2 * x) * v**2,
    )
    np.testing.assert_allclose(problem.exp(np.zeros(1), np.full(1, 0.5)), np.log(2.0), rtol=1e-9)
    assert ro.minimize(problem, "geo-exact", [0.0], 0.5, 1).success
    assert ro.minimize(problem, "geo-exact", [0.0], 2.0, 1).status is ro.Status.DIVERGED


def test_a_flow_that_leaves_in_finite_time_diverges() -> None:
    problem = plane(loss=lambda x: -np.sum(x**3) / 3, gradient=lambda x: -(x**2))  # ẋ = x²: x = 1/(1 - t)
    np.testing.assert_allclose(problem.flow(np.ones(2), 0.5), [2.0, 2.0], rtol=1e-9)
    assert ro.minimize(problem, "ng-exact", [1.0, 1.0], 1.5, 1).status is ro.Status.DIVERGED


def test_one_member_of_a_batch_spoils_no_other() -> None:
    problem = plane(fisher_product=lambda x, v: np.sign(x[0]) * v)
    batch = ro.minimize(problem, "ng", [[1.0, 1.0], [-1.0, 1.0]], 0.5, 2)
    assert batch.status.tolist() == [ro.Status.COMPLETED, ro.Status.SINGULAR_METRIC]
    np.testing.assert_allclose(batch.losses[0], [1.0, 0.25, 0.0625])


def test_convergence_under_an_indefinite_metric_is_none() -> None:
    def direct(product: Callable[[np.ndarray], np.ndarray], right: np.ndarray) -> np.ndarray:
        return -right  # what a solver that does not look at signs makes of the metric -I

    problem = plane(fisher_product=lambda x, v: -v, solver=direct)
    assert ro.minimize(problem, "ng", [1.0, 1.0], 0.1, 2, tolerance=1e-3).status is ro.Status.COMPLETED


# -- how much work is done


def counting(functions: Functions) -> tuple[Functions, dict[str, int]]:
    counts = dict.fromkeys(functions, 0)

    def counted(name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            counts[name] += 1
            return functions[name](*arguments)

        return call

    return {name: counted(name) for name in functions}, counts


@pytest.mark.parametrize(
    ("key", "gradients", "solves", "connections"),
    [("gd", 5, 0, 0), ("ng", 5, 5, 0), ("mid", 10, 10, 0), ("geo", 5, 10, 5), ("geof", 5, 6, 5)],
)
def test_no_integrator_does_more_than_its_rule_says(
    gamma: Functions, key: str, gradients: int, solves: int, connections: int
) -> None:
    functions, counts = counting(gamma)
    ro.minimize(ro.OperatorProblem(**functions), key, [1.0, 1.0], 0.1, 5)
    products = 2 * solves  # two unknowns, two iterations
    assert counts == {"loss": 6, "gradient": gradients, "fisher_product": products, "connection": connections}


@pytest.mark.parametrize("key", ["ng", "geo"])
def test_looking_for_convergence_costs_one_solve_in_all(gamma: Functions, key: str) -> None:
    functions, counts = counting(gamma)
    problem = ro.OperatorProblem(**functions)
    plain = ro.minimize(problem, key, [1.0, 1.0], 0.5, 5)
    without = dict(counts)
    watched = ro.minimize(problem, key, [1.0, 1.0], 0.5, 5, tolerance=1e-9)
    np.testing.assert_allclose(watched.points, plain.points, rtol=1e-12)
    assert counts["gradient"] == 2 * without["gradient"] + 1  # the one at the end, from where no step is taken
    assert counts["fisher_product"] == 2 * without["fisher_product"] + 2


def test_a_trajectory_stops_where_it_has_converged(gamma: Functions) -> None:
    trajectory = ro.minimize(ro.OperatorProblem(**gamma), "geof", [1.0, 1.0], 0.5, 80, tolerance=1e-6)
    assert trajectory.status is ro.Status.CONVERGED
    np.testing.assert_array_equal(trajectory.points[-1], trajectory.points[-2])
    problem = ro.OperatorProblem(**gamma)
    assert np.sqrt(problem.gradient(trajectory.x) @ problem.natural_gradient(trajectory.x)) <= 1e-6
