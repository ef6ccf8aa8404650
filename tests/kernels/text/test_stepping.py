"""The stepper: order conditions, accuracy against closed forms and SciPy, and how it says that it cannot go on."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
from scipy.integrate import DOP853

from riemopt.kernels.graph.graph import Graph
from riemopt.kernels.graph.parts import Ode
from riemopt.kernels.graph.programs import Program
from riemopt.kernels.graph.tracing import TracedArray
from riemopt.kernels.targets.numba import NumbaTarget
from riemopt.kernels.targets.numpy import NumpyTarget
from riemopt.kernels.targets.target import Kernel
from riemopt.numerics.tableaux import DORMAND_PRINCE_853
from riemopt.status import Status

TARGETS = [NumpyTarget(), NumbaTarget()]


def dense(row):
    return np.array([row.get(j, 0.0) for j in range(12)])


A = np.array([dense({}), *(dense(row) for row in DORMAND_PRINCE_853.stages)])
B = dense(DORMAND_PRINCE_853.weights)
C = A.sum(axis=1)


def test_tableau_satisfies_quadrature_conditions_to_order_eight():
    for order in range(1, 9):
        assert B @ C ** (order - 1) == pytest.approx(1 / order, abs=1e-14)


def test_tableau_satisfies_the_tree_conditions_of_chains_and_bushes_to_order_eight():
    # chains of length k hanging below a node with powers of c: Butcher's conditions of Hairer, Nørsett and Wanner, II.2
    for order in range(2, 9):
        for depth in range(1, order):
            power = order - 1 - depth
            vector = C**power
            density = Fraction(1, power + 1)
            for level in range(1, depth + 1):
                vector = A @ vector
                density *= Fraction(1, power + 1 + level)
            # the root sits on top of a chain of `depth` nodes above a bush of `power` leaves
            assert B @ vector == pytest.approx(float(density), abs=1e-14), (order, depth)


def test_tableau_is_that_of_scipy():
    np.testing.assert_allclose(DOP853.A[:12, :12], A, rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(DOP853.B, B, rtol=1e-15)


def solver(derivative, dimension, target, constants=0, domain=None):
    """y ↦ y(duration) for a field written in array notation, on (state, constants, duration, rtol, atol)."""
    field_graph = Graph()
    inputs = [field_graph.input(f"input {i}") for i in range(dimension + constants)]
    y = TracedArray.of(field_graph, inputs[:dimension])
    values = derivative(y, *TracedArray.of(field_graph, inputs[dimension:]))
    status = field_graph.constant(0.0)
    if domain is not None:
        holds = domain(y).nodes[()]
        status = field_graph.call("select", holds, status, field_graph.constant(float(Status.SINGULAR_METRIC)))
    ode = Ode(Program(tuple(inputs), (status, *values.nodes)), dimension)

    graph = Graph()
    arguments = [graph.input(f"input {i}") for i in range(dimension + constants + 3)]
    status, end = graph.use(ode, arguments)
    program = Program(tuple(arguments), (status, *end))
    kernel = Kernel(target, program, [("all", (len(arguments),))], [(dimension,)])

    def run(state, duration, rtol=1e-10, atol=1e-12, parameters=()):
        state = np.asarray(state, dtype=float)
        tail = np.broadcast_to([*parameters, duration, rtol, atol], (*state.shape[:-1], constants + 3))
        return kernel(np.concatenate([state, tail], axis=-1))

    return run


def oscillator(y):
    return np.stack([y[1], -y[0]])


def arenstorf(y):
    """The restricted three-body problem of Hairer, Nørsett and Wanner, II.0, with its periodic orbit."""
    mu, nu = 0.012277471, 1 - 0.012277471
    d1 = ((y[0] + mu) ** 2 + y[1] ** 2) ** 1.5
    d2 = ((y[0] - nu) ** 2 + y[1] ** 2) ** 1.5
    return np.stack(
        [
            y[2],
            y[3],
            y[0] + 2 * y[3] - nu * (y[0] + mu) / d1 - mu * (y[0] - nu) / d2,
            y[1] - 2 * y[2] - nu * y[1] / d1 - mu * y[1] / d2,
        ]
    )


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@pytest.mark.slow_for("numba")
def test_oscillator_turns_for_either_sign_of_the_duration(target):
    run = solver(oscillator, 2, target)
    for duration in (0.0, 1e-9, 1.0, 10.0, -7.0):
        status, end = run([1.0, 0.5], duration, 1e-12, 1e-14)
        exact = [math.cos(duration) + 0.5 * math.sin(duration), 0.5 * math.cos(duration) - math.sin(duration)]
        assert status == 0 and end == pytest.approx(exact, abs=1e-10)


@pytest.mark.parametrize(
    "target",
    [t if t.name == "numpy" else pytest.param(t, marks=pytest.mark.slow) for t in TARGETS],
    ids=lambda t: t.name,
)
def test_arenstorf_orbit_closes(target):
    start = [0.994, 0.0, 0.0, -2.00158510637908252240537862224]
    period = 17.0652165601579625588917206249
    status, end = solver(arenstorf, 4, target)(start, period, 1e-13, 1e-13)
    assert status == 0 and end == pytest.approx(start, abs=2e-5)


# blocks of four components: one and one of two; two and one of three
@pytest.mark.parametrize("size", [6, pytest.param(11, marks=pytest.mark.slow)])
def test_long_states_agree_with_scipy(size):
    matrix = np.random.default_rng(0).normal(size=(size, size)) / 3
    run = solver(lambda y: matrix @ y - y**3 / 10, size, NumbaTarget())
    start = np.linspace(-1, 1, size)
    exact = scipy.integrate.solve_ivp(
        lambda t, y: matrix @ y - y**3 / 10, (0, 3), start, method="DOP853", rtol=1e-13, atol=1e-14
    )
    status, end = run(start, 3.0)
    assert status == 0
    np.testing.assert_allclose(end, exact.y[:, -1], rtol=1e-8, atol=1e-10)


def test_error_falls_with_the_tolerance():
    run = solver(oscillator, 2, NumbaTarget())
    errors = [abs(run([1.0, 0.0], 20.0, rtol, rtol)[1][0] - math.cos(20.0)) for rtol in (1e-4, 1e-7, 1e-10, 1e-13)]
    assert errors[0] < 1e-2 and errors[-1] < 1e-11
    assert all(finer < coarser for coarser, finer in itertools.pairwise(errors))


@pytest.mark.slow
def test_trajectories_of_a_batch_have_their_own_step_control_and_constants():
    run = solver(lambda y, rate: -rate * y, 1, NumbaTarget(), constants=1)
    for rate in (0.1, 1.0, 5.0):
        status, end = run([[1.0], [2.0], [-5.0]], 1.0, parameters=(rate,))
        assert (status == 0).all()
        np.testing.assert_allclose(end[:, 0], np.array([1.0, 2.0, -5.0]) * math.exp(-rate), rtol=1e-8)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@pytest.mark.slow_for("numba")
def test_solution_that_blows_up_in_finite_time_is_nan_with_a_status(target):
    run = solver(lambda y: y * y, 1, target)
    assert run([1.0], 0.9)[1] == pytest.approx([10.0], rel=1e-8)
    for member in (run([[1.0], [0.5]], 1.5),):
        status, end = member
        assert status[0] == Status.LEFT_DOMAIN and np.isnan(end[0])
        assert status[1] == 0 and end[1] == pytest.approx([2.0], rel=1e-8)


@pytest.mark.slow
def test_field_that_refuses_tells_its_own_reason():
    run = solver(lambda y: -np.ones(1) + 0 * y, 1, NumbaTarget(), domain=lambda y: y[0] > 0)
    assert run([1.0], 0.999)[1] == pytest.approx([0.001], abs=1e-10)
    status, end = run([1.0], 1.001)
    assert status == Status.SINGULAR_METRIC and np.isnan(end).all()
    status, end = run([-1.0], 1.0)
    assert status == Status.SINGULAR_METRIC and np.isnan(end).all()


@pytest.mark.slow
def test_work_without_end_is_given_up():
    run = solver(lambda y: -1e9 * (y - 1), 1, NumbaTarget())
    status, end = run([0.0], 1.0)
    assert status == Status.DIVERGED and np.isnan(end).all()
