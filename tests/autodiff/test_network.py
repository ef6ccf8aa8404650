"""What networks of all frameworks have in common, on one that needs none."""

import numpy as np
import pytest

import riemopt as ro
from riemopt.autodiff.feedforward import NetworkProblem
from riemopt.autodiff.network import geometric, truncated
from riemopt.errors import ArgumentError, DomainError, ShapeError
from tests.autodiff.nets import data, parameters

SIZES = (3, 2, 2)


def made(output="bernoulli", cases=10, seed=1, **options):
    return NetworkProblem(parameters(SIZES), *data(output, SIZES, cases, seed), output=output, **options)


def test_iterates_are_kept_at_powers_of_1_3_rounded_up():
    wanted = sorted({int(np.ceil(1.3**j)) for j in range(20)})
    assert [i for i in range(1, wanted[-1] + 1) if geometric(i)] == wanted
    assert not geometric(0)


def test_a_truncated_solver_keeps_what_it_was_told():
    own = ro.ConjugateGradient(max_iterations=7, progress=0.1)
    assert truncated(own).progress == 0.1
    assert truncated(own).keep is geometric
    unlimited = ro.ConjugateGradient()
    assert truncated(unlimited) is unlimited


@pytest.mark.parametrize(
    ("cases", "size", "firsts"),
    [(10, 5, [0, 5, 0, 5]), (10, 4, [0, 4, 6, 0]), (10, 10, [0] * 4), (10, 99, [0] * 4), (10, None, [0] * 4)],
)
def test_parts_of_the_data_take_turns_and_all_are_as_large(cases, size, firsts):
    net = made(cases=cases, metric_cases=size)
    assert [net.seen_at(k).first_case for k in range(4)] == firsts


def test_the_metric_solves_and_is_damped_like_its_matrix():
    net = made(weight_decay=0.1, solver=ro.ConjugateGradient())
    here, c = net.at(net.start), np.random.default_rng(0).normal(size=net.dimension)
    matrix = net.metric(net.start)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-16)
    np.testing.assert_allclose(net.raise_index(net.start, c), np.linalg.solve(matrix, c), rtol=1e-9, atol=1e-9)
    damped = here.metric.damped(0.2).damped(0.3, by="diagonal")
    dense = matrix + 0.2 * np.eye(len(c))
    dense += 0.3 * np.diag(np.diagonal(dense))
    np.testing.assert_allclose(damped.dense(), dense, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(damped.solve(c), np.linalg.solve(dense, c), rtol=1e-9, atol=1e-10)
    other = damped.solved_by(ro.ConjugateGradient(max_iterations=1))
    assert other.solution(c).iterations == 1
    np.testing.assert_array_equal(other.product(c), damped.product(c))


def test_the_preconditioner_is_made_of_squares_damping_and_decay():
    here = made(weight_decay=0.1).at(made().start)
    wanted = (here.squares + 0.3) ** 0.75
    np.testing.assert_allclose(here.metric.damped(0.2).preconditioner, wanted, rtol=1e-14)
    assert made().at(made().start).metric.preconditioner is None  # without damping a square may be 0
    assert made(preconditioned=False).at(made().start).metric.damped(0.2).preconditioner is None


def test_a_preconditioned_solve_gives_the_same():
    c = np.random.default_rng(0).normal(size=made().dimension)
    found = [
        made(preconditioned=p, solver=ro.ConjugateGradient()).at(made().start).metric.damped(0.1).solve(c)
        for p in (True, False)
    ]
    np.testing.assert_allclose(*found, rtol=1e-10)


def test_geodesics_and_flows_of_a_small_network_are_integrated():
    net = made(weight_decay=0.5, solver=ro.ConjugateGradient())
    v = 0.1 * np.random.default_rng(0).normal(size=net.dimension)
    away = net.exp(net.start, v)
    straight = np.abs(away - net.start - v).max()
    curved = np.abs(away - net.start - v - 0.5 * net.acceleration(net.start, v)).max()
    assert 0 < curved < 0.2 * straight
    carried = net.transport(net.start, v, v)
    assert net.at(away).metric.norm(carried) == pytest.approx(net.at(net.start).metric.norm(v), rel=1e-7)
    assert net.loss(net.flow(net.start, 0.1)) < net.loss(net.start)


def test_what_is_not_finite_is_outside():
    net = made()
    assert net.contains(net.start)
    assert not net.contains(net.start * np.nan)
    with pytest.raises(DomainError, match="the start is not finite"):
        net.require_inside(net.start * np.inf, "the start")


def test_the_status_says_why_a_number_is_not_finite():
    net = made("poisson")
    assert net.reason("loss", net.start) is ro.Status.NON_FINITE
    assert net.reason("exp", net.start, net.start) is ro.Status.DIVERGED
    assert net.reason("natural_gradient", net.start) is ro.Status.SINGULAR_METRIC
    far = net.start.copy()
    far[-2:] = 1e3
    assert net.reason("natural_gradient", far) is ro.Status.NON_FINITE


def test_problems_are_told_apart_by_data_output_and_settings():
    x, t = data("bernoulli", SIZES, 10)
    swapped = x[[0, 2, 1, *range(3, 10)]]
    digests = [
        net.digest
        for net in (
            made(),
            made(seed=2),
            made(cases=9),
            made("poisson"),
            made("gaussian"),
            made("gaussian", scale=None),
            made("gaussian", scale=2.0),
            made(metric_cases=3),
            made(weight_decay=0.1),
            made(weight_decay=np.arange(len(made().start)) + 1.0),
            made(weight_decay=np.arange(len(made().start))[::-1] + 1.0),
            made().as_published(),
            NetworkProblem(parameters(SIZES), swapped, t, "bernoulli"),
            NetworkProblem(parameters(SIZES), x, 1.0 - t, "bernoulli"),
        )
    ]
    assert len(set(digests)) == len(digests)
    assert made().digest == made().digest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chunk": 0}, "chunk must be a whole number of at least 1"),
        ({"chunk": 2.5}, "chunk must be a whole number of at least 1"),
        ({"metric_cases": -1}, "metric_cases must be a whole number of at least 1"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0"),
        ({"weight_decay": np.nan}, "weight_decay must be at least 0"),
        ({"weight_decay": np.inf}, "weight_decay must be at least 0"),
        ({"output": "gaussian", "scale": None, "weight_decay": 0.1}, "weight_decay= goes with a known scale"),
        ({"output": "gaussian", "scale": 0.0}, "scale must be a positive number"),
    ],
)
def test_arguments_out_of_their_range_are_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        made(**options)


def test_vectors_of_another_length_are_refused():
    net = made()
    for call in (net.fisher_product, net.raise_index, net.third_term):
        with pytest.raises(ShapeError, match="14 parameters"):
            call(net.start, np.zeros(3))


def test_an_unknown_scale_is_profiled_out():
    x, t = data("gaussian", SIZES, 10)
    net = NetworkProblem(parameters(SIZES), x, t, "gaussian", scale=None)
    theta, v = net.start, np.random.default_rng(0).normal(size=net.dimension)
    half = net.at(theta)._unprofiled
    scale = float(np.sqrt(2.0 * half / 2))
    known = NetworkProblem(parameters(SIZES), x, t, "gaussian", scale=scale)
    assert net.loss(theta) == pytest.approx(known.loss(theta), rel=1e-13)
    for name, arguments in (("gradient", ()), ("fisher_product", (v,)), ("connection", (v,)), ("third_term", (v,))):
        pair = [getattr(problem, name)(theta, *arguments) for problem in (net, known)]
        np.testing.assert_allclose(*pair, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(net.at(theta).squares, known.at(theta).squares, rtol=1e-12)
    np.testing.assert_allclose(net.at(theta).metric.diagonal(), known.at(theta).metric.diagonal(), rtol=1e-12)
    h = 1e-5
    step = h * np.eye(net.dimension)
    slopes = [(net.loss(theta + unit) - net.loss(theta - unit)) / (2 * h) for unit in step]
    np.testing.assert_allclose(net.gradient(theta), slopes, rtol=1e-6, atol=1e-9)
