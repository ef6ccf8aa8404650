"""minimize: compiled trajectories against rules run as they stand, statuses, axes, and what is refused."""

from typing import NamedTuple

import numpy as np
import pytest
import scipy.special
import sympy as sp

import riemopt as ro
from riemopt.errors import ArgumentError, DomainError, ShapeError, UnknownNameError, UnsupportedError
from riemopt.manifold import likelihood
from tests import catalogue
from tests.marks import slow

SAMPLES = [0.6, 0.9, 1.0, 1.2, 1.8]
KEYS = ("gd", "ng", "mid", "geo", "geof", "geo-exact", "ng-exact")
EXACT = ("geo-exact", "ng-exact")


@pytest.fixture(scope="module")
def problems(gamma):
    """The same problem compiled, and as arrays that rules run on as they stand."""
    return gamma.numba.likelihood(SAMPLES), gamma.numpy.likelihood(SAMPLES)


@pytest.fixture(scope="module")
def compiled(problems):
    return problems[0]


def is_compiled(problem, rule):
    return problem.trajectories(rule, np.ones((1, 2)), np.array([0.1]), 1, True, None) is not None


def assert_same(first, second, rtol=1e-11):
    np.testing.assert_array_equal(first.status, second.status)
    np.testing.assert_allclose(first.points, second.points, rtol=rtol)
    np.testing.assert_allclose(first.losses, second.losses, rtol=rtol, atol=rtol)


# -- the integrators of the paper


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.slow_for("ng-exact", "geof")
def test_compiled_trajectory_is_that_of_the_rule(problems, key):
    starts = [[1.0, 1.0], [2.5, 0.75], [8.0, 9.0]]
    settings = {"start": starts, "step_size": [0.5, 0.25, 0.125], "steps": 10}
    fast, plain = (ro.minimize(problem, key, **settings) for problem in problems)
    assert np.all(fast.success) and fast.points.shape == (3, 11, 2)
    assert_same(fast, plain, rtol=1e-8 if key in EXACT else 1e-11)
    assert is_compiled(problems[0], ro.integrators.by_name(key))


def test_update_rules_are_those_of_the_paper(problems):
    """Section 3 of the mathematics, written out on the primitives."""
    problem, h = problems[1], 0.25

    def v(x):
        return -np.linalg.solve(metric(x), problem.gradient(x))

    metric = ro.Manifold(ro.models.Gamma(), backend="numpy").metric
    x = np.array([2.5, 0.75])
    correction = np.linalg.solve(metric(x), problem.connection(x, v(x)))
    expected = {
        "gd": x - h * problem.gradient(x),
        "ng": x + h * v(x),
        "mid": x + h * v(x + h / 2 * v(x)),
        "geo": x + h * v(x) - h**2 / 2 * correction,
        "geof": x + h * v(x) - h**2 / 2 * correction,
        "geo-exact": problem.exp(x, h * v(x)),
        "ng-exact": problem.flow(x, h),
    }
    for key, point in expected.items():
        np.testing.assert_allclose(ro.minimize(problem, key, start=x, step_size=h, steps=1).x, point, rtol=1e-11)
    # the second step of geof looks back at the first one
    before, y = x, expected["geof"]
    covector = -problem.gradient(y) - h / 2 * problem.connection(y, (y - before) / h)
    second = y + h * np.linalg.solve(metric(y), covector)
    np.testing.assert_allclose(ro.minimize(problem, "geof", start=x, step_size=h, steps=2).x, second, rtol=1e-11)


def end(problem, key, k, time=1.0):
    trajectory = ro.minimize(problem, key, start=[1.0, 1.0], step_size=time / k, steps=k, keep="last")
    assert trajectory.success
    return trajectory.x


ORDERS = {("ng", "ng-exact"): 1, ("mid", "ng-exact"): 2, ("geo", "ng-exact"): 1, ("geof", "ng-exact"): 1}


@pytest.mark.parametrize(("key", "exact"), ORDERS)
def test_order_of_convergence_to_the_flow(compiled, key, exact):
    limit = end(compiled, exact, 1)
    errors = [np.abs(end(compiled, key, k) - limit).max() for k in (64, 128, 256)]
    slopes = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(slopes, ORDERS[key, exact], atol=0.1)


@pytest.mark.parametrize(("key", "order"), [("ng", 1), ("geo", 2), ("geof", 2)])
def test_order_of_convergence_to_the_riemannian_euler_method(compiled, key, order):
    errors = [np.abs(end(compiled, key, k) - end(compiled, "geo-exact", k)).max() for k in (64, 128, 256)]
    slopes = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(slopes, order, atol=0.15)


# -- rules of a user


class Heun(ro.Integrator):
    def step(self, problem, theta, h, memory):
        v = -problem.natural_gradient(theta)
        w = -problem.natural_gradient(theta + h * v)
        return theta + h / 2 * (v + w), memory


class Clipped(ro.Integrator):
    def step(self, problem, theta, h, memory):
        v = problem.natural_gradient(theta)
        size = np.linalg.norm(v)
        return theta - h * np.where(size > 0.5, 0.5 * v / size, v), memory


class Kept(ro.Integrator):
    """Stays above a bound in every coordinate."""

    def step(self, problem, theta, h, memory):
        return np.maximum(theta - h * problem.natural_gradient(theta), np.array([1.5, 0.5])), memory


class Momentum(ro.Integrator):
    def init(self, problem, theta, h):
        return np.zeros(2)

    def step(self, problem, theta, h, memory):
        memory = 0.5 * memory - h * problem.natural_gradient(theta)
        return theta + memory, memory


class Decaying(ro.Integrator):
    """Counts its steps."""

    def init(self, problem, theta, h):
        return 0

    def step(self, problem, theta, h, memory):
        return theta - h / (1 + memory) * problem.natural_gradient(theta), memory + 1


class Adam(ro.Integrator):
    def init(self, problem, theta, h):
        return {"first": np.zeros_like(theta), "second": np.zeros(2), "powers": (1.0, 1.0)}

    def step(self, problem, theta, h, memory):
        g = problem.gradient(theta)
        first, second = 0.9 * memory["first"] + 0.1 * g, 0.99 * memory["second"] + 0.01 * g**2
        p, q = memory["powers"]
        p, q = 0.9 * p, 0.99 * q
        move = first / (1 - p) / (np.sqrt(second / (1 - q)) + 1e-8)
        return theta - 0.1 * h * move, {"first": first, "second": second, "powers": (p, q)}


class TwoBack(ro.Integrator):
    """Remembers a list of two velocities, and nothing: Adams and Bashforth's method of order 3."""

    def init(self, problem, theta, h):
        v = -problem.natural_gradient(theta)
        return [v, v, None]

    def step(self, problem, theta, h, memory):
        now = -problem.natural_gradient(theta)
        last, older, nothing = memory
        assert nothing is None
        return theta + h / 12 * (23 * now - 16 * last + 5 * older), [now, last, None]


class Matrix(ro.Integrator):
    """Remembers a matrix."""

    def init(self, problem, theta, h):
        return np.eye(2)

    def step(self, problem, theta, h, memory):
        g = problem.gradient(theta)
        memory = memory + h * np.outer(g, g)
        return theta - h * memory @ problem.raise_index(theta, g) / np.sum(memory), memory


TRACED = [Heun, Clipped, Kept, Momentum, Decaying, Adam, TwoBack, Matrix]


@pytest.mark.parametrize("rule", TRACED, ids=lambda rule: rule.__name__)
@pytest.mark.slow_for("Adam", "Kept", "Clipped", "Decaying", "Momentum", "TwoBack")
def test_rule_of_a_user_is_compiled_and_batched(problems, rule):
    starts = np.array([[1.0, 1.0], [2.5, 0.75], [8.0, 9.0]])
    settings = {"start": starts[:, None], "step_size": [0.25, 0.125], "steps": 8}
    assert is_compiled(problems[0], rule())
    fast, plain = (ro.minimize(problem, rule(), **settings) for problem in problems)
    assert fast.points.shape == (3, 2, 9, 2) and np.all(fast.success)
    assert_same(fast, plain)
    alone = ro.minimize(problems[0], rule(), start=starts[1], step_size=0.125, steps=8)
    np.testing.assert_array_equal(fast.points[1, 1], alone.points)


def test_heun_is_what_it_says(problems):
    x, h = np.array([2.5, 0.75]), 0.25
    v = -problems[1].natural_gradient(x)
    w = -problems[1].natural_gradient(x + h * v)
    found = ro.minimize(problems[0], Heun(), start=x, step_size=h, steps=1).x
    np.testing.assert_allclose(found, x + h / 2 * (v + w), rtol=1e-12)
    errors = [np.abs(end(problems[0], Heun(), k) - end(problems[0], "ng-exact", 1)).max() for k in (64, 128)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1)


class Halving(ro.Integrator):
    """Branches on the loss."""

    def step(self, problem, theta, h, memory):
        v = problem.natural_gradient(theta)
        while problem.loss(theta - h * v) > problem.loss(theta):
            h = h / 2
        return theta - h * v, memory


class Stateful(ro.Integrator):
    """Counts its steps on itself; the count is set back where a trajectory begins."""

    def init(self, problem, theta, h):
        self.count = 0

    def step(self, problem, theta, h, memory):
        self.count += 1
        return theta - h / self.count * problem.natural_gradient(theta), memory


class Solved(ro.Integrator):
    """Uses functions that have no trace: a general solve, and a method of arrays."""

    def step(self, problem, theta, h, memory):
        g = problem.gradient(theta)
        matrix = np.eye(2) + np.outer(g, g)
        return theta - h * np.linalg.solve(matrix, problem.natural_gradient(theta)).flatten(), memory


class Past(NamedTuple):
    velocity: np.ndarray


class Named(ro.Integrator):
    """Remembers a named tuple."""

    def init(self, problem, theta, h):
        return Past(np.zeros(2))

    def step(self, problem, theta, h, memory):
        velocity = 0.5 * memory.velocity - h * problem.natural_gradient(theta)
        return theta + velocity, Past(velocity)


class Growing(ro.Integrator):
    """Remembers one gradient more with every step."""

    def init(self, problem, theta, h):
        return ()

    def step(self, problem, theta, h, memory):
        memory = (*memory, problem.natural_gradient(theta))
        return theta - h * sum(memory) / len(memory), memory


AS_THEY_STAND = [Halving, Stateful, Solved, Named, Growing]


@pytest.mark.parametrize("rule", AS_THEY_STAND, ids=lambda rule: rule.__name__)
def test_rule_without_a_trace_runs_as_it_stands(problems, rule):
    starts = [[1.0, 1.0], [2.5, 0.75]]
    fast, plain = (ro.minimize(p, rule(), start=starts, step_size=0.25, steps=6) for p in problems)
    assert np.all(fast.success)
    assert_same(fast, plain)
    for start, points in zip(starts, fast.points, strict=True):
        x, memory, alone = np.array(start), None, rule()
        memory = alone.init(problems[1], x, 0.25)
        for point in points:
            np.testing.assert_allclose(point, x, rtol=1e-11)
            x, memory = alone.step(problems[1], x, 0.25, memory)


def test_state_of_a_rule_is_not_touched_by_the_attempt_to_trace_it(problems):
    class Counting(ro.Integrator):
        def __init__(self):
            self.count = 0

        def step(self, problem, theta, h, memory):
            self.count += 1
            return theta - h / self.count * problem.natural_gradient(theta), memory

    for problem in problems:
        rule = Counting()
        found = ro.minimize(problem, rule, start=[1.0, 1.0], step_size=0.5, steps=3).x
        assert rule.count == 3
        x = np.ones(2)
        for count in (1, 2, 3):
            x = x - 0.5 / count * problems[1].natural_gradient(x)
        np.testing.assert_allclose(found, x, rtol=1e-12)


def test_noise_of_a_rule_is_not_frozen_into_a_trace(compiled):
    class Noisy(ro.Integrator):
        def __init__(self):
            self.rng = np.random.default_rng(0)

        def step(self, problem, theta, h, memory):
            return theta + 1e-3 * self.rng.normal(size=2), memory

    steps = np.diff(ro.minimize(compiled, Noisy(), start=[1.0, 1.0], step_size=0.5, steps=4).points, axis=0)
    np.testing.assert_allclose(steps, 1e-3 * np.random.default_rng(0).normal(size=(4, 2)), rtol=1e-9)


def test_error_of_a_rule_reaches_its_author(problems):
    class Wrong(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return theta - problem.no_such_primitive(theta), memory

    class TooLong(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return np.concatenate([theta, theta]), memory

    for problem in problems:
        with pytest.raises(AttributeError, match="no_such_primitive"):
            ro.minimize(problem, Wrong(), start=[1.0, 1.0], step_size=0.5, steps=2)
        with pytest.raises(ShapeError, match=r"TooLong\(\) returned a point of shape \(4,\), not \(2,\)"):
            ro.minimize(problem, TooLong(), start=[1.0, 1.0], step_size=0.5, steps=2)


@pytest.mark.slow
def test_rule_gets_points_that_it_may_change_in_place(problems):
    class InPlace(ro.Integrator):
        def step(self, problem, theta, h, memory):
            v = problem.natural_gradient(theta)
            v *= h
            theta -= v
            return theta, memory

    for problem in problems:
        for tolerance in (None, 1e-9):
            settings = {"start": [1.0, 1.0], "step_size": 0.5, "steps": 5, "tolerance": tolerance}
            found = ro.minimize(problem, InPlace(), **settings)
            assert_same(found, ro.minimize(problem, "ng", **settings))


# -- axes


@pytest.mark.parametrize("rule", ["geof", Halving()], ids=["compiled", "as it stands"])
def test_last_entries_are_those_of_the_whole_trajectory(problems, rule):
    settings = {"start": [[1.0, 1.0], [2.5, 0.75], [0.1, 4.0]], "step_size": [[0.25], [0.5], [5.0]], "steps": 6}
    for problem in problems:
        whole, last = (ro.minimize(problem, rule, keep=keep, **settings) for keep in ("all", "last"))
        np.testing.assert_array_equal(last.points, whole.points[..., -1:, :])
        np.testing.assert_array_equal(last.losses, whole.losses[..., -1:])
        np.testing.assert_array_equal(last.status, whole.status)


@pytest.mark.parametrize("rule", ["mid", Solved()], ids=["compiled", "as it stands"])
def test_starts_and_step_sizes_broadcast(problems, rule):
    for problem in problems:
        starts = np.array([[[1.0, 1.0]], [[2.5, 0.75]], [[4.0, 4.0]]])
        trajectory = ro.minimize(problem, rule, start=starts, step_size=[0.1, 0.2, 0.3, 0.4], steps=2)
        assert trajectory.points.shape == (3, 4, 3, 2)
        assert trajectory.losses.shape == (3, 4, 3)
        assert trajectory.status.shape == trajectory.success.shape == trajectory.loss.shape == (3, 4)
        assert trajectory.x.shape == (3, 4, 2)
        one = ro.minimize(problem, rule, start=starts[2, 0], step_size=0.4, steps=2)
        np.testing.assert_array_equal(trajectory.points[2, 3], one.points)
        assert ro.minimize(problem, rule, start=[1, 1], step_size=[0.1, 0.2], steps=0).points.shape == (2, 1, 2)
        assert ro.minimize(problem, rule, start=np.empty((0, 2)), step_size=0.1, steps=2).points.shape == (0, 3, 2)


def test_large_batches_are_shared_out_among_threads(compiled):
    starts = np.random.default_rng(0).uniform(0.5, 4.0, (500, 2))
    together = ro.minimize(compiled, "ng", start=starts, step_size=0.25, steps=3)
    for i in (0, 63, 64, 499):
        alone = ro.minimize(compiled, "ng", start=starts[i], step_size=0.25, steps=3)
        np.testing.assert_array_equal(together.points[i], alone.points)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.float64])
def test_models_compute_in_double_precision_whatever_the_start(problems, dtype):
    for problem in problems:
        trajectory = ro.minimize(problem, "ng", start=np.array([1, 1], dtype=dtype), step_size=0.5, steps=2)
        assert trajectory.points.dtype == np.float64
        expected = ro.minimize(problem, "ng", start=[1.0, 1.0], step_size=0.5, steps=2)
        np.testing.assert_array_equal(trajectory.points, expected.points)


def test_trajectory_has_the_attributes_it_promises(compiled):
    trajectory = ro.minimize(compiled, "geo", start=[1.0, 1.0], step_size=0.5, steps=10)
    assert trajectory.points.shape == (11, 2) and trajectory.losses.shape == (11,)
    np.testing.assert_array_equal(trajectory.points[0], [1.0, 1.0])
    np.testing.assert_array_equal(trajectory.x, trajectory.points[-1])
    assert trajectory.loss == trajectory.losses[-1] and np.ndim(trajectory.loss) == 0
    np.testing.assert_allclose(trajectory.losses, compiled.loss(trajectory.points), rtol=1e-13)
    assert trajectory.status is ro.Status.COMPLETED
    assert bool(trajectory.success) is True
    assert trajectory.message == "all steps were taken"
    assert repr(trajectory) == "Trajectory(points=(11, 2), all steps were taken)"


# -- statuses


@pytest.mark.parametrize("key", [*KEYS, "as it stands"])
def test_failure_of_a_member_leaves_the_others_unharmed(problems, key):
    """The second member is sent out of the domain, unless it moves exactly; to the third, the metric is singular."""
    rule = Solved() if key == "as it stands" else key
    starts = np.array([[1.0, 1.0], [0.05, 9.0], [1e16, 1e16], [2.0, 2.0]])
    step_sizes = [0.125, 0.125 if key in EXACT else 300.0, 0.125, 0.125]
    for problem in problems:
        together = ro.minimize(problem, rule, start=starts, step_size=step_sizes, steps=4)
        assert list(together.success[[0, 3]]) == [True, True]
        assert np.isfinite(together.points[[0, 3]]).all()
        for i in (0, 3):
            alone = ro.minimize(problem, rule, start=starts[i], step_size=0.125, steps=4)
            np.testing.assert_array_equal(together.points[i], alone.points)
        for i in np.flatnonzero(~together.success):
            wrong = np.isnan(together.points[i]).any(axis=-1)
            np.testing.assert_array_equal(wrong, np.isnan(together.losses[i]))
            assert np.all(wrong == np.sort(wrong)) and wrong[-1]
            np.testing.assert_array_equal(together.points[i, ~wrong][:1], starts[i, None][: int(not wrong[0])])


@pytest.mark.parametrize("key", ["gd", "ng", "mid", "geof"])
def test_step_out_of_the_domain_ends_a_trajectory(problems, key):
    for problem in problems:
        trajectory = ro.minimize(problem, key, start=[0.05, 9.0], step_size=300.0, steps=5)
        assert trajectory.status is ro.Status.LEFT_DOMAIN
        assert not trajectory.success and trajectory.message == ro.Status.LEFT_DOMAIN.meaning
        np.testing.assert_array_equal(trajectory.points[0], [0.05, 9.0])
        assert np.isnan(trajectory.points[-1]).all() and np.isnan(trajectory.x).all() and np.isnan(trajectory.loss)


@pytest.mark.slow
def test_point_that_a_step_only_looks_at_must_lie_in_the_domain_too(problems):
    class Looking(ro.Integrator):
        def step(self, problem, theta, h, memory):
            ahead = problem.natural_gradient(theta - 10.0)
            return theta - 0.0 * np.where(ahead > 0, 1.0, 0.0), memory

    for problem in problems:
        trajectory = ro.minimize(problem, Looking(), start=[1.0, 1.0], step_size=0.5, steps=3)
        assert trajectory.status is ro.Status.LEFT_DOMAIN
        np.testing.assert_array_equal(np.isnan(trajectory.losses), [False, True, True, True])


@pytest.mark.slow
def test_what_fails_first_gives_the_status(problems):
    class Early(ro.Integrator):
        """Looks outside before its first step, and then at numbers that are not finite."""

        def init(self, problem, theta, h):
            return problem.natural_gradient(theta - 10.0)

        def step(self, problem, theta, h, memory):
            return theta - h * problem.natural_gradient(theta * 1e200 * 1e200), memory

    for problem in problems:
        trajectory = ro.minimize(problem, Early(), start=[1.0, 1.0], step_size=0.5, steps=3)
        assert trajectory.status is ro.Status.LEFT_DOMAIN


@pytest.mark.parametrize("key", ["ng", "mid", "geo", "geof", "geo-exact", "ng-exact"])
def test_singular_metric_is_told_apart(problems, key):
    """So far out, the Gamma metric is singular to working precision; its loss is not yet infinite."""
    for problem in problems:
        trajectory = ro.minimize(problem, key, start=[1e16, 1e16], step_size=0.5, steps=2)
        assert trajectory.status is ro.Status.SINGULAR_METRIC
        np.testing.assert_array_equal(np.isnan(trajectory.losses), [False, True, True])


@pytest.mark.slow
def test_numbers_that_are_not_finite_are_told_apart(problems):
    class Exploding(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return theta * 1e200, memory

    class Undefined(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return theta * np.sqrt(0.5 - theta), memory

    for problem in problems:
        exploded = ro.minimize(problem, Exploding(), start=[1.0, 1.0], step_size=0.5, steps=4)
        undefined = ro.minimize(problem, Undefined(), start=[1.0, 1.0], step_size=0.5, steps=4)
        too_large = ro.minimize(problem, "ng", start=[1e308, 1e308], step_size=0.5, steps=4)
        for trajectory in (exploded, undefined, too_large):
            assert trajectory.status is ro.Status.NON_FINITE
        assert np.isnan(too_large.losses).all()
        assert np.isfinite(undefined.losses).tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("key", ["gd", "ng", "mid", "geo", "geof"])
def test_statuses_are_the_same_compiled(problems, key):
    rng = np.random.default_rng(0)
    starts = np.exp(rng.uniform(-4, 4, (60, 2)))
    step_sizes = np.exp(rng.uniform(-2, 4, 60))
    fast, plain = (ro.minimize(p, key, start=starts, step_size=step_sizes, steps=12) for p in problems)
    np.testing.assert_array_equal(fast.status, plain.status)
    np.testing.assert_array_equal(np.isnan(fast.losses), np.isnan(plain.losses))
    assert len(set(fast.status)) > 1


@pytest.fixture(scope="module")
def zeros():
    """No count but 0: the Riemannian Euler method of step h takes the root of the mean to (1 - h/2) times itself."""
    poisson = ro.models.Poisson()
    root = sp.Symbol("root", positive=True)
    model = poisson.reparametrize({poisson.parameters[0]: root**2}, (root,))
    return [ro.Manifold(model, backend=backend).likelihood([0.0, 0.0]) for backend in ("numba", "numpy")]


@pytest.mark.slow
def test_geodesic_that_leaves_the_domain_ends_a_trajectory(zeros):
    for problem in zeros:
        trajectory = ro.minimize(problem, "geo-exact", start=[1.0], step_size=[0.5, 1.5, 2.5], steps=3)
        left = ro.Status.LEFT_DOMAIN
        assert trajectory.status.tolist() == [0, 0, left]
        np.testing.assert_allclose(trajectory.points[0, :, 0], 0.75 ** np.arange(4), rtol=1e-8)
        np.testing.assert_allclose(trajectory.points[1, :, 0], 0.25 ** np.arange(4), rtol=1e-8)
        np.testing.assert_array_equal(np.isnan(trajectory.losses[2]), [False, True, True, True])


def test_message_of_a_batch_counts_its_statuses(compiled):
    trajectory = ro.minimize(compiled, "ng", start=[[1.0, 1.0], [0.05, 9.0]], step_size=[0.5, 300.0], steps=3)
    assert trajectory.status.tolist() == [ro.Status.COMPLETED, ro.Status.LEFT_DOMAIN]
    assert trajectory.success.tolist() == [True, False]
    assert trajectory.message == f"1 of 2: all steps were taken; 1 of 2: {ro.Status.LEFT_DOMAIN.meaning}"


# -- convergence


@pytest.mark.parametrize("key", ["gd", "ng", "geof"])
@pytest.mark.slow_for("gd", "geof")
def test_trajectory_stops_where_the_riemannian_norm_is_small(problems, key):
    start, tolerance = ([5.0, 5.0], 0.2) if key == "gd" else ([4.0, 4.0], 1e-3)
    both = [ro.minimize(p, key, start, 0.4, 100, tolerance=tolerance) for p in problems]
    assert_same(*both)
    for problem, trajectory in zip(problems, both, strict=True):
        assert trajectory.status is ro.Status.CONVERGED and trajectory.success
        speed = np.sqrt(
            np.einsum("ki,ki->k", problem.gradient(trajectory.points), problem.natural_gradient(trajectory.points))
        )
        at = int(np.argmax(speed <= tolerance))
        assert 0 < at < 100 and np.all(speed[:at] > tolerance)
        np.testing.assert_array_equal(trajectory.points[at:], np.broadcast_to(trajectory.points[at], (101 - at, 2)))
        np.testing.assert_array_equal(trajectory.losses[at:], trajectory.losses[at])
        # another program, which shares other work: the same but for rounding
        whole = ro.minimize(problem, key, start, 0.4, 100)
        np.testing.assert_allclose(trajectory.points[: at + 1], whole.points[: at + 1], rtol=1e-13)
        last = ro.minimize(problem, key, start, 0.4, 100, tolerance=tolerance, keep="last")
        np.testing.assert_array_equal(last.points, trajectory.points[-1:])
        assert last.status is ro.Status.CONVERGED


def test_rule_that_runs_as_it_stands_converges_at_the_same_point(problems):
    class Plain(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return np.array([float(x) for x in theta - h * problem.natural_gradient(theta)]), memory

    assert not is_compiled(problems[0], Plain())
    for problem in problems:
        settings = {"start": [4.0, 4.0], "step_size": 0.4, "steps": 60, "tolerance": 1e-6}
        assert_same(ro.minimize(problem, Plain(), **settings), ro.minimize(problem, "ng", **settings))


@pytest.fixture(params=[slow(c) if c != "gamma by mean" else c for c in catalogue.GAMMA_CHARTS])
def chart_case(request):
    """Another chart of the Gamma model."""
    return catalogue.case(request.param)


def test_where_a_trajectory_converges_does_not_depend_on_the_chart(chart_case, gamma):
    """The exact methods pass through the same distributions in every chart, and stop at the same one."""
    chart = chart_case.model.chart
    for key in EXACT:
        settings = {"step_size": 0.5, "steps": 40, "tolerance": 1e-4}
        here = ro.minimize(gamma.numpy.likelihood(SAMPLES), key, start=[2.0, 3.0], **settings)
        there = ro.minimize(
            chart_case.numpy.likelihood(SAMPLES), key, start=chart.from_original([2.0, 3.0]), **settings
        )
        assert here.status is there.status is ro.Status.CONVERGED
        np.testing.assert_allclose(chart.to_original(there.points), here.points, rtol=1e-7)


def test_tolerance_is_taken_as_reached_at_the_start(compiled):
    trajectory = ro.minimize(compiled, "ng", start=[1.0, 1.0], step_size=0.5, steps=3, tolerance=1e3)
    assert trajectory.status is ro.Status.CONVERGED
    np.testing.assert_array_equal(trajectory.points, np.ones((4, 2)))


# -- misuse


MISUSE = {
    "start outside": (
        {"start": [[1.0, 1.0], [-1.0, 1.0]]},
        DomainError,
        r"start\[1\]: alpha = -1\.0 is outside its domain",
    ),
    "start that is not finite": ({"start": [1.0, np.nan]}, DomainError, "start: beta = nan is not finite"),
    "too few coordinates": ({"start": [1.0]}, ShapeError, r"start has shape \(1,\), but its last axis must be 2"),
    "a number as start": ({"start": 1.0}, ShapeError, r"start has shape \(\)"),
    "a text as start": ({"start": "here"}, ShapeError, "start is not an array of numbers: 'here'"),
    "complex start": ({"start": [1.0 + 1j, 1.0]}, ShapeError, "start is not an array of numbers"),
    "axes that do not fit": (
        {"start": np.ones((3, 2)), "step_size": [0.1, 0.2]},
        ShapeError,
        r"step_size of shape \(2,\) does not broadcast against start \(3, 2\)",
    ),
    "unknown integrator": ({"integrator": "goe"}, UnknownNameError, "unknown integrator 'goe': did you mean 'geo'"),
    "a class": ({"integrator": Heun}, ArgumentError, r"give an integrator, not its class: Heun\(\)"),
    "a function": ({"integrator": print}, ArgumentError, "an integrator is a key or an Integrator"),
    "step size zero": ({"step_size": 0.0}, ArgumentError, r"step_size must be positive and finite, not 0\.0"),
    "one step size negative": ({"step_size": [0.1, -0.2]}, ArgumentError, r"not -0\.2"),
    "infinite step size": ({"step_size": np.inf}, ArgumentError, "not inf"),
    "undefined step size": ({"step_size": np.nan}, ArgumentError, "not nan"),
    "a text as step size": ({"step_size": "small"}, ArgumentError, "step_size is not a number"),
    "negative steps": ({"steps": -1}, ArgumentError, "steps must be a whole number of at least 0, not -1"),
    "half a step": ({"steps": 2.5}, ArgumentError, r"not 2\.5"),
    "unknown keep": ({"keep": "first"}, ArgumentError, "keep must be 'all' or 'last', not 'first'"),
    "negative tolerance": ({"tolerance": -1e-3}, ArgumentError, r"tolerance must be at least 0, not -0\.001"),
    "undefined tolerance": ({"tolerance": np.nan}, ArgumentError, "not nan"),
}


@pytest.mark.parametrize("what", MISUSE)
def test_misuse_is_refused_at_once_in_words(problems, what):
    change, error, message = MISUSE[what]
    for problem in problems:
        arguments = {"integrator": "ng", "start": [1.0, 1.0], "step_size": 0.5, "steps": 3, **change}
        with pytest.raises(error, match=message) as caught:
            ro.minimize(problem, **arguments)
        assert isinstance(caught.value, ValueError)


def test_missing_primitive_is_named_with_the_integrators_that_do_without():
    problem = ro.OperatorProblem(
        loss=lambda x: x @ x / 2, gradient=lambda x: x, fisher_product=lambda x, v: 2.0 * np.asarray(v)
    )
    with pytest.raises(UnsupportedError, match="needs the primitive 'connection'") as caught:
        ro.minimize(problem, "geo", start=[1.0, 1.0], step_size=0.5, steps=3)
    hint = str(caught.value).split("do without: ")[1]
    assert {"gd", "ng", "mid", "ng-exact", "ng-adaptive"} <= set(hint.split(", "))
    assert not {"geo", "geof", "geo-exact"} & set(hint.split(", "))


def test_what_is_no_problem_is_refused():
    with pytest.raises(ArgumentError, match=r"a problem must be a riemopt\.Problem"):
        ro.minimize(lambda x: x, "ng", start=[1.0], step_size=0.5, steps=1)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("a", [1.0, slow(-1.0)])
def test_riemannian_euler_of_the_dual_connections_goes_straight_in_natural_and_in_mean_parameters(backend, a):
    """a = 1: straight in (α, β), which are natural up to sign and shift; a = -1: straight in E[log x], E[x]."""
    gamma = ro.models.Gamma()
    problem = ro.Manifold(gamma, backend=backend).likelihood(gamma.sample([3.0, 2.0], 500))
    start, h = np.array([2.0, 1.5]), 0.3
    trajectory = ro.minimize(problem, ro.integrators.RiemannianEuler(a=a), start=start, step_size=h, steps=1)
    v = -problem.natural_gradient(start)

    def mean(theta):
        return np.array([scipy.special.digamma(theta[0]) - np.log(theta[1]), theta[0] / theta[1]])

    if a == 1.0:
        np.testing.assert_allclose(trajectory.x, start + h * v, rtol=1e-9)
    else:
        alpha, beta = start
        slope = np.array([[scipy.special.polygamma(1, alpha), -1 / beta], [1 / beta, -alpha / beta**2]])
        np.testing.assert_allclose(mean(trajectory.x), mean(start) + h * slope @ v, rtol=1e-9)


def test_riemannian_euler_without_an_argument_is_that_of_levi_civita():
    gamma = ro.models.Gamma()
    problem = ro.Manifold(gamma, backend="numpy").likelihood([0.5, 1.0, 2.0])
    same = [
        ro.minimize(problem, rule, start=[1.0, 1.0], step_size=0.5, steps=2).x
        for rule in ("geo-exact", ro.integrators.RiemannianEuler(a=0.0))
    ]
    np.testing.assert_array_equal(*same)


@pytest.mark.slow
def test_our_own_rules_are_traced_once_and_others_whenever_they_run(monkeypatch):
    problem = ro.Manifold(ro.models.Gamma()).likelihood([0.5, 1.0, 2.0])
    traced = []
    original = likelihood.trajectory_program
    monkeypatch.setattr(likelihood, "trajectory_program", lambda *a: traced.append(a[1]) or original(*a))

    class Scaled(ro.Integrator):
        def step(self, problem, theta, h, memory):
            return theta - settings["factor"] * h * problem.natural_gradient(theta), memory

    ends, settings = [], {}
    for settings["factor"] in (1.0, 0.5):
        ends += [ro.minimize(problem, rule, start=[1.0, 1.0], step_size=0.1, steps=2).x for rule in ("ng", Scaled())]
    assert [type(rule).__name__ for rule in traced] == ["NaturalGradient", "Scaled", "Scaled"]
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-14)
    np.testing.assert_array_equal(ends[2], ends[0])
    assert np.abs(ends[3] - ends[0]).max() > 1e-3


def test_counts_of_trajectories_alike_share_the_memory_of_one():
    gamma = ro.models.Gamma()
    problem = ro.Manifold(gamma).likelihood([0.5, 1.0, 2.0])
    starts = np.full((3, 4, 2), 2.0) + np.arange(12.0).reshape(3, 4, 1) / 10.0
    alike = ro.minimize(problem, "geo", starts, 0.1, 5).evaluations
    for count, expected in zip(alike, (6, 5, 5, 10, 0), strict=True):
        assert count.shape == (3, 4) and (count == expected).all()
        assert count.strides == (0, 0)
    ended = ro.minimize(problem, "ng", starts, 0.9, 40, tolerance=1e-6)
    assert ended.success.all() and len(np.unique(ended.evaluations.gradients)) > 1
    one_by_one = [ro.minimize(problem, "ng", start, 0.9, 40, tolerance=1e-6) for start in starts.reshape(-1, 2)]
    assert ended.evaluations.gradients.ravel().tolist() == [one.evaluations.gradients for one in one_by_one]
