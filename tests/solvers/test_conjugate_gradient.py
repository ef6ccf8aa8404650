"""Facts about conjugate gradients, against a direct solve."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import riemopt as ro
from riemopt.errors import ArgumentError, ShapeError

seeds = st.integers(min_value=0, max_value=2**32 - 1)
sizes = st.integers(min_value=1, max_value=12)


def definite(rng: np.random.Generator, n: int, decades: float = 3.0) -> np.ndarray:
    """A symmetric positive definite matrix whose eigenvalues spread over some decades."""
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return (q * 10.0 ** rng.uniform(-decades / 2, decades / 2, n)) @ q.T


def quadratic(matrix: np.ndarray, b: np.ndarray, x: np.ndarray) -> float:
    return float(x @ matrix @ x / 2 - b @ x)


@given(seeds, sizes)
def test_solves_like_a_direct_method(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, b = definite(rng, n), rng.normal(size=n)
    x = ro.ConjugateGradient()(lambda v: matrix @ v, b).x
    np.testing.assert_allclose(x, np.linalg.solve(matrix, b), rtol=1e-8, atol=1e-8 * np.abs(x).max())


@given(seeds, sizes, st.floats(min_value=0.0, max_value=10.0))
def test_damping_solves_the_damped_system(seed: int, n: int, damping: float) -> None:
    rng = np.random.default_rng(seed)
    matrix, b = definite(rng, n), rng.normal(size=n)
    x = ro.ConjugateGradient(damping=damping)(lambda v: matrix @ v, b).x
    wanted = np.linalg.solve(matrix + damping * np.eye(n), b)
    np.testing.assert_allclose(x, wanted, rtol=1e-8, atol=1e-8 * np.abs(x).max())


def test_damping_makes_a_singular_matrix_regular() -> None:
    matrix, b = np.diag([1.0, 0.0]), np.array([1.0, 1.0])
    assert np.all(np.isnan(ro.ConjugateGradient()(lambda v: matrix @ v, b).x))
    np.testing.assert_allclose(ro.ConjugateGradient(damping=0.5)(lambda v: matrix @ v, b), [1 / 1.5, 1 / 0.5])


@given(seeds, st.integers(min_value=2, max_value=12))
def test_an_indefinite_matrix_gives_nan(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = definite(rng, n)
    values, vectors = np.linalg.eigh(matrix)
    matrix = (vectors * np.where(np.arange(n) == 0, -values, values)) @ vectors.T
    b = rng.normal(size=n)
    assume(abs(vectors[:, 0] @ b) > 1e-3 * np.linalg.norm(b))  # else b does not see the negative direction
    assert np.all(np.isnan(ro.ConjugateGradient()(lambda v: matrix @ v, b).x))


@given(seeds, st.integers(min_value=2, max_value=12))
def test_truncated_iterates_lower_the_quadratic_one_after_the_other(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, b = definite(rng, n), rng.normal(size=n)
    iterates = [ro.ConjugateGradient(max_iterations=k)(lambda v: matrix @ v, b).x for k in range(1, n + 1)]
    values = [0.0, *(quadratic(matrix, b, x) for x in iterates)]
    lowest = quadratic(matrix, b, np.linalg.solve(matrix, b))
    rounding = 1e-12 * abs(lowest)
    assert all(after <= before + rounding for before, after in pairwise(values))
    assert values[1] < 0.0
    assert values[-1] >= lowest - rounding


def test_a_solve_that_is_cut_short_gives_its_iterate_only_if_that_was_asked_for() -> None:
    n = 12
    matrix = 1.0 / (1.0 + np.add.outer(np.arange(n), np.arange(n)))  # Hilbert's: singular to working precision

    def product(v: np.ndarray) -> np.ndarray:
        return matrix @ v + 1e-6 * np.sin(1e9 * v)  # and not even linear, so that no residual of 1e-12 is met

    b = np.ones(n)
    assert np.all(np.isnan(ro.ConjugateGradient()(product, b).x))
    assert np.all(np.isfinite(ro.ConjugateGradient(max_iterations=3)(product, b).x))


def test_one_product_an_iteration_and_none_for_nothing() -> None:
    calls: list[np.ndarray] = []

    def product(v: np.ndarray) -> np.ndarray:
        calls.append(v)
        return np.array([1.0, 2.0, 3.0]) * v

    solver = ro.ConjugateGradient()
    solver(product, np.ones(3))
    assert len(calls) == 3
    solver(product, np.zeros(3))
    solver(product, [np.nan, 1.0, 1.0])
    assert len(calls) == 3


def test_what_the_product_was_given_does_not_change_afterwards() -> None:
    given_, copies = [], []

    def product(v: np.ndarray) -> np.ndarray:
        given_.append(v)
        copies.append(v.copy())
        return np.array([1.0, 2.0, 3.0]) * v

    b = np.ones(3)
    ro.ConjugateGradient()(product, b)
    np.testing.assert_array_equal(given_, copies)
    np.testing.assert_array_equal(b, np.ones(3))


def test_a_product_may_return_its_argument() -> None:
    np.testing.assert_array_equal(ro.ConjugateGradient()(lambda v: v, [1.0, -2.0]), [1.0, -2.0])


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_the_answer_scales_with_the_right_hand_side(size: float) -> None:
    matrix, b = definite(np.random.default_rng(0), 5), np.arange(1.0, 6.0)
    solver = ro.ConjugateGradient()
    x = solver(lambda v: matrix @ v, size * b).x
    np.testing.assert_allclose(x / size, solver(lambda v: matrix @ v, b).x, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e25])
def test_single_precision_stays_single_precision(size: float) -> None:
    rng = np.random.default_rng(1)
    matrix, b = definite(rng, 20, decades=2.0), rng.normal(size=20)
    x = ro.ConjugateGradient()(lambda v: matrix.astype(np.float32) @ v, (size * b).astype(np.float32)).x
    assert x.dtype == np.float32
    wanted = np.linalg.solve(matrix, b)
    np.testing.assert_allclose(x / np.float32(size), wanted, atol=1e-4 * np.abs(wanted).max())


def test_products_of_single_precision_are_asked_for_no_more_than_they_have() -> None:
    rng = np.random.default_rng(2)
    matrix, b = definite(rng, 30, decades=2.0), rng.normal(size=30)
    calls: list[None] = []

    def product(v: np.ndarray) -> np.ndarray:
        calls.append(None)
        return matrix.astype(np.float32) @ v.astype(np.float32)

    x = ro.ConjugateGradient()(product, b).x
    assert x.dtype == np.float64
    np.testing.assert_allclose(matrix @ x, b, atol=1e-4)
    assert len(calls) < 100


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_gives_nan_and_no_warning(bad: float) -> None:
    solver = ro.ConjugateGradient(max_iterations=5)
    assert np.all(np.isnan(solver(lambda v: v, [1.0, bad]).x))
    assert np.all(np.isnan(solver(lambda v: np.array([bad, 1.0]) * v, [1.0, 1.0]).x))


def test_whole_numbers_are_taken_as_numbers() -> None:
    np.testing.assert_allclose(ro.ConjugateGradient()(lambda v: 2 * v, [1, 2]), [0.5, 1.0])


@given(seeds, st.integers(min_value=2, max_value=12))
def test_a_start_and_a_preconditioner_lead_to_the_same_solution(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, b = definite(rng, n), rng.normal(size=n)
    wanted = np.linalg.solve(matrix, b)
    options = [
        {"start": rng.normal(size=n)},
        {"preconditioner": np.diagonal(matrix)},
        {"preconditioner": lambda r: r / np.diagonal(matrix), "start": wanted + 0.1 * rng.normal(size=n)},
    ]
    for given_ in options:
        solution = ro.ConjugateGradient()(lambda v: matrix @ v, b, **given_)
        assert solution.status is ro.Status.CONVERGED
        np.testing.assert_allclose(solution.x, wanted, rtol=1e-7, atol=1e-7 * np.abs(wanted).max())


def test_the_solution_as_a_start_takes_one_product_and_an_exact_preconditioner_one_iteration() -> None:
    matrix, b = definite(np.random.default_rng(4), 6), np.arange(1.0, 7.0)
    calls: list[None] = []

    def product(v: np.ndarray) -> np.ndarray:
        calls.append(None)
        return matrix @ v

    wanted = np.linalg.solve(matrix, b)
    assert ro.ConjugateGradient(tolerance=1e-9)(product, b, start=wanted).iterations == 0
    assert len(calls) == 1
    inverse = np.linalg.inv(matrix)
    assert ro.ConjugateGradient(tolerance=1e-9)(product, b, preconditioner=lambda r: inverse @ r).iterations == 1
    lost = ro.ConjugateGradient()(product, b, start=np.full(6, np.nan))
    np.testing.assert_allclose(lost.x, wanted, rtol=1e-9)


def test_a_solution_says_how_it_ended_and_keeps_the_iterates_it_was_asked_for() -> None:
    matrix, b = definite(np.random.default_rng(5), 8), np.ones(8)
    solver = ro.ConjugateGradient(max_iterations=5, keep=lambda iteration: iteration in (2, 4))
    solution = solver(lambda v: matrix @ v, b)
    assert solution.status is ro.Status.COMPLETED and solution.success and solution.iterations == 5
    assert list(solution.iterates) == [2, 4]
    for k, x in solution.iterates.items():
        np.testing.assert_array_equal(x, ro.ConjugateGradient(max_iterations=k)(lambda v: matrix @ v, b).x)
    residual = np.linalg.norm(b - matrix @ solution.x) / np.linalg.norm(b)
    assert solution.residual == pytest.approx(residual, rel=1e-6)
    indefinite = ro.ConjugateGradient()(lambda v: -v, b)
    assert indefinite.status is ro.Status.SINGULAR_METRIC and np.isnan(indefinite.x).all()
    assert ro.ConjugateGradient()(lambda v: np.nan * v, b).status is ro.Status.NON_FINITE


def test_wrong_shapes_are_refused() -> None:
    solver = ro.ConjugateGradient()
    with pytest.raises(ShapeError, match=r"the start must be of shape \(2,\)"):
        solver(lambda v: v, [1.0, 1.0], start=[1.0])
    with pytest.raises(ShapeError, match=r"right-hand side must be a vector.* not \(2, 2\)"):
        solver(lambda v: v, np.eye(2))
    with pytest.raises(ShapeError, match=r"product with a vector of shape \(2,\) has shape \(1,\)"):
        solver(lambda v: v[:1], [1.0, 1.0])


@pytest.mark.parametrize(
    "settings",
    [
        {"tolerance": -1.0},
        {"tolerance": np.nan},
        {"max_iterations": 0},
        {"max_iterations": 2.5},
        {"damping": -1.0},
        {"damping": np.inf},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    (name,) = settings
    with pytest.raises(ArgumentError, match=f"{name} must be .*at least"):
        ro.ConjugateGradient(**settings)


def test_a_direction_without_curvature_may_end_a_solve_where_it_is():
    matrix, b = np.diag([3.0, 2.0, 1.0, -0.1]), np.ones(4)
    found = ro.ConjugateGradient(indefinite="stop", max_iterations=50)(lambda v: matrix @ v, b)
    assert found.status is ro.Status.COMPLETED and 1 < found.iterations < 50
    before = ro.ConjugateGradient(max_iterations=found.iterations - 1)(lambda v: matrix @ v, b)
    np.testing.assert_array_equal(found.x, before.x)
    negative = ro.ConjugateGradient(indefinite="stop")(lambda v: -v, b)
    assert negative.status is ro.Status.COMPLETED and (negative.x == 0.0).all()
    assert np.isnan(ro.ConjugateGradient(indefinite="stop")(lambda v: np.nan * v, b).x).all()
    with pytest.raises(ArgumentError, match="indefinite must be 'fail' or 'stop'"):
        ro.ConjugateGradient(indefinite="go on")
