"""The primitives that go somewhere, on traced arrays."""

from itertools import pairwise

import numpy as np

import riemopt as ro
from riemopt.formulas.model_geometry import formulas_of
from riemopt.formulas.primitives import PointPrimitives
from riemopt.formulas.traced import TracedPrimitives, pointwise_program
from riemopt.problem.protocol import PRIMITIVES
from tests.formulas.programs import run

POINT, V = np.array([0.3, 2.0]), np.array([0.1, -0.2])


def test_all_primitives_are_offered_and_those_at_a_point_are_some_of_them():
    assert TracedPrimitives.offers == frozenset(PRIMITIVES)
    assert PointPrimitives.offers < TracedPrimitives.offers


def test_closed_forms_are_what_integration_gives():
    closed, integrated = (
        run(pointwise_program(formulas_of(ro.models.Normal(), closed), lambda p, x, v: p.exp(x, v), [2, 2]), POINT, V)
        for closed in (True, False)
    )
    np.testing.assert_allclose(closed, integrated, rtol=1e-9)


def test_the_series_of_a_geodesic_comes_closer_with_every_order():
    formulas = formulas_of(ro.models.Normal(), True)
    exact = run(pointwise_program(formulas, lambda p, x, v: p.exp(x, v), [2, 2]), POINT, V)
    gaps = []
    for order in (1, 2, 3, 4):
        program = pointwise_program(formulas, lambda p, x, v, order=order: p.exp_series(x, v, order), [2, 2])
        gaps.append(np.abs(np.subtract(run(program, POINT, V), exact)).max())
    assert all(after < 0.2 * before for before, after in pairwise(gaps))


def test_log_is_the_inverse_of_exp():
    program = pointwise_program(formulas_of(ro.models.Normal(), True), lambda p, x, v: p.log(x, p.exp(x, v)), [2, 2])
    np.testing.assert_allclose(run(program, POINT, V), [0.0, *V], rtol=1e-12)
